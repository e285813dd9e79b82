import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Standin, startStandin } from '../../standin/server.ts';

// In a true terminal, which Node cannot make: .ci/run sets E2E_PTY, and asks for python3.
const canRun = process.env.E2E_PTY === '1' && spawnSync('python3', ['--version']).status === 0;

const QUESTION = 'Apply these changes? [y/N] ';
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

interface Place {
  readonly proxy: Standin;
  readonly folder: string;
}

/** @param users to be added by the file */
async function place(users: number, latencyMs = 0): Promise<Place> {
  const proxy = await startStandin({ latencyMs, version: '1.75' });
  const folder = mkdtempSync(join(tmpdir(), 'pty-'));
  onTestFinished(async () => {
    await proxy.close();
    rmSync(folder, { recursive: true });
  });
  const rows = Array.from({ length: users }, (_, index) => `user-${index}@example.com\n`);
  writeFileSync(join(folder, 'user_list.csv'), `email\n${rows.join('')}`);
  return { proxy, folder };
}

interface Shown {
  readonly code: number;
  readonly text: string;
}

function run({ proxy, folder }: Place, steps: readonly (readonly [string, string])[], ...flags: string[]) {
  const script = join(import.meta.dirname, '../../src/cli.ts');
  const command = `exec '${process.execPath}' '${script}' sync ${flags.join(' ')}`;
  const argv = [join(import.meta.dirname, 'in-terminal.py'), JSON.stringify(steps), 'sh', '-c', command];
  const { NO_COLOR: _no, FORCE_COLOR: _force, ...others } = process.env;
  const env = { ...others, TERM: 'xterm', LITELLM_BASE_URL: proxy.baseUrl, LITELLM_MASTER_KEY: proxy.masterKey };
  return new Promise<Shown>((resolve) => {
    execFile('python3', argv, { cwd: folder, env }, (error, stdout) =>
      resolve({ code: error === null ? 0 : Number(error.code), text: stdout.replaceAll('\r\n', '\n') }),
    );
  });
}

const emails = ({ proxy }: Place) =>
  [...proxy.state.users.values()].filter((user) => user.email?.startsWith('user-')).length;

describe.skipIf(!canRun)('in a terminal', () => {
  test('y applies; the plan is in colours, and reading is seen', async () => {
    const at = await place(2);
    const { code, text } = await run(at, [[QUESTION, 'y\n']]);
    expect([code, emails(at)], text).toEqual([0, 2]);
    expect(text).toContain('\u001b[32m    + user-0@example.com');
    expect(text).toMatch(/Reading users/);
    expect(text).toMatch(/Users added: 2/);
  });

  test.each([
    ['n', 'n\n'],
    ['nothing', '\n'],
  ])('%s does not', async (_what, keys) => {
    const at = await place(2);
    const { code, text } = await run(at, [[QUESTION, keys]]);
    expect([code, emails(at)], text).toEqual([1, 0]);
    expect(text).toMatch(/Not applied: the answer was not yes\.\n$/);
    expect(existsSync(join(at.folder, 'journal.jsonl'))).toBe(false);
  });

  test.each([
    ['Ctrl-C', CTRL_C],
    ['Ctrl-D', CTRL_D],
  ])('%s at the question ends without a write', async (_what, keys) => {
    const at = await place(2);
    const { code, text } = await run(at, [[QUESTION, keys]]);
    expect([code, emails(at)], text).toEqual([1, 0]);
    expect(text).toMatch(/Not applied: ended at the question\.\n$/);
  });

  test.each([
    ['--yes', ['--yes']],
    ['a dry run', ['--dry-run']],
  ])('%s asks nothing', async (_what, flags) => {
    const at = await place(1);
    const { code, text } = await run(at, [], ...flags);
    expect([code, emails(at)], text).toEqual([0, flags.includes('--yes') ? 1 : 0]);
    expect(text).not.toContain('Apply these changes?');
  });

  test('a plan that changes nothing asks nothing', async () => {
    const at = await place(1);
    await run(at, [], '--yes');
    const { code, text } = await run(at, []);
    expect([code, text.includes('Apply these changes?')], text).toEqual([0, false]);
  });

  test('where stdin is none, nothing is asked', async () => {
    const at = await place(1);
    const { code, text } = await run(at, [], '< /dev/null');
    expect([code, emails(at)], text).toEqual([0, 1]);
    expect(text).not.toContain('Apply these changes?');
  });

  test('Ctrl-C in the middle keeps the journal, and the next run completes it', async () => {
    const at = await place(40, 20);
    const stopped = await run(at, [['Adding users', CTRL_C]], '--yes', '--concurrency=1');
    expect(stopped.code, stopped.text).toBe(1);
    expect(stopped.text).toContain('SIGINT: no new write is started');
    expect(existsSync(join(at.folder, 'journal.jsonl')), stopped.text).toBe(true);
    expect(at.proxy.state.invitations.size).toBeLessThan(40);
    const next = await run(at, [[QUESTION, 'y\n']]);
    expect([next.code, emails(at)], next.text).toEqual([0, 40]);
    const links = readFileSync(join(at.folder, 'onboarding_links.csv'), 'utf8').trimEnd().split('\n').slice(1);
    expect(new Set(links.map((line) => line.split(',')[0])).size).toBe(40);
    expect(existsSync(join(at.folder, 'journal.jsonl'))).toBe(false);
  });
});
