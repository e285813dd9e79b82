import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyPlan } from '../../src/apply/apply.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { FakeProxy } from './fake-proxy.ts';
import { add, linksIn, move, planOf, remove, setRole, started, teams } from './setup.ts';

const brief = (outcomes: readonly Outcome[]) =>
  outcomes.map(({ action, email, status, reason }) => [action, email, status, reason]);

describe('a plan without mishaps', () => {
  it('adds, deletes, updates in this order, and answers in the order of the plan', async () => {
    const proxy = new FakeProxy()
      .user('old', 'old@example.com')
      .user('ana', 'ana@example.com')
      .team('a', 'ana')
      .team('b');
    const { directory, options } = await started(proxy);
    const plan = {
      ...planOf(
        add('new@example.com', { teams: teams('a'), keyName: 'first key' }),
        remove('old'),
        move('ana', ['a'], ['b']),
        setRole('ana', 'proxy_admin'),
      ),
      unchanged: [{ email: 'same@example.com', userId: 'same', role: null, teams: teams('a', 'b') }],
    };
    const outcomes = await applyPlan(plan, options);
    expect(brief(outcomes)).toEqual([
      ['ADDED', 'new@example.com', 'SUCCESS', ''],
      ['DELETED', 'old@example.com', 'SUCCESS', ''],
      ['UPDATED', 'ana@example.com', 'SUCCESS', ''],
      ['UPDATED', 'ana@example.com', 'SUCCESS', ''],
      ['UNCHANGED', 'same@example.com', 'SUCCESS', ''],
    ]);
    expect(outcomes[0]).toMatchObject({ role: 'internal_user', teamName: 'Team a', key: { shown: 'sk-...0001' } });
    expect(outcomes[2]).toMatchObject({ role: 'proxy_admin', teamName: 'Team b' });
    expect(outcomes[4]).toMatchObject({ role: '', teamName: 'Team a;Team b' });
    expect(proxy.calls.map((call) => call.split(' ')[0])).toEqual([
      'createUsers',
      'createInvitation',
      'deleteUsers',
      'findUsers',
      'findTeams',
      'updateRoles',
      'joinTeam',
      'findUsers',
      'findTeams',
      'leaveTeam',
      'findUsers',
      'findTeams',
    ]);
    expect(await linksIn(directory)).toEqual([
      {
        email: 'new@example.com',
        user_id: outcomes[0]?.userId,
        role: 'internal_user',
        team_name: 'Team a',
        key_name: 'first key',
        api_key: proxy.keys[0]?.secret,
        invitation_id: 'invitation-2',
        expires_at: '2030-01-08T00:00:00Z',
        onboarding_link: 'https://llm.example.com/ui/?invitation_id=invitation-2',
      },
    ]);
  });

  it('adds 1,000 users to 5 teams with 2 bulk creations, and 1,000 invitations', async () => {
    const proxy = new FakeProxy();
    for (let team = 0; team < 5; team++) proxy.team(`t${team}`);
    const { directory, options } = await started(proxy);
    const adds = Array.from({ length: 1000 }, (_, at) => add(`u${at}@example.com`, { teams: teams(`t${at % 5}`) }));
    const outcomes = await applyPlan(planOf(...adds), options);
    expect(outcomes.every((outcome) => outcome.status === 'SUCCESS')).toBe(true);
    expect(proxy.counts()).toEqual({ createUsers: 2, createInvitation: 1000 });
    const links = await linksIn(directory);
    expect(new Set(links.map((row) => row.api_key))).toEqual(new Set(proxy.keys.map((key) => key.secret)));
    expect(links.every((row) => row.onboarding_link?.startsWith('https://'))).toBe(true);
    expect(links).toHaveLength(1000);
  });

  it('names teams in one order, whatever the proxy answers', async () => {
    const proxy = new FakeProxy().user('u', 'u@example.com').team('t3', 'u').team('t1', 'u').team('t2');
    const create = proxy.createUsers.bind(proxy);
    proxy.createUsers = async (users) =>
      (await create(users)).map((row) => (row.ok ? { ...row, teams: row.teams?.toReversed() ?? null } : row));
    const { options } = await started(proxy);
    const plan = planOf(add('a@example.com', { teams: teams('t1', 't2') }), setRole('u', 'proxy_admin'));
    const outcomes = await applyPlan(plan, options);
    expect(outcomes.map((outcome) => outcome.teamName)).toEqual(['Team t1;Team t2', 't1;t3']);
  });

  it('updates 1,000 roles with 2 bulk writes and a look before and after', async () => {
    const proxy = new FakeProxy();
    for (let at = 0; at < 1000; at++) proxy.user(`u${at}`, `u${at}@example.com`);
    const { options } = await started(proxy);
    const plan = planOf(...Array.from({ length: 1000 }, (_, at) => setRole(`u${at}`, 'internal_user_viewer')));
    const outcomes = await applyPlan(plan, options);
    expect(outcomes.every((outcome) => outcome.status === 'SUCCESS')).toBe(true);
    expect(proxy.calls).toEqual(['findUsers 1000', 'updateRoles 500', 'updateRoles 500', 'findUsers 1000']);
  });

  it('updates 1,000 roles of team members with 2 bulk writes, whose answers show them, and a look at the rosters', async () => {
    const proxy = new FakeProxy({ tellsRoles: true });
    for (let at = 0; at < 1000; at++) proxy.user(`u${at}`, `u${at}@example.com`);
    proxy.team('a', ...proxy.users.keys()).team('b');
    proxy.users.delete('u7');
    proxy.rosters.get('a')?.delete('u7');
    const { options } = await started(proxy);
    const currentTeams = teams('a');
    const plan = planOf(
      ...Array.from({ length: 1000 }, (_, at) => ({ ...setRole(`u${at}`, 'internal_user_viewer'), currentTeams })),
    );
    const outcomes = await applyPlan(plan, options);
    expect(proxy.calls).toEqual(['findTeams 1', 'findUsers 1', 'updateRoles 500', 'updateRoles 499']);
    expect(proxy.madeUp).toEqual([]);
    const { role, teamName } = { role: 'internal_user_viewer', teamName: 'Team a' };
    expect(outcomes[0]).toMatchObject({ status: 'SUCCESS', role, teamName });
    expect(outcomes.filter((outcome) => outcome.status !== 'SUCCESS').map((outcome) => outcome.userId)).toEqual(['u7']);
  });

  it('looks again where the answer to a role shows another one', async () => {
    const proxy = new FakeProxy({ tellsRoles: true }).user('u', 'u@example.com');
    proxy.updateRoles = async (users) => users.map(({ userId }) => ({ userId, ok: true, role: 'internal_user' }));
    const { options } = await started(proxy);
    const [outcome] = await applyPlan(planOf(setRole('u', 'proxy_admin')), options);
    expect(outcome).toMatchObject({ status: 'FAILED', role: 'internal_user' });
    expect(outcome?.reason).toContain('the proxy reports success, but it is not so');
  });

  it('moves many users with one call per team and direction', async () => {
    const proxy = new FakeProxy();
    for (let at = 0; at < 20; at++) proxy.user(`u${at}`, `u${at}@example.com`);
    proxy.team('a', ...proxy.users.keys()).team('b');
    const { options } = await started(proxy);
    const outcomes = await applyPlan(
      planOf(...Array.from({ length: 20 }, (_, at) => move(`u${at}`, ['a'], ['b']))),
      options,
    );
    expect(outcomes.every((outcome) => outcome.status === 'SUCCESS' && outcome.teamName === 'Team b')).toBe(true);
    expect(proxy.counts()).toEqual({ findUsers: 2, findTeams: 3, joinTeam: 1, leaveTeam: 1 });
    expect(proxy.rosters.get('a')?.size).toBe(0);
  });

  it('makes invitations while the next users are created, never more than `concurrency` at once', async () => {
    const proxy = new FakeProxy({ batchSize: 10 });
    const { options } = await started(proxy, { concurrency: 3 });
    let running = 0;
    let most = 0;
    const invite = proxy.createInvitation.bind(proxy);
    proxy.createInvitation = async (userId) => {
      most = Math.max(most, ++running);
      const invitation = await invite(userId);
      running--;
      return invitation;
    };
    await applyPlan(planOf(...Array.from({ length: 30 }, (_, at) => add(`u${at}@example.com`))), options);
    expect(most).toBe(3);
    expect(proxy.calls.indexOf('createInvitation')).toBeLessThan(proxy.calls.lastIndexOf('createUsers 10'));
  });

  it('makes neither key nor link where none is wanted, and leaves a file with its header alone', async () => {
    const proxy = new FakeProxy();
    const { directory, options } = await started(proxy, { apiKeys: false, invitations: false });
    const [outcome] = await applyPlan(planOf(add('a@example.com')), options);
    expect(outcome).toMatchObject({ status: 'SUCCESS', key: null });
    expect(proxy.counts()).toEqual({ createUsers: 1 });
    expect(await linksIn(directory)).toEqual([]);
    expect((await stat(join(directory, 'onboarding_links.csv'))).mode & 0o777).toBe(0o600);
  });

  it('tells the role and teams that the proxy chose where the file leaves them to it', async () => {
    const proxy = new FakeProxy().team('default-team');
    const create = proxy.createUsers.bind(proxy);
    proxy.createUsers = (users) =>
      create(
        users.map((user) => ({
          ...user,
          role: user.role ?? 'internal_user_viewer',
          teams: user.teams ?? ['default-team'],
        })),
      );
    const { options } = await started(proxy);
    const [outcome] = await applyPlan(planOf(add('a@example.com', { role: null })), options);
    expect(outcome).toMatchObject({ role: 'internal_user_viewer', teamName: 'default-team', status: 'SUCCESS' });
  });
});

