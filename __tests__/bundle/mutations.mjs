// Shows that the canary tests see: each mutation takes one protection out of a copy of the source, and
// a test of secrets, encryption, privacy, mails or an account's life must fail on that copy.
//
//   node __tests__/bundle/mutations.mjs [words of a name]
//
// Run by hand: it takes minutes. Needs a node that runs TypeScript (the one among the dependencies does).
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MUTATIONS } from './mutation-list.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A copy of the source that runs as the bundle does. */
function copyOf([, file, from, to, head = '']) {
  const folder = mkdtempSync(join(tmpdir(), 'mutation-'));
  cpSync(join(ROOT, 'src'), join(folder, 'src'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'cli'));
  writeFileSync(join(folder, 'index.js'), "import './src/main.ts';\n");
  writeFileSync(join(folder, 'cli', 'index.js'), "import '../src/cli.ts';\n");
  const path = join(folder, 'src', file);
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, head + text.replace(from, () => to));
  return folder;
}

function failuresOn(folder) {
  const tests = [
    '__tests__/bundle/secrets.test.ts',
    '__tests__/bundle/encrypt.test.ts',
    '__tests__/bundle/privacy.test.ts',
    '__tests__/bundle/life.test.ts',
  ];
  const args = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=json', '--bail=1', ...tests];
  const env = { ...process.env, BUNDLE_DIR: folder };
  const { stdout } = spawnSync(process.execPath, args, { cwd: ROOT, env, encoding: 'utf8', maxBuffer: 2 ** 28 });
  const report = JSON.parse(stdout.slice(stdout.indexOf('{')));
  return report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map(({ title }) => title),
  );
}

const words = process.argv.slice(2).join(' ');
let survived = 0;
for (const mutation of [['none', 'main.ts', 'await', 'await'], ...MUTATIONS]) {
  const [name] = mutation;
  if (!name.includes(words)) continue;
  const folder = copyOf(mutation);
  const failures = failuresOn(folder);
  rmSync(folder, { recursive: true });
  const good = name === 'none' ? failures.length === 0 : failures.length > 0;
  if (!good) survived += 1;
  console.log(`${good ? 'ok' : 'NOT SEEN'}  ${name}: ${failures.length === 0 ? 'no test fails' : failures.join('; ')}`);
}
process.exitCode = survived === 0 ? 0 : 1;
