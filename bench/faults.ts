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

process.setMaxListeners(0);
const parts: Part[] = [];
for (const version of VERSIONS) parts.push(await standinFaults(version, Math.ceil(wanted.faults / VERSIONS.length)));
for (const version of VERSIONS) parts.push(await standinKills(version, Math.ceil(wanted.kills / VERSIONS.length)));
parts.push(...((await withRealProxy(realParts)) ?? []));
process.exitCode = tell(parts);

async function standinFaults(version: (typeof VERSIONS)[number], count: number): Promise<Part> {
  const slowDown = hurry(FASTER.standin);
  const { writes } = await withStandin(version, (lab) => play(lab, {}));
  const cases = drawn(allCases(writes), count);
  const reports = await inTurn(cases, 12, async ({ name, fault }) => {
    const report = await withStandin(version, (lab) => play(lab, { fault, timeoutSeconds: TIMEOUT }));
    return told(name, report);
  });
  slowDown();
  return part(`faults, stand-in as ${version}`, reports);
}

async function standinKills(version: (typeof VERSIONS)[number], count: number): Promise<Part> {
  const { requests } = await withStandin(version, (lab) => play(lab, {}));
  const seeds = Array.from({ length: count }, (_, at) => seed * 10_000 + at);
  const reports = await inTurn(seeds, 2, async (one) => {
    const death = deathOf(one, requests);
    return told(death.name, await withStandin(version, (lab) => die(lab, death, values.dist)));
  });
  return part(`kills, stand-in as ${version}`, reports);
}

async function realParts(lab: Lab): Promise<Part[]> {
  const slowDown = hurry(FASTER.real);
  const clean = await play(lab, {});
  const gateway: Told[] = [told('no fault', clean)];
  for (const { name, fault } of drawn(allCases(clean.writes), wanted.real)) {
    gateway.push(told(name, await play(lab, { fault, timeoutSeconds: TIMEOUT * FASTER.real })));
  }
  const toxic = await toxicRuns(lab, clean.writes);
  slowDown();
  const kills: Told[] = [];
  for (let at = 0; at < Math.ceil(wanted.kills / 4); at++) {
    const death = deathOf(seed * 10_000 + 5000 + at, clean.requests);
    kills.push(told(death.name, await die(lab, death, values.dist)));
  }
  const named = [part('faults, real proxy', gateway), part('kills, real proxy', kills)];
  return toxic === null ? named : [...named, part('Toxiproxy, real proxy', toxic)];
}

/** `null` without Go: there is no Toxiproxy then. */
async function toxicRuns(lab: Lab, writes: number): Promise<Told[] | null> {
  const installed = Toxiproxy.install();
  if (installed === null) return null;
  const random = numbers(seed);
  const reports: Told[] = [];
  for (let run = 0; run < wanted.real; run++) {
    const [kind = '', toxic] = Object.entries(TOXICS)[run % Object.keys(TOXICS).length] ?? [];
    const [at, ms] = [random(writes), 100 + random(1500)];
    let toxiproxy: Toxiproxy | null = null;
    let healing: Promise<void> = Promise.resolve();
    const report = await play(lab, {
      timeoutSeconds: TIMEOUT * FASTER.real,
      address: async (gateway) => {
        toxiproxy = await Toxiproxy.open(installed.server, gateway.baseUrl);
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
    reports.push(told(`${kind} for ${ms} ms at write ${at}`, report));
  }
  installed.remove();
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
    `${'part'.padEnd(28)} ${'runs'.padStart(6)} ${'red'.padStart(6)} ${'violations'.padStart(11)}\n`,
  );
  for (const { name, runs, hit, violations: found } of all) {
    const cells = [String(runs).padStart(6), String(hit).padStart(6), String(found.length).padStart(11)];
    process.stdout.write(`${name.padEnd(28)} ${cells.join(' ')}\n`);
  }
  for (const violation of violations) process.stdout.write(`VIOLATION ${violation}\n`);
  const runs = all.reduce((sum, one) => sum + one.runs, 0);
  const broken = all.reduce((sum, one) => sum + one.broken, 0);
  process.stdout.write(`${runs - broken} passed, ${broken} failed\n`);
  return violations.length === 0 ? 0 : 1;
}
