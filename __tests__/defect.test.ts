import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { defectText, isDefect } from '../src/process.ts';

const run = promisify(execFile);
const module = join(import.meta.dirname, '../src/process.ts');

/** A program that hangs its net and then goes wrong. */
async function program(body: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const script = `
    import { catchDefects } from ${JSON.stringify(module)};
    catchDefects((message) => console.error(message), process.env);
    setTimeout(() => console.log('went on'), 50);
    ${body}`;
  const options = { env: { PATH: process.env.PATH } };
  return run(process.execPath, ['--input-type=module', '-e', script], options).then(
    (ended) => ({ code: 0, ...ended }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

describe('the last net', () => {
  it.each([
    ['an exception', "setTimeout(() => { throw new Error('oops sk-0123456789abcdef'); });"],
    ['a rejection that nobody handles', "void Promise.reject(new Error('oops sk-0123456789abcdef'));"],
    ['what is no error at all', "void Promise.reject('oops sk-0123456789abcdef');"],
  ])('ends the program at %s, and says whose defect it is', async (_what, body) => {
    const { code, stdout, stderr } = await program(body);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^This is a defect of LiteLLM User Sync \d+\.\d+\.\d+, not of your file or your proxy: .*oops/,
    );
    expect(stderr).toContain('Please report it with these lines, without keys and addresses, at ');
    expect(stderr).toContain('their journal is kept');
    expect(stderr).not.toContain('sk-0123456789abcdef');
  });

  it('lets a program go on whose reader has gone', async () => {
    const { code, stdout } = await program(
      "setTimeout(() => { throw Object.assign(new Error(), { code: 'EPIPE' }); });",
    );
    expect([code, stdout]).toEqual([0, 'went on\n']);
  });
});

describe('the text about a defect', () => {
  it('names the page for reports where the runner tells the repository', () => {
    const env = { GITHUB_SERVER_URL: 'https://git.example.com', GITHUB_ACTION_REPOSITORY: 'team/sync' };
    expect(defectText(new Error('x'), env)).toContain(' at https://git.example.com/team/sync/issues.');
    expect(defectText(new Error('x'), {})).toContain(' at the page *Issues* of the repository');
  });

  it('says where it happened without the folders of the machine', () => {
    const text = defectText(new TypeError('x'), {});
    expect(text).toMatch(/\n {4}at .*defect\.test\.ts:\d+:\d+/);
    expect(text).not.toContain(import.meta.dirname);
  });
});

it('only mistakes in code are defects: everything else that is thrown has a reason of its own', () => {
  const { nothing } = {} as { nothing: { at: string } };
  const mistake = (): string => nothing.at;
  try {
    mistake();
  } catch (error) {
    expect(isDefect(error)).toBe(true);
  }
  expect([isDefect(new Error('x')), isDefect('x')]).toEqual([false, false]);
  expect.assertions(2);
});
