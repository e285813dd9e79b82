import { expect, it } from 'vitest';
import { failedWith, isCreated } from '../../src/core/outcome.ts';
import { outcome } from '../render/plans.ts';

it.each([
  ['', 'no link'],
  ['without a key', 'without a key no link'],
])('a failure after %j keeps what went wrong before, and everything else', (before, told) => {
  const made = outcome('ann@x.io', { index: 3, key: { hash: 'hash', shown: 'sk-...abcd' }, reason: before });
  expect(failedWith(made, 'incomplete', 'no link')).toEqual({
    ...made,
    status: 'FAILED',
    code: 'incomplete',
    reason: told,
  });
});

it.each([
  ['a success', outcome('a@x.io'), true],
  ['a failure after the user came to be', outcome('a@x.io', { status: 'FAILED' }), true],
  ['a failure before that', outcome('a@x.io', { status: 'FAILED', userId: '' }), false],
  ['a skipped row', outcome('a@x.io', { status: 'SKIPPED' }), false],
  ['a delete', outcome('a@x.io', { action: 'DELETED' }), false],
])('%s: created or not', (_, one, created) => {
  expect(isCreated(one)).toBe(created);
});
