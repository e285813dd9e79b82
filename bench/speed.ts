// How fast and how big: `npm run bench`. Works on the proxy of LITELLM_BASE_URL, which is emptied, else on the
// stand-in; writes docs/benchmarks.md with `--write`.
import { writeFileSync } from 'node:fs';
import { arch, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { firstRequest } from './speed/first-request.ts';
import { Load } from './speed/floor.ts';
import { type Measured, ours, type Target } from './speed/ours.ts';
import { csvOf, members } from './speed/population.ts';
import { withStandinProcess } from './speed/start-standin.ts';
import { type Work, works } from './speed/works.ts';

const ROOT = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    users: { type: 'string', default: '10000' },
    dist: { type: 'string', default: join(ROOT, 'dist') },
    growth: { type: 'string', default: '1000,10000,100000' },
    write: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);

const HEAD = `# Benchmarks

Made by \`npm run bench -- --write\` with \`LITELLM_BASE_URL\` and \`LITELLM_MASTER_KEY\` of a LiteLLM 1.106.2 on the same
machine: MACHINE.

*Ours* is the committed command line bundle as a process, from its start to its end. The *floor* is what the same proxy
needs in the same minutes for the requests that cannot be avoided, fired by a plain load generator at its best
concurrency: every page of \`/user/list\` once; two bulk creations of 500 with keys, then 1,000 invitations; two
\`/user/bulk_update\` of 500; bulk joins of 50 (more do not get through the proxy's transaction of 5 seconds on two
cores) and one bulk leave of 500; two bulk deletes. Ours and the floor take turns; ratio is
the median of the pairs. Requests and peak memory (resident set) are ours.

Ours holds more than the floor: the inventory, without which there is no plan, and the looks that verify what was written.
Where the writes are quick, that shows: deleting 1,000 of 1,001 users reads all of them first, a third of its time.
`;

interface Result {
  readonly work: Work;
  readonly ms: number;
  readonly floor: number;
  readonly ratio: number;
  readonly last: Measured;
}

const out: string[] = [];
const say = (line: string): void => {
  out.push(line);
  process.stdout.write(`${line}\n`);
};

const { LITELLM_BASE_URL: baseUrl, LITELLM_MASTER_KEY: masterKey } = process.env;
const real = baseUrl !== undefined && masterKey !== undefined ? { baseUrl, masterKey } : null;
say(
  `| work (${real === null ? 'the stand-in' : 'a real proxy'}, median of ${runs}) | ours | floor | ratio | target | requests | peak memory |`,
);
say('| --- | --- | --- | --- | --- | --- | --- |');
if (real !== null) await measureAll(real);
else await withStandinProcess(0, measureAll);
say('');
await measureGrowth();
say('');
await measureStarts();
if (values.write) writeFileSync(join(ROOT, 'docs', 'benchmarks.md'), page());

async function measureAll(proxy: Target): Promise<void> {
  for (const work of works(Number(values.users))) {
    if (!work.name.includes(values.only)) continue;
    const { ms, floor, ratio, last } = await measure(work, proxy);
    say(
      `| ${work.name} | ${seconds(ms)} | ${seconds(floor)} | ${ratio.toFixed(2)} | ≤ ${work.target} | ${last.requests} | ${megabytes(last.memory)} |`,
    );
  }
}

/** Ours and the floor in turn, so that both meet the same weather; the ratio pair by pair. */
async function measure(work: Work, proxy: Target): Promise<Result> {
  const load = new Load(proxy.baseUrl, proxy.masterKey);
  const prepared = async <T>(call: () => Promise<T>): Promise<T> => {
    if (!work.flags.includes('--dry-run')) await work.prepare(load);
    return call();
  };
  await work.prepare(load);
  const widths: { width: number; ms: number }[] = [];
  for (const width of work.widths) {
    widths.push({ width, ms: work.widths.length === 1 ? 0 : await prepared(() => work.floor(load, width)) });
  }
  const best = widths.toSorted((a, b) => a.ms - b.ms)[0]?.width ?? 1;
  const pairs: { ms: number; floor: number; last: Measured }[] = [];
  for (let run = 0; run < runs; run++) {
    const last = await prepared(() => ours(values.dist, proxy, work.csv, work.flags));
    if (last.code !== 0) throw new Error(`${work.name}: exit code ${last.code}\n${last.stderr.slice(-2000)}`);
    const floor = await prepared(() => work.floor(load, best));
    pairs.push({ ms: last.ms, floor, last });
  }
  load.close();
  return {
    work,
    ms: median(pairs.map((pair) => pair.ms)),
    floor: median(pairs.map((pair) => pair.floor)),
    ratio: median(pairs.map((pair) => pair.ms / pair.floor)),
    last: pairs.at(-1)?.last as Measured,
  };
}

async function measureGrowth(): Promise<void> {
  say('| plan on the stand-in, users | time | requests | peak memory |');
  say('| --- | --- | --- | --- |');
  for (const count of values.growth
    .split(',')
    .filter((text) => text !== '')
    .map(Number)) {
    await withStandinProcess(count, async (proxy) => {
      const found: Measured[] = [];
      for (let run = 0; run < runs; run++) {
        found.push(await ours(values.dist, proxy, csvOf(members(count).slice(0, -10)), ['--dry-run']));
      }
      const memory = median(found.map((one) => one.memory));
      const ms = median(found.map((one) => one.ms));
      say(`| ${count.toLocaleString('en')} | ${seconds(ms)} | ${found[0]?.requests} | ${megabytes(memory)} |`);
    });
  }
}

async function measureStarts(): Promise<void> {
  say('| bundle | from its start to its first request |');
  say('| --- | --- |');
  for (const bundle of ['cli', 'action'] as const) {
    const times: number[] = [];
    for (let run = 0; run < 2 * runs + 1; run++) times.push(await firstRequest(values.dist, bundle));
    say(`| ${bundle === 'cli' ? 'command line tool' : 'action'} | ${seconds(median(times))} |`);
  }
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MB`;
}

function page(): string {
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model.trim()} (${arch()}), ${Math.round(totalmem() / 1024 ** 3)} GB, Node ${process.version}`;
  return `${HEAD.replace('MACHINE', machine)}\n${out.join('\n')}\n`;
}