describe('what is not written', () => {
  it('refuses a plan that breaches a limit', async () => {
    const proxy = new FakeProxy().user('old', 'old@example.com');
    const { options } = await started(proxy);
    const breach = { limit: 'max-deletes', stops: true, message: '1 of 1 users' } as const;
    await expect(applyPlan({ ...planOf(remove('old')), breaches: [breach] }, options)).rejects.toThrow('1 of 1 users');
    expect(proxy.calls).toEqual([]);
  });

  it('skips withheld changes and says why', async () => {
    const proxy = new FakeProxy().user('old', 'old@example.com').user('ana', 'ana@example.com');
    const { options } = await started(proxy);
    const outcomes = await applyPlan(
      planOf(add('new@example.com', { withheld: 'not reviewed' }), remove('old', { withheld: 'no-delete' }), {
        ...setRole('ana', 'proxy_admin'),
        withheld: 'no-update',
      }),
      options,
    );
    expect(brief(outcomes)).toEqual([
      ['ADDED', 'new@example.com', 'SKIPPED', expect.stringContaining('not reviewed')],
      ['DELETED', 'old@example.com', 'SKIPPED', expect.stringContaining('no-delete')],
      ['UPDATED', 'ana@example.com', 'SKIPPED', expect.stringContaining('no-update')],
    ]);
    expect(outcomes[2]).toMatchObject({ role: 'internal_user' });
    expect(proxy.calls).toEqual([]);
  });

  it('takes nothing away once it is superseded', async () => {
    const proxy = new FakeProxy().user('old', 'old@example.com').user('ana', 'ana@example.com');
    const { options } = await started(proxy, { beforeDeletes: async () => false });
    const plan = planOf(add('new@example.com'), remove('old'), setRole('ana', 'proxy_admin'));
    const outcomes = await applyPlan(plan, options);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['SUCCESS', 'SKIPPED', 'SKIPPED']);
    expect(outcomes[1]?.reason).toContain('superseded');
    expect(proxy.counts()).toEqual({ createUsers: 1, createInvitation: 1 });
  });

  it('takes nothing away where it cannot find out whether it is superseded', async () => {
    const proxy = new FakeProxy().user('old', 'old@example.com');
    const beforeDeletes = () => Promise.reject(new Error('GitHub: 502'));
    const { options } = await started(proxy, { beforeDeletes });
    const [outcome] = await applyPlan(planOf(remove('old')), options);
    expect(outcome).toMatchObject({ status: 'FAILED', reason: expect.stringContaining('GitHub: 502') });
    expect(proxy.users.has('old')).toBe(true);
  });

  it('starts no write after a signal, and every row says so', async () => {
    const proxy = new FakeProxy({ batchSize: 2 }).user('old', 'old@example.com').user('ana', 'ana@example.com');
    const stop = new AbortController();
    proxy.onWrite = () => {
      if (proxy.writes === 2) stop.abort();
    };
    const { directory, options } = await started(proxy, { signal: stop.signal, concurrency: 1 });
    const adds = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => add(`${name}@example.com`));
    const outcomes = await applyPlan(planOf(...adds, remove('old'), setRole('ana', 'proxy_admin')), options);
    const writesBefore = proxy.writes;
    expect(proxy.users.has('old')).toBe(true);
    expect(outcomes.filter((outcome) => outcome.status === 'FAILED').length).toBeGreaterThan(3);
    for (const outcome of outcomes.filter((one) => one.status === 'FAILED')) {
      expect(outcome.reason).toContain('the run was stopped');
    }
    const keyed = (await linksIn(directory)).map((row) => row.api_key);
    expect(keyed.toSorted()).toEqual(proxy.keys.map((key) => key.secret).toSorted());
    expect(writesBefore).toBeLessThanOrEqual(4);
  });

  it('starts no write after a signal within a call either, where that takes a request per user', async () => {
    const proxy = new FakeProxy();
    const stop = new AbortController();
    const create = proxy.createUsers.bind(proxy);
    proxy.createUsers = async (users, blocked) => {
      const created = await create(users.slice(0, 1));
      stop.abort();
      const reason = blocked?.() ?? '';
      return [
        ...created,
        ...users.slice(1).map(({ userId }) => ({ userId, ok: false, blocked: true, reason }) as const),
      ];
    };
    const { options } = await started(proxy, { signal: stop.signal });
    const outcomes = await applyPlan(planOf(add('a@example.com'), add('b@example.com')), options);
    expect(outcomes.map(({ userId, reason }) => [userId !== '', reason])).toEqual([
      [
        true,
        'created, but without a link: not attempted: the run was stopped; the next run in the same output-directory makes one',
      ],
      [false, 'not attempted: the run was stopped'],
    ]);
  });

  it('ends a pause between two attempts at once after a signal, and leaves the rest to the next run', async () => {
    const proxy = new FakeProxy();
    proxy.faults.set(2, 'lost-before');
    const stop = new AbortController();
    const { journal, options } = await started(proxy, { signal: stop.signal });
    // As in a run: after a lost answer the first pause is a second long.
    const { pause: _, ...asInARun } = options;
    let begin = 0;
    const create = proxy.createInvitation.bind(proxy);
    proxy.createInvitation = (userId) =>
      create(userId).finally(() => {
        begin = Date.now();
        setTimeout(() => stop.abort(), 50);
      });
    const [outcome] = await applyPlan(planOf(add('a@example.com')), asInARun);
    expect(Date.now() - begin).toBeLessThan(500);
    expect(outcome?.reason).toContain('without a link: not attempted: the run was stopped');
    expect(proxy.counts()).toEqual({ createUsers: 1, createInvitation: 1 });
    expect((await journal.lines()).some((line) => line.t === 'finished')).toBe(false);
  });

  it('stops at the first 401', async () => {
    const proxy = new FakeProxy({ batchSize: 1 }).user('old', 'old@example.com').user('ana', 'ana@example.com');
    proxy.faults.set(1, 'unauthorized');
    const { options } = await started(proxy);
    const plan = planOf(add('a@example.com'), add('b@example.com'), remove('old'), setRole('ana', 'proxy_admin'));
    const outcomes = await applyPlan(plan, options);
    expect(outcomes.every((outcome) => outcome.status === 'FAILED')).toBe(true);
    expect(outcomes.every((outcome) => outcome.reason.startsWith('not attempted: 401'))).toBe(true);
    expect(proxy.calls).toEqual(['createUsers 1']);
  });
});
