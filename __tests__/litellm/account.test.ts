import { describe, expect, it } from 'vitest';
import type { UserFields } from '../../src/apply/ports.ts';
import { AnswerLostError } from '../../src/core/errors.ts';
import { Secret } from '../../src/core/secret.ts';
import { client, type FakeProxy, failure, fakeProxy, type Received, type Reply, userJson } from './support.ts';

type Routes = Record<string, (request: Received) => Reply>;

const NOT_FOUND: Reply = { status: 404, json: { detail: 'Not Found' } };

function proxyOf(routes: Routes): Promise<FakeProxy> {
  return fakeProxy((request) => routes[`${request.method} ${request.path.split('?')[0]}`]?.(request) ?? NOT_FOUND);
}

function bodies(server: FakeProxy): unknown[] {
  return server.received.filter(({ method }) => method === 'POST').map(({ body }) => body);
}

const listed = (...rows: Record<string, unknown>[]): Reply => ({ json: { users: rows, total: rows.length } });
const LIMITS = { maxBudget: 5, budgetDuration: '30d' };

describe('updateRoles', () => {
  it('sends each role with the present budget and period, and tells what the proxy made of them', async () => {
    const data = (user_role: string, max_budget: number | null, budget_duration: string | null) => ({
      data: { user_role, max_budget, budget_duration, password: 'scrypt:hash' },
    });
    const results = [
      { user_id: 'a', success: true, error: null, updated_user: data('internal_user', 5, '30d') },
      { user_id: 'b', success: true, error: null, updated_user: data('internal_user', null, '30d') },
      { user_id: 'c', success: true, error: null, updated_user: null },
    ];
    const server = await proxyOf({ 'POST /user/bulk_update': () => ({ json: { results } }) });
    const none = { maxBudget: null, budgetDuration: null };
    const rows = await client(server.url).proxy.updateRoles([
      { userId: 'a', role: 'internal_user', limits: LIMITS },
      { userId: 'b', role: 'internal_user', limits: none },
      { userId: 'c', role: 'proxy_admin', limits: none },
    ]);
    expect(bodies(server)).toEqual([
      {
        users: [
          { user_id: 'a', user_role: 'internal_user', max_budget: 5, budget_duration: '30d' },
          { user_id: 'b', user_role: 'internal_user', max_budget: null, budget_duration: null },
          { user_id: 'c', user_role: 'proxy_admin', max_budget: null, budget_duration: null },
        ],
      },
    ]);
    expect(rows).toEqual([
      { userId: 'a', ok: true, role: 'internal_user', limits: LIMITS },
      { userId: 'b', ok: true, role: 'internal_user', limits: { maxBudget: null, budgetDuration: '30d' } },
      { userId: 'c', ok: true },
    ]);
  });
});

describe('updateUser', () => {
  const answer = {
    user_id: 'a',
    user_email: 'a@example.com',
    user_role: 'internal_user',
    max_budget: 7,
    models: ['m'],
  };
  const updates: Routes = {
    'POST /user/update': () => ({
      json: { user_id: 'a', data: { ...answer, password: 'scrypt:hash', metadata: { x: 1 } } },
    }),
    'GET /user/list': () => listed(userJson('a')),
  };

  it.each<[UserFields, Record<string, unknown>]>([
    [{ maxBudget: 7 }, { max_budget: 7 }],
    [
      { maxBudget: null, budgetDuration: null, tpmLimit: null, rpmLimit: null },
      { max_budget: null, budget_duration: null, tpm_limit: null, rpm_limit: null },
    ],
    [
      { tpmLimit: 0, rpmLimit: 10, models: ['m'] },
      { tpm_limit: 0, rpm_limit: 10, models: ['m'] },
    ],
    [
      { role: 'internal_user', ...LIMITS },
      { user_role: 'internal_user', max_budget: 5, budget_duration: '30d' },
    ],
    [{ email: ' Ada@Example.com' }, { user_email: 'ada@example.com' }],
  ])('sends %j and nothing else', async (fields, body) => {
    const server = await proxyOf(updates);
    const { proxy, log } = client(server.url);
    expect(await proxy.updateUser('a', fields)).toEqual({
      userId: 'a',
      email: 'a@example.com',
      role: 'internal_user',
      limits: { maxBudget: 7, budgetDuration: null, tpmLimit: null, rpmLimit: null, models: ['m'] },
    });
    expect(bodies(server)).toEqual([{ user_id: 'a', ...body }]);
    expect(log.lines.join('\n')).not.toContain('scrypt');
  });

  it.each([
    [
      'somebody else has the email, in any letter case',
      [userJson('a'), userJson('b', { user_email: 'ADA@example.com' })],
      /the email ada@example.com has been taken meanwhile, by user id b$/,
    ],
    ['the user is gone, whom the proxy would make anew', [], /the user is no longer on the proxy$/],
  ])('is not sent where %s', async (_why, rows, message) => {
    const server = await proxyOf({ ...updates, 'GET /user/list': () => listed(...rows) });
    const error = await failure(client(server.url).proxy.updateUser('a', { email: 'Ada@example.com' }));
    expect(error.name).toBe('ProxyResponseError');
    expect(error.message).toMatch(message);
    expect(bodies(server)).toEqual([]);
  });

  it('is sent again to who has the email already', async () => {
    const server = await proxyOf({
      ...updates,
      'GET /user/list': () => listed(userJson('a', { user_email: 'ada@example.com' })),
    });
    await client(server.url).proxy.updateUser('a', { email: 'ada@example.com' });
    expect(bodies(server)).toHaveLength(1);
  });
});

