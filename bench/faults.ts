// Faults and kills in number, with what must hold afterwards: `npm run faults -- --faults 500 --kills 100`.
// Against the stand-in; with LITELLM_BASE_URL and LITELLM_MASTER_KEY also against that proxy, which is emptied.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { inTurn } from '../__tests__/faults/batch.ts';
import { allCases, TIMEOUT } from '../__tests__/faults/cases.ts';
import { hurry } from '../__tests__/faults/hurry.ts';
import { deathOf, die, numbers } from '../__tests__/faults/kills.ts';
import { withRealProxy, withStandin } from '../__tests__/faults/labs.ts';
import { type Lab, play, type Report } from '../__tests__/faults/scenario.ts';
import { TOXICS, Toxiproxy } from '../__tests__/faults/toxiproxy.ts';
import { COMMANDS } from '../__tests__/faults/world.ts';
import { VERSION } from '../src/version.ts';

const { values } = parseArgs({
  options: {
    faults: { type: 'string', default: '60' },
    kills: { type: 'string', default: '12' },
    /** Runs through Toxiproxy, and as many faults of a gateway, on the real proxy. */
    real: { type: 'string', default: '22' },
    seed: { type: 'string', default: '1' },
    dist: { type: 'string', default: join(import.meta.dirname, '..', 'dist') },
  },
});
const wanted = { faults: Number(values.faults), kills: Number(values.kills), real: Number(values.real) };
const seed = Number(values.seed);
const VERSIONS = ['1.106', '1.75'] as const;
/** Of the clock, where all waits are ours: on the stand-in, and where a real proxy takes its own time. */
const FASTER = { standin: 20, real: 4 };

interface Part {
  readonly name: string;
  readonly runs: number;
  readonly hit: number;
  /** Runs with a violation; one may have several. */
  readonly broken: number;
  readonly violations: readonly string[];
}
type Command = (typeof COMMANDS)[number];

process.setMaxListeners(0);
const parts: Part[] = [];
for (const version of VERSIONS) {
  for (const command of COMMANDS) parts.push(await standinFaults(version, command, shareOf(wanted.faults)));
}
for (const version of VERSIONS) {
  for (const command of COMMANDS) parts.push(await standinKills(version, command, shareOf(wanted.kills)));
}
parts.push(...((await withRealProxy(realParts)) ?? []));
process.exitCode = tell(parts);

/** Each command has as many runs as any other, on each version. */
function shareOf(runs: number): number {
  return Math.ceil(runs / VERSIONS.length / COMMANDS.length);
}

async function standinFaults(version: (typeof VERSIONS)[number], command: Command, count: number): Promise<Part> {
  const slowDown = hurry(FASTER.standin);
  const { writes } = await withStandin(version, (lab) => play(lab, { command }));
  const cases = drawn(allCases(writes), count);
  const reports = await inTurn(cases, 12, async ({ name, fault }) => {
    const report = await withStandin(version, (lab) => play(lab, { command, fault, timeoutSeconds: TIMEOUT }));
    return told(`${command}: ${name}`, report);
  });
  slowDown();
  return part(`${command}: faults, stand-in as ${version}`, reports);
}

async function standinKills(version: (typeof VERSIONS)[number], command: Command, count: number): Promise<Part> {
  const { requests } = await withStandin(version, (lab) => play(lab, { command }));
  const seeds = Array.from({ length: count }, (_, at) => seed * 10_000 + at);
  const reports = await inTurn(seeds, 2, async (one) => {
    const death = deathOf(command, one, requests);
    return told(death.name, await withStandin(version, (lab) => die(lab, death, values.dist)));
  });
  return part(`${command}: kills, stand-in as ${version}`, reports);
}

