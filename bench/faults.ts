// Faults and kills in number, with what must hold afterwards: `npm run faults -- --faults 500 --kills 100`;
// with `--only life` at the writes of an account's life alone.
// Against the stand-in; with LITELLM_BASE_URL and LITELLM_MASTER_KEY also against that proxy, which is emptied.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { inTurn } from '../__tests__/faults/batch.ts';
import { allCases, type Case, TIMEOUT } from '../__tests__/faults/cases.ts';
import { hurry } from '../__tests__/faults/hurry.ts';
import { deathOf, die, numbers } from '../__tests__/faults/kills.ts';
import { withRealProxy, withStandin } from '../__tests__/faults/labs.ts';
import { type Lab, play, type Report, TRIALS, type TrialName } from '../__tests__/faults/scenario.ts';
import { TOXICS, type Toxic, Toxiproxy } from '../__tests__/faults/toxiproxy.ts';
import { VERSION } from '../src/version.ts';
import type { Version } from '../standin/versions.ts';

const { values } = parseArgs({
  options: {
    faults: { type: 'string', default: '60' },
    kills: { type: 'string', default: '12' },
    /** Runs through Toxiproxy, and as many faults of a gateway, on the real proxy; beside a quarter of the kills. */
    real: { type: 'string', default: '22' },
    seed: { type: 'string', default: '1' },
    /** Of these trials alone, separated by commas. */
    only: { type: 'string', default: TRIALS.join() },
    dist: { type: 'string', default: join(import.meta.dirname, '..', 'dist') },
  },
});
const wanted = { faults: Number(values.faults), kills: Number(values.kills), real: Number(values.real) };
const seed = Number(values.seed);
const trials = values.only.split(',').map((name) => {
  const trial = TRIALS.find((one) => one === name);
  if (trial === undefined) throw new Error(`--only: ${name} is none of ${TRIALS.join(', ')}.`);
  return trial;
});
/** Of the stand-in: for the commands the newest routes and the oldest, for a life those that each treat it in their way. */
const versionsOf = (trial: TrialName): readonly Version[] =>
  trial === 'life' ? ['1.110', '1.106', '1.90', '1.82'] : ['1.106', '1.75'];
/** Of the clock, where all waits are ours: on the stand-in, and where a real proxy takes its own time. */
const FASTER = { standin: 20, real: 4 };
/** Seconds by that clock: what takes a real proxy longer is one more time-out, and must do no harm either. */
const REAL_TIMEOUT = TIMEOUT * 2;
/** Runs at once on stand-ins of their own. */
const SIDE_BY_SIDE = 16;

interface Part {
  readonly name: string;
  readonly runs: number;
  readonly hit: number;
  /** Runs with a violation; one may have several. */
  readonly broken: number;
  readonly violations: readonly string[];
}

process.setMaxListeners(0);
const parts: Part[] = [...(await standinFaults()), ...(await standinKills())];
parts.push(...((await withRealProxy(realParts)) ?? []));
process.exitCode = tell(parts);

/** Each trial has as many runs as any other, on each of its versions. */
function shareOf(runs: number, trial: TrialName): number {
  return Math.ceil(runs / trials.length / versionsOf(trial).length);
}

/** One trial on one version of the stand-in, with a share of the runs. */
interface Standins {
  readonly name: string;
  readonly trial: TrialName;
  readonly version: Version;
  readonly count: number;
}

function standins(kind: string, runs: number): Standins[] {
  if (runs === 0) return [];
  return trials.flatMap((trial) =>
    versionsOf(trial).map((version) => {
      const name = `${trial}: ${kind}, stand-in as ${version}`;
      return { name, trial, version, count: shareOf(runs, trial) };
    }),
  );
}

function casesOf(trial: TrialName, writes: number): Case[] {
  return allCases(writes, { refusals: trial !== 'life' });
}

/** All of them in one queue: most of a run is waiting, and the longest would else hold up each part's end. */
async function standinFaults(): Promise<Part[]> {
  const slowDown = hurry(FASTER.standin);
  const all = await inTurn(standins('faults', wanted.faults), SIDE_BY_SIDE, async (one) => {
    const { writes } = await withStandin(one.version, (lab) => play(lab, { trial: one.trial }));
    return drawn(casesOf(one.trial, writes), one.count).map((drawnCase) => ({ ...one, ...drawnCase, part: one.name }));
  });
  const reports = await inTurn(all.flat(), SIDE_BY_SIDE, async ({ part, trial, version, name, fault }) => {
    const report = await withStandin(version, (lab) => play(lab, { trial, fault, timeoutSeconds: TIMEOUT }));
    return { part, ...told(`${trial} on ${version}: ${name}`, report) };
  });
  slowDown();
  return grouped(reports);
}

