import { describe, expect, it } from 'vitest';
import { memberships, sortTeams, teamDirectory, teamMove } from '../../src/core/teams.ts';
import { team, user } from './build.ts';

const teams = [team('red', ['ann', 'bob']), team('blue', ['ann']), team('green')];

describe('a membership', () => {
  it.each([
    ['full in one team', 'ann', ['red'], { full: ['red'], half: ['blue'], rosterOnly: ['blue'] }],
    ['full in several', 'ann', ['blue', 'red'], { full: ['blue', 'red'], half: [], rosterOnly: [] }],
    ['half, without the roster', 'bob', ['red', 'green'], { full: ['red'], half: ['green'], rosterOnly: [] }],
    ['of nobody', 'cat', [], { full: [], half: [], rosterOnly: [] }],
    ['named twice', 'bob', ['red', 'red'], { full: ['red'], half: [], rosterOnly: [] }],
    ['of a team that is gone', 'cat', ['gone'], { full: [], half: [], rosterOnly: [] }],
  ])('%s', (_, userId, claimed, expected) => {
    expect(memberships(teams)(user(userId, { teams: claimed }))).toEqual(expected);
  });
});

describe('a move', () => {
  const directory = teamDirectory(teams);
  const names = (refs: readonly { name: string }[]) => refs.map((ref) => ref.name);
  const move = (full: string[], half: string[], wanted: string[]) => {
    const found = teamMove(
      { full, half, rosterOnly: half.filter((id) => id === 'blue') },
      wanted.map((teamId) => directory.ref(teamId)),
      directory,
    );
    return (
      found && {
        from: names(found.from),
        to: names(found.to),
        join: names(found.join),
        again: names(found.rejoin),
        leave: names(found.leave),
      }
    );
  };

  it.each([
    ['nothing to do', ['red'], [], ['red'], null],
    ['no team, and none wanted', [], [], [], null],
    ['another team', ['red'], [], ['blue'], { from: ['red'], to: ['blue'], join: ['blue'], again: [], leave: ['red'] }],
    [
      'half of a wanted team',
      [],
      ['red'],
      ['red'],
      { from: ['red'], to: ['red'], join: ['red'], again: [], leave: [] },
    ],
    [
      'a wanted team whose roster alone has the user',
      [],
      ['blue'],
      ['blue'],
      { from: ['blue'], to: ['blue'], join: ['blue'], again: ['blue'], leave: [] },
    ],
    [
      'half of an unwanted team',
      ['blue'],
      ['red'],
      ['blue'],
      { from: ['blue', 'red'], to: ['blue'], join: [], again: [], leave: ['red'] },
    ],
    [
      'out of all',
      ['red', 'blue'],
      [],
      [],
      { from: ['blue', 'red'], to: [], join: [], again: [], leave: ['blue', 'red'] },
    ],
  ])('%s', (_, full, half, wanted, expected) => {
    expect(move(full, half, wanted)).toEqual(expected);
  });

  it('sorts by name, and by id where names are the same', () => {
    const refs = [
      { teamId: '2', name: 'b' },
      { teamId: '3', name: 'a' },
      { teamId: '1', name: 'b' },
    ];
    expect(sortTeams(refs).map((ref) => ref.teamId)).toEqual(['3', '1', '2']);
  });
});
