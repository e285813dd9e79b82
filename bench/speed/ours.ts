import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Target {
  readonly baseUrl: string;
  readonly masterKey: string;
}

export interface Measured {
  /** From the start of the process to its end. */
  readonly ms: number;
  /** Bytes, at the most. */
  readonly memory: number;
  /** How many by method and route: `GET /user/list`. */
  readonly requests: ReadonlyMap<string, number>;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Tells the process's peak memory as its last line. */
const PRELOAD = `data:text/javascript,${encodeURIComponent(
  "process.on('exit', () => process.stderr.write('\\npeak ' + process.resourceUsage().maxRSS + '\\n'))",
)}`;

/** Runs the command line bundle in a process and a folder of its own; with `--debug` among the flags it names its requests. */
export async function ours(dist: string, proxy: Target, csv: string, flags: readonly string[]): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  writeFileSync(join(directory, 'user_list.csv'), csv);
  const argv = ['--import', PRELOAD, join(dist, 'cli', 'index.js'), 'sync', '--max-deletes', '100%', ...flags];
  const env = { PATH: process.env.PATH, LITELLM_BASE_URL: proxy.baseUrl, LITELLM_MASTER_KEY: proxy.masterKey };
  try {
    const begin = performance.now();
    const ended = await run(argv, env, directory);
    const ms = performance.now() - begin;
    const memory = Number(/^peak (\d+)$/m.exec(ended.stderr)?.[1] ?? 0) * 1024;
    return { ms, memory, requests: requestsOf(ended.stderr), ...ended };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function requestsOf(stderr: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [, route = ''] of stderr.matchAll(/^debug: ((?:GET|POST) \S+?)(?:[ :].*)? ms$/gm)) {
    counts.set(route, (counts.get(route) ?? 0) + 1);
  }
  return counts;
}

function run(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<Pick<Measured, 'code' | 'stdout' | 'stderr'>> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, argv, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (chunk) => {
        output[name] += chunk;
      });
    }
    child.once('error', failed);
    child.once('close', (code) => done({ code, ...output }));
  });
}
