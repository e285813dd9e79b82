import { describe, expect, it } from 'vitest';
import { addedInWords, deletedInWords } from '../../src/core/manual-words.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { outcome as failed } from '../render/plans.ts';

const outcome = (over: Partial<Outcome>) => failed('ann@x.io', { userId: '', status: 'FAILED', ...over });

const words = ({ status, reason }: Outcome) => [status, reason];

describe('a user who was not created', () => {
  it.each([
    [
      'not created: POST /user/new answered 400: bad',
      'FAILED',
      'Bad request: not created: POST /user/new answered 400: bad',
    ],
    ['not created: answered 422: role', 'FAILED', 'Bad request: not created: answered 422: role'],
    ['not created: answered 401: no', 'FAILED', 'Unauthorized: not created: answered 401: no'],
    ['not created: answered 403: no', 'FAILED', 'Forbidden: not created: answered 403: no'],
    ['not created: answered 4033: no', 'FAILED', 'not created: answered 4033: no'],
    ['not created: license', 'FAILED', 'not created: license'],
    ['not created: User with email ann@x.io already exists', 'SKIPPED', 'User already exists in the system'],
    ['not created: user ann@x.io has this email by now', 'SKIPPED', 'User already exists in the system'],
  ])('%s', (reason, status, told) => {
    expect(words(addedInWords(outcome({ reason })))).toEqual([status, told]);
  });

  it.each([
    ['made, but without a key', outcome({ userId: 'u1', reason: 'no key: answered 403' })],
    ['made', outcome({ userId: 'u1', status: 'SUCCESS' })],
  ])('is left as it is where he was %s', (_, one) => {
    expect(addedInWords(one)).toBe(one);
  });
});

describe('a user who was not deleted', () => {
  it.each([
    [
      outcome({ action: 'DELETED', reason: 'answered 403: no' }),
      'FAILED',
      'Failed to delete user (Forbidden: answered 403: no)',
    ],
    [outcome({ action: 'DELETED', reason: 'gone' }), 'FAILED', 'Failed to delete user (gone)'],
    [outcome({ action: 'DELETED', status: 'SUCCESS' }), 'SUCCESS', ''],
  ])('%#', (one, status, told) => {
    expect(words(deletedInWords(one))).toEqual([status, told]);
  });
});