describe('setActivity', () => {
  const NOW = Date.parse('2026-11-28T10:00:00Z');
  const OURS = { deactivated_at: '2026-11-28T10:00:00.000Z' };

  /** A proxy that keeps one user's metadata; `write` may do otherwise than it is told. */
  async function keeper(
    before: Record<string, unknown> | null,
    write = (sent: Record<string, unknown>): Record<string, unknown> => sent,
  ) {
    let metadata = before;
    const server = await proxyOf({
      'GET /user/list': () => listed(...(metadata === null ? [] : [userJson('a', { metadata })])),
      'POST /user/update': ({ body }) => {
        metadata = write((body as { metadata: Record<string, unknown> }).metadata);
        return { json: { user_id: 'a', data: {} } };
      },
    });
    return { server, ...client(server.url, {}, { now: () => NOW }), metadata: () => metadata };
  }

  const THEIRS = { team: 'x', password: 'theirs', logging: [{ callback_vars: { key: 'theirs' } }] };

  it('merges the mark into what is there, and takes it off again', async () => {
    const { proxy, metadata, log } = await keeper(THEIRS);
    expect(await proxy.setActivity('a', false)).toMatchObject({ ok: true, user: { activity: 'deactivated by us' } });
    expect(metadata()).toEqual({ ...THEIRS, scim_active: false, litellm_user_sync: OURS });
    expect(await proxy.setActivity('a', true)).toMatchObject({ ok: true, user: { activity: 'active' } });
    expect(metadata()).toEqual({ ...THEIRS, scim_active: true });
    expect(log.lines.join('\n')).not.toContain('theirs');
  });

  it.each([
    [false, { scim_active: false, litellm_user_sync: OURS }],
    [true, {}],
    [true, { scim_active: true }],
  ])('writes nothing where it is so already (%j, %j)', async (active, before) => {
    const { proxy, server } = await keeper(before);
    expect(await proxy.setActivity('a', active)).toMatchObject({ ok: true });
    expect(bodies(server)).toEqual([]);
  });

  it.each([true, false])('touches nobody whom others switched off (%j)', async (active) => {
    const { proxy, server } = await keeper({ scim_active: false });
    expect(await proxy.setActivity('a', active)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('somebody else'),
    });
    expect(bodies(server)).toEqual([]);
  });

  it('makes nobody who is gone', async () => {
    const { proxy, server } = await keeper(null);
    expect(await proxy.setActivity('a', false)).toEqual({
      userId: 'a',
      ok: false,
      reason: 'the user is no longer on the proxy',
    });
    expect(bodies(server)).toEqual([]);
  });

  it('keeps what others have beside our mark, and takes a mark off that was left', async () => {
    const { proxy, metadata } = await keeper({ scim_active: true, litellm_user_sync: { ...OURS, note: 1 } });
    expect(await proxy.setActivity('a', true)).toMatchObject({ ok: true });
    expect(metadata()).toEqual({ scim_active: true, litellm_user_sync: { note: 1 } });
  });

  it('tells where others’ entries changed, without naming them', async () => {
    const { proxy } = await keeper(THEIRS, ({ team: _, ...sent }) => sent);
    const row = await proxy.setActivity('a', false);
    expect(row).toMatchObject({
      ok: false,
      reason: expect.stringContaining("other entries of the user's metadata changed"),
    });
    expect(JSON.stringify(row)).not.toContain('theirs');
  });

  it('takes the encryption of secrets for no change (1.90 and newer)', async () => {
    const encrypted = { logging: [{ callback_vars: { key: 'litellm_enc::abc' } }] };
    const { proxy } = await keeper(THEIRS, (sent) => ({ ...sent, ...encrypted }));
    expect(await proxy.setActivity('a', false)).toMatchObject({ ok: true });
  });

  it('is not done because the proxy says so', async () => {
    const { proxy } = await keeper({ a: 1 }, () => ({ a: 1 }));
    expect(await proxy.setActivity('a', false)).toMatchObject({
      ok: false,
      reason: 'the proxy reports success, but it is not so',
    });
  });

  it('looks what a write has done whose answer was lost', async () => {
    let metadata: Record<string, unknown> = {};
    let takesEffect = true;
    const server = await proxyOf({
      'GET /user/list': () => listed(userJson('a', { metadata })),
      'POST /user/update': ({ body }) => {
        if (takesEffect) metadata = (body as { metadata: Record<string, unknown> }).metadata;
        return { status: 502, text: 'Bad Gateway' };
      },
    });
    const { proxy } = client(server.url);
    expect(await proxy.setActivity('a', false)).toMatchObject({ ok: true });
    [metadata, takesEffect] = [{}, false];
    expect(await proxy.setActivity('a', false)).toMatchObject({ ok: false, lost: true });
  });

  it('reads ids that fit into no list from the user’s own page', async () => {
    let metadata: Record<string, unknown> = {};
    const server = await proxyOf({
      'GET /user/info': () => ({ json: { user_info: userJson('a,b', { metadata }), keys: [] } }),
      'POST /user/update': ({ body }) => {
        metadata = (body as { metadata: Record<string, unknown> }).metadata;
        return { json: {} };
      },
    });
    expect(await client(server.url).proxy.setActivity('a,b', false)).toMatchObject({ ok: true });
  });
});

