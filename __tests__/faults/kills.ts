import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { SMTPServerOptions } from 'smtp-server';
import { type Received, withServer } from '../mail/servers.ts';
import { type ActionJob, asAction, asChild, type Command } from './command.ts';
import { type Lab, play, type Report, type Scenario, type TrialName } from './scenario.ts';
import { taskOf } from './world.ts';

/** Numbers that look random and are the same for the same seed (mulberry32). */
export function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** When a run dies, and of what. */
export interface Kill {
  /** The request, from 0, at which it happens. */
  readonly at: number;
  /** Before the proxy acts on it, after, or when the answer is on its way for so many milliseconds. */
  readonly when: 'before' | 'after' | number;
  readonly signal: 'SIGKILL' | 'SIGTERM' | 'SIGTERM, then SIGKILL';
}

/** One way to die: the command line tool, or the action's `main` with its `post` afterwards. */
export interface Death {
  readonly name: string;
  readonly trial: TrialName;
  readonly run: 'cli' | 'action';
  readonly kills: readonly [Kill, ...Kill[]];
  /** Links go out by mail, and each mail is a request at which the run may die. */
  readonly mails: boolean;
}

const WHENS = ['before', 'after', 0, 1, 3, 10] as const;
const SIGNALS = ['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGTERM, then SIGKILL'] as const;

/** @param requests That a run without mishap makes. */
export function deathOf(trial: TrialName, seed: number, requests: number): Death {
  const random = numbers(seed);
  const mails = trial === 'delete' || trial === 'life' ? 0 : mailsOf(trial);
  const withMails = mails > 0 && seed % 2 === 1;
  const kill = (): Kill => ({
    // Half of the deaths of a run that sends mails are at these, which come last.
    at: withMails && random(2) === 0 ? requests + random(mails) : random(requests),
    when: WHENS[random(WHENS.length)] as Kill['when'],
    signal: SIGNALS[random(SIGNALS.length)] as Kill['signal'],
  });
  const kills: [Kill, ...Kill[]] = [kill(), ...(random(3) === 0 ? [kill()] : [])];
  const run = random(3) === 0 ? 'action' : 'cli';
  const words = kills.map(({ at, when, signal }) => `${signal} at request ${at} (${wordsOf(when)})`);
  const mailing = withMails ? ' that sends mails' : '';
  return {
    name: `${trial}, seed ${seed}: ${run}${mailing}, ${words.join(', then the next run ')}`,
    trial,
    run,
    kills,
    mails: withMails,
  };
}

function mailsOf(trial: Exclude<TrialName, 'life'>): number {
  const { added, invited } = taskOf(trial);
  return added.length + invited.length;
}

function wordsOf(when: Kill['when']): string {
  return typeof when === 'number' ? `answered, ${when} ms later` : `${when} it takes effect`;
}

/** The folder of a build: `index.js` and `cli/index.js`. */
export async function die(lab: Lab, death: Death, dist: string): Promise<Report> {
  const killer = new Killer(death.kills);
  if (!death.mails) return dieOf(lab, death, dist, killer);
  const mails: Received[] = [];
  const take = async (to: string[], text: string): Promise<void> => {
    await killer.before();
    mails.push({ from: '', to, text });
    await killer.after();
  };
  const taking: SMTPServerOptions = {
    onData(stream, { envelope }, done) {
      const chunks: Buffer[] = [];
      const to = envelope.rcptTo.map(({ address }) => address);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => void take(to, Buffer.concat(chunks).toString()).then(() => done(null, 'queued')));
    },
  };
  return withServer(taking, ({ port }) => dieOf(lab, death, dist, killer, { port, mails }));
}

async function dieOf(lab: Lab, death: Death, dist: string, killer: Killer, post?: Scenario['post']): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'kills-'));
  const job: ActionJob = { stateFile: join(folder, 'state'), eventFile: join(folder, 'event.json') };
  for (const file of [job.stateFile, `${job.stateFile}.output`, `${job.stateFile}.summary`]) writeFileSync(file, '');
  writeFileSync(job.eventFile, JSON.stringify(DISPATCH));
  const main = (): Command =>
    death.run === 'cli'
      ? asChild(join(dist, 'cli', 'index.js'), (child) => killer.arm(child))
      : asAction(join(dist, 'index.js'), 'main', job, (child) => killer.arm(child));
  const last = death.run === 'cli' ? [] : [asAction(join(dist, 'index.js'), 'post', job)];
  try {
    return await play(lab, {
      trial: death.trial,
      first: main(),
      between: [...death.kills.slice(1).map(main), ...last],
      ...(post && { post }),
      before: () => killer.before(),
      after: () => killer.after(),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const DISPATCH = {
  ref: 'refs/heads/main',
  repository: {
    full_name: 'acme/users',
    default_branch: 'main',
    private: true,
    visibility: 'private',
    html_url: 'https://github.com/acme/users',
  },
  sender: { login: 'ann-admin' },
};

class Killer {
  readonly #kills: Kill[];
  #kill: Kill | null = null;
  #child: ChildProcess | null = null;
  #requests = 0;
  /** To happen once the proxy has acted. */
  #due: Kill | null = null;

  constructor(kills: readonly Kill[]) {
    this.#kills = [...kills];
  }

  /** The next kill is this process's. */
  arm(child: ChildProcess): void {
    this.#child = child;
    this.#kill = this.#kills.shift() ?? null;
    this.#requests = 0;
  }

  async before(): Promise<void> {
    const due = this.#kill !== null && this.#requests++ === this.#kill.at;
    if (due && this.#kill?.when === 'before') await this.#strike(this.#kill);
    else if (due && this.#kill !== null) this.#due = this.#kill;
  }

  async after(): Promise<void> {
    const kill = this.#due;
    this.#due = null;
    if (kill === null) return;
    if (kill.when === 'after') return this.#strike(kill);
    setTimeout(() => void this.#strike(kill), Number(kill.when));
  }

  async #strike({ signal }: Kill): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((done) => child.once('exit', () => done()));
    child.kill(signal === 'SIGKILL' ? 'SIGKILL' : 'SIGTERM');
    if (signal === 'SIGTERM') return;
    if (signal !== 'SIGKILL') {
      await wait(5);
      child.kill('SIGKILL');
    }
    await gone;
  }
}
