import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Version } from '../../standin/versions.ts';
import { Api } from '../contract/api.ts';
import type { Received } from '../mail/servers.ts';
import { type Command, type Ended, inProcess } from './command.ts';
import { type Files, readFiles } from './files.ts';
import { Gateway, type GatewayHooks, type Passing } from './gateway.ts';
import { type Evidence, homeless, unfinished, violations } from './invariants.ts';
import { lifeTrial } from './life.ts';
import { type Snapshot, snapshot } from './snapshot.ts';
import { COMMANDS, populate, type Trial, taskOf } from './world.ts';

/** What can be played: each command on one world, and `sync` on the lives of accounts. */
export const TRIALS = [...COMMANDS, 'life'] as const;
export type TrialName = (typeof TRIALS)[number];

function trialOf(name: TrialName, version: Version): Trial {
  if (name === 'life') return lifeTrial(version);
  return { task: taskOf(name), populate, violations, unfinished, homeless };
}

/** A proxy that may be emptied. */
export interface Lab {
  readonly baseUrl: string;
  readonly masterKey: string;
  readonly version: Version;
  /** Without any user, team or key. */
  reset(): Promise<void>;
}

export interface Scenario extends Pick<GatewayHooks, 'fault' | 'before' | 'after'> {
  readonly trial: TrialName;
  /** Runs the first time, with the faults; the source's own command unless given. */
  readonly first?: Command;
  /** Between the first run and the last: `post`, or further runs that die. */
  readonly between?: readonly Command[];
  /** Of the runs with a fault; only one in which an answer fails to come needs it. */
  readonly timeoutSeconds?: number;
  readonly retries?: number;
  /** Runs deliver their links by mail: to this server. */
  readonly post?: { readonly port: number; readonly mails: readonly Received[] };
  /** Where the first run connects; the gateway unless given. */
  readonly address?: (gateway: Gateway) => Promise<string>;
}

export interface Report {
  /** Empty: all invariants held. */
  readonly violations: readonly string[];
  readonly first: Ended;
  readonly writes: number;
  readonly requests: number;
  /** Rows of the first run that say FAILED. */
  readonly failed: number;
}

/** Seconds that the runs without a fault wait, so that a busy machine is none. */
const PATIENT = 120;

/** One run with faults, one without, and a plan: the invariants after each. */
export async function play(lab: Lab, scenario: Scenario): Promise<Report> {
  const stage = await Stage.open(lab, scenario);
  try {
    return await stage.play();
  } finally {
    await stage.close();
  }
}

interface Opened {
  readonly lab: Lab;
  readonly api: Api;
  readonly scenario: Scenario;
  readonly trial: Trial;
  readonly gateway: Gateway;
  readonly directory: string;
  readonly before: Snapshot;
}

class Stage {
  readonly #lab: Lab;
  readonly #api: Api;
  readonly #scenario: Scenario;
  readonly #trial: Trial;
  readonly #gateway: Gateway;
  readonly #directory: string;
  readonly #before: Snapshot;
  readonly #found: string[] = [];
  /** Whether the runs that may go wrong are still on. */
  faulty = true;

  private constructor({ lab, api, scenario, trial, gateway, directory, before }: Opened) {
    this.#lab = lab;
    this.#api = api;
    this.#scenario = scenario;
    this.#trial = trial;
    this.#gateway = gateway;
    this.#directory = directory;
    this.#before = before;
  }

  static async open(lab: Lab, scenario: Scenario): Promise<Stage> {
    const api = new Api(lab.baseUrl, lab.masterKey);
    await lab.reset();
    const trial = trialOf(scenario.trial, lab.version);
    await trial.populate(api);
    const directory = mkdtempSync(join(tmpdir(), 'faults-'));
    const [name, csv] = trial.task.file;
    writeFileSync(join(directory, name), csv);
    const stage: { current: Stage | null } = { current: null };
    const gateway = await Gateway.open(lab.baseUrl, {
      fault: (request) => (stage.current?.faulty ? (scenario.fault?.(request) ?? null) : null),
      before: (request) => (stage.current?.faulty ? scenario.before?.(request) : undefined),
      after: (request) => stage.current?.watch(request),
    });
    const before = await snapshot(api);
    stage.current = new Stage({ lab, api, scenario, trial, gateway, directory, before });
    return stage.current;
  }