describe('who is active', () => {
  it.each([
    [undefined, 'active'],
    [null, 'active'],
    [{}, 'active'],
    [{ scim_active: true }, 'active'],
    [{ scim_active: 'false' }, 'active'],
    [{ scim_active: false }, 'deactivated by others'],
    [{ scim_active: false, litellm_user_sync: 'odd' }, 'deactivated by others'],
    [{ scim_active: false, litellm_user_sync: {} }, 'deactivated by others'],
    [{ scim_active: false, litellm_user_sync: { deactivated_at: '2026-11-28' } }, 'deactivated by us'],
    [['odd'], 'active'],
  ])('%j: %s; nothing else of metadata is kept', async (metadata, activity) => {
    const server = await proxyOf({ 'GET /user/list': () => listed(userJson('a', { metadata })) });
    const { proxy } = client(server.url);
    const [user] = await proxy.findUsers(['a']);
    expect(user?.activity).toBe(activity);
    expect(user).not.toHaveProperty('metadata');
    expect(await proxy.listUsers([], (row) => row.metadata)).toEqual([activity]);
  });
});

describe('facts', () => {
  const readiness = (litellm_version?: string): Routes => ({
    'GET /health/readiness': () => ({ json: { status: 'healthy', litellm_version } }),
  });
  const openApi = (version: string, path = '/user/new'): Routes => ({
    'GET /openapi.json': () => ({ json: { info: { version, title: 'LiteLLM API' }, paths: { [path]: { post: {} } } } }),
  });
  const facts = (
    version: string | null,
    ...[deletes, enforces, budget, rest]: [boolean, boolean, boolean, boolean]
  ) => ({
    version,
    leavingDeletesKeys: deletes,
    enforcesDeactivation: enforces,
    clearsBudget: budget,
    clearsDurationAndRates: rest,
    defaultBudget: 'unknown',
  });

  it.each<[string, Routes, ReturnType<typeof facts>]>([
    ['1.75, by its health', readiness('1.75.8'), facts('1.75.8', false, false, false, false)],
    ['1.80', readiness('1.80.15'), facts('1.80.15', false, false, false, false)],
    ['1.81', readiness('1.81.0'), facts('1.81.0', true, false, false, false)],
    ['1.82', readiness('1.82.6'), facts('1.82.6', true, false, true, false)],
    [
      '1.90, by the details of its health, which cost less than its description',
      { ...readiness(), 'GET /health/readiness/details': () => ({ json: { litellm_version: '1.90.7' } }) },
      facts('1.90.7', true, true, true, false),
    ],
    [
      'a viewer’s key that may not see them',
      {
        ...readiness(),
        'GET /health/readiness/details': () => ({ status: 403, json: { detail: 'no' } }),
        ...openApi('1.106.2'),
      },
      facts('1.106.2', true, true, true, true),
    ],
    ['1.90, by its description', { ...readiness(), ...openApi('1.90.7') }, facts('1.90.7', true, true, true, false)],
    [
      '1.103, which clears no rates yet',
      { ...readiness(), ...openApi('1.103.0') },
      facts('1.103.0', true, true, true, false),
    ],
    ['1.106', { ...readiness(), ...openApi('1.106.2') }, facts('1.106.2', true, true, true, true)],
    ['2.0, its health closed', openApi('v2.0.1-stable'), facts('v2.0.1-stable', true, true, true, true)],
    ['no word at all', readiness(), facts(null, true, false, false, false)],
    ['a word that is no version', readiness('main'), facts('main', true, false, false, false)],
    [
      'a gateway’s description',
      { ...readiness(), ...openApi('3.1.0', '/gateway') },
      facts(null, true, false, false, false),
    ],
  ])('%s', async (_name, routes, expected) => {
    const server = await proxyOf(routes);
    const { proxy } = client(server.url);
    expect(await proxy.facts()).toEqual(expected);
    const asked = server.received.length;
    expect(await proxy.facts()).toEqual(expected);
    expect(server.received).toHaveLength(asked);
  });

  it('are not guessed where the proxy is broken', async () => {
    const server = await proxyOf({
      ...readiness(),
      'GET /openapi.json': () => ({ status: 503, json: { detail: 'down' } }),
    });
    expect((await failure(client(server.url).proxy.facts())).message).toContain('answered 503');
  });

  it.each<[string, Routes]>([
    ['/team/bulk_member_add', { 'GET /team/bulk_member_add': () => ({ status: 405, json: {} }) }],
    ['/v2/team/list', { 'GET /v2/team/list': () => ({ json: { teams: [], total: 0 } }) }],
  ])('%s proves 1.75 where the health page is closed', async (_route, routes) => {
    const closed: Routes = { 'GET /health/readiness': () => ({ status: 403, text: 'no' }) };
    const server = await proxyOf({ ...closed, ...routes });
    await expect(client(server.url).proxy.checkVersion()).resolves.toBeUndefined();
    const old = await proxyOf(closed);
    expect((await failure(client(old.url).proxy.checkVersion())).message).toContain('/health/readiness answered 403');
  });
});

