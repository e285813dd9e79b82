import { describe, expect, it } from 'vitest';
import { rosterHolder } from '../../src/core/inventory.ts';

const team = {
  members: new Set(['ann', 'old']),
  rosterEmails: new Map([
    ['ann@x.io', 'ann'],
    ['bob@x.io', 'old'],
    ['cy@x.io', null],
  ]),
};

describe('rosterHolder', () => {
  it.each([
    ['a member', 'ann', 'ann@x.io', null],
    ['whose email nobody has there', 'dora', 'dora@x.io', null],
    ['who has no email', 'dora', null, null],
    ['a member, whatever the emails say', 'old', 'cy@x.io', null],
    ['whose email stands beside another id, in any letter case', 'bob', 'Bob@X.io', { userId: 'old' }],
    ['whose email stands there without an id', 'cy', 'cy@x.io', { userId: null }],
    ['whose own entry it is, the other half missing', 'gone', 'bob@x.io', { userId: 'old' }],
  ])('%s', (_who, userId, email, expected) => {
    expect(rosterHolder(team, { userId, email })).toEqual(expected);
  });
});
