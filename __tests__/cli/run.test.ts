import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { helpText } from '../../src/cli/args.ts';
import { runCli } from '../../src/cli/run.ts';
import { VERSION } from '../../src/version.ts';
import { Sink } from '../host/sink.ts';

async function cli(...argv: string[]) {
  const [stdout, stderr] = [new Sink(), new Sink()];
  const env = { LITELLM_MASTER_KEY: 'sk-not-a-real-key-at-all' };
  const code = await runCli(['sync', '--csv-file', 'missing.csv', ...argv], env, { stdout, stderr });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

it.each([
  ['--encrypt-to=age1qqqq', /^Warning: --encrypt-to is for uploads/],
  ['--redact-emails=true', /^Warning: --redact-emails masks emails in a job/],
])('%s does nothing in a terminal, and that is said', async (flag, warning) => {
  const { stderr } = await cli(flag);
  expect(stderr).toMatch(warning);
});

it('a flag that only a job acts on is warned of', async () => {
  expect((await cli('--comment=false')).stderr).toMatch(/^Warning: --comment has no effect in a terminal\.$/m);
});

it.each([
  [['help', 'delete'], helpText('delete')],
  [['delete', '--help'], helpText('delete')],
  [['--help'], helpText()],
  [['--version', 'list', '--force'], `${VERSION}\n`],
])('%j is answered on stdout, and nothing is done', async (argv, text) => {
  const [stdout, stderr] = [new Sink(), new Sink()];
  expect(await runCli(argv, {}, { stdout, stderr })).toBe(0);
  expect([stdout.text, stderr.text]).toEqual([text, '']);
});

it('help about no command suggests one', async () => {
  const [stdout, stderr] = [new Sink(), new Sink()];
  expect(await runCli(['help', 'snyc'], {}, { stdout, stderr })).toBe(2);
  expect([stdout.text, stderr.text]).toEqual(['', expect.stringContaining('Did you mean `sync`?')]);
});

it('a flag that was misspelt is told with its dashes', async () => {
  expect(await cli('--encrypt-too', 'x')).toEqual({
    code: 2,
    stdout: '',
    stderr: 'Unknown flag `--encrypt-too`. Did you mean `--encrypt-to`? See --help.\n',
  });
});

it.each<[string, (path: string) => Promise<unknown>, RegExp]>([
  [
    'with a byte order mark',
    (path) => writeFile(path, '\ufeffLITELLM_BASE_URL=nonsense\r\n'),
    /LITELLM_BASE_URL` is `nonsense`/,
  ],
  ["that is a Python environment's folder", (path) => mkdir(path), /CSV file 'user_list.csv' not found/],
])('a `.env` %s', async (_what, make, message) => {
  const folder = await mkdtemp(join(tmpdir(), 'env-'));
  try {
    await make(join(folder, '.env'));
    const [stdout, stderr] = [new Sink(), new Sink()];
    expect(await runCli(['sync'], { LITELLM_MASTER_KEY: 'sk-not-a-real-key' }, { stdout, stderr }, folder)).toBe(2);
    expect(stderr.text).toMatch(message);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it.each([[['sync', '--dry-run']], [['list']], [['export']]])('%j makes no folder for results', async (argv) => {
  const folder = await mkdtemp(join(tmpdir(), 'no-results-'));
  try {
    const [stdout, stderr] = [new Sink(), new Sink()];
    const env = { LITELLM_MASTER_KEY: 'sk-not-a-real-key', LITELLM_BASE_URL: 'http://127.0.0.1:9' };
    const nowhere = ['--output-directory', 'results', '--retries', '0'];
    expect(await runCli([...argv, ...nowhere], env, { stdout, stderr }, folder)).not.toBe(0);
    expect(await readdir(folder)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('a folder for the results that cannot be made is wrong usage', async () => {
  const { code, stderr } = await cli('--output-directory', import.meta.filename);
  expect(code).toBe(2);
  expect(stderr).toBe(
    `Input \`output-directory\` is \`${import.meta.filename}\`; that is no folder and cannot be made one (EEXIST).\n`,
  );
});
