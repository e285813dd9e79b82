import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { runCli } from '../../src/cli/run.ts';

async function cli(...argv: string[]) {
  const text = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') =>
    new Writable({
      write(chunk, _encoding, done) {
        text[name] += String(chunk);
        done();
      },
    });
  const terminal = { stdout: stream('stdout'), stderr: stream('stderr') };
  const env = { LITELLM_MASTER_KEY: 'sk-not-a-real-key-at-all' };
  return { code: await runCli(['sync', '--csv-file', 'missing.csv', ...argv], env, terminal), ...text };
}

it.each([
  ['--encrypt-to=age1qqqq', /^Warning: --encrypt-to is for uploads/],
  ['--redact-emails=true', /^Warning: --redact-emails masks emails in a job/],
])('%s does nothing in a terminal, and that is said', async (flag, warning) => {
  const { stderr } = await cli(flag);
  expect(stderr).toMatch(warning);
});

it('a flag that was misspelt is told with its dashes', async () => {
  expect(await cli('--encrypt-too', 'x')).toEqual({
    code: 2,
    stdout: '',
    stderr: 'Unknown flag `--encrypt-too`. Did you mean `--encrypt-to`? See --help.\n',
  });
});
