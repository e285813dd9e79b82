import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../src/version.ts';
import { type Standin, startStandin } from '../../standin/server.ts';
import { NODE, ROOT } from './support/bundle.ts';
import { COMPANY } from './support/company.ts';

const run = promisify(execFile);

/** What `npm pack` makes of this repository, in a folder where nothing else is, and no network to get more from. */
describe('the package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'package-'));
  const elsewhere = join(folder, 'elsewhere');
  const env = {
    PATH: [dirname(NODE), process.env.PATH].join(delimiter),
    npm_config_cache: join(folder, 'cache'),
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  };
  let proxy: Standin;
  let packed: { filename: string; files: { path: string }[]; bundled: string[] };

  beforeAll(async () => {
    mkdirSync(elsewhere);
    proxy = await startStandin({ seed: COMPANY });
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: ROOT, env });
    packed = JSON.parse(stdout)[0];
  });

  afterAll(async () => {
    await proxy.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const npx = (...args: string[]) => {
    const given = { LITELLM_BASE_URL: proxy.baseUrl, LITELLM_MASTER_KEY: proxy.masterKey };
    const tarball = `--package=${join(folder, packed.filename)}`;
    return run('npx', ['--yes', tarball, 'litellm-user-sync', ...args], { cwd: elsewhere, env: { ...env, ...given } });
  };

  it('holds the command line tool, its licences, and nothing else', () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths.filter((path) => !path.startsWith('dist/cli/')).sort()).toEqual([
      'LICENSE',
      'README.md',
      'package.json',
    ]);
    expect(paths).toContain('dist/cli/index.js');
    expect(paths).toContain('dist/cli/licenses.txt');
    expect(packed.bundled).toEqual([]);
  });

  it('says whose work is in it, and under which licence', () => {
    const text = readFileSync(join(ROOT, 'dist/cli/licenses.txt'), 'utf8');
    for (const name of ['zod', 'papaparse', 'proxy-agent', 'picomatch'])
      expect(text).toMatch(new RegExp(`^${name}\nMIT\n`, 'm'));
  });

  it('runs by npx and says its version', async () => {
    expect((await npx('--version')).stdout).toBe(`${VERSION}\n`);
  });

  it('lists the users of a proxy', async () => {
    const { stdout } = await npx('list', '--columns', 'user_email', '--format', 'tsv');
    expect(stdout).toMatch(/^user_email\n(\S+@example\.com\n)+$/);
  });
});
