import { readFileSync } from 'node:fs';
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

it('has an append in the file at once, and fails every further one after a failure', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'append-')), 'journal.jsonl');
  const file = await AppendFile.open(path);
  const flushed = [file.append('a\n'), file.append('b\n', 'soon')];
  expect(readFileSync(path, 'utf8')).toBe('a\nb\n');
  await Promise.all(flushed);
  await file.close();
  const error = await file.append('c\n').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  await expect(file.append('d\n', 'soon')).rejects.toBe(error);
});

it('flushes soon, at once where something else is to be on disk now, and before it closes', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'append-')), 'links.csv');
  const file = await AppendFile.open(path);
  await file.append('a\n', 'soon');
  const order: string[] = [];
  const soon = file.append('b\n', 'soon').then(() => order.push('soon'));
  await file.append('c\n');
  await soon;
  const last = file.append('d\n', 'soon').then(() => order.push('last'));
  await file.close();
  await last;
  expect(order).toEqual(['soon', 'last']);
  expect(readFileSync(path, 'utf8')).toBe('a\nb\nc\nd\n');
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
