import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MUTATIONS } from './mutation-list.ts';
import { ROOT } from './support/bundle.ts';

it('the mutations of mutations.mjs fit the source: none takes out what is not there any more', () => {
  const lost = MUTATIONS.filter(
    ([, file = '', from = '']) => !readFileSync(join(ROOT, 'src', file), 'utf8').includes(from),
  );
  expect(lost).toEqual([]);
});
