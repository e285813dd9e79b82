import { describe, expect, it } from 'vitest';
import { applyPlan } from '../../src/apply/apply.ts';
import { recover } from '../../src/apply/recover.ts';
import { FileJournal } from '../../src/journal/journal.ts';
import { FakeProxy, hashOf } from './fake-proxy.ts';
import { add, linksIn, move, optionsFor, planOf, remove, setRole, started, teams, update } from './setup.ts';

const REFUSED = 'User email=a@example.com already exists';

describe('adds', () => {
  it.each<{ what: string; fault: readonly [string, string]; reason: RegExp; keys: number }>([
    { what: 'refused', fault: ['create a@example.com', REFUSED], reason: /already exists.*run again/, keys: 1 },
    {
      what: 'no seat',
      fault: ['create a@example.com', 'License seats exhausted'],
      reason: /^not created: License.*seat/,
      keys: 1,
    },
    {
      what: 'no link',
      fault: ['invite u0', 'no invitation'],
      reason: /^created, but without a link: no invitation; run `onboard`/,
      keys: 2,
    },
  ])('$what: a row of its own, the others go on', async ({ fault, reason, keys }) => {
    const proxy = new FakeProxy();
    proxy.rowFaults.set(...fault);
    let id = 0;
    const { directory, options } = await started(proxy, { newUserId: () => `u${id++}` });
    const [first, second] = await applyPlan(planOf(add('a@example.com'), add('b@example.com')), options);
    expect(first).toMatchObject({ action: 'ADDED', status: 'FAILED', reason: expect.stringMatching(reason) });
    expect(second).toMatchObject({ status: 'SUCCESS', reason: '' });
    expect(await linksIn(directory)).toHaveLength(keys);
  });

  it('keeps the key of a user whose link failed', async () => {
    const proxy = new FakeProxy();
    proxy.rowFaults.set('invite u0', 'no invitation');
    const { directory, options } = await started(proxy, { newUserId: () => 'u0' });
    await applyPlan(planOf(add('a@example.com', { keyName: '=alias' })), options);
    expect(await linksIn(directory)).toEqual([
      expect.objectContaining({ api_key: proxy.keys[0]?.secret, key_name: "'=alias", onboarding_link: '' }),
    ]);
  });

  it('tells of a key that could not be made, and makes the link all the same', async () => {
    const proxy = new FakeProxy({ forgetsKeys: true });
    proxy.rowFaults.set('key u0', 'key sk-0123456789abcdef is\nnot allowed');
    const { directory, options } = await started(proxy, { newUserId: () => 'u0' });
    const [outcome] = await applyPlan(planOf(add('a@example.com')), options);
    expect(outcome?.reason).toMatch(/^created, but without a key: key sk-\*\*\* is not allowed \(use the master key/);
    expect(outcome).toMatchObject({ status: 'FAILED', code: 'incomplete', key: null });
    expect(await linksIn(directory)).toEqual([expect.objectContaining({ api_key: '', invitation_id: 'invitation-1' })]);
  });

  it('deletes a key that was lost and comes late, where its alias is in the way of another one', async () => {
    const proxy = new FakeProxy({ forgetsKeys: true });
    const [create, createKey] = [proxy.createUsers.bind(proxy), proxy.createKey.bind(proxy)];
    proxy.createUsers = async (users) => (await create(users)).map((row) => ({ ...row, lost: true }));
    let late = true;
    proxy.createKey = (key) => {
      if (late) proxy.key(key.userId, key.teamId, key.alias ?? '');
      late = false;
      return createKey(key);
    };
    const { directory, options } = await started(proxy);
    const [outcome] = await applyPlan(planOf(add('a@example.com', { keyName: 'k' })), options);
    expect(outcome).toMatchObject({ status: 'SUCCESS', reason: '' });
    expect(await linksIn(directory)).toMatchObject([{ api_key: proxy.keys[0]?.secret }]);
    expect(proxy.keys).toHaveLength(1);
  });

  it('looks once more for keys of which no answer came, when some seconds have passed', async () => {
    const proxy = new FakeProxy({ forgetsKeys: true });
    const create = proxy.createUsers.bind(proxy);
    proxy.createUsers = async (users) => (await create(users)).map((row) => ({ ...row, lost: true }));
    const pauses: number[] = [];
    const pause = async (ms: number) => {
      if (pauses.push(ms) === 4) for (const userId of proxy.users.keys()) proxy.key(userId, null, 'k');
    };
    const { options } = await started(proxy, { pause });
    const [outcome] = await applyPlan(planOf(add('a@example.com', { keyName: 'k' })), options);
    expect(pauses.reduce((sum, ms) => sum + ms)).toBeGreaterThan(7_000);
    expect(outcome).toMatchObject({ status: 'SUCCESS', key: { hash: hashOf(proxy.keys[0] ?? { secret: '' }) } });
    expect(proxy.keys).toHaveLength(1);
  });

  it('makes a missing key for the only team, and a personal one for several', async () => {
    const proxy = new FakeProxy({ forgetsKeys: true }).team('a').team('b');
    const { options } = await started(proxy);
    const one = add('a@example.com', { teams: teams('a'), keyName: 'k' });
    await applyPlan(planOf(one, add('b@example.com', { teams: teams('a', 'b') })), options);
    expect(proxy.keys.map(({ teamId, alias }) => [teamId, alias]).toSorted()).toEqual([
      [null, null],
      ['a', 'k'],
    ]);
  });

  it('says that the key of somebody whom their only team refuses is a personal one', async () => {
    const proxy = new FakeProxy({ forgetsKeys: true }).team('a');
    proxy.deaf.add('a@example.com');
    const { options } = await started(proxy);
    const [outcome] = await applyPlan(planOf(add('a@example.com', { teams: teams('a') })), options);
    expect(proxy.keys.map(({ teamId }) => teamId)).toEqual([null]);
    expect(outcome?.reason).toMatch(/not in team Team a: .*; the key is a personal one, of no team: give it the team/);
  });

  it('joins a team that the creation left out, once, and says so where that fails too', async () => {
    const proxy = new FakeProxy().team('a');
    proxy.deaf.add('a@example.com');
    const { options } = await started(proxy);
    const plan = planOf(add('a@example.com', { teams: teams('a') }), add('b@example.com', { teams: teams('a') }));
    const [first, second] = await applyPlan(plan, options);
    expect(first?.reason).toMatch(/^created, but not in team Team a: .*run again/);
    expect(first?.reason).not.toContain('personal');
    expect(first).toMatchObject({ status: 'FAILED', teamName: '' });
    expect(second).toMatchObject({ status: 'SUCCESS', teamName: 'Team a' });
    expect(proxy.counts()).toMatchObject({ createUsers: 1, joinTeam: 1, findUsers: 1, findTeams: 1 });
  });

  it.each([
    { answers: ['lost-before'], joins: 2, status: 'SUCCESS' },
    { answers: ['lost-after'], joins: 1, status: 'SUCCESS' },
    { answers: ['late'], joins: 2, status: 'SUCCESS' },
    { answers: ['lost-before', 'lost-before'], joins: 2, status: 'FAILED' },
  ] as const)('makes a join again of which no answer came and nothing is seen: $answers', async (row) => {
    const proxy = new FakeProxy({ joinsLater: true }).team('a');
    const { options } = await started(proxy);
    row.answers.forEach((answer, at) => {
      proxy.faults.set(2 + at, answer);
    });
    const [outcome] = await applyPlan(planOf(add('a@example.com', { teams: teams('a') })), options);
    expect(outcome).toMatchObject({ status: row.status });
    expect(proxy.counts().joinTeam).toBe(row.joins);
  });

  it.each(['add', 'onboard', 'sync'] as const)(
    'of %s that the proxy took nothing more of are completed',
    async (command) => {
      const make = async () => {
        const proxy = new FakeProxy({ joinsLater: true, forgetsKeys: true, defaultBudget: 10 }).team('a').team('b');
        const all = { teams: teams('a', 'b'), limits: { maxBudget: 5 } };
        const plan = planOf(add('a@example.com', all), add('b@example.com', { teams: teams('a') }));
        return { proxy, plan, ...(await started(proxy, { command })) };
      };
      const whole = await make();
      await applyPlan(whole.plan, whole.options);
      expect(whole.proxy.writes).toBe(8);
      for (let at = 2; at <= 8; at++) {
        const { proxy, plan, directory, options } = await make();
        for (let later = at; later < 30; later++) proxy.faults.set(later, 'busy');
        const before = await applyPlan(plan, options);
        const failed = before.filter(({ status }) => status === 'FAILED');
        for (const { reason } of failed) expect(reason).toContain('the next run in the same output-directory');
        proxy.begin([]);
        const report = await recover(directory, optionsFor(proxy, FileJournal.resume(directory), { command }));
        const open = report?.outcomes.filter(({ status }) => status === 'FAILED') ?? [];
        expect([at, failed.length > 0, open, report?.isComplete]).toEqual([at, true, [], true]);
        expect(new Set([...proxy.users.values()].map((user) => [...user.teams].join()))).toEqual(new Set(['a,b', 'a']));
        expect((await linksIn(directory)).map((row) => [row.api_key !== '', row.invitation_id !== ''])).toEqual([
          [true, true],
          [true, true],
        ]);
      }
    },
  );

  it('say what is left to a person where the proxy takes nothing of them the second time either', async () => {
    const proxy = new FakeProxy({ joinsLater: true, forgetsKeys: true }).team('a');
    const { directory, options, journal } = await started(proxy, { command: 'add' });
    for (let write = 2; write < 30; write++) proxy.faults.set(write, 'busy');
    await applyPlan(planOf(add('a@example.com', { teams: teams('a') })), options);
    expect(await journal.isOver()).toBe(false);
    const again = optionsFor(proxy, FileJournal.resume(directory), { command: 'add' });
    const report = await recover(directory, again);
    const why = '429 Too many requests';
    expect(report?.outcomes.map(({ reason }) => reason)).toEqual([
      `created, but not in team Team a: ${why}; add the user to the team in the proxy's UI; without a key: ${why}; create one in the proxy's UI, or let the user do so after signing in; without a link: ${why}; run \`onboard\` for a fresh link`,
    ]);
    expect([report?.isComplete, await journal.isOver()]).toEqual([true, true]);
  });

  it('are left alone where the proxy has refused them, and their rows say what is left to a person', async () => {
    const proxy = new FakeProxy({ joinsLater: true, forgetsKeys: true }).team('a');
    for (const what of ['join u0', 'key u0', 'invite u0']) proxy.rowFaults.set(what, '403: not for you');
    const { options, journal } = await started(proxy, { command: 'add', newUserId: () => 'u0' });
    const [outcome] = await applyPlan(planOf(add('a@example.com', { teams: teams('a') })), options);
    expect(outcome?.reason).toMatch(
      /not in team Team a: .*the proxy's UI; without a key: .*UI.*; without a link: .*`onboard`/,
    );
    expect(await journal.isOver()).toBe(true);
  });

  it.each(['user', 'roster'])('counts a membership of which only the %s half is there as missing', async (half) => {
    const proxy = new FakeProxy({ silentTeams: true }).team('a');
    const create = proxy.createUsers.bind(proxy);
    proxy.createUsers = async (users) => {
      const created = await create(users);
      if (half === 'user') proxy.rosters.get('a')?.clear();
      else for (const { userId } of users) proxy.users.get(userId)?.teams.clear();
      return created;
    };
    const { options } = await started(proxy);
    const [outcome] = await applyPlan(planOf(add('a@example.com', { teams: teams('a') })), options);
    expect(outcome).toMatchObject({ status: 'SUCCESS', teamName: 'Team a' });
    expect(proxy.rosters.get('a')).toContain(outcome?.userId);
    expect([...(proxy.users.get(outcome?.userId ?? '')?.teams ?? [])]).toEqual(['a']);
    expect(proxy.counts()).toMatchObject({ joinTeam: 1 });
  });

  it('does not write to a user who is gone by the time of the look-up', async () => {
    const proxy = new FakeProxy({ silentTeams: true }).team('a');
    const create = proxy.createUsers.bind(proxy);
    proxy.createUsers = async (users) => {
      const created = await create(users);
      proxy.users.clear();
      return created;
    };
    const { options } = await started(proxy);
    const [outcome] = await applyPlan(planOf(add('a@example.com', { teams: teams('a') })), options);
    expect(outcome?.reason).toContain('no longer on the proxy');
    expect(proxy.madeUp).toEqual([]);
    expect(proxy.counts()).toMatchObject({ createUsers: 1, findUsers: 1 });
  });

  it('one bad row does not take its call with it: the call is halved', async () => {
    const proxy = new FakeProxy();
    const create = proxy.createUsers.bind(proxy);
    proxy.createUsers = (users) => {
      const bad = users.some((user) => user.email === 'u13@example.com');
      return bad ? Promise.reject(new Error('422: email')) : create(users);
    };
    const { options } = await started(proxy);
    const outcomes = await applyPlan(
      planOf(...Array.from({ length: 40 }, (_, at) => add(`u${at}@example.com`))),
      options,
    );
    expect(outcomes.filter((outcome) => outcome.status === 'FAILED').map((outcome) => outcome.email)).toEqual([
      'u13@example.com',
    ]);
  });

  it('does not try every row where the proxy refuses all', async () => {
    const proxy = new FakeProxy();
    let calls = 0;
    proxy.createUsers = () => {
      calls++;
      return Promise.reject(new Error('403: only proxy admins may'));
    };
    const { options } = await started(proxy);
    const outcomes = await applyPlan(
      planOf(...Array.from({ length: 400 }, (_, at) => add(`u${at}@example.com`))),
      options,
    );
    expect(outcomes.every((outcome) => /not created: 403.*use the master key/.test(outcome.reason))).toBe(true);
    expect(calls).toBeLessThan(15);
  });

  it('treats a row that is marked lost, and one that the answer leaves out, as lost', async () => {
    const proxy = new FakeProxy();
    const create = proxy.createUsers.bind(proxy);
    let first = true;
    proxy.createUsers = async (users) => {
      const created = await create(users);
      if (!first) return created;
      first = false;
      const lost = { userId: users[0]?.userId ?? '', ok: false, lost: true, reason: 'timeout' } as const;
      return [lost, ...created.slice(2)];
    };
    const { directory, options } = await started(proxy);
    const outcomes = await applyPlan(planOf(...['a', 'b', 'c'].map((name) => add(`${name}@example.com`))), options);
    expect(outcomes.every((outcome) => outcome.status === 'SUCCESS')).toBe(true);
    expect(proxy.keys).toHaveLength(3);
    expect((await linksIn(directory)).map((row) => row.api_key).toSorted()).toEqual(
      proxy.keys.map((key) => key.secret).toSorted(),
    );
  });

  it.each([false, true])(
    'a slow proxy that creates after all (id taken twice: %s): one user, one key',
    async (createsTwice) => {
      const proxy = new FakeProxy({ createsTwice });
      proxy.faults.set(1, 'late');
      const { directory, options } = await started(proxy);
      const [outcome] = await applyPlan(planOf(add('a@example.com')), options);
      expect(outcome?.status).toBe('SUCCESS');
      expect(proxy.users.size).toBe(1);
      expect(proxy.keys).toHaveLength(1);
      expect((await linksIn(directory)).map((row) => row.api_key)).toEqual([proxy.keys[0]?.secret]);
    },
  );

  it('finishes a user who turns up only after their creation was given up', async () => {
    const proxy = new FakeProxy({ batchSize: 1 });
    proxy.faults.set(1, 'late');
    const { directory, options } = await started(proxy, { retries: 0 });
    const outcomes = await applyPlan(planOf(add('a@example.com'), add('b@example.com')), options);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['SUCCESS', 'SUCCESS']);
    expect((await linksIn(directory)).map((row) => row.api_key).toSorted()).toEqual(
      proxy.keys.map((key) => key.secret).toSorted(),
    );
  });

  it('deletes a key that the proxy makes long after its answer was lost', async () => {
    const proxy = new FakeProxy();
    proxy.faults.set(1, 'lost-after');
    const { directory, options } = await started(proxy);
    const invite = proxy.createInvitation.bind(proxy);
    proxy.createInvitation = (userId) => {
      proxy.keys.push({ secret: 'sk-that-came-too-late-0000', userId, teamId: null, alias: null });
      return invite(userId);
    };
    const [outcome] = await applyPlan(planOf(add('a@example.com')), options);
    expect(outcome?.status).toBe('SUCCESS');
    expect(proxy.keys.map((key) => key.secret)).toEqual((await linksIn(directory)).map((row) => row.api_key));
  });

  it('does not repeat a lost creation when somebody else has the email by then', async () => {
    const proxy = new FakeProxy({ createsTwice: true });
    proxy.faults.set(1, 'lost-before');
    const { options } = await started(proxy, {
      pause: async () => {
        proxy.user('other', 'A@example.com');
      },
    });
    const [outcome] = await applyPlan(planOf(add('a@example.com')), options);
    expect(outcome?.reason).toContain('user other has this email by now');
    expect([...proxy.users.keys()]).toEqual(['other']);
    expect(proxy.counts()).toMatchObject({ createUsers: 1 });
  });

  it('leaves the run open where the answer is lost and the look-up fails', async () => {
    const proxy = new FakeProxy();
    proxy.faults.set(1, 'lost-after');
    proxy.unreadable = true;
    const { journal, options } = await started(proxy);
    const [outcome] = await applyPlan(planOf(add('a@example.com')), options);
    expect(outcome).toMatchObject({ status: 'FAILED', reason: expect.stringContaining('the user may exist') });
    expect((await journal.lines()).some((line) => line.t === 'finished')).toBe(false);
  });
});

