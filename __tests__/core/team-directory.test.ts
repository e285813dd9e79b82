import { describe, expect, it } from 'vitest';
import { teamDirectory } from '../../src/core/teams.ts';
import { team } from './build.ts';

const directory = teamDirectory([
  team('t1', [], 'sales'),
  team('t2', [], 'sales'),
  team('t3', [], 'support'),
  team('t4', [], null),
  team('t5', [], 't4'),
  team('support-id', [], 'Deep Blue'),
]);

describe('a team that somebody wrote', () => {
  it.each([
    ['its name', 'support', 't3', 'support'],
    ['a name with a blank', 'Deep Blue', 'support-id', 'Deep Blue'],
    ['its id', 't3', 't3', 'support'],
    ['the id of a team whose name is shared', 't2', 't2', 't2'],
    ['the id of a team without a name', 't4', 't4', 't4'],
  ])('%s', (_, written, teamId, name) => {
    expect(directory.find(written)).toEqual({ found: true, team: { teamId, name } });
  });

  it.each([
    ['of another letter case', 'Support', 'Unknown team `Support`. Did you mean `support`?'],
    [
      'that several have',
      'sales',
      'Ambiguous team name `sales`: 2 teams have it. Write the id instead, one of `t1`, `t2`.',
    ],
    ['that resembles none', 'qqqqqqqqqqqqqqqqqqqq', 'Unknown team `qqqqqqqqqqqqqqqqqqqq`. Teams are made in LiteLLM'],
  ])('is not found by a name %s', (_, written, message) => {
    expect(directory.find(written)).toEqual({ found: false, message: expect.stringContaining(message) });
  });

  it('is looked for once, however many rows name it', () => {
    for (const written of ['support', 'suport']) expect(directory.find(written)).toBe(directory.find(written));
  });

  it('is known or not', () => {
    expect([directory.has('t1'), directory.has('sales')]).toEqual([true, false]);
  });
});

describe('a team is named', () => {
  it.each([
    ['by its name', 't3', 'support'],
    ['by its id where the name is shared', 't1', 't1'],
    ['by its id where the name is the id of another', 't5', 't5'],
    ['by its id where it is gone', 'gone', 'gone'],
  ])('%s', (_, teamId, name) => {
    expect(directory.ref(teamId)).toEqual({ teamId, name });
  });
});
