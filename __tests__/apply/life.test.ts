import { describe, expect, it } from 'vitest';
import { applyPlan } from '../../src/apply/apply.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { FakeProxy, type Fault, hashOf, NO_LIMITS } from './fake-proxy.ts';
import {
  add,
  deactivate,
  linksIn,
  move,
  moveWithKeys,
  planOf,
  remove,
  rename,
  setLimits,
  setRole,
  started,
  teams,
  update,
} from './setup.ts';

type Start = Parameters<typeof started>[1];

async function apply(proxy: FakeProxy, changes: Parameters<typeof planOf>, more: Start & { admins?: number } = {}) {
  const { admins = 1, ...options } = more;
  const start = await started(proxy, options);
  const outcomes = await applyPlan({ ...planOf(...changes), admins }, start.options);
  return { outcomes, ...start };
}

const brief = ({ action, status, reason }: Outcome): string => [action, status, reason].filter(Boolean).join(' ');
const writesOf = (proxy: FakeProxy): string[] => proxy.calls.filter((call) => !/^find|^leavingKeys|^keysOf/.test(call));

const BUDGET = { field: 'maxBudget', from: 50, to: 200 } as const;
const NO_RATE = { field: 'rpmLimit', from: 7, to: null } as const;
const PERIOD = { field: 'budgetDuration', from: null, to: '30d' } as const;

describe('limits', () => {
  const person = () => new FakeProxy().user('u', 'u@example.com').set('u', { maxBudget: 50, rpmLimit: 7 });

  it.each<[string, Fault | null, readonly string[]]>([
    ['set and cleared in one write', null, ['updateUser u budgetDuration,maxBudget,rpmLimit']],
    [
      'lost before: looked up, sent again',
      'lost-before',
      ['updateUser u budgetDuration,maxBudget,rpmLimit', 'updateUser u budgetDuration,maxBudget,rpmLimit'],
    ],
    ['lost after: looked up', 'lost-after', ['updateUser u budgetDuration,maxBudget,rpmLimit']],
    [
      'refused once',
      'refused',
      ['updateUser u budgetDuration,maxBudget,rpmLimit', 'updateUser u budgetDuration,maxBudget,rpmLimit'],
    ],
  ])('%s', async (_, fault, writes) => {
    const proxy = person();
    if (fault !== null) proxy.faults.set(1, fault);
    const { outcomes } = await apply(proxy, [setLimits('u', BUDGET, PERIOD, NO_RATE)]);
    expect(outcomes.map(brief)).toEqual(['UPDATED SUCCESS']);
    expect(writesOf(proxy)).toEqual(writes);
    expect(proxy.users.get('u')?.limits).toEqual({ ...NO_LIMITS, maxBudget: 200, budgetDuration: '30d' });
  });

  it('are not sent where they are so already, and no look follows an answer that shows them', async () => {
    const proxy = person().user('v', 'v@example.com').set('v', { maxBudget: 200 });
    const { outcomes } = await apply(proxy, [setLimits('u', BUDGET), setLimits('v', BUDGET)]);
    expect(outcomes.map(brief)).toEqual(['UPDATED SUCCESS', 'UPDATED SUCCESS']);
    expect(proxy.calls).toEqual(['findUsers 2', 'updateUser u maxBudget']);
  });

  it('that the proxy keeps fail by name, and never recreate the user', async () => {
    const proxy = person();
    proxy.deaf.add('rpmLimit u');
    const { outcomes } = await apply(proxy, [setLimits('u', BUDGET, NO_RATE)], { recreateOnFailure: true });
    expect(outcomes.map(brief)).toEqual([
      'UPDATED FAILED rpm_limit not set: the proxy reports success, but it is not so',
    ]);
    expect(writesOf(proxy)).toEqual(['updateUser u maxBudget,rpmLimit', 'updateUser u rpmLimit']);
  });

  it('go with a role, which would take them', async () => {
    const proxy = person();
    const change = { ...setRole('u', 'internal_user_viewer'), currentLimits: { ...NO_LIMITS, maxBudget: 50 } };
    const { outcomes } = await apply(proxy, [change, { ...change, ...setRole('v', 'proxy_admin_viewer') }]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['SUCCESS', 'FAILED']);
    expect(proxy.users.get('u')).toMatchObject({
      role: 'internal_user_viewer',
      limits: { maxBudget: 50, rpmLimit: 7 },
    });
  });

  it('lost with a role are set again, and where that does not hold the account stays', async () => {
    const proxy = person();
    const roles = proxy.updateRoles.bind(proxy);
    proxy.updateRoles = async (rows) => {
      const results = await roles(rows);
      for (const { userId } of rows) proxy.set(userId, { maxBudget: 10 });
      return results;
    };
    const change = { ...setRole('u', 'internal_user_viewer'), currentLimits: { ...NO_LIMITS, maxBudget: 50 } };
    const { outcomes } = await apply(proxy, [change], { recreateOnFailure: true });
    expect(outcomes.map(brief)).toEqual(['UPDATED SUCCESS']);
    expect(writesOf(proxy)).toEqual(['updateRoles 1', 'updateUser u maxBudget']);
    proxy.deaf.add('maxBudget u');
    proxy.set('u', { maxBudget: 50 });
    const again = { ...change, role: { from: 'internal_user_viewer', to: 'internal_user' } } as const;
    const second = await apply(proxy, [again], { recreateOnFailure: true });
    expect(second.outcomes.map(brief)).toEqual([
      'UPDATED FAILED max_budget not set: the proxy reports success, but it is not so',
    ]);
    expect([...proxy.users.keys()]).toEqual(['u']);
  });

  it('of 2,000 users: one write for each that differs, none for the others', async () => {
    const proxy = new FakeProxy();
    const changes = Array.from({ length: 2000 }, (_, at) => {
      proxy.user(`u${at}`, `u${at}@example.com`).set(`u${at}`, { maxBudget: at % 2 === 0 ? 50 : 200 });
      return setLimits(`u${at}`, BUDGET);
    });
    const { outcomes } = await apply(proxy, changes);
    expect(outcomes.every((outcome) => outcome.status === 'SUCCESS')).toBe(true);
    expect(proxy.counts()).toEqual({ findUsers: 1, updateUser: 1000 });
  });
});

