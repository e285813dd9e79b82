import { describe, expect, it } from 'vitest';
import { leavings, uncounted, withCosts } from '../../src/core/costs.ts';
import type { Policy } from '../../src/core/diff.ts';
import type { Inventory, ProxyKey, Team } from '../../src/core/inventory.ts';
import type { Plan, UpdateChange } from '../../src/core/plan.ts';
import { inventory, type PlanMore, planOf, team, user } from './build.ts';

const key = (hash: string, userId: string | null, teamId: string | null): ProxyKey => ({
  hash,
  name: 'sk-...abcd',
  alias: null,
  userId,
  teamId,
  spend: 0,
});

const NOTHING = { facts: { leavingDeletesKeys: true }, keys: [], ownBudgets: [], keyCounts: new Map<string, number>() };

/** Ann with these teams in the user's record and these rosters. */
function annIn(claimed: readonly string[], rosters: readonly string[] = claimed, over: Partial<Team> = {}): Inventory {
  const teams = ['red', 'blue', 'green'].map((id) => team(id, rosters.includes(id) ? ['ann'] : [], id, over));
  return inventory([user('ann', { teams: claimed })], teams);
}

function updateOf(plan: Plan): UpdateChange {
  const [change] = plan.changes;
  if (change?.kind !== 'update') throw new Error('no update');
  return change;
}

function moveTo(cell: string, have: Inventory, policy: Partial<Policy> = {}, more: PlanMore = {}): UpdateChange {
  return updateOf(planOf(`email,team_name\nann@x.io,${cell}\n`, have, policy, more).plan);
}

const fates = ({ keyFates }: UpdateChange) =>
  keyFates.map(({ team: left, fate, to }) => `${left.name} ${fate}${to === null ? '' : ` → ${to.name}`}`);

describe('keys of a team that is left', () => {
  it.each([
    ['go to the only team, joined now', 'blue', ['red'], ['red moves → blue']],
    ['go to the only team, there already', 'blue', ['blue', 'red'], ['red moves → blue']],
    ['go to the only one that is joined now', 'blue;green', ['red', 'green'], ['red moves → blue']],
    ['go nowhere where two are joined', 'blue;green', ['red'], ['red deleted']],
    ['go nowhere where none is joined and several stay', 'blue;green', ['red', 'blue', 'green'], ['red deleted']],
    ['go nowhere where no team is left', '-', ['red', 'blue'], ['blue deleted', 'red deleted']],
    ['are none where no team is left', 'red;blue', ['red'], []],
  ])('%s', (_, cell, claimed, expected) => {
    expect(fates(moveTo(cell, annIn(claimed)))).toEqual(expected);
  });

  it('stay where they are with no destination on a proxy that keeps them, and go with team-keys: delete on any', () => {
    const keeps = { facts: { leavingDeletesKeys: false } };
    expect(fates(moveTo('blue', annIn(['red']), { teamKeys: 'delete' }))).toEqual(['red deleted']);
    expect(fates(moveTo('blue', annIn(['red']), { teamKeys: 'delete' }, keeps))).toEqual(['red deleted']);
    expect(fates(moveTo('-', annIn(['red']), {}, keeps))).toEqual(['red survives']);
    expect(fates(moveTo('blue', annIn(['red']), {}, keeps))).toEqual(['red moves → blue']);
  });

  it('survive a mend that leads out and in again, as it is not made where they would be deleted', () => {
    const rosterAlone = annIn([], ['red']);
    const change = moveTo('red', rosterAlone);
    expect(change.teams?.rejoin).toEqual([{ teamId: 'red', name: 'red' }]);
    expect(fates(change)).toEqual(['red survives']);
    expect(fates(moveTo('red', rosterAlone, { teamKeys: 'delete' }))).toEqual(['red survives']);
    expect(fates(moveTo('red', rosterAlone, {}, { facts: { leavingDeletesKeys: false } }))).toEqual(['red survives']);
    expect(fates(moveTo('red', annIn(['red'], [])))).toEqual([]);
  });
});

