import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NODE, ROOT } from './support/bundle.ts';

it.skipIf(process.env.BUNDLE_DIR)('dist is built from this source', () => {
  const { status, stderr } = spawnSync(NODE, [join(ROOT, 'scripts/sources.mjs')], { encoding: 'utf8' });
  expect([stderr.trim(), status]).toEqual(['', 0]);
});
