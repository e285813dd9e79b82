import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const RESULTS = join(ROOT, 'bench', 'results.json');

/** A work on one proxy, medians. */
export interface Row {
  /** `1.106.2`, or the stand-in. */
  readonly proxy: string;
  readonly work: string;
  readonly ms: number;
  readonly floor: number;
  /** At how many requests at once. */
  readonly width: number;
  readonly ratio: number;
  /** How many pairs of ours and the floor these are the medians of. */
  readonly runs: number;
  readonly target: number;
  readonly memory: number;
  readonly writes: number;
  /** Requests that write nothing, by route. */
  readonly looks: Readonly<Record<string, number>>;
}

/** A plan on the stand-in. */
export interface Growth {
  readonly users: number;
  readonly ms: number;
  readonly requests: number;
  readonly memory: number;
}

export interface Start {
  readonly bundle: string;
  readonly ms: number;
}

export interface Results {
  readonly machine: string;
  readonly day: string;
  readonly rows: readonly Row[];
  readonly growth: readonly Growth[];
  readonly starts: readonly Start[];
}

export const HEADS = {
  rows: '| work | ours | floor | ratio | target | runs | writes | other requests | peak memory |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  growth: '| users | time | requests | peak memory |\n| --- | --- | --- | --- |',
  starts: '| bundle | time |\n| --- | --- |',
};

export function rowLine({ work, ms, floor, width, ratio, target, runs, writes, looks, memory }: Row): string {
  const others = Object.values(looks).reduce((sum, count) => sum + count, 0);
  return `| ${work} | ${seconds(ms)} | ${seconds(floor)} (${width}) | ${ratio.toFixed(2)} | ≤ ${target} | ${runs} | ${writes} | ${others} | ${megabytes(memory)} |`;
}

/** Those requests by name. */
export function looksLine({ work, looks }: Row): string {
  const names = Object.entries(looks).map(([route, count]) => `\`${route}\`${count === 1 ? '' : ` × ${count}`}`);
  return `- ${work}: ${names.join(', ')}`;
}

export function growthLine({ users, ms, requests, memory }: Growth): string {
  return `| ${users.toLocaleString('en')} | ${seconds(ms)} | ${requests} | ${megabytes(memory)} |`;
}

export function startLine({ bundle, ms }: Start): string {
  return `| ${bundle} | ${seconds(ms)} |`;
}

/** Puts what was measured beside what earlier runs have left, and makes the page of all. */
export function publish(measured: Results): void {
  const known = JSON.parse(readFileSync(RESULTS, 'utf8')) as Results;
  const isNew = (row: Row): boolean => !known.rows.some((old) => old.proxy === row.proxy && old.work === row.work);
  const rows = known.rows.map(
    (old) => measured.rows.find((row) => row.proxy === old.proxy && row.work === old.work) ?? old,
  );
  const results: Results = {
    ...measured,
    rows: [...rows, ...measured.rows.filter(isNew)].sort(byProxyAndKind),
    growth: measured.growth.length > 0 ? measured.growth : known.growth,
    starts: measured.starts.length > 0 ? measured.starts : known.starts,
  };
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(ROOT, 'docs', 'benchmarks.md'), page(results));
}

const KINDS = ['plan', 'add', 'update', 'move', 'delete'];

/** Newest proxy first; what takes longer last. */
function byProxyAndKind(a: Row, b: Row): number {
  const kind = ({ work }: Row): number => KINDS.findIndex((name) => work.startsWith(name));
  return b.proxy.localeCompare(a.proxy, 'en', { numeric: true }) || kind(a) - kind(b) || a.ms - b.ms;
}

