import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { TerminalHost } from '../src/cli/host.ts';
import { runCli } from '../src/cli/run.ts';
import { Screen } from '../src/cli/screen.ts';
import { connectProxy } from '../src/commands/connection.ts';
import { planFor } from '../src/commands/plan.ts';
import { readUserList } from '../src/core/desired.ts';
import { parseInputs } from '../src/inputs.ts';
import { planMarkdown } from '../src/render/plan-markdown.ts';
import { type Standin, startStandin } from '../standin/server.ts';
import { COMPANY, USER_LIST } from './company.ts';

const OUTPUT = 'demo-output';
const PROTECTED = 'build-bot@*';

/** Walks the whole way on a proxy of its own: plan, comment, apply, result files, and a second run without changes. */
async function demo(): Promise<number> {
  await rm(OUTPUT, { recursive: true, force: true });
  await mkdir(OUTPUT, { recursive: true });
  await writeFile(join(OUTPUT, 'user_list.csv'), USER_LIST);
  const proxy = await startStandin({ seed: COMPANY });
  try {
    return await walk(proxy);
  } finally {
    await proxy.close();
  }
}

async function walk(proxy: Standin): Promise<number> {
  say(
    `LiteLLM User Sync, on a LiteLLM proxy in memory (${COMPANY.users?.length} users, ${COMPANY.teams?.length} teams)`,
  );
  step(1, 'A pull request edits user_list.csv: the plan, as it is in the log and as the comment');
  const planned = await run(proxy, ['--dry-run']);
  await writeFile(join(OUTPUT, 'comment.md'), await commentText(proxy));
  say(`  The comment, as Markdown: ${OUTPUT}/comment.md`);
  step(2, 'It is merged: the plan is made afresh, applied, and every user gets a row');
  const applied = await run(proxy, [], silent());
  step(3, 'What came of it');
  await show('user_sync_result.csv');
  await show('onboarding_links.csv');
  step(4, 'Planned again');
  const again = await run(proxy, ['--dry-run', '--detailed-exitcode']);
  return planned + applied + again;
}

function run(proxy: Standin, flags: readonly string[], stdout = indented()): Promise<number> {
  const argv = ['sync', '--protected-users', PROTECTED, ...flags];
  return runCli(argv, environment(proxy), { stdout, stderr: indented() }, resolve(OUTPUT));
}

function environment(proxy: Standin): NodeJS.ProcessEnv {
  return { LITELLM_BASE_URL: proxy.baseUrl, LITELLM_MASTER_KEY: proxy.masterKey };
}

async function commentText(proxy: Standin): Promise<string> {
  const raw = { 'csv-file': join(OUTPUT, 'user_list.csv'), 'protected-users': PROTECTED, 'dry-run': 'true' };
  const inputs = parseInputs(raw, environment(proxy), process.cwd());
  const screen = new Screen({ stdout: indented(), stderr: indented() }, {});
  const host = new TerminalHost({
    screen,
    inputs,
    log: screen.log(false),
    outputDirectory: OUTPUT,
    signal: new AbortController().signal,
    asks: false,
  });
  const today = new Date().toISOString().slice(0, 10);
  const list = readUserList(await readFile(inputs.csvPath));
  const { plan } = await planFor(list, inputs, connectProxy(inputs, host), today);
  return planMarkdown(plan, {
    title: 'LiteLLM User Sync',
    target: null,
    csvFile: 'user_list.csv',
    mode: 'plan',
    unreviewed: 'skip',
    obstacle: null,
    earlier: null,
    limit: 60_000,
    notes: [],
    rest: 'the job summary',
  });
}

/** Prints a file; keys and links of the demo's proxy are worth nothing, and are abbreviated all the same. */
async function show(name: string): Promise<void> {
  const text = await readFile(join(OUTPUT, name), 'utf8');
  say(`  ${OUTPUT}/${name}`);
  const shown = text
    .replace(/sk-[\w-]{8,}/g, (key) => `sk-...${key.slice(-4)}`)
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (id) => `${id.slice(0, 4)}…`);
  for (const line of shown.trimEnd().split('\n')) say(`    ${line}`);
  say('');
}

function step(number: number, title: string): void {
  say(`\n${bold(`${number}. ${title}`)}\n`);
}

function bold(text: string): string {
  return process.stdout.isTTY ? `\u001b[1m${text}\u001b[0m` : text;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** For the plan that stands above already. */
function silent(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

function indented(): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      process.stdout.write(String(chunk).replace(/^(?=.)/gm, '  '), () => done());
    },
  });
}

process.exitCode = await demo();