describe('new users with limits', () => {
  const asked = { maxBudget: 50, tpmLimit: 1000, models: ['gpt'] };

  it.each([{ silentLimits: false }, { silentLimits: true }])(
    'get their key by a call of its own, and limits again where the configuration has replaced them: %j',
    async (options) => {
      const proxy = new FakeProxy({ ...options, defaultBudget: 10 }).team('a');
      const row = add('n@example.com', { limits: asked, teams: teams('a'), keyName: 'first' });
      const { outcomes, directory } = await apply(proxy, [row, add('o@example.com')], { newUserId: ids('n', 'o') });
      expect(outcomes.map(brief)).toEqual(['ADDED SUCCESS', 'ADDED SUCCESS']);
      expect(writesOf(proxy).slice(0, 2)).toEqual(['createUsers 2', 'updateUser n maxBudget,models,tpmLimit']);
      expect(proxy.counts().createKey).toBe(1);
      expect(proxy.users.get('n')?.limits).toEqual({ ...NO_LIMITS, ...asked });
      expect(proxy.users.get('o')?.limits).toMatchObject({ maxBudget: 10 });
      expect(proxy.keys.map(({ userId, teamId, alias }) => [userId, teamId, alias]).toSorted()).toEqual([
        ['n', 'a', 'first'],
        ['o', null, null],
      ]);
      expect(await linksIn(directory)).toHaveLength(2);
    },
  );

  it('have one key, also where that of their creation was lost after it took effect', async () => {
    const proxy = new FakeProxy();
    const create = proxy.createUsers.bind(proxy);
    proxy.createUsers = async (users) => {
      const created = await create(users);
      for (const { userId } of users) proxy.key(userId, null, '');
      return created;
    };
    const { outcomes, directory } = await apply(proxy, [add('n@example.com', { limits: asked, keyName: '' })]);
    expect(outcomes.map(brief)).toEqual(['ADDED SUCCESS']);
    expect(proxy.keys.map((key) => key.secret)).toEqual((await linksIn(directory)).map((row) => row.api_key));
  });

  it('whose limits do not hold are there with key and link, and the row says what is missing', async () => {
    const proxy = new FakeProxy({ defaultBudget: 10 });
    proxy.deaf.add('maxBudget n');
    const { outcomes, directory } = await apply(proxy, [add('n@example.com', { limits: { maxBudget: 50 } })], {
      newUserId: ids('n'),
      recreateOnFailure: true,
    });
    expect(outcomes.map(brief)).toEqual([
      "ADDED FAILED created, but without the limits of the row: the proxy's configuration sets others; run again, the next plan sets them",
    ]);
    expect(proxy.counts()).toMatchObject({ createUsers: 1, updateUser: 1 });
    expect(await linksIn(directory)).toMatchObject([{ user_id: 'n', api_key: proxy.keys[0]?.secret }]);
  });

  it('are told as unverified where they cannot be looked up', async () => {
    const proxy = new FakeProxy({ silentLimits: true });
    const create = proxy.createUsers.bind(proxy);
    proxy.createUsers = async (users) => {
      const created = await create(users);
      proxy.unreadable = true;
      return created;
    };
    const { outcomes } = await apply(proxy, [add('n@example.com', { limits: { maxBudget: 50 } })]);
    expect(outcomes[0]?.reason).toContain('the limits could not be verified');
  });
});

