// What a build is made from, as one hash: `npm run build` leaves it in dist, so that a stale dist is told from a fresh
// one without building again.
//
//   node scripts/sources.mjs     exit code 1, and why, unless dist is built from the source that is here
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Name of the file in `dist`. */
export const STAMP = 'sources.sha256';

/** Of everything in `src`, how it is built, and the version of every package that may end up in it. */
export function sourcesHash() {
  const hash = createHash('sha256');
  for (const path of [...sources(), 'tsconfig.json', 'scripts/build.mjs']) {
    hash.update(`${path}\0${readFileSync(join(root, path), 'utf8')}\0`);
  }
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return `${hash.update(JSON.stringify(bundled(devDependencies))).digest('hex')}\n`;
}

/** What the sources import is bundled: to depend on it at run time is for nobody, so that it stands among the others. */
function bundled(packages) {
  const imports = sources().flatMap((path) => [
    ...readFileSync(join(root, path), 'utf8').matchAll(/\b(?:from|import\() ?'((?:@[^/']+\/)?[^./'][^/']*)/g),
  ]);
  const names = new Set(imports.map(([, name]) => name));
  return Object.entries(packages).filter(([name]) => names.has(name));
}

function sources() {
  return readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

function verdict() {
  const stamp = join(root, 'dist', STAMP);
  if (!existsSync(join(root, 'dist', 'index.js'))) return 'dist is missing: run `npm run build`.';
  const fresh = existsSync(stamp) && readFileSync(stamp, 'utf8') === sourcesHash();
  return fresh ? '' : 'dist is stale, it was built from another source: run `npm run build`.';
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const problem = verdict();
  if (problem !== '') console.error(problem);
  process.exitCode = problem === '' ? 0 : 1;
}
