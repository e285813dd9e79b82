import { appendFile, mkdtemp, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { appendLines } from '../../src/files/write.ts';

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