async function realParts(lab: Lab): Promise<Part[]> {
  const found: Part[] = [];
  const installed = Toxiproxy.install();
  for (const command of COMMANDS) {
    const slowDown = hurry(FASTER.real);
    const clean = await play(lab, { command });
    const gateway: Told[] = [told(`${command}: no fault`, clean)];
    for (const { name, fault } of drawn(allCases(clean.writes), Math.ceil(wanted.real / COMMANDS.length))) {
      const report = await play(lab, { command, fault, timeoutSeconds: TIMEOUT * FASTER.real });
      gateway.push(told(`${command}: ${name}`, report));
    }
    found.push(part(`${command}: faults, real proxy`, gateway));
    if (installed !== null) {
      const reports = await toxicRuns(lab, command, clean.writes, installed.server);
      found.push(part(`${command}: Toxiproxy, real proxy`, reports));
    }
    slowDown();
    const kills: Told[] = [];
    for (let at = 0; at < Math.ceil(wanted.kills / 4 / COMMANDS.length); at++) {
      const death = deathOf(command, seed * 10_000 + 5000 + at, clean.requests);
      kills.push(told(death.name, await die(lab, death, values.dist)));
    }
    found.push(part(`${command}: kills, real proxy`, kills));
  }
  installed?.remove();
  return found;
}

async function toxicRuns(lab: Lab, command: Command, writes: number, server: string): Promise<Told[]> {
  const random = numbers(seed);
  const reports: Told[] = [];
  for (let run = 0; run < Math.ceil(wanted.real / COMMANDS.length); run++) {
    const toxics = Object.entries(TOXICS);
    const [kind = '', toxic] = toxics[(COMMANDS.indexOf(command) + run * COMMANDS.length) % toxics.length] ?? [];
    const [at, ms] = [random(writes), 100 + random(1500)];
    let toxiproxy: Toxiproxy | null = null;
    let healing: Promise<void> = Promise.resolve();
    const report = await play(lab, {
      command,
      timeoutSeconds: TIMEOUT * FASTER.real,
      address: async (gateway) => {
        toxiproxy = await Toxiproxy.open(server, gateway.baseUrl);
        return toxiproxy.baseUrl;
      },
      before: async ({ writeIndex }) => {
        if (writeIndex !== at || toxiproxy === null || toxic === undefined) return;
        await toxiproxy.add(toxic);
        const ill = toxiproxy;
        healing = new Promise((done) => setTimeout(done, ms * FASTER.real)).then(() => ill.heal());
      },
    });
    await healing;
    await (toxiproxy as Toxiproxy | null)?.close();
    reports.push(told(`${command}: ${kind} for ${ms} ms at write ${at}`, report));
  }
  return reports;
}

/** So many of them, in an order that the seed decides. */
function drawn<T>(items: readonly T[], count: number): T[] {
  const random = numbers(seed);
  const rest = [...items];
  const taken: T[] = [];
  while (taken.length < count) {
    if (rest.length === 0) rest.push(...items);
    taken.push(...rest.splice(random(rest.length), 1));
  }
  return taken;
}

interface Told {
  readonly hit: boolean;
  readonly violations: readonly string[];
}

function told(name: string, { violations, failed, first }: Report): Told {
  const hit = failed > 0 || first.code !== 0;
  return { hit, violations: violations.map((violation) => `${name}: ${violation}`) };
}

function part(name: string, reports: readonly Told[]): Part {
  const violations = reports.flatMap((report) => report.violations);
  process.stderr.write(`${name}: ${reports.length} runs, ${violations.length} violations\n`);
  const hit = reports.filter((report) => report.hit).length;
  const broken = reports.filter((report) => report.violations.length > 0).length;
  return { name, runs: reports.length, hit, broken, violations };
}

/** The exit code. */
function tell(all: readonly Part[]): number {
  const violations = all.flatMap((one) => one.violations);
  process.stdout.write(`litellm-user-sync ${VERSION}, seed ${seed}\n`);
  process.stdout.write(
    `${'part'.padEnd(36)} ${'runs'.padStart(6)} ${'red'.padStart(6)} ${'violations'.padStart(11)}\n`,
  );
  for (const { name, runs, hit, violations: found } of all) {
    const cells = [String(runs).padStart(6), String(hit).padStart(6), String(found.length).padStart(11)];
    process.stdout.write(`${name.padEnd(36)} ${cells.join(' ')}\n`);
  }
  for (const violation of violations) process.stdout.write(`VIOLATION ${violation}\n`);
  const runs = all.reduce((sum, one) => sum + one.runs, 0);
  const broken = all.reduce((sum, one) => sum + one.broken, 0);
  process.stdout.write(`${runs - broken} passed, ${broken} failed\n`);
  return violations.length === 0 ? 0 : 1;
}