  async play(): Promise<Report> {
    const { first: command = inProcess, between = [], address } = this.#scenario;
    const first = await this.#run(command, [], await address?.(this.#gateway));
    const { writes, requests } = this.#gateway;
    await this.#gateway.settled();
    let files = await this.#checkRun('first run', first, null);
    const failed = files.rows?.filter((row) => row.status === 'FAILED').length ?? 0;
    if (first.code === 0 && failed > 0) this.#found.push('first run: exit code 0 with failed rows');
    for (const [at, other] of between.entries()) {
      const ended = await this.#run(other, []);
      files = await this.#checkRun(`run ${at + 2}`, ended, files);
    }
    await this.#gateway.settled();
    this.faulty = false;
    const second = await this.#run(inProcess, []);
    const wasOpen = files.isUnfinished;
    files = readFiles(this.#directory, this.#trial.task, files);
    if (second.code !== 0 && !(wasOpen && isOldNews(files))) {
      this.#found.push(`last run: exit code ${second.code}: ${second.stderr}`);
    }
    await this.#check('after the last run', files, true);
    const plan = await this.#run(inProcess, ['--dry-run', '--detailed-exitcode']);
    // Everybody in the file of onboard gets a fresh link each time.
    const wanted = this.#trial.task.command === 'onboard' ? 3 : 0;
    if (plan.code !== wanted) this.#found.push(`the plan after that still has changes: ${plan.stdout}${plan.stderr}`);
    return { violations: this.#found, first, writes, requests, failed };
  }

  /** While the run goes on: nobody may be in neither of their teams, not for a moment. */
  async watch(request: Passing): Promise<void> {
    if (this.faulty) await this.#scenario.after?.(request);
    if (request.writeIndex === null || !/member|user/.test(request.path)) return;
    this.#found.push(
      ...this.#trial.homeless(await snapshot(this.#api)).map((what) => `after ${request.path}: ${what}`),
    );
  }

  async close(): Promise<void> {
    await this.#gateway.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #run(command: Command, more: readonly string[], baseUrl = this.#gateway.baseUrl): Promise<Ended> {
    const { timeoutSeconds = PATIENT, retries = 4 } = this.#scenario;
    const { command: name, flags } = this.#trial.task;
    const argv = [name, ...flags, '--output-directory', '.'];
    const seconds = this.faulty ? timeoutSeconds : PATIENT;
    const limits = ['--timeout-seconds', String(seconds), '--retries', String(retries), '--concurrency', '3'];
    const { post } = this.#scenario;
    const smtp = ['--deliver', 'smtp', '--smtp-url', `smtp://127.0.0.1:${post?.port}`, '--mail-from', 'it@example.com'];
    const mail = post === undefined ? [] : smtp;
    const env = { LITELLM_BASE_URL: baseUrl, LITELLM_MASTER_KEY: this.#lab.masterKey };
    return command([...argv, ...limits, ...mail, ...more], env, this.#directory);
  }

  /** A killed run has promised nothing yet; its files are those of the runs before. */
  async #checkRun(name: string, ended: Ended, earlier: Files | null): Promise<Files> {
    const files = readFiles(this.#directory, this.#trial.task, earlier);
    if (ended.code === null) return { ...files, rows: null, everyRow: earlier?.everyRow ?? [] };
    await this.#check(`after ${name}`, files, false);
    return files;
  }

  async #check(when: string, files: Files, last: boolean): Promise<void> {
    const evidence: Evidence = {
      task: this.#trial.task,
      api: this.#api,
      before: this.#before,
      after: await snapshot(this.#api),
      files,
      mails: this.#scenario.post?.mails ?? [],
    };
    const trial = this.#trial;
    const found = [...(await trial.violations(evidence)), ...(last ? trial.unfinished(evidence) : [])];
    if (last && files.isUnfinished) found.push('the journal is still open');
    this.#found.push(...found.map((what) => `${when}: ${what}`));
  }
}

/**
 * What a run that completed another one tells of it: users who were made, but lack something that a plan cannot give, and
 * mails of which only their reader can know.
 */
function isOldNews({ rows }: Files): boolean {
  const failed = rows?.filter((row) => row.status === 'FAILED') ?? [];
  return failed.every(
    ({ action, error_reason: reason }) =>
      /^Whether the mail/.test(reason) || (action === 'ADDED' && reason.startsWith('created, but')),
  );
}
