import { appendFile, mkdtemp, readdir, readFile, readlink, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AppendFile, appendLines } from '../../src/files/write.ts';

it('appends lines to what is there, after ending a line that a killed run had cut', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'append-')), 'audit.jsonl');
  await appendLines(path, []);
  await expect(stat(path)).rejects.toThrow('ENOENT');
  await appendLines(path, ['{"a":1}', '{"a":2}']);
  await appendFile(path, '{"a":');
  await appendLines(path, ['{"a":3}']);
  expect(await readFile(path, 'utf8')).toBe('{"a":1}\n{"a":2}\n{"a":\n{"a":3}\n');
  expect((await stat(path)).mode & 0o777).toBe(0o644);
});

/** Where this process's open files are. */
async function openFiles(): Promise<string[]> {
  const numbers = await readdir('/proc/self/fd');
  return Promise.all(numbers.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => '')));
}

it.runIf(process.platform === 'linux')('leaves no file open whose mode it may not set', async () => {
  const path = `/proc/${process.pid}/comm`;
  await expect(AppendFile.open(path)).rejects.toThrow('EPERM');
  expect(await openFiles()).not.toContain(path);
});
