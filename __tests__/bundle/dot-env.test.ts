import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { startStandin } from '../../standin/server.ts';
import { entry, NODE } from './support/bundle.ts';

const run = promisify(execFile);

it('the command line reads the `.env` of the folder that it is called in', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dot-env-'));
  const { baseUrl, masterKey, close } = await startStandin();
  try {
    await writeFile(join(folder, '.env'), `LITELLM_BASE_URL=${baseUrl}\nLITELLM_MASTER_KEY=${masterKey}\n`);
    await writeFile(join(folder, 'user_list.csv'), 'email\nann@example.com\n');
    const options = { cwd: folder, env: { PATH: process.env.PATH } };
    const { stdout } = await run(NODE, [entry('cli/index.js'), 'sync', '--dry-run'], options);
    expect(stdout).toContain('+ ann@example.com');
  } finally {
    await close();
    await rm(folder, { recursive: true, force: true });
  }
});