describe('a rename', () => {
  const person = () => new FakeProxy().user('u', 'u@example.com').team('a', 'u');

  it.each<[string, Fault | null, number]>([
    ['looks for the new email right before the write', null, 1],
    ['lost before: looks again, sends again', 'lost-before', 2],
    ['lost after: looks, and it is done', 'lost-after', 1],
  ])('%s', async (_, fault, writes) => {
    const proxy = person();
    proxy.key('u', 'a', 'old');
    if (fault !== null) proxy.faults.set(1, fault);
    const { outcomes } = await apply(proxy, [rename('u', 'new@example.com')]);
    expect(outcomes).toMatchObject([{ status: 'SUCCESS', email: 'new@example.com', userId: 'u', teamName: 'a' }]);
    expect(proxy.counts()).toMatchObject({ updateUser: writes, findUsersByEmail: writes });
    expect(proxy.calls.indexOf('findUsersByEmail')).toBe(proxy.calls.indexOf('updateUser u email') - 1);
    expect(proxy.users.get('u')?.email).toBe('new@example.com');
    expect(proxy.keys).toHaveLength(1);
  });

  it('is not written where somebody has the email by then, in any letter case', async () => {
    const proxy = person().user('other', 'NEW@example.com');
    const { outcomes } = await apply(proxy, [rename('u', 'new@example.com')], { recreateOnFailure: true });
    expect(outcomes).toMatchObject([{ status: 'FAILED', code: 'exists', email: 'new@example.com' }]);
    expect(outcomes[0]?.reason).toContain('user other has the email new@example.com by now');
    expect(writesOf(proxy)).toEqual([]);
  });

  it('is not written where that cannot be looked up', async () => {
    const proxy = person();
    proxy.findUsersByEmail = () => Promise.reject(new Error('connect ECONNREFUSED'));
    const { outcomes } = await apply(proxy, [rename('u', 'new@example.com')], { recreateOnFailure: true });
    expect(outcomes.map(brief)).toEqual(['UPDATED FAILED email not set: connect ECONNREFUSED']);
    expect(writesOf(proxy)).toEqual([]);
  });

  it('that is refused recreates nobody', async () => {
    const proxy = person();
    proxy.rowFaults.set('email u', 'the database says no');
    const { outcomes } = await apply(proxy, [rename('u', 'new@example.com')], { recreateOnFailure: true });
    expect(outcomes.map(brief)).toEqual(['UPDATED FAILED email not set: the database says no']);
    expect([...proxy.users.keys()]).toEqual(['u']);
  });
});

