import { describe, expect, it } from 'vitest';
import { teamCellFault, teamDirectory } from '../../src/core/teams.ts';
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
    ['the id of a team whose name is shared', 't2', 't2', 't2', 'sales'],
    ['the id of a team without a name', 't4', 't4', 't4'],
  ])('%s', (_, written, teamId, name, alias?: string) => {
    expect(directory.find(written)).toEqual({ found: true, team: { teamId, name, alias } });
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
    expect(directory.find(written)).toMatchObject({ found: false, message: expect.stringContaining(message) });
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
    ['by its id and the name that it shares', 't1', 't1', 'sales'],
    ['by its id and the name that is the id of another', 't5', 't5', 't4'],
    ['by its id where it is gone', 'gone', 'gone'],
  ])('%s', (_, teamId, name, alias?: string) => {
    expect(directory.ref(teamId)).toEqual({ teamId, name, alias });
  });
});

describe('a cell of teams', () => {
  const cells = teamDirectory([
    team('t1', [], 'red'),
    team('t2', [], 'blue'),
    team('t3', [], 'R&D; Lab'),
    team('t4', [], 'red, blue'),
    team('t5', [], 'red;t2'),
    team('t6', [], 'caf\u00e9'),
    team('t7', [], 'two;fold'),
    team('t8', [], 'two;fold'),
    team('t9', [], ' padded '),
    team('t10', [], null),
  ]);
  it.each([
    ['red', ['t1']],
    ['red; blue ;', ['t1', 't2']],
    ['red;;red', ['t1', 't1']],
    ['R&D; Lab', ['t3']],
    [
      'R&D; Lab;red',
      [
        'Unknown team `R&D`. A team is named `R&D; Lab`, which is written by its id here: `t3`.',
        'Unknown team `Lab`. A team is named `R&D; Lab`',
        't1',
      ],
    ],
    ['padded', ['Unknown team `padded`. A team is named ` padded `, which is written by its id here: `t9`.']],
    ['red;t2', ['t5']],
    ['red, blue', ['t4']],
    ['t1,blue', ['t1', 't2']],
    ['blue,t1,', ['t2', 't1']],
    ['blue,bleu', ['t2', 'Unknown team `bleu`. Did you mean `blue`?']],
    ['green,yellow', ['Unknown team `green,yellow`']],
    ['blue;red, blue', ['t2', 't4']],
    ['cafe\u0301', ['t6']],
    ['two;fold', ['Ambiguous team name `two;fold`: 2 teams have it.']],
    ['-', []],
    [';', []],
    [',', []],
    ['–', ['Unknown team `–` (a dash, U+2013, and no plain `-`).']],
    ['гed', ['Unknown team `гed`. Did you mean `red`?']],
    ['rеd', ['Unknown team `rеd`. Did you mean `red`? They look alike: yours has U+0435 in place of U+0065.']],
  ])('%j', (cell, expected) => {
    const found = cells.read(cell).map((one) => (one.found ? one.team.teamId : one.message));
    expect(found).toEqual(expected.map((text) => (/^t\d$/.test(text) ? text : expect.stringContaining(text))));
  });

  it('ids that are one in NFC are told apart where they are written exactly', () => {
    const twins = teamDirectory([team('u\u0308', [], null), team('\u00fc', [], null), team('x', [], 'u\u0308')]);
    expect(twins.find('\u00fc')).toMatchObject({ found: true, team: { teamId: '\u00fc' } });
    expect(twins.find('u\u0308')).toMatchObject({ found: true, team: { teamId: 'u\u0308' } });
  });
});

describe('a cell that can hold no team', () => {
  it.each([
    [';', false, 'holds separators and no team'],
    [' ; , ', false, 'holds separators and no team'],
    ['-;red', false, 'must stand alone'],
    ['-', true, 'must stand alone'],
    ['-', false, null],
    ['red', true, null],
  ])('%j', (cell, isOneOfTwo, fault) => {
    expect(teamCellFault(cell, isOneOfTwo)).toEqual(fault === null ? null : expect.stringContaining(fault));
  });
});
