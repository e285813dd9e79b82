import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { runCli } from '../../src/cli/run.ts';
import { proxyHash } from '../../src/commands/connection.ts';
import { parseInputs } from '../../src/inputs.ts';
import { FileJournal } from '../../src/journal/journal.ts';
import { startStandin } from '../../standin/server.ts';
import { add, HEAD, planOf } from '../apply/setup.ts';
import { Sink } from '../host/sink.ts';

/** A folder in which a run on this proxy was cut off before it wrote anything. */
async function cutOff(baseUrl: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'interrupted-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'user_list.csv'), 'email\nann@example.com\n');
  await writeFile(join(folder, 'user_addlist.csv'), 'email\nann@example.com\n');
  const journal = await FileJournal.create(folder);
  const proxy = proxyHash(parseInputs({ 'base-url': baseUrl }, {}, '.'));
  await journal.begin(planOf(add('ann@example.com')), {
    ...HEAD,
    command: 'sync',
    proxy,
    apiKeys: true,
    invitations: true,
  });
  await journal.close();
  return folder;
}

it.each([
  ['sync', 'is not completed on another proxy', 'http://localhost:9', 1],
  ['add', 'is not completed on another proxy', 'http://localhost:9', 1],
  ['sync', 'is completed on its own', null, 0],
] as const)('%s: a run that was cut off %s', async (command, _what, cutOffOn, wanted) => {
  const standin = await startStandin();
  onTestFinished(() => standin.close());
  const folder = await cutOff(cutOffOn ?? standin.baseUrl);
  const [stdout, stderr] = [new Sink(), new Sink()];
  const env = { LITELLM_BASE_URL: standin.baseUrl, LITELLM_MASTER_KEY: standin.masterKey };
  const code = await runCli([command], env, { stdout, stderr }, folder);
  expect(code, stderr.text).toBe(wanted);
  const completed = wanted === 0;
  expect(/journal\.jsonl tells of a run on another proxy that was interrupted\. Run once/.test(stderr.text)).toBe(
    !completed,
  );
  expect(existsSync(join(folder, 'journal.jsonl'))).toBe(!completed);
  expect(existsSync(join(folder, 'onboarding_links.csv'))).toBe(completed);
  const record = await readFile(join(folder, 'audit.jsonl'), 'utf8').catch(() => '');
  const recorded = record.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  expect(recorded).toMatchObject(completed ? [{ action: 'add', email: 'ann@example.com', result: 'SUCCESS' }] : []);
});

it('sync: what the run that was cut off has done stands in the audit record, once', async () => {
  const standin = await startStandin();
  onTestFinished(() => standin.close());
  const folder = await cutOff(standin.baseUrl);
  standin.state.addUser({ userId: 'user-ann', email: 'ann@example.com', role: 'internal_user', teams: [] });
  const journal = FileJournal.resume(folder);
  const done = { index: 0, action: 'ADDED', status: 'SUCCESS', email: 'ann@example.com', userId: 'user-ann' } as const;
  const outcome = { ...done, role: 'internal_user', teamName: '', key: null, reason: '' };
  await journal.recorded([{ index: 0, outcome }]);
  await journal.close();
  const sinks = { stdout: new Sink(), stderr: new Sink() };
  const env = { LITELLM_BASE_URL: standin.baseUrl, LITELLM_MASTER_KEY: standin.masterKey };
  expect(await runCli(['sync'], env, sinks, folder), sinks.stderr.text).toBe(0);
  const lines = (await readFile(join(folder, 'audit.jsonl'), 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { action: 'add', email: 'ann@example.com', user_id: 'user-ann', result: 'SUCCESS', pull_request: null },
  ]);
});
