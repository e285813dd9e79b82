import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Milliseconds from the start of a bundle to the first request that arrives, and no further. */
export async function firstRequest(dist: string, bundle: 'cli' | 'action'): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  writeFileSync(join(directory, 'user_list.csv'), 'email\na@example.com\n');
  writeFileSync(join(directory, 'event.json'), JSON.stringify(EVENT));
  let arrived = (): void => {};
  const first = new Promise<void>((done) => {
    arrived = done;
  });
  const server = createServer(() => arrived());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const script = bundle === 'cli' ? join(dist, 'cli', 'index.js') : join(dist, 'index.js');
  const begin = performance.now();
  const child = spawn(process.execPath, bundle === 'cli' ? [script, 'sync', '--dry-run'] : [script], {
    cwd: directory,
    env: { PATH: process.env.PATH, LITELLM_BASE_URL: baseUrl, LITELLM_MASTER_KEY: 'sk-bench', ...jobEnv(directory) },
    stdio: 'ignore',
  });
  const gone = new Promise<'gone'>((done) => child.once('exit', () => done('gone')));
  const reached = await Promise.race([first, gone]);
  const ms = performance.now() - begin;
  child.kill('SIGKILL');
  await gone;
  if (reached === 'gone') throw new Error(`${script} ended (${child.exitCode}) without a request.`);
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  rmSync(directory, { recursive: true, force: true });
  return ms;
}

const EVENT = {
  ref: 'refs/heads/main',
  repository: { full_name: 'a/b', default_branch: 'main', visibility: 'private' },
};

function jobEnv(directory: string): NodeJS.ProcessEnv {
  return {
    GITHUB_EVENT_NAME: 'schedule',
    GITHUB_EVENT_PATH: join(directory, 'event.json'),
    GITHUB_REF: 'refs/heads/main',
    GITHUB_REPOSITORY: 'a/b',
    GITHUB_SHA: 'e'.repeat(40),
    GITHUB_WORKSPACE: directory,
    GITHUB_RUN_ID: '1',
    GITHUB_SERVER_URL: 'https://github.com',
    RUNNER_TEMP: directory,
  };
}