describe('a team move with keys', () => {
  function person(): { proxy: FakeProxy; hashes: string[] } {
    const proxy = new FakeProxy().user('u', 'u@example.com').team('a', 'u').team('b');
    const hashes = [proxy.key('u', 'a', 'one'), proxy.key('u', 'a', 'two'), proxy.key('u', null, 'own')];
    return { proxy, hashes };
  }
  const keysOf = (proxy: FakeProxy) => proxy.keys.map(({ alias, teamId }) => `${alias} in ${teamId}`).toSorted();
  const MOVED = ['one in b', 'own in null', 'two in b'];
  const change = moveWithKeys('u', ['a'], ['b'], 'b');

  it('joins, moves the keys, lists them again, and leaves', async () => {
    const { proxy, hashes } = person();
    const { outcomes } = await apply(proxy, [change]);
    expect(outcomes).toMatchObject([{ status: 'SUCCESS', teamName: 'Team b' }]);
    expect(proxy.calls.filter((call) => !call.startsWith('find'))).toEqual([
      'joinTeam 1',
      'leavingKeys 1',
      'moveKey one b',
      'moveKey two b',
      'leavingKeys 1',
      'leaveTeam 1',
    ]);
    expect(keysOf(proxy)).toEqual(MOVED);
    expect(proxy.keys.map(hashOf)).toEqual(hashes);
  });

  it.each<[Fault, number]>(
    (['lost-before', 'lost-after', 'refused', 'late'] as const).flatMap((fault) =>
      [1, 2, 3, 4].map((at): [Fault, number] => [fault, at]),
    ),
  )('%s at write %d: all is done in the end, and no key is lost', async (fault, at) => {
    const { proxy, hashes } = person();
    proxy.faults.set(at, fault);
    const { outcomes } = await apply(proxy, [change], { recreateOnFailure: true });
    expect(outcomes.map(brief)).toEqual(['UPDATED SUCCESS']);
    expect([keysOf(proxy), proxy.keys.map(hashOf), proxy.lostKeys]).toEqual([MOVED, hashes, []]);
    expect(proxy.rosters.get('a')?.size).toBe(0);
  });

  it('stays in both teams where the proxy refuses a key', async () => {
    const { proxy } = person();
    proxy.rowFaults.set('move two', 'tpm_limit=100 is greater than the team');

    proxy.user('v', 'v@example.com').team('a', 'u', 'v');
    proxy.key('v', 'a', 'theirs');
    const rows = [change, moveWithKeys('v', ['a'], ['b'], 'b')];
    const { outcomes } = await apply(proxy, rows, { recreateOnFailure: true });

    expect(outcomes.map(brief)).toEqual([
      expect.stringMatching(
        /^UPDATED FAILED team Team a not left: key sk-\.\.\..* was not moved to team Team b \(tpm_limit=100 .*\): the user stays in both teams, and no key is lost$/,
      ),
      'UPDATED SUCCESS',
    ]);
    expect(keysOf(proxy)).toEqual(['one in b', 'own in null', 'theirs in b', 'two in a']);
    expect([...(proxy.users.get('u')?.teams ?? [])]).toEqual(['a', 'b']);
    expect([...proxy.users.keys()]).toEqual(['u', 'v']);
  });

  it('names every key that the proxy refuses, one reason for those that share it', async () => {
    const { proxy } = person();
    proxy.key('u', 'a', 'third');
    const names = proxy.keys
      .filter((key) => key.teamId === 'a')
      .map((key) => [key.alias, `sk-...${key.secret.slice(-4)}`] as const);
    const of = Object.fromEntries(names);
    proxy.rowFaults.set('move one', 'tpm_limit=100 is above the team');
    proxy.rowFaults.set('move two', 'the team lacks a model');
    proxy.rowFaults.set('move third', 'the team lacks a model');
    const { outcomes } = await apply(proxy, [change]);
    const reason = outcomes[0]?.reason ?? '';
    const both = [of.two, of.third].sort().join(', ');
    expect(reason).toContain(`key ${of.one} was not moved to team Team b (tpm_limit=100 is above the team)`);
    expect(reason).toContain(`keys ${both} were not moved to team Team b (the team lacks a model)`);
    expect(reason.match(/the user stays in both teams, and no key is lost/g)).toHaveLength(1);
    expect(keysOf(proxy)).toEqual(['one in a', 'own in null', 'third in a', 'two in a']);
  });

  it.each([
    [['b'], ['two'], /and no key is lost$/],
    [
      ['b', 'c'],
      ['two'],
      /and no key is lost\. The next plan will delete it, .*: before that, move the key in LiteLLM/,
    ],
    [['b', 'c'], ['one', 'two'], /The next plan will delete them, .*: before that, move the keys in LiteLLM/],
  ])('tells what the next plan does with keys that stay behind, on the way to %j: %j', async (to, kept, reason) => {
    const { proxy } = person();
    proxy.team('c', 'u');
    for (const name of kept) proxy.rowFaults.set(`move ${name}`, 'tpm_limit=100 is greater than the team');
    const { outcomes } = await apply(proxy, [moveWithKeys('u', ['a', ...to.slice(1)], to, 'b')]);
    expect(outcomes[0]).toMatchObject({ status: 'FAILED', reason: expect.stringMatching(reason) });
  });

  it.each([1, 2])('follows with a key that appears when %d of two are moved', async (moved) => {
    const { proxy } = person();
    const moveKey = proxy.moveKey.bind(proxy);
    let moves = 0;
    proxy.moveKey = async (hash, teamId) => {
      const answer = await moveKey(hash, teamId);
      if (++moves === moved) proxy.key('u', 'a', 'new');
      return answer;
    };
    const { outcomes } = await apply(proxy, [change]);
    expect(outcomes.map(brief)).toEqual(['UPDATED SUCCESS']);
    expect(keysOf(proxy)).toEqual(['new in b', ...MOVED]);
    expect(proxy.lostKeys).toEqual([]);
  });

  it('does not leave while keys go on appearing', async () => {
    const { proxy } = person();
    const moveKey = proxy.moveKey.bind(proxy);
    proxy.moveKey = async (hash, teamId) => {
      const answer = await moveKey(hash, teamId);
      proxy.key('u', 'a', 'another');
      return answer;
    };
    const { outcomes } = await apply(proxy, [change]);
    expect(outcomes[0]?.reason).toMatch(/would be deleted, as the team is still theirs: the user stays in both teams$/);
    expect([proxy.counts().leaveTeam, proxy.lostKeys]).toEqual([undefined, []]);
  });

  it.each([
    ['may not be listed', (proxy: FakeProxy) => void Object.assign(proxy, { listsKeys: false })],
    [
      'cannot be listed',
      (proxy: FakeProxy) => void Object.assign(proxy, { leavingKeys: () => Promise.reject(new Error('503')) }),
    ],
  ])('does not leave where the keys %s', async (_, spoil) => {
    const { proxy } = person();
    spoil(proxy);
    const { outcomes } = await apply(proxy, [change], { recreateOnFailure: true });
    expect(outcomes[0]?.reason).toMatch(/^team Team a not left: the user's keys of the team could not be listed/);
    expect([proxy.counts().leaveTeam, proxy.counts().moveKey]).toEqual([undefined, undefined]);
    expect([...(proxy.users.get('u')?.teams ?? [])]).toEqual(['a', 'b']);
  });

  it('deletes what the plan has shown as deleted, without a listing', async () => {
    const { proxy } = person();
    const { outcomes } = await apply(proxy, [move('u', ['a'], ['b'])]);
    expect(outcomes.map(brief)).toEqual(['UPDATED SUCCESS']);
    expect(keysOf(proxy)).toEqual(['own in null']);
    expect(proxy.counts().leavingKeys).toBeUndefined();
  });
});

describe('deactivation', () => {
  it.each<[string, Fault | null, number]>([
    ['one write a user', null, 1],
    ['lost before: looked up, sent again', 'lost-before', 2],
    ['lost after: looked up', 'lost-after', 1],
  ])('%s', async (_, fault, writes) => {
    const proxy = new FakeProxy().user('u', 'u@example.com');
    if (fault !== null) proxy.faults.set(1, fault);
    const { outcomes } = await apply(proxy, [deactivate('u')]);
    expect(outcomes.map(brief)).toEqual(['DEACTIVATED SUCCESS']);
    expect(writesOf(proxy)).toEqual(Array.from({ length: writes }, () => 'setActivity u off'));
    expect(proxy.users.get('u')?.activity).toBe('deactivated by us');
  });

  it.each([
    ['other entries of the metadata changed', 'activity u', 'other entries changed'],
    ['somebody else was first', '', 'deactivated by others'],
  ])('%s: a row of its own, the others go on', async (_, rowFault, reason) => {
    const proxy = new FakeProxy().user('u', 'u@example.com').user('v', 'v@example.com');
    if (rowFault === '') proxy.set('u', { activity: 'deactivated by others' });
    else proxy.rowFaults.set(rowFault, reason);
    const { outcomes } = await apply(proxy, [deactivate('u'), deactivate('v')]);
    expect(outcomes.map(brief)).toEqual([`DEACTIVATED FAILED ${reason}`, 'DEACTIVATED SUCCESS']);
  });

  it('is not believed where the user is still active, and is unknown where nobody can look', async () => {
    const proxy = new FakeProxy().user('u', 'u@example.com');
    proxy.deaf.add('activity u');
    const first = await apply(proxy, [deactivate('u')]);
    expect(first.outcomes.map(brief)).toEqual(['DEACTIVATED FAILED the proxy reports success, but it is not so']);
    proxy.begin([[1, 'lost-after']]);
    proxy.unreadable = true;
    const second = await apply(proxy, [deactivate('u')]);
    expect(second.outcomes).toMatchObject([{ code: 'unknown', reason: expect.stringContaining('run again') }]);
  });

  it('names nobody who is gone, and ends after its tries', async () => {
    const proxy = new FakeProxy();
    proxy.begin([[1, 'lost-before']]);
    const gone = await apply(proxy, [deactivate('u')]);
    expect(gone.outcomes[0]?.reason).toContain('the user is no longer on the proxy');
    expect(proxy.madeUp).toEqual([]);
    proxy.user('u', 'u@example.com').begin([1, 2, 3, 4, 5].map((at) => [at, 'lost-before'] as const));
    const lost = await apply(proxy, [deactivate('u')], { retries: 2 });
    expect(lost.outcomes).toMatchObject([{ status: 'FAILED', code: 'unknown' }]);
    expect(proxy.writes).toBe(3);
  });
});

describe('reactivation', () => {
  const comeback = (more: Partial<ReturnType<typeof update>> = {}) =>
    update('u', { reactivates: true, limits: [BUDGET], ...more });
  const person = () =>
    new FakeProxy().user('u', 'u@example.com').set('u', { activity: 'deactivated by us', maxBudget: 50 });

  it.each<Fault | 'none'>(['none', 'lost-before', 'lost-after', 'refused'])(
    'is the last step (at the last write: %s)',
    async (fault) => {
      const proxy = person().team('a', 'u').team('b');
      proxy.key('u', 'a', 'one');
      const writes = ['updateUser u maxBudget', 'joinTeam 1', 'moveKey one b', 'leaveTeam 1', 'setActivity u on'];
      if (fault !== 'none') proxy.faults.set(writes.length, fault);
      const moved = moveWithKeys('u', ['a'], ['b'], 'b');
      const { outcomes } = await apply(proxy, [comeback({ ...moved, limits: [BUDGET], reactivates: true })]);
      expect(outcomes).toMatchObject([{ action: 'REACTIVATED', status: 'SUCCESS', teamName: 'Team b' }]);
      expect(writesOf(proxy).slice(0, 5)).toEqual(writes);
      expect(proxy.users.get('u')).toMatchObject({ activity: 'active', limits: { maxBudget: 200 } });
    },
  );

  it.each([
    ['maxBudget u', 'max_budget not set: the database says no'],
    ['activity u', 'not reactivated: the database says no'],
  ])('%s is refused: the keys stay off, the account stays', async (rowFault, reason) => {
    const proxy = person();
    proxy.rowFaults.set(rowFault, 'the database says no');
    const { outcomes } = await apply(proxy, [comeback()], { recreateOnFailure: true });
    expect(outcomes.map(brief)).toEqual([`REACTIVATED FAILED ${reason}`]);
    expect(proxy.users.get('u')?.activity).toBe('deactivated by us');
  });

  it('of an administrator whose rights are lowered does not come before', async () => {
    const proxy = person();
    const admin = proxy.users.get('u');
    if (admin !== undefined) admin.role = 'proxy_admin';
    const role = { from: 'proxy_admin', to: 'internal_user' } as const;
    const { outcomes } = await apply(proxy, [add('n@example.com'), comeback({ role, currentRole: 'proxy_admin' })]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['SUCCESS', 'SUCCESS']);
    expect(writesOf(proxy).map((call) => call.split(' ')[0])).toEqual([
      'createUsers',
      'createInvitation',
      'updateUser',
      'setActivity',
    ]);
  });
});

describe('administrators', () => {
  const demote = (userId: string) =>
    update(userId, { role: { from: 'proxy_admin', to: 'internal_user' }, currentRole: 'proxy_admin' });
  function people(...admins: string[]): FakeProxy {
    const proxy = new FakeProxy().user('ana', 'ana@example.com').user('old', 'old@example.com');
    for (const id of admins) proxy.user(id, `${id}@example.com`, 'proxy_admin');
    return proxy;
  }
  const promoted = setRole('ana', 'proxy_admin');
  const kindsOf = (proxy: FakeProxy) => writesOf(proxy).map((call) => call.replace(/ \S*,.*/, ''));

  it('lose their rights first, one by one, at once', async () => {
    const proxy = people('x', 'y', 'z');
    const { outcomes } = await apply(proxy, [add('n@example.com'), remove('old'), demote('x'), demote('y')], {
      admins: 3,
    });
    expect(outcomes.every((outcome) => outcome.status === 'SUCCESS')).toBe(true);
    expect(kindsOf(proxy)).toEqual([
      'updateUser x',
      'updateUser y',
      'createUsers 1',
      'createInvitation',
      'deleteUsers 1',
    ]);
  });

  it.each<[string, { admins: number; minAdmins: number }]>([
    ['none would be left', { admins: 1, minAdmins: 0 }],
    ['fewer than min-admins', { admins: 2, minAdmins: 2 }],
  ])('follow their successors where %s', async (_, more) => {
    const proxy = people('x', 'y');
    const { outcomes } = await apply(proxy, [add('n@example.com'), promoted, demote('x')], more);
    expect(outcomes.every((outcome) => outcome.status === 'SUCCESS')).toBe(true);
    expect(kindsOf(proxy)).toEqual(['createUsers 1', 'createInvitation', 'updateRoles 1', 'updateUser x']);
  });

  it.each([
    ['demoted', demote('x'), 'updateUser x'],
    ['deleted', remove('x', { role: 'proxy_admin' }), 'deleteUsers 1'],
    ['deactivated', deactivate('x', { role: 'proxy_admin' }), 'setActivity x off'],
  ])('are %s only once there is another', async (_, change, write) => {
    const proxy = people('x');
    const { outcomes } = await apply(proxy, [change, promoted]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['SUCCESS', 'SUCCESS']);
    expect(kindsOf(proxy)).toEqual(['updateRoles 1', write]);
    const without = people('x');
    without.rowFaults.set('role ana', 'no');
    const second = await apply(without, [change, promoted]);
    expect(second.outcomes.map((outcome) => outcome.status)).toEqual(['FAILED', 'FAILED']);
    expect(second.outcomes[0]?.reason).toContain('an administrator who was to come instead could not be made');
    expect(without.users.get('x')).toMatchObject({ role: 'proxy_admin', activity: 'active' });
  });

  it('who are inactive already are deleted whatever becomes of others', async () => {
    const proxy = people('x', 'y');
    const gone = remove('x', { role: 'proxy_admin', active: false });
    proxy.rowFaults.set('role ana', 'no');
    const { outcomes } = await apply(proxy, [gone, promoted]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['SUCCESS', 'FAILED']);
  });
});

function ids(...all: string[]): () => string {
  return () => all.shift() ?? 'one too many';
}