describe('deletes', () => {
  it('takes a user who is gone already for deleted, and tells who is not', async () => {
    const proxy = new FakeProxy().user('kept', 'kept@example.com');
    proxy.rowFaults.set('delete kept', 'database error');
    const { options } = await started(proxy);
    const outcomes = await applyPlan(planOf(remove('gone'), remove('kept', { teams: teams('a') })), options);
    expect(outcomes).toMatchObject([
      { status: 'SUCCESS', reason: '' },
      { status: 'FAILED', reason: 'database error', teamName: 'Team a' },
    ]);
    expect(proxy.calls).toEqual(['deleteUsers 2', 'findUsers 2']);
  });

  it('says so where it cannot find out', async () => {
    const proxy = new FakeProxy().user('u', 'u@example.com');
    proxy.faults.set(1, 'lost-after');
    proxy.unreadable = true;
    const { options } = await started(proxy);
    const [outcome] = await applyPlan(planOf(remove('u')), options);
    expect(outcome).toMatchObject({ status: 'FAILED', reason: expect.stringContaining('could not be looked up') });
  });
});

describe('updates', () => {
  it('never names a user who is gone: the proxy would create them', async () => {
    const proxy = new FakeProxy().team('a').team('b');
    const { options } = await started(proxy);
    const outcomes = await applyPlan(planOf(move('u', ['a'], ['b']), setRole('v', 'proxy_admin')), options);
    expect(outcomes.map((outcome) => outcome.reason)).toEqual([
      expect.stringContaining('no longer on the proxy'),
      expect.stringContaining('no longer on the proxy'),
    ]);
    expect(proxy.writes).toBe(0);
  });

  it('writes nothing that is there already', async () => {
    const proxy = new FakeProxy().user('u', 'u@example.com', 'proxy_admin').user('v', 'v@example.com').team('b', 'v');
    const { options } = await started(proxy);
    const outcomes = await applyPlan(planOf(setRole('u', 'proxy_admin'), move('v', ['a'], ['b'])), options);
    expect(outcomes.every((outcome) => outcome.status === 'SUCCESS')).toBe(true);
    expect(proxy.writes).toBe(0);
  });

  it('mends memberships of which only one half is there', async () => {
    const proxy = new FakeProxy().user('u', 'u@example.com').team('a').team('b');
    proxy.users.get('u')?.teams.add('a');
    proxy.rosters.get('b')?.add('u');
    const { options } = await started(proxy);
    const halves = { from: teams('a', 'b'), to: teams('a'), join: teams('a'), rejoin: [], leave: teams('b') };
    const both = update('u', { teams: halves });
    const [outcome] = await applyPlan(planOf(both), options);
    expect(outcome).toMatchObject({ status: 'SUCCESS', teamName: 'Team a' });
    expect(proxy.rosters.get('a')).toContain('u');
    expect(proxy.rosters.get('b')).not.toContain('u');
  });

  it('keeps the old team of a user who cannot join the new one', async () => {
    const proxy = new FakeProxy().user('u', 'u@example.com').user('v', 'v@example.com').team('a', 'u', 'v').team('b');
    proxy.rowFaults.set('join u', 'budget exceeded');
    const { options } = await started(proxy);
    const [u, v] = await applyPlan(planOf(move('u', ['a'], ['b']), move('v', ['a'], ['b'])), options);
    expect(u).toMatchObject({ status: 'FAILED', teamName: 'Team a' });
    expect(u?.reason).toBe('team Team b not joined, the teams to leave were kept: budget exceeded');
    expect(v).toMatchObject({ status: 'SUCCESS', teamName: 'Team b' });
    expect(proxy.rosters.get('a')).toEqual(new Set(['u']));
  });

  it('does not believe a success that is none', async () => {
    const proxy = new FakeProxy().user('u', 'u@example.com').team('a', 'u').team('b');
    proxy.deaf.add('u');
    const { options } = await started(proxy, { retries: 2 });
    const [outcome] = await applyPlan(planOf(move('u', ['a'], ['b'])), options);
    expect(outcome).toMatchObject({
      status: 'FAILED',
      teamName: 'Team a',
      reason: expect.stringContaining('it is not so'),
    });
    expect(proxy.counts().joinTeam).toBe(2);
  });
});