describe('teams', () => {
  const roster = (...members: unknown[]) => ({ team_id: 't', team_alias: 'red', members_with_roles: members });
  const teams = (...rows: unknown[]): Reply => ({ json: { teams: rows, total: rows.length } });

  it('are read with their admins and the emails of their rosters', async () => {
    const row = roster(
      { user_id: 'a', user_email: 'A@x.io', role: 'admin' },
      { user_id: 'b', user_email: null, role: 'user' },
      { user_id: null, user_email: 'c@x.io', role: 'user' },
    );
    const server = await proxyOf({ 'GET /v2/team/list': () => teams(row) });
    expect(await client(server.url).proxy.findTeams(['t'])).toEqual([
      {
        teamId: 't',
        alias: 'red',
        members: new Set(['a', 'b']),
        admins: new Set(['a']),
        rosterEmails: new Map([
          ['a@x.io', 'a'],
          ['c@x.io', null],
        ]),
      },
    ]);
  });

  const stale = roster({ user_id: 'gone', user_email: 'a@example.com', role: 'user' });
  const joining = (version: string, results: () => unknown[]): Promise<FakeProxy> =>
    proxyOf({
      'GET /health/readiness': () => ({ json: { litellm_version: version } }),
      'GET /user/list': () => listed(userJson('a'), userJson('b')),
      'GET /v2/team/list': () => teams(stale),
      'POST /team/bulk_member_add': () => ({ json: { results: results() } }),
    });
  const told = {
    userId: 'a',
    ok: false,
    reason: expect.stringMatching(
      /^The roster of team t holds this user's email in an entry of user id gone,.*Remove that member/,
    ),
  };

  it('that a stale entry keeps somebody out of are told before anything is written (1.82, 1.90)', async () => {
    const server = await joining('1.82.6', () => [{ user_id: 'b', success: true, error: null, updated_user: {} }]);
    expect(await client(server.url).proxy.joinTeam('t', ['a', 'b'])).toEqual([told, { userId: 'b', ok: true }]);
    expect(bodies(server)).toEqual([{ team_id: 't', members: [{ user_id: 'b', role: 'user' }] }]);
    expect(await client(server.url).proxy.joinTeam('t', ['a'])).toEqual([told]);
    expect(bodies(server)).toHaveLength(1);
  });

  it('are told after the proxy has refused, where it writes nothing then (1.106)', async () => {
    const results = [{ user_id: 'a', success: false, error: 'All users are already in team.' }];
    const server = await fakeProxy(({ method, path }) => {
      if (path.startsWith('/management/')) return { status: 405, json: {} };
      if (method === 'POST') return { json: { results } };
      return path.startsWith('/user/') ? listed(userJson('a')) : teams(stale);
    });
    expect(await client(server.url).proxy.joinTeam('t', ['a'])).toEqual([told]);
    expect(bodies(server)).toHaveLength(1);
  });

  it('that do not compare emails let everybody in (1.75)', async () => {
    const server = await joining('1.75.8', () => [{ user_id: 'a', success: true, error: null, updated_user: {} }]);
    expect(await client(server.url).proxy.joinTeam('t', ['a'])).toEqual([{ userId: 'a', ok: true }]);
    expect(server.routes()).not.toContain('GET /v2/team/list');
  });

  it('show who has a budget of their own in them', async () => {
    const budget = (max_budget: number | null) => ({
      max_budget,
      budget_duration: null,
      tpm_limit: null,
      rpm_limit: null,
      budget_id: 'x',
    });
    const info = (given: unknown, ...memberships: [string, unknown][]): Reply => ({
      json: {
        team_info: { team_member_budget_table: given },
        team_memberships: memberships.map(([user_id, litellm_budget_table]) => ({ user_id, litellm_budget_table })),
      },
    });
    const server = await proxyOf({
      'GET /team/info': ({ path }) =>
        path.endsWith('=t')
          ? info(budget(7), ['a', budget(7)], ['b', budget(3)], ['c', null])
          : info(null, ['a', budget(1)], ['b', budget(null)]),
    });
    const pairs = [
      ['a', 't'],
      ['b', 't'],
      ['c', 't'],
      ['a', 'u'],
      ['b', 'u'],
      ['d', 'u'],
    ].map(([userId, teamId]) => ({ userId, teamId }) as { userId: string; teamId: string });
    const { proxy } = client(server.url);
    expect(await proxy.ownBudgets(pairs)).toEqual([pairs[1], pairs[3]]);
    expect(proxy.requestCount).toBe(2);
  });
});

