import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { entry, NODE } from './bundle.ts';

/** A line of stdout that the runner takes as a command. */
export interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly message: string;
}

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly commands: readonly Command[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  /** What `post` gets to see. */
  readonly state: Readonly<Record<string, string>>;
}

export interface Started {
  readonly child: ChildProcess;
  readonly done: Promise<Run>;
}

/** Compiled code is kept between runs: these tests start the bundle many times. */
const CODE_CACHE = join(tmpdir(), 'litellm-user-sync-code-cache');

/** What every child process gets: no proxy, no token, nothing of this machine's. */
const BARE_ENVIRONMENT = { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: CODE_CACHE };

/**
 * Starts the action as the runner does.
 * @param files a folder of this run's own, for the files of `GITHUB_OUTPUT` and its like
 */
export function startAction(env: NodeJS.ProcessEnv, cwd: string, files: string): Started {
  mkdirSync(files, { recursive: true });
  const file = (name: string): string => {
    writeFileSync(join(files, name), '');
    return join(files, name);
  };
  const paths = { GITHUB_OUTPUT: file('output'), GITHUB_STEP_SUMMARY: file('summary.md'), GITHUB_STATE: file('state') };
  const { child, done } = startProcess([entry('index.js')], { ...paths, ...env }, cwd);
  const run = done.then((result) => ({
    ...result,
    commands: result.stdout.split('\n').flatMap((line) => readCommand(line) ?? []),
    outputs: readValues(paths.GITHUB_OUTPUT),
    summary: readFileSync(paths.GITHUB_STEP_SUMMARY, 'utf8'),
    state: readValues(paths.GITHUB_STATE),
  }));
  return { child, done: run };
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function startProcess(args: readonly string[], env: NodeJS.ProcessEnv, cwd: string) {
  const child = spawn(NODE, args, { cwd, env: { ...BARE_ENVIRONMENT, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const done = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
    );
  });
  return { child, done };
}

/** As the runner reads it: `::name key=value,…::message`, percent-encoded. */
function readCommand(line: string): Command | null {
  const match = /^\s*::([^\s:]+)(?: ([^:]*))?::(.*)$/.exec(line);
  if (match === null) return null;
  const [, name = '', list = '', message = ''] = match;
  const pairs = list.split(',').flatMap((pair) => (pair.includes('=') ? [pair.split('=', 2) as [string, string]] : []));
  const properties = Object.fromEntries(pairs.map(([key, value]) => [key.trim(), decoded(value)]));
  return { name, properties, message: decoded(message) };
}

function decoded(text: string): string {
  const codes: Record<string, string> = { '%25': '%', '%0D': '\r', '%0A': '\n', '%3A': ':', '%2C': ',' };
  return text.replace(/%(25|0D|0A|3A|2C)/g, (code) => codes[code] as string);
}

/** `name<<delimiter`, value, delimiter: the format of `GITHUB_OUTPUT` and `GITHUB_STATE`; the last value counts. */
function readValues(path: string): Record<string, string> {
  const values: Record<string, string> = {};
  const text = readFileSync(path, 'utf8');
  for (const match of text.matchAll(/^([^\n<]+)<<(\S+)\n([\s\S]*?)\n?\2\n/gm)) {
    values[match[1] as string] = (match[3] as string).replace(/\n$/, '');
  }
  return values;
}

/** Errors, warnings and notices of a run, `level: message`, with the place where they have one. */
export function annotations(run: Run): string[] {
  return run.commands
    .filter(({ name }) => ['error', 'warning', 'notice'].includes(name))
    .map(({ name, properties, message }) => {
      const { file, line, col } = properties;
      const place = file === undefined ? '' : ` ${[file, line, col].filter((part) => part !== undefined).join(':')}`;
      return `${name}${place}: ${message}`;
    });
}

export function masks(run: Run): string[] {
  return run.commands.filter(({ name }) => name === 'add-mask').map(({ message }) => message);
}

/** Makes a folder that only we may look into: it holds keys of test proxies. */
export function privateFolder(path: string): string {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o700);
  return path;
}
