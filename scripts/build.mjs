// Compiles src to lib and bundles lib to dist, the same bytes on every machine.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { STAMP, sourcesHash } from './sources.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (name) => join(root, 'node_modules', '.bin', name);
const run = (command, ...args) => execFileSync(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });

for (const folder of ['lib', 'dist']) rmSync(join(root, folder), { recursive: true, force: true });
run(bin('tsc'), '-p', 'tsconfig.json');
bundle('lib/main.js', 'dist');
bundle('lib/cli.js', 'dist/cli');
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

function bundle(entry, folder) {
  const temporary = mkdtempSync(join(tmpdir(), 'build-'));
  const stats = join(temporary, 'stats.json');
  run(bin('ncc'), 'build', entry, '-o', folder, '--minify', '--no-cache', '--stats-out', stats);
  const { modules } = JSON.parse(readFileSync(stats, 'utf8'));
  compiledAtOnce(join(root, folder, 'index.js'), new Set(modules.map(({ id }) => String(id))));
  writeFileSync(join(root, folder, 'licenses.txt'), licenses(modules));
  rmSync(temporary, { recursive: true });
}

/**
 * Puts the function of each module back into parentheses, as webpack writes it and the minifier does not: V8 compiles such
 * a function when it reads it, instead of looking it over first and reading it again when it is called, as all of these
 * are at the start. (The action starts in 95 ms instead of 117.) The last one's end is not looked for: it stays as it is.
 */
function compiledAtOnce(path, ids) {
  const start = /(?<=[{,])(?=\d+:(?:\(?[\w$,]*\)?=>|function\([\w$,]*\))\{)/;
  const [before, ...modules] = readFileSync(path, 'utf8').split(start);
  const found = modules.map((text) => text.slice(0, text.indexOf(':')));
  const isStrange = (text, index) => !ids.has(found[index]) || (index < found.length - 1 && !text.endsWith('},'));
  if (found.length < 2 || new Set(found).size < found.length || modules.some(isStrange)) {
    throw new Error(
      `The modules of ${path} are not written as they were: see to \`compiledAtOnce\` in scripts/build.mjs.`,
    );
  }
  const last = modules.pop();
  const inParentheses = modules.map((text) => text.replace(':', ':(').replace(/,$/, '),'));
  writeFileSync(path, [before, ...inParentheses, last].join(''));
  run(process.execPath, '--check', path);
}

/** The licence of every package in a bundle. (ncc's own list leaves out the ES modules that it joins into one.) */
function licenses(modules) {
  const folders = new Map(
    [...packageFolders(modules)].map((folder) => [folder.replace(/^.*node_modules\//, ''), folder]),
  );
  return [...folders.keys()]
    .sort()
    .map((name) => licenseOf(name, folders.get(name)))
    .join('\n');
}

function packageFolders(modules = []) {
  return modules.flatMap(({ nameForCondition, modules: joined }) => {
    const [, folder] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(nameForCondition ?? '') ?? [];
    return [...(folder === undefined ? [] : [folder]), ...packageFolders(joined)];
  });
}

function licenseOf(name, folder) {
  const { license = 'no licence stated' } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  const text = file === undefined ? '' : `${readFileSync(join(folder, file), 'utf8').replace(/\r\n/g, '\n').trim()}\n`;
  return `${name}\n${license}\n${text}`;
}
