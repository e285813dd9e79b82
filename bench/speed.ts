// How fast and how big: `npm run bench`. Works on the proxy of LITELLM_BASE_URL, which is emptied, else on the
// stand-in. `--write` puts the results beside those of other proxies (bench/results.json) and renews docs/benchmarks.md;
// `--only delete` measures one work, `--only none` size and start alone.
import { arch, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { firstRequest } from './speed/first-request.ts';
import { Load } from './speed/floor.ts';
import { type Measured, ours, type Target } from './speed/ours.ts';
import { csvOf, members } from './speed/population.ts';
import {
  type Growth,
  growthLine,
  HEADS,
  looksLine,
  publish,
  type Row,
  rowLine,
  type Start,
  startLine,
} from './speed/report.ts';
import { withStandinProcess } from './speed/start-standin.ts';
import { csvFor, prepare, type Work, works } from './speed/works.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    plans: { type: 'string', default: '' },
    dist: { type: 'string', default: join(import.meta.dirname, '..', 'dist') },
    growth: { type: 'string', default: '1000,10000,100000' },
    starts: { type: 'boolean', default: true },
    write: { type: 'boolean', default: false },
  },
  allowNegative: true,
});
const runs = Number(values.runs);
const { LITELLM_BASE_URL: baseUrl, LITELLM_MASTER_KEY: masterKey } = process.env;
const real = baseUrl !== undefined && masterKey !== undefined ? { baseUrl, masterKey } : null;

const rows = real === null ? await withStandinProcess(0, measureAll) : await measureAll(real);
const growth = await measureGrowth();
const starts = values.starts ? await measureStarts() : [];
if (values.write) publish({ machine: machine(), day: new Date().toISOString().slice(0, 10), rows, growth, starts });

async function measureAll(proxy: Target): Promise<Row[]> {
  const load = new Load(proxy.baseUrl, proxy.masterKey);
  const bulk = await load.hasBulk();
  const version = JSON.parse(await load.get('/openapi.json')).info.version;
  const name = real === null ? `the stand-in as ${version}` : version;
  const plans = numbers(values.plans || (bulk ? '3000,10000' : '3000'));
  say(`LiteLLM ${name}, median of ${runs}`, HEADS.rows);
  const found: Row[] = [];
  for (const work of works(bulk, plans)) {
    if (!work.name.includes(values.only)) continue;
    const row = await measure(work, proxy, load, name);
    say(rowLine(row));
    found.push(row);
  }
  load.close();
  say('', ...found.map(looksLine), '');
  return found;
}

/** Ours and the floor in turn, so that both meet the same weather; the ratio pair by pair. */
async function measure(work: Work, proxy: Target, load: Load, name: string): Promise<Row> {
  const prepared = async <T>(call: () => Promise<T>): Promise<T> => {
    if (!work.flags.includes('--dry-run')) await prepare(load, work);
    return call();
  };
  await prepare(load, work);
  const widths: { width: number; ms: number }[] = [];
  for (const width of work.widths) {
    widths.push({ width, ms: work.widths.length === 1 ? 0 : await prepared(() => work.floor(load, width)) });
  }
  const best = widths.toSorted((a, b) => a.ms - b.ms)[0]?.width ?? 1;
  const pairs: { last: Measured; floor: number }[] = [];
  for (let run = 0; run < runs; run++) {
    const last = await prepared(() => succeeded(work, proxy, work.flags));
    pairs.push({ last, floor: await prepared(() => work.floor(load, best)) });
  }
  // In a run of its own: to name a thousand requests takes time that nobody else spends.
  const named = await prepared(() => succeeded(work, proxy, [...work.flags, '--debug']));
  const requests = [...named.requests];
  const isLook = ([route]: [string, number]): boolean => route.startsWith('GET');
  return {
    proxy: name,
    work: work.name,
    ms: median(pairs.map((pair) => pair.last.ms)),
    width: best,
    floor: median(pairs.map((pair) => pair.floor)),
    ratio: median(pairs.map((pair) => pair.last.ms / pair.floor)),
    runs,
    target: work.target,
    memory: median(pairs.map((pair) => pair.last.memory)),
    writes: sum(requests.filter((one) => !isLook(one))),
    looks: Object.fromEntries(requests.filter(isLook)),
  };
}

async function succeeded(work: Work, proxy: Target, flags: readonly string[]): Promise<Measured> {
  const measured = await ours(values.dist, proxy, csvFor(work), flags);
  if (measured.code === 0) return measured;
  throw new Error(`${work.name}: exit code ${measured.code}\n${measured.stderr.slice(-2000)}`);
}

async function measureGrowth(): Promise<Growth[]> {
  const found: Growth[] = [];
  say(HEADS.growth);
  for (const users of numbers(values.growth)) {
    await withStandinProcess(users, async (proxy) => {
      const all: Measured[] = [];
      for (let run = 0; run < runs; run++) {
        all.push(await ours(values.dist, proxy, csvOf(members(users).slice(0, -10)), ['--dry-run', '--debug']));
      }
      found.push({
        users,
        ms: median(all.map((one) => one.ms)),
        requests: sum([...(all[0]?.requests ?? [])]),
        memory: median(all.map((one) => one.memory)),
      });
    });
    say(...found.slice(-1).map(growthLine));
  }
  return found;
}

async function measureStarts(): Promise<Start[]> {
  const found: Start[] = [];
  say('', HEADS.starts);
  for (const bundle of ['cli', 'action'] as const) {
    const times: number[] = [];
    for (let run = 0; run < 2 * runs + 1; run++) times.push(await firstRequest(values.dist, bundle));
    found.push({ bundle: bundle === 'cli' ? 'command line tool' : 'action', ms: median(times) });
    say(...found.slice(-1).map(startLine));
  }
  return found;
}

function say(...lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}

function numbers(text: string): number[] {
  return text.split(',').flatMap((number) => (number === '' ? [] : Number(number)));
}

function sum(counts: readonly (readonly [string, number])[]): number {
  return counts.reduce((total, [, count]) => total + count, 0);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function machine(): string {
  const [cpu] = cpus();
  return `${cpus().length} × ${cpu?.model.trim()} (${arch()}), ${Math.round(totalmem() / 1024 ** 3)} GB, Node ${process.version}`;
}
