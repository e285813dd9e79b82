import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/core/outcome.ts';
import { addedInWords, deletedInWords } from '../../src/core/row-plan.ts';
import { outcome as built, type OutcomeFields } from '../render/plans.ts';

const outcome = (over: OutcomeFields) => built('ann@x.io', { userId: '', status: 'FAILED', ...over });

const words = ({ status, reason }: Outcome) => [status, reason];

describe('a user who was not created', () => {
  it.each([
    ['invalid', 'FAILED', 'Bad request: not created: the proxy answered'],
    ['unauthorized', 'FAILED', 'Unauthorized: not created: the proxy answered'],
    ['forbidden', 'FAILED', 'Forbidden: not created: the proxy answered'],
    ['other', 'FAILED', 'not created: the proxy answered'],
    ['lost', 'FAILED', 'not created: the proxy answered'],
    ['exists', 'SKIPPED', 'User already exists in the system'],
  ] as const)('%s', (code, status, told) => {
    expect(words(addedInWords(outcome({ code, reason: 'not created: the proxy answered' })))).toEqual([status, told]);
  });

  it.each([
    ['made, but without a key', outcome({ userId: 'u1', code: 'incomplete', reason: 'no key: answered 403' })],
    ['made', outcome({ userId: 'u1', status: 'SUCCESS' })],
  ])('is left as it is where they were %s', (_, one) => {
    expect(addedInWords(one)).toBe(one);
  });
});

describe('a user who was not deleted', () => {
  it.each([
    [
      outcome({ action: 'DELETED', code: 'forbidden', reason: 'answered 403: no' }),
      'FAILED',
      'Failed to delete user (Forbidden: answered 403: no)',
    ],
    [outcome({ action: 'DELETED', reason: 'gone' }), 'FAILED', 'Failed to delete user (gone)'],
    [outcome({ action: 'DELETED', status: 'SUCCESS' }), 'SUCCESS', ''],
    [outcome({ action: 'DELETED', code: 'row', reason: 'Invalid email format' }), 'FAILED', 'Invalid email format'],
  ])('%#', (one, status, told) => {
    expect(words(deletedInWords(one))).toEqual([status, told]);
  });
});
