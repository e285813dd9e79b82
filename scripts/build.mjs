// Compiles src to lib and bundles lib to dist, the same bytes on every machine.
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { STAMP, sourcesHash } from './sources.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (name) => join(root, 'node_modules', '.bin', name);
const run = (command, ...args) => execFileSync(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });

for (const folder of ['lib', 'dist']) rmSync(join(root, folder), { recursive: true, force: true });
run(bin('tsc'), '-p', 'tsconfig.json');
run(bin('ncc'), 'build', 'lib/main.js', '-o', 'dist', '--license', 'licenses.txt', '--minify', '--no-cache');
run(bin('ncc'), 'build', 'lib/cli.js', '-o', 'dist/cli', '--license', 'licenses.txt', '--minify', '--no-cache');
cpSync(join(root, 'LICENSE'), join(root, 'dist', 'LICENSE'));
for (const entry of readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true })) {
  if (entry.isFile() && entry.name.endsWith('.d.ts')) rmSync(join(entry.parentPath, entry.name));
}

// ncc takes `readFile(resolve(…, name))` for a file of the package: it copies what it finds there, and reads from beside
// the bundle ever after.
for (const bundle of ['dist/index.js', 'dist/cli/index.js']) {
  const [asset] = /\.ab ?\+ ?"[^"]*"/.exec(readFileSync(join(root, bundle), 'utf8')) ?? [];
  if (asset !== undefined)
    throw new Error(`${bundle} reads a file of its own (${asset}): build that path another way.`);
}
writeFileSync(join(root, 'dist', STAMP), sourcesHash());