describe('new users', () => {
  const user = {
    userId: 'a',
    email: ' Ada@Example.com',
    role: 'internal_user' as const,
    teams: ['t'],
    withKey: true,
    keyAlias: 'k',
  };
  const bulk = (request: Received): Reply => {
    const { users } = request.body as {
      users: { user_id: string; teams?: string[]; team_id?: string; auto_create_key: boolean }[];
    };
    const data = users.map(({ user_id, teams, team_id, auto_create_key }) => ({
      user_id,
      success: true,
      teams: teams ?? [team_id],
      key: auto_create_key ? `sk-along-${user_id}` : null,
    }));
    return { json: { data } };
  };
  const bulkProxy = () =>
    fakeProxy((request) => {
      if (request.method === 'GET') return { status: 405, json: {} };
      return request.path === '/key/generate' ? { json: { key: 'sk-apart-1' } } : bulk(request);
    });

  it('are stored in lower case, with their limits; a key is made apart that would copy rates or models', async () => {
    const server = await bulkProxy();
    const { proxy } = client(server.url);
    const rows = await proxy.createUsers([
      { ...user, limits: { maxBudget: 5, budgetDuration: null } },
      { ...user, userId: 'b', limits: { tpmLimit: 10, models: ['m'] } },
      { ...user, userId: 'c', withKey: false, limits: { rpmLimit: 1 } },
    ]);
    const common = { user_email: 'ada@example.com', user_role: 'internal_user' };
    expect(bodies(server)).toEqual([
      {
        users: [
          {
            ...common,
            user_id: 'a',
            auto_create_key: true,
            team_id: 't',
            key_alias: 'k',
            max_budget: 5,
            budget_duration: null,
          },
          { ...common, user_id: 'b', auto_create_key: false, teams: ['t'], tpm_limit: 10, models: ['m'] },
          { ...common, user_id: 'c', auto_create_key: false, teams: ['t'], rpm_limit: 1 },
        ],
      },
      { user_id: 'b', team_id: 't', key_alias: 'k' },
    ]);
    expect(rows.map((row) => row.ok && row.key?.reveal())).toEqual(['sk-along-a', 'sk-apart-1', undefined]);
    expect(rows.map((row) => row.ok && row.limits)).toEqual([null, null, null]);
  });

  it('are told with the limits that the proxy made of what was asked for (1.75 to 1.102)', async () => {
    const server = await proxyOf({
      'POST /user/new': ({ body }) => ({
        json: { ...(body as object), max_budget: 10, budget_duration: '30d', teams: null, key: '' },
      }),
    });
    const [row] = await client(server.url).proxy.createUsers([
      { ...user, teams: [], withKey: false, limits: { maxBudget: null } },
    ]);
    expect(row).toMatchObject({ ok: true, limits: { maxBudget: 10, budgetDuration: '30d' } });
    expect(bodies(server)).toMatchObject([{ max_budget: null, teams: [] }]);
  });

  it('have a row each even where their teams or keys fail', async () => {
    const server = await proxyOf({
      'GET /health/readiness': () => ({ json: { litellm_version: '1.75.8' } }),
      'POST /user/new': ({ body }) => ({ json: { ...(body as object), key: '' } }),
      'POST /team/bulk_member_add': () => ({ status: 404, json: { detail: { error: 'Team not found' } } }),
      'GET /v2/team/list': () => ({ json: { teams: [], total: 0 } }),
      'POST /key/generate': () => ({ status: 401, json: { error: { message: 'invalid key' } } }),
    });
    const { proxy } = client(server.url, { concurrency: 1 });
    const personal = { ...user, teams: [], limits: { tpmLimit: 1 } };
    expect(await proxy.createUsers([user, { ...personal, userId: 'b' }, { ...personal, userId: 'c' }])).toMatchObject([
      { userId: 'a', ok: true, key: null, teams: [], warning: 'Team not found' },
      { userId: 'b', ok: true, key: null },
      { userId: 'c', ok: true, key: null },
    ]);
    // The key that we use is refused: no need to hear so for everybody.
    expect(server.routes().filter((route) => route === 'POST /key/generate')).toHaveLength(1);
  });
});

describe('deleteInvitation', () => {
  it.each<[string, Reply]>([
    ['there', { json: { id: 'i' } }],
    ['gone', { status: 400, json: { detail: { error: 'Invitation id does not exist in the database.' } } }],
  ])('is fine with one that is %s', async (_what, reply) => {
    const server = await proxyOf({ 'POST /invitation/delete': () => reply });
    await client(server.url).proxy.deleteInvitation(new Secret('invitation-1'));
    expect(bodies(server)).toEqual([{ invitation_id: 'invitation-1' }]);
  });

  it('says where one stays', async () => {
    const server = await proxyOf({ 'POST /invitation/delete': () => ({ status: 500, text: 'no' }) });
    const error = await failure(client(server.url).proxy.deleteInvitation(new Secret('invitation-1')));
    expect(error).toBeInstanceOf(AnswerLostError);
    expect(error.message).not.toContain('invitation-1');
  });
});