/** Two at once: a run that is killed is a process of its own. */
async function standinKills(): Promise<Part[]> {
  const all = await inTurn(standins('kills', wanted.kills), 2, async (one) => {
    const { requests } = await withStandin(one.version, (lab) => play(lab, { trial: one.trial }));
    const seeds = Array.from({ length: one.count }, (_, at) => seed * 10_000 + at);
    return seeds.map((drawnSeed) => ({ ...one, death: deathOf(one.trial, drawnSeed, requests) }));
  });
  const reports = await inTurn(all.flat(), 2, async ({ name, version, death }) => {
    const report = await withStandin(version, (lab) => die(lab, death, values.dist));
    return { part: name, ...told(`${version}: ${death.name}`, report) };
  });
  return grouped(reports);
}

function grouped(reports: readonly (Told & { readonly part: string })[]): Part[] {
  const names = [...new Set(reports.map((report) => report.part))];
  return names.map((name) =>
    part(
      name,
      reports.filter((report) => report.part === name),
    ),
  );
}

/** Faults, toxics and kills begin with different trials: few runs in all still come by each of them. */
async function realParts(lab: Lab): Promise<Part[]> {
  const { kills, real } = wanted;
  const counts = await inTurn(trials, 1, async (trial): Promise<[TrialName, Report]> => {
    return [trial, await withStandin(lab.version, (standin) => play(standin, { trial }))];
  });
  const clean = new Map(counts);
  const slowDown = hurry(FASTER.real);
  const gateway = await realFaults(lab, clean, real);
  const toxic = await realToxics(lab, clean, real);
  slowDown();
  return [...grouped(gateway), ...grouped(toxic), ...grouped(await realKills(lab, clean, Math.ceil(kills / 4)))];
}

/** What a run without mishap does, by the stand-in: the same on both. */
type Clean = ReadonlyMap<TrialName, Pick<Report, 'writes' | 'requests'>>;
type PartOf = Told & { readonly part: string };

/** The trials of so many runs, in turn. */
function trialsFrom(offset: number, runs: number): TrialName[] {
  return Array.from({ length: runs }, (_, at) => trials.at(-1 - ((at + offset) % trials.length)) as TrialName);
}

async function realFaults(lab: Lab, clean: Clean, runs: number): Promise<PartOf[]> {
  const all = new Map(trials.map((trial) => [trial, drawn(casesOf(trial, clean.get(trial)?.writes ?? 0), runs)]));
  return inTurn(trialsFrom(0, runs), 1, async (trial) => {
    const next = all.get(trial)?.pop();
    if (next === undefined) throw new Error(`No case is left of ${trial}.`);
    const { name, fault } = next;
    const report = await play(lab, { trial, fault, timeoutSeconds: REAL_TIMEOUT });
    return { part: `${trial}: faults, real proxy`, ...told(`${trial}: ${name}`, report) };
  });
}

async function realKills(lab: Lab, clean: Clean, runs: number): Promise<PartOf[]> {
  const seeded = trialsFrom(2, runs).map((trial, at) =>
    deathOf(trial, seed * 10_000 + 5000 + at, clean.get(trial)?.requests ?? 1),
  );
  return inTurn(seeded, 1, async (death) => {
    return { part: `${death.trial}: kills, real proxy`, ...told(death.name, await die(lab, death, values.dist)) };
  });
}

async function realToxics(lab: Lab, clean: Clean, runs: number): Promise<PartOf[]> {
  const installed = runs === 0 ? null : Toxiproxy.install();
  if (installed === null) return [];
  const random = numbers(seed);
  const kinds = Object.entries(TOXICS);
  const reports = await inTurn([...trialsFrom(1, runs).entries()], 1, async ([run, trial]) => {
    const [kind, toxic] = kinds[(run + seed * runs) % kinds.length] as [string, Toxic];
    const [at, ms] = [random(clean.get(trial)?.writes ?? 1), 100 + random(1500)];
    const report = await toxicRun(lab, trial, installed.server, { toxic, at, ms });
    return {
      part: `${trial}: Toxiproxy, real proxy`,
      ...told(`${trial}: ${kind} for ${ms} ms at write ${at}`, report),
    };
  });
  installed.remove();
  return reports;
}

interface Illness {
  readonly toxic: Toxic;
  /** The write, from 0, at which it begins. */
  readonly at: number;
  readonly ms: number;
}

async function toxicRun(lab: Lab, trial: TrialName, server: string, { toxic, at, ms }: Illness): Promise<Report> {
  const ill: { proxy: Toxiproxy | null; healing: Promise<void> } = { proxy: null, healing: Promise.resolve() };
  const report = await play(lab, {
    trial,
    timeoutSeconds: REAL_TIMEOUT,
    address: async (gateway) => {
      ill.proxy = await Toxiproxy.open(server, gateway.baseUrl);
      return ill.proxy.baseUrl;
    },
    before: async ({ writeIndex }) => {
      const { proxy } = ill;
      if (writeIndex !== at || proxy === null) return;
      await proxy.add(toxic);
      ill.healing = new Promise((done) => setTimeout(done, ms * FASTER.real)).then(() => proxy.heal());
    },
  });
  await ill.healing;
  await ill.proxy?.close();
  return report;
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
  process.stderr.write(
    `${Math.round(performance.now() / 1000)} s: ${name}: ${reports.length} runs, ${violations.length} violations\n`,
  );
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