describe('looking costs up', () => {
  it('asks for memberships that end, and for nothing where none does', () => {
    const { plan } = planOf('email,team_name,role\nann@x.io,blue,proxy_admin\nnew@x.io,red,\n', annIn(['red']));
    expect(leavings(plan)).toEqual([{ userId: 'ann', teamId: 'red' }]);
    expect(leavings(planOf('email,team_name\nann@x.io,red;blue\n', annIn(['red'])).plan)).toEqual([]);
    expect(moveTo('blue', annIn(['red'])).leftKeys).toBe('unknown');
    expect(moveTo('red;blue', annIn(['red'])).leftKeys).toEqual([]);
  });

  it('shows the keys of those teams, each with its fate', () => {
    const { plan } = planOf('email,team_name\nann@x.io,blue\nnew@x.io,\n', annIn(['red', 'blue']));
    const keys = [
      key('1', 'ann', 'red'),
      key('2', 'ann', 'blue'),
      key('3', 'ann', null),
      key('4', null, 'red'),
      key('5', 'ann', 'red'),
    ];
    const costed = withCosts(plan, { ...NOTHING, keys });
    const move = { fate: 'moves', to: { teamId: 'blue', name: 'blue' } };
    const update = costed.changes.find((change) => change.kind === 'update');
    expect(update).toMatchObject({
      leftKeys: [
        { ...move, key: { hash: '1' } },
        { ...move, key: { hash: '5' } },
      ],
    });
    expect(costed.changes.find((change) => change.kind === 'add')).toEqual(plan.changes[0]);
  });

  it('warns of a mend that would cost keys, and of no other', () => {
    const { plan } = planOf('email,team_name\nann@x.io,red\n', annIn([], ['red']));
    const withKey = { ...NOTHING, keys: [key('1', 'ann', 'red'), key('2', 'ann', null)] };
    expect(withCosts(plan, withKey).warnings).toEqual([
      '`ann@x.io` (line 2) is in the roster of `red`, but the team is not in their record. Mending that means leaving and joining again, which would delete their keys of this team (`sk-...abcd`): the mend will be refused, and no key is lost. Give those keys another team or none in LiteLLM, or delete them, then run again.',
    ]);
    expect(withCosts(plan, { ...withKey, facts: { leavingDeletesKeys: false } }).warnings).toEqual([]);
    expect(withCosts(plan, { ...withKey, keys: [key('2', 'ann', null)] }).warnings).toEqual([]);
    expect(withCosts(plan, { ...withKey, keys: 'unknown' }).warnings).toEqual([]);
  });

  it('says that keys are not known where they may not be listed, and none where there are none', () => {
    const { plan } = planOf('email,team_name\nann@x.io,blue\n', annIn(['red']));
    expect(updateOf(withCosts(plan, { ...NOTHING, keys: 'unknown' })).leftKeys).toBe('unknown');
    expect(updateOf(withCosts(plan, NOTHING)).leftKeys).toEqual([]);
  });

  it('counts the keys of whoever goes, where nobody has', () => {
    const have = inventory([
      user('ann'),
      user('bob', { keyCount: null }),
      user('cat', { keyCount: null }),
      user('dan', { keyCount: 2 }),
    ]);
    const { plan } = planOf('email\nann@x.io\n', have);
    expect(uncounted(plan)).toEqual(['bob', 'cat']);
    const { changes } = withCosts(plan, { ...NOTHING, keyCounts: new Map([['bob', 3]]) });
    expect(changes).toMatchObject([{ keyCount: 3 }, { keyCount: null }, { keyCount: 2 }]);
  });
});

describe('what a member loses by leaving', () => {
  const admin = { admins: new Set(['ann']) };

  it.each([
    ['blue', ['red'], ['red'], ['team admin role red']],
    ['red;blue', ['red'], ['red'], []],
    ['red', [], ['red'], ['team admin role red']],
  ])('is the team admin role: %s', (cell, claimed, rosters, expected) => {
    const { losses } = moveTo(cell, annIn(claimed, rosters, admin));
    expect(losses.map(({ what, team: lost }) => `${what} ${lost.name}`)).toEqual(expected);
  });

  it('is a budget of their own in the team', () => {
    const { plan } = planOf('email,team_name\nann@x.io,blue\n', annIn(['red'], ['red'], admin));
    const ownBudgets = [
      { userId: 'ann', teamId: 'red' },
      { userId: 'ann', teamId: 'blue' },
    ];
    expect(updateOf(withCosts(plan, { ...NOTHING, ownBudgets })).losses).toEqual([
      { team: { teamId: 'red', name: 'red' }, what: 'team admin role' },
      { team: { teamId: 'red', name: 'red' }, what: 'own budget in the team' },
    ]);
  });
});

describe('a roster that shows the email of whoever is to join', () => {
  const roster = (id: string | null) => [team('red', [], 'red', { rosterEmails: new Map([['ann@x.io', id]]) })];
  const csv = 'email,team_name\nann@x.io,red\n';
  const conflictsOf = (have: Inventory) => {
    const { plan } = planOf(csv, have);
    const [change] = plan.changes;
    return {
      conflicts: change?.kind === 'add' || change?.kind === 'update' ? change.conflicts : null,
      warnings: plan.warnings,
    };
  };

  it.each([
    ['a new user, another id', inventory([], roster('old')), 'old', 'under the user id `old`'],
    ['a new user, no id', inventory([], roster(null)), null, 'without a user id'],
    ['a user, another id', inventory([user('ann')], roster('old')), 'old', 'under the user id `old`'],
  ])('is named: %s', (_, have, userId, words) => {
    const { conflicts, warnings } = conflictsOf(have);
    expect(conflicts).toEqual([{ team: { teamId: 'red', name: 'red' }, userId }]);
    expect(warnings).toEqual([expect.stringContaining(`out of \`red\`, whose roster shows that email ${words}.`)]);
  });

  it('is fine where it is their own entry', () => {
    expect(conflictsOf(inventory([user('ann')], roster('ann')))).toEqual({ conflicts: [], warnings: [] });
  });

  it('counts for both emails of somebody who is renamed', () => {
    const more = { rows: { 'new@x.io': { previousEmail: 'ann@x.io' } } };
    const { plan } = planOf('email,team_name\nnew@x.io,red\n', inventory([user('ann')], roster('old')), {}, more);
    expect(updateOf(plan).conflicts).toHaveLength(1);
  });

  it('never tells who is a member: that is the id’s to say', () => {
    const renamed = [team('red', ['ann'], 'red', { rosterEmails: new Map([['before@x.io', 'ann']]) })];
    expect(planOf(csv, inventory([user('ann', { teams: ['red'] })], renamed)).plan.changes).toEqual([]);
  });
});