function page(results: Results): string {
  const proxies = [...new Set(results.rows.map((row) => row.proxy))];
  return `# Benchmarks

Made by \`npm run bench -- --write\`, on ${results.day}, with LiteLLM ${proxies.join(' and ')} on the same machine:
${results.machine}.

${meaning(results.rows)}
## How it is measured

*Ours* is the command line bundle as a process, from its start to its end. The *floor* is what the same proxy needs in the
same minutes for the requests that cannot be avoided, fired by a plain load generator at its best concurrency, which reads
and checks nothing:

- plan: every page of \`/user/list\` once
- add: two bulk creations of 500 with keys, then 1,000 invitations; without bulk routes (before 1.103) 1,000 times
  \`/user/new\`, \`/key/generate\` and \`/invitation/new\`, and joins of 50
- update: two \`/user/bulk_update\` of 500
- move: joins of 50 (more do not get through the proxy's transaction of 5 seconds on two cores) and one bulk leave of 500
- delete: two deletes of 500; before 1.103, where nothing else tells the ids, every page of \`/user/list\` too

In brackets: at how many requests at once that was; ours is the default, 8. Ours and the floor take turns, as often as
*runs* says; times are medians, the ratio is the median of the pairs. One and the same call takes the proxy a tenth more or
less from one time to the next, so a ratio of 3 runs may be wrong by as much. Memory is the peak of the process's
resident set. From 1.103 on a plan reads up to 10,000 users in one answer (\`/spend/users\`), not page by page: so it is far
below a floor of pages. Everything else holds more than its floor: the plan, and the looks that verify what was written.

${proxies.map((proxy) => proxyPart(results.rows.filter((row) => row.proxy === proxy))).join('\n')}
## Size

A plan on the stand-in, which answers at once: what is left is our own time and memory.

${[HEADS.growth, ...results.growth.map(growthLine)].join('\n')}

From the start of a bundle to its first request:

${[HEADS.starts, ...results.starts.map(startLine)].join('\n')}

${PEERS}`;
}

function proxyPart(rows: readonly Row[]): string {
  return `## LiteLLM ${rows[0]?.proxy}

${[HEADS.rows, ...rows.map(rowLine)].join('\n')}

The other requests, all of which write nothing:

${rows.map(looksLine).join('\n')}
`;
}

/** What a reader takes along. */
function meaning(rows: readonly Row[]): string {
  const found = (work: string, proxy: string): Row | undefined =>
    rows.find((row) => row.work.startsWith(work) && row.proxy.startsWith(proxy));
  const tell = (row: Row | undefined, sentence: (row: Row) => string): string[] => (row ? [sentence(row)] : []);
  const lines = [
    ...tell(
      found('plan at 10,000', '1.106'),
      ({ ms, floor }) =>
        `- The plan for 10,000 users takes **${whole(ms)} instead of ${whole(floor)}**, which the proxy needs to serve its user list page by page. A pull request shows its plan that much sooner.`,
    ),
    ...tell(
      found('plan at 3,000', '1.90'),
      ({ ms, floor }) =>
        `- Before 1.103 there are only pages. A plan takes as long as the proxy needs for them: with 3,000 users ${whole(ms)} (the pages alone ${whole(floor)}).`,
    ),
    ...tell(
      found('add', '1.106'),
      ({ ms, floor }) =>
        `- 1,000 new users with key and onboarding link take ${whole(ms)}, of which the proxy's own part is ${whole(floor)}; on a bigger proxy it is less.`,
    ),
    ...tell(found('delete', '1.106'), ({ ms }) => `- 1,000 users are gone after ${whole(ms)}.`),
  ];
  return `${lines.join('\n')}\n`;
}

function whole(ms: number): string {
  const rounded = ms < 10_000 ? (ms / 1000).toFixed(1) : Math.round(ms / 1000);
  return `${rounded} seconds`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MB`;
}

/** Measured apart from this script: it takes OpenTofu, and the providers built from source. */
const PEERS = `## Beside two Terraform providers

Measured once, on 2026-11-28, on LiteLLM 1.106.2 and a machine with 2 cores: wall seconds of one command that plans and
writes, medians of 3 (creating 1,000: one run), requests in brackets. Ours is version 1.0.0, in the last two rows with
onboarding links, which neither of them makes. *ncecere* is terraform-provider-litellm 2.0.1, unmodified; *BerriAI* is the resource
\`litellm_user\` of LiteLLM's own provider (mirror 0.4.0, built from its public source). Both by OpenTofu 1.12.6 with its
default of 10 at once.

| work | ours | ncecere | BerriAI |
| --- | --- | --- | --- |
| create 200, a team and a key each | 1.41 (6) | 22.7 (600) | 25.4 (600) |
| plan without changes, 200 | 0.79 (5) | 7.65 (200) | 8.53 (200) |
| roles of 50 | 1.46 (9) | 9.80 (300) | 9.12 (300) |
| move 50 to another team | 2.32 (17) | 12.5 (300) | 12.0 (300) |
| delete 100 | 1.41 (8) | 12.7 (400) | 12.8 (400) |
| plan without changes, 1,000 | 2.20 (13) | 75.5 (1,000) | – |
| create 1,000, ours with links | 19.8 (1,007) | 244 (3,000) | – |
`;
