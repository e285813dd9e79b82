import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The committed bundle, or the one that `BUNDLE_DIR` names. */
const BUNDLE = resolve(process.env.BUNDLE_DIR || resolve(ROOT, 'dist'));

/** The node that these tests are run by: `node24` from the dependencies, as `action.yml` asks for. */
export const NODE = resolve(ROOT, 'node_modules/node/bin/node');

/** @throws where the bundle is missing: nothing can be tested then */
export function entry(name: 'index.js' | 'cli/index.js'): string {
  const path = resolve(BUNDLE, name);
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`npm run build\` first.`);
  return path;
}
