import { describe, expect, it, vi } from 'vitest';
import { withWayOut } from '../../src/apply/messages.ts';
import type { NewUser, RowResult } from '../../src/apply/ports.ts';
import { AnswerLostError } from '../../src/core/errors.ts';
import type { ProxyClient } from '../../src/litellm/client.ts';
import { createTransport, TransportError } from '../../src/litellm/transport.ts';
import { gate } from '../gate.ts';
import {
  client,
  type FakeProxy,
  failure,
  fakeProxy,
  type Received,
  type Reply,
  recorded,
  userJson,
} from './support.ts';

const NOT_FOUND: Reply = { status: 404, json: { detail: 'Not Found' } };
const NOT_ALLOWED: Reply = { status: 405, json: { detail: 'Method Not Allowed' } };

type Routes = Record<string, (request: Received) => Reply | Promise<Reply>>;

/** A proxy with the bulk routes (1.106) or without them (1.75); other routes as given, `METHOD /path`. */
function proxyOf(version: '1.106' | '1.75', routes: Routes): Promise<FakeProxy> {
  return fakeProxy((request) => {
    const path = request.path.split('?')[0] ?? '';
    const route = routes[`${request.method} ${path}`];
    if (route !== undefined) return route(request);
    if (request.method === 'GET' && path.startsWith('/management/v1/'))
      return version === '1.106' ? NOT_ALLOWED : NOT_FOUND;
    if (version === '1.75' && path === '/health/readiness') return { json: { litellm_version: '1.75.8' } };
    return NOT_FOUND;
  });
}

function query(request: Received): URLSearchParams {
  return new URLSearchParams(request.path.split('?')[1]);
}

function bodies(server: FakeProxy, path: string): unknown[] {
  return server.received
    .filter((request) => request.method === 'POST' && request.path === path)
    .map(({ body }) => body);
}

function newUser(userId: string, extra: Partial<NewUser> = {}): NewUser {
  return {
    userId,
    email: `${userId}@example.com`,
    role: 'internal_user',
    teams: null,
    withKey: false,
    keyAlias: null,
    ...extra,
  };
}

const NO_KEY: Routes = {
  'GET /key/info': () => ({ status: 404, json: { error: { message: 'Key not found in database' } } }),
};
const users = (...rows: Record<string, unknown>[]): Reply => ({ json: { users: rows, total: rows.length } });
const team = (id: string, ...members: string[]) => ({
  team_id: id,
  team_alias: id,
  members_with_roles: members.map((user_id) => ({ user_id })),
});
const teams = (...rows: unknown[]): Reply => ({ json: { teams: rows, total: rows.length } });

const NO_LIMITS = { maxBudget: null, budgetDuration: null, tpmLimit: null, rpmLimit: null, models: [] };
const PLAIN = { keyCount: 0, spend: 0, limits: NO_LIMITS, activity: 'active' };

describe('inventory', () => {
  it('reads users, teams and the own user in one request each', async () => {
    const server = await proxyOf('1.75', {
      ...NO_KEY,
      'GET /user/list': () =>
        users(userJson('a', { teams: ['t', 't'], user_role: null }), userJson('b', { user_email: '' })),
      'GET /v2/team/list': () => teams(team('t', 'a'), { team_id: 'u', team_alias: null, members_with_roles: null }),
    });
    const { proxy } = client(server.url);
    expect(await proxy.inventory()).toEqual({
      users: [
        { ...PLAIN, userId: 'a', email: 'a@example.com', role: null, teams: ['t'] },
        { ...PLAIN, userId: 'b', email: null, role: 'internal_user', teams: [] },
      ],
      teams: [
        { teamId: 't', alias: 't', members: new Set(['a']), admins: new Set(), rosterEmails: new Map() },
        { teamId: 'u', alias: null, members: new Set(), admins: new Set(), rosterEmails: new Map() },
      ],
      ownUserId: null,
    });
    expect(server.routes().sort()).toEqual([
      'GET /key/info',
      'GET /management/v1/users/bulk',
      'GET /user/list',
      'GET /user/list',
      'GET /v2/team/list',
    ]);
    const listed = server.received.find(({ path }) => path.startsWith('/user/list?page=1&page_size=100')) as Received;
    expect(Object.fromEntries(query(listed))).toEqual({
      page: '1',
      page_size: '100',
      sort_by: 'user_id',
      sort_order: 'asc',
    });
  });

  it('knows the user whose key it uses', async () => {
    const routes = { 'GET /user/list': () => users(), 'GET /v2/team/list': () => teams() };
    const own = (user_id: string | null): Routes => ({
      ...routes,
      'GET /key/info': () => ({ json: { key: 'x', info: { user_id } } }),
    });
    for (const [id, expected] of [
      ['ann', 'ann'],
      ['default_user_id', null],
      [null, null],
    ] as const) {
      const server = await proxyOf('1.106', own(id));
      expect((await client(server.url).proxy.inventory()).ownUserId).toBe(expected);
    }
  });

  it('asks a 1.75 for all teams at once with a user’s key, which /v2/team/list would show its own teams alone', async () => {
    const server = await proxyOf('1.75', {
      'GET /key/info': () => ({ json: { info: { user_id: 'viewer' } } }),
      'GET /user/list': () => users(userJson('a')),
      'GET /team/list': () => ({ json: [team('t', 'a')] }),
      'GET /v2/team/list': () => teams(),
    });
    expect((await client(server.url).proxy.inventory()).teams.map(({ teamId }) => teamId)).toEqual(['t']);
  });

  it('lists a column that this version lacks as empty', async () => {
    const { organization_id: _, ...row } = { organization_id: null, ...userJson('a') };
    const server = await proxyOf('1.75', { 'GET /user/list': () => users(row) });
    expect(await client(server.url).proxy.listUsers(['organization_id'], (user) => user.organization_id)).toEqual([
      null,
    ]);
  });

  it('is not complete where nobody is there, but a team has members', async () => {
    const inventoryOf = async (...rows: unknown[]) => {
      const routes = { ...NO_KEY, 'GET /user/list': () => users(), 'GET /v2/team/list': () => teams(...rows) };
      return client((await proxyOf('1.75', routes)).url).proxy.inventory();
    };
    expect((await inventoryOf(team('t'), team('own', 'default_user_id'))).users).toEqual([]);
    const error = await failure(inventoryOf(team('t'), team('u', 'a', 'b')));
    expect([error.name, error.message]).toEqual([
      'IncompleteInventoryError',
      expect.stringContaining('it names no user at all, but team u has 2 members'),
    ]);
  });

  it.each(['GET /user/list', 'GET /v2/team/list', 'GET /key/info'])(
    'fails as a whole where %s fails',
    async (broken) => {
      const routes: Routes = { ...NO_KEY, 'GET /user/list': () => users(), 'GET /v2/team/list': () => teams() };
      const server = await proxyOf('1.106', {
        ...routes,
        [broken]: () => ({ status: 400, json: { detail: 'broken' } }),
      });
      expect((await failure(client(server.url).proxy.inventory())).message).toBe(`${broken} answered 400: broken`);
    },
  );
});

describe('checkVersion', () => {
  const ready = (version?: string): Routes => ({
    'GET /health/readiness': () => ({
      json: { status: 'healthy', ...(version === undefined ? {} : { litellm_version: version }) },
    }),
  });

  it.each(['1.75.8', '1.75.0-stable', '1.106.2', '2.0.0', 'main', undefined])('accepts %s', async (version) => {
    const server = await proxyOf('1.75', ready(version));
    await expect(client(server.url).proxy.checkVersion()).resolves.toBeUndefined();
  });

  it.each(['1.55.8', '1.74.9', '0.14.1'])('refuses %s', async (version) => {
    const server = await proxyOf('1.75', ready(version));
    const error = await failure(client(server.url).proxy.checkVersion());
    expect(error.name).toBe('ProxyTooOldError');
    expect(error.message).toContain(`LiteLLM ${version}; 1.75 or newer is needed`);
  });

  it('takes the bulk routes as proof where the page is closed', async () => {
    const open = await proxyOf('1.106', {});
    await expect(client(open.url).proxy.checkVersion()).resolves.toBeUndefined();
    const unknown = await proxyOf('1.75', { 'GET /health/readiness': () => NOT_FOUND });
    expect((await failure(client(unknown.url).proxy.checkVersion())).message).toContain(
      'GET /health/readiness answered 404',
    );
  });

  it.each<[string, (proxy: ProxyClient) => Promise<unknown>, Routes]>([
    ['a missing route', (proxy) => proxy.inventory(), { ...NO_KEY, 'GET /user/list': () => users() }],
    ['a missing parameter', (proxy) => proxy.listKeys(), { 'GET /key/list': () => ({ status: 400, json: {} }) }],
    [
      'a list in no order',
      (proxy) => proxy.listUsers([], String),
      { 'GET /user/list': () => users(userJson('a'), userJson('a')) },
    ],
    ['another shape', (proxy) => proxy.listTeams(), { ...NO_KEY, 'GET /v2/team/list': () => ({ json: [] }) }],
  ])('%s is told as the age of the proxy where it is too old', async (_what, read, routes) => {
    const old = await proxyOf('1.75', { ...routes, ...ready('1.55.8') });
    expect((await failure(read(client(old.url).proxy))).name).toBe('ProxyTooOldError');
    for (const page of [ready('1.75.8'), {}]) {
      const other = await proxyOf('1.75', { ...routes, ...page });
      expect((await failure(read(client(other.url).proxy))).message).not.toContain('1.75 or newer');
    }
  });
});

describe('capabilities', () => {
  it('are asked once, without writing', async () => {
    for (const [version, expected] of [
      ['1.106', true],
      ['1.75', false],
    ] as const) {
      const server = await proxyOf(version, {});
      const { proxy } = client(server.url);
      expect(await Promise.all([proxy.cleansRosters(), proxy.cleansRosters()])).toEqual([expected, expected]);
      expect(await proxy.cleansRosters()).toBe(expected);
      expect(server.received.map(({ method }) => method)).toEqual(['GET']);
    }
  });

  it('are asked again after a failure', async () => {
    let tries = 0;
    const server = await fakeProxy(() => (++tries === 1 ? { status: 400, json: {} } : NOT_ALLOWED));
    const { proxy } = client(server.url);
    expect((await failure(proxy.cleansRosters())).message).toContain('does a gateway in front of it hold back');
    expect(await proxy.cleansRosters()).toBe(true);
  });

  it.each([401, 403])('that a gateway holds back with %d are done without, with one warning', async (status) => {
    const server = await proxyOf('1.75', {
      'GET /management/v1/users/bulk': () => ({ status, json: { detail: 'blocked path' } }),
      'GET /management/v1/users/bulk_delete': () => ({ status, json: { detail: 'blocked path' } }),
      'POST /user/new': ({ body }) => ({ json: body }),
      'POST /user/delete': () => ({ json: 1 }),
    });
    const { proxy, log } = client(server.url);
    expect(await proxy.createUsers([newUser('a', { teams: [] })])).toMatchObject([{ ok: true }]);
    expect(await proxy.deleteUsers(['a'])).toEqual([{ userId: 'a', ok: true }]);
    expect(log.lines.filter((line) => line.startsWith('warning'))).toEqual([
      expect.stringContaining(`answered ${status}, where a proxy answers 405 or 404: a gateway in front of it seems`),
    ]);
  });

  it('that a gateway holds back are told of once the users are read, and so in a plan, once', async () => {
    const server = await proxyOf('1.106', {
      'GET /management/v1/users/bulk': () => ({ status: 403, json: { detail: 'blocked path' } }),
      'GET /key/info': () => ({ status: 404, json: {} }),
      'GET /v2/team/list': () => ({ json: { teams: [], total: 0 } }),
      'GET /user/list': () => ({ json: { users: [], total: 0 } }),
    });
    const { proxy, log } = client(server.url);
    await proxy.inventory();
    await proxy.inventory();
    const warnings = log.lines.filter((line) => line.startsWith('warning'));
    expect(warnings).toEqual([expect.stringContaining('seems to hold back /management/v1')]);
  });

  it.each([
    [200, true],
    [404, false],
    [403, false],
  ])('/ui/onboarding/ answering %d without the key: %s', async (status, expected) => {
    const server = await proxyOf('1.106', { 'GET /ui/onboarding/': () => ({ status, text: '<html></html>' }) });
    const { proxy } = client(server.url);
    expect([await proxy.onboardingPage(), await proxy.onboardingPage()]).toEqual([expected, expected]);
    expect(server.received).toHaveLength(1);
    expect(server.received[0]?.headers.authorization).toBeUndefined();
  });
});

describe('createUsers in bulk', () => {
  it('sends what was asked for and nothing else', async () => {
    const server = await proxyOf('1.106', { 'POST /management/v1/users/bulk': () => ({ json: { data: [] } }) });
    await client(server.url).proxy.createUsers([
      newUser('a', { role: null }),
      newUser('b', { teams: [] }),
      newUser('c', { teams: ['t'], withKey: true, keyAlias: 'k' }),
      newUser('d', { teams: ['t', 'u'], withKey: true }),
      newUser('e', { teams: ['t'] }),
    ]);
    expect(bodies(server, '/management/v1/users/bulk')).toEqual([
      {
        users: [
          { user_id: 'a', user_email: 'a@example.com', auto_create_key: false },
          { user_id: 'b', user_email: 'b@example.com', user_role: 'internal_user', teams: [], auto_create_key: false },
          {
            user_id: 'c',
            user_email: 'c@example.com',
            user_role: 'internal_user',
            team_id: 't',
            auto_create_key: true,
            key_alias: 'k',
          },
          {
            user_id: 'd',
            user_email: 'd@example.com',
            user_role: 'internal_user',
            teams: ['t', 'u'],
            auto_create_key: true,
          },
          {
            user_id: 'e',
            user_email: 'e@example.com',
            user_role: 'internal_user',
            teams: ['t'],
            auto_create_key: false,
          },
        ],
      },
    ]);
  });

  it('reads a real answer row by row', async () => {
    const { body } = recorded('1.106/114-users-bulk');
    const server = await proxyOf('1.106', { 'POST /management/v1/users/bulk': () => ({ json: body }) });
    const { proxy, secrets } = client(server.url);
    const ids = ['20d0454b-ab15-478b-b8e2-67a1a162ed18', '3c8d16b0-e2ef-437a-94a3-08e52a2c4c17', 'row-5', 'left-out'];
    const rows = await proxy.createUsers(ids.map((id) => newUser(id)));
    expect(rows).toMatchObject([
      { ok: true, key: null, teams: ['team-north'], warning: null },
      { ok: false, reason: 'User email=ANA@example.com already exists' },
      { ok: true, teams: ['team-south'] },
      { ok: false, lost: true },
    ]);
    expect(rows[2]?.ok === true && rows[2].key?.reveal()).toBe('sk-...masked');
    expect(secrets).toHaveLength(4);
  });

  it('leaves a quarter of the places to others while users are created', async () => {
    const begun: string[] = [];
    const created = gate();
    const server = await proxyOf('1.106', {
      'POST /management/v1/users/bulk': async () => {
        begun.push('users');
        await created.opened;
        return { json: { data: [] } };
      },
      'POST /invitation/new': async () => {
        begun.push('invitation');
        await created.opened;
        return { json: { id: 'invitation', expires_at: '2026-01-08T00:00:00Z' } };
      },
    });
    const { proxy } = client(server.url, { concurrency: 8 });
    const users = proxy.createUsers([newUser('a')]);
    await vi.waitFor(() => expect(begun).toEqual(['users']));
    const invitations = ['b', 'c', 'd'].map((id) => proxy.createInvitation(id));
    await vi.waitFor(() => expect(begun).toEqual(['users', 'invitation', 'invitation']));
    created.open();
    await Promise.all([users, ...invitations]);
    expect(begun).toHaveLength(4);
  });

  it('keeps the proxy’s words where a user was created but did not join', async () => {
    const data = [{ user_id: 'a', success: true, teams: [], key: null, error: 'Failed to join team t' }];
    const server = await proxyOf('1.106', { 'POST /management/v1/users/bulk': () => ({ json: { data } }) });
    const [row] = await client(server.url).proxy.createUsers([newUser('a', { teams: ['t'] })]);
    expect(row).toMatchObject({ ok: true, teams: [], warning: 'Failed to join team t' });
  });

  it('throws where the answer of the whole call is lost, and where it is refused: no other key has more seats', async () => {
    const detail = 'License is over limit. Please contact support@berri.ai to upgrade your license.';
    const answers: Reply[] = [
      (response) => void response.destroy(),
      { status: 403, json: { title: 'License limit exceeded', status: 403, detail } },
    ];
    const server = await proxyOf('1.106', { 'POST /management/v1/users/bulk': () => answers.shift() as Reply });
    const { proxy } = client(server.url);
    expect(await failure(proxy.createUsers([newUser('a')]))).toBeInstanceOf(AnswerLostError);
    const refused = await failure(proxy.createUsers([newUser('a')]));
    expect(refused.message).toBe(`POST /management/v1/users/bulk answered 403: ${detail}`);
    expect(withWayOut(refused.message)).toContain('(free a seat or extend the license, then run again)');
  });
});

describe('a call that takes one request per user (1.75)', () => {
  const ok = { json: {} };
  const gone: Reply = { status: 404, json: { detail: { error: 'User not found' } } };

  type Write = (proxy: ProxyClient, blocked: () => string | null) => Promise<readonly RowResult[]>;
  it.each<[string, number, number, Routes, Write]>([
    [
      'createUsers',
      1,
      1,
      { 'POST /user/new': ({ body }) => ({ json: body }) },
      (proxy, blocked) =>
        proxy.createUsers(
          ['a', 'b', 'c'].map((id) => newUser(id, { teams: ['t'] })),
          blocked,
        ),
    ],
    [
      'deleteUsers',
      2,
      3,
      { 'POST /user/delete': ({ body }) => ((body as { user_ids: string[] }).user_ids.length > 1 ? gone : ok) },
      (proxy, blocked) => proxy.deleteUsers(['a', 'b', 'c'], blocked),
    ],
    [
      'leaveTeam',
      1,
      1,
      { 'POST /team/member_delete': () => ok },
      (proxy, blocked) => proxy.leaveTeam('t', ['a', 'b', 'c'], blocked),
    ],
  ])('%s sends no further one once the run is stopped', async (_name, allowed, writes, routes, write) => {
    const server = await proxyOf('1.75', routes);
    let asked = 0;
    const rows = await write(client(server.url).proxy, () => (++asked > allowed ? 'stopped' : null));
    const unsent = { ok: false, blocked: true, reason: 'stopped' };
    expect(rows).toMatchObject([
      { userId: 'a', ok: true },
      { userId: 'b', ...unsent },
      { userId: 'c', ...unsent },
    ]);
    expect(server.routes().filter((route) => route.startsWith('POST'))).toHaveLength(writes);
  });
});

describe('createUsers on 1.75', () => {
  it('makes one call per user; a lost answer or a refusal costs that row alone', async () => {
    const { body } = recorded('1.75/012-user-new');
    const server = await proxyOf('1.75', {
      'POST /user/new': ({ body: sent }) => {
        const { user_id } = sent as { user_id: string };
        if (user_id === 'lost') return (response) => void response.destroy();
        if (user_id === 'taken') return { status: 400, json: recorded('1.75/017-user-new-same-email').body };
        return { json: { ...(body as object), user_id } };
      },
    });
    const { proxy, secrets } = client(server.url);
    const rows = await proxy.createUsers([
      newUser('a', { withKey: true }),
      newUser('lost'),
      newUser('taken'),
      newUser('b'),
    ]);
    expect(rows).toMatchObject([
      { userId: 'a', ok: true, teams: null, warning: null },
      { userId: 'lost', ok: false, lost: true },
      { userId: 'taken', ok: false, reason: 'User with email ana@example.com already exists' },
      { userId: 'b', ok: true },
    ]);
    expect(rows[2]).not.toHaveProperty('lost');
    expect(secrets).toEqual(['sk-...masked', 'sk-...masked']);
  });

  it('keeps the rows of who is there, where nobody can be reached any more', async () => {
    const server = await proxyOf('1.75', {
      'POST /user/new': ({ body }) => ({ json: { ...(body as object), teams: null, key: '' } }),
    });
    const transport = createTransport();
    let isDown = false;
    const { proxy } = client(
      server.url,
      { retries: 0 },
      {
        transport: async (exchange) => {
          if (isDown) throw new TransportError('unreachable', 'ECONNREFUSED');
          const answer = await transport(exchange);
          isDown = exchange.url.pathname === '/user/new';
          return answer;
        },
      },
    );
    const [row] = await proxy.createUsers([newUser('a', { teams: ['t'], withKey: true })]);
    expect(row).toMatchObject({ userId: 'a', ok: true, teams: null, warning: expect.stringContaining('ECONNREFUSED') });
  });

  /** Keeps rosters as 1.75 does: read, changed and written back later. */
  async function rosters(defaults: readonly string[] = []) {
    const teamsOf = new Map<string, string[]>();
    const roster = new Map<string, string[]>();
    const join = async (id: string, userIds: readonly string[]): Promise<void> => {
      const before = roster.get(id) ?? [];
      await new Promise((resolve) => setTimeout(resolve, 3));
      roster.set(id, [...before, ...userIds]);
      for (const userId of userIds) teamsOf.get(userId)?.push(id);
    };
    let under = 0;
    const most = { creations: 0 };
    const server = await proxyOf('1.75', {
      'POST /user/new': async ({ body }) => {
        const { user_id, teams: ids = defaults } = body as { user_id: string; teams?: string[] };
        teamsOf.set(user_id, []);
        most.creations = Math.max(most.creations, ++under);
        await new Promise((resolve) => setTimeout(resolve, 3));
        under--;
        await Promise.all(ids.map((id) => join(id, [user_id])));
        return { json: { user_id, teams: null, key: '' } };
      },
      'POST /team/bulk_member_add': async ({ body }) => {
        const { team_id, members } = body as { team_id: string; members: { user_id: string }[] };
        const ids = members.map((member) => member.user_id);
        await join(team_id, ids);
        return { json: { results: ids.map((user_id) => ({ user_id, success: true, error: null, updated_user: {} })) } };
      },
      'POST /key/generate': ({ body }) => ({ json: { key: `sk-${(body as { user_id: string }).user_id}-0000` } }),
      'GET /user/list': (request) => {
        const ids = [...new Set(query(request).get('user_ids')?.split(','))];
        return users(...ids.map((id) => userJson(id, { teams: teamsOf.get(id) })));
      },
      'GET /v2/team/list': (request) => {
        const id = query(request).get('team_id');
        return teams(
          ...[...roster].filter(([name]) => id === null || id === name).map(([name, ids]) => team(name, ...ids)),
        );
      },
    });
    return { server, roster, most };
  }

  it('makes users side by side, then joins them to their teams in bulk, then makes their keys', async () => {
    const { server, roster, most } = await rosters();
    const rows = Array.from({ length: 120 }, (_, index) =>
      newUser(`u${index}`, { teams: index % 2 === 0 ? ['t'] : ['t', 'u'], withKey: true }),
    );
    const { proxy, secrets } = client(server.url);
    const made = await proxy.createUsers(rows);
    expect(made.map((row) => row.ok && row.teams)).toEqual(rows.map((row) => row.teams));
    expect(made.map((row) => row.ok && row.key?.reveal())).toEqual(rows.map((row) => `sk-${row.userId}-0000`));
    expect(secrets).toHaveLength(120);
    expect([roster.get('t')?.length, roster.get('u')?.length]).toEqual([120, 60]);
    expect(most.creations).toBe(4);
    expect(bodies(server, '/team/bulk_member_add')).toHaveLength(5);
    expect(bodies(server, '/key/generate').slice(0, 2)).toEqual([{ user_id: 'u0', team_id: 't' }, { user_id: 'u1' }]);
  });

  it('makes those who are to join default teams one after the other, and side by side where there are none', async () => {
    const some = Array.from({ length: 8 }, (_, index) => newUser(`u${index}`));
    const withDefaults = await rosters(['d']);
    await client(withDefaults.server.url).proxy.createUsers(some);
    expect(withDefaults.roster.get('d')).toHaveLength(8);
    const without = await rosters();
    await client(without.server.url).proxy.createUsers(some);
    expect([withDefaults.most.creations, without.most.creations]).toEqual([1, 4]);
  });
});

describe('deleteUsers', () => {
  it('counts an unknown user as deleted', async () => {
    const { body } = recorded('1.106/137-users-bulk-delete');
    const server = await proxyOf('1.106', { 'POST /management/v1/users/bulk_delete': () => ({ json: body }) });
    expect(await client(server.url).proxy.deleteUsers(['nobody', 'row-7', 'unmentioned'])).toEqual([
      { userId: 'nobody', ok: true },
      { userId: 'row-7', ok: true },
      { userId: 'unmentioned', ok: false, lost: true, reason: "The proxy's answer leaves this user out." },
    ]);
  });

  it('halves a call on 1.75 where one is unknown, and never sends two at once', async () => {
    let under = 0;
    let clash = false;
    const server = await proxyOf('1.75', {
      'POST /user/delete': async ({ body }) => {
        clash ||= ++under > 1;
        await new Promise((resolve) => setTimeout(resolve, 3));
        under--;
        const { user_ids } = body as { user_ids: string[] };
        return user_ids.includes('gone')
          ? { status: 404, json: { detail: { error: 'User not found, passed user_id=gone' } } }
          : { json: user_ids.length };
      },
    });
    const { proxy } = client(server.url);
    const [first] = await Promise.all([proxy.deleteUsers(['a', 'gone', 'b']), proxy.deleteUsers(['c', 'd'])]);
    expect(first).toEqual([
      { userId: 'a', ok: true },
      { userId: 'gone', ok: true },
      { userId: 'b', ok: true },
    ]);
    expect(clash).toBe(false);
    expect(bodies(server, '/user/delete')).toHaveLength(6);
  });

  it('deletes all others where one cannot be deleted, and tells that one', async () => {
    const left = new Set(Array.from({ length: 40 }, (_, index) => `u${index}`));
    const server = await proxyOf('1.75', {
      'POST /user/delete': ({ body }) => {
        const { user_ids } = body as { user_ids: string[] };
        if (user_ids.includes('u17')) return { status: 500, text: 'Internal Server Error' };
        for (const id of user_ids) left.delete(id);
        return { json: user_ids.length };
      },
      'GET /user/list': () => users(...[...left].map((id) => userJson(id))),
    });
    const rows = await client(server.url).proxy.deleteUsers([...left]);
    expect([...left]).toEqual(['u17']);
    expect(rows.filter((row) => !row.ok)).toEqual([
      { userId: 'u17', ok: false, reason: expect.stringContaining('whoever has made an invitation') },
    ]);
    const deletes = server.received.filter(({ path }) => path === '/user/delete');
    expect(deletes.length).toBeLessThan(14);
    // The proxy closes a connection after a plain 500 without a word: no write may run into that.
    expect(new Set(deletes.map(({ headers }) => headers.connection))).toEqual(new Set(['close']));
  });

  it('takes a user whose deletion fails but who is gone for deleted', async () => {
    const server = await proxyOf('1.75', {
      'POST /user/delete': () => ({ status: 500, text: 'Internal Server Error' }),
      'GET /user/list': () => users(),
    });
    expect(await client(server.url).proxy.deleteUsers(['a'])).toEqual([{ userId: 'a', ok: true }]);
  });

  it('leaves a lost answer to its caller: the proxy may still be at it', async () => {
    const server = await proxyOf('1.75', { 'POST /user/delete': () => ({ status: 504, text: 'Gateway Timeout' }) });
    expect(await failure(client(server.url).proxy.deleteUsers(['a', 'b']))).toBeInstanceOf(AnswerLostError);
    expect(bodies(server, '/user/delete')).toHaveLength(1);
  });

  it('does not take a missing route for missing users', async () => {
    const server = await proxyOf('1.75', {
      'POST /user/delete': () => ({ status: 404, json: { detail: 'No route' } }),
    });
    expect((await failure(client(server.url).proxy.deleteUsers(['a']))).message).toContain('answered 404: No route');
  });
});

describe('joinTeam', () => {
  const bulkAdd = (...results: unknown[]): Routes => ({ 'POST /team/bulk_member_add': () => ({ json: { results } }) });
  const refused = (user_id: string, error: string) => ({ user_id, success: false, error });

  it('sends ids alone and reads a real answer', async () => {
    const server = await proxyOf(
      '1.75',
      bulkAdd(...(recorded('1.75/039-team-bulk-member-add').body as { results: [] }).results),
    );
    expect(await client(server.url).proxy.joinTeam('a b/%', ['ben', 'lost'])).toEqual([
      { userId: 'ben', ok: true },
      { userId: 'lost', ok: true },
    ]);
    expect(bodies(server, '/team/bulk_member_add')).toEqual([
      {
        team_id: 'a b/%',
        members: [
          { user_id: 'ben', role: 'user' },
          { user_id: 'lost', role: 'user' },
        ],
      },
    ]);
  });

  it.each([
    ['1.106', 'All users are already in team. Existing members=[…]'],
    ['1.75', ''],
  ] as const)('is fine on %s for who is a member already (%j)', async (version, error) => {
    const server = await proxyOf(version, {
      ...bulkAdd(refused('a', error)),
      'GET /user/list': () => users(userJson('a', { teams: ['t'] })),
      'GET /v2/team/list': () => teams(team('t', 'a')),
    });
    expect(await client(server.url).proxy.joinTeam('t', ['a'])).toEqual([{ userId: 'a', ok: true }]);
  });

  it('does not take an empty error for membership', async () => {
    const server = await proxyOf('1.75', {
      ...bulkAdd(refused('a', '')),
      'GET /user/list': () => users(userJson('a')),
      'GET /v2/team/list': () => teams(team('t')),
    });
    expect(await client(server.url).proxy.joinTeam('t', ['a'])).toEqual([
      { userId: 'a', ok: false, reason: 'The proxy gives no reason.' },
    ]);
  });

  it('says why a row failed', async () => {
    const server = await proxyOf('1.106', bulkAdd(refused('a', "404: {'error': 'Team not found for team_id=t'}")));
    expect(await client(server.url).proxy.joinTeam('t', ['a'])).toEqual([
      { userId: 'a', ok: false, code: 'other', reason: 'Team not found for team_id=t' },
    ]);
  });

  const halfMember = (version: '1.106' | '1.75', keys: unknown[]): Promise<FakeProxy> => {
    const answers = [
      refused('a', version === '1.75' ? '' : 'All users are already in team.'),
      { user_id: 'a', success: true, error: null, updated_user: {} },
    ];
    return proxyOf(version, {
      'POST /team/bulk_member_add': () => ({ json: { results: [answers.shift()] } }),
      'GET /user/list': () => users(userJson('a')),
      'GET /v2/team/list': () => teams(team('t', 'a')),
      'GET /key/list': () => ({ json: { keys, total_count: keys.length } }),
      'POST /management/v1/teams/t/members/bulk_delete': () => ({
        json: { data: [{ user_id: 'a', success: true, error: null }] },
      }),
      'POST /team/member_delete': () => ({ json: {} }),
    });
  };

  it.each(['1.106', '1.75'] as const)(
    'mends on %s who stands in the roster alone, by leaving and joining',
    async (version) => {
      const server = await halfMember(version, []);
      expect(await client(server.url).proxy.joinTeam('t', ['a'])).toEqual([{ userId: 'a', ok: true }]);
      expect(bodies(server, '/team/bulk_member_add')).toHaveLength(2);
    },
  );

  it('does not mend where that would delete keys', async () => {
    const key = { token: 'h', key_name: 'sk-...1234', key_alias: null, user_id: 'a', team_id: 't', spend: 0 };
    const server = await halfMember('1.106', [key]);
    const [row] = await client(server.url).proxy.joinTeam('t', ['a']);
    expect(row).toMatchObject({
      ok: false,
      reason: expect.stringContaining('leaving would delete their keys of this team (sk-...1234)'),
    });
    expect(server.routes()).not.toContain('POST /management/v1/teams/t/members/bulk_delete');
  });
});

describe('leaveTeam', () => {
  it('reads a real answer; being outside already is fine', async () => {
    const { body } = recorded('1.106/133-members-bulk-delete');
    const server = await proxyOf('1.106', {
      'POST /management/v1/teams/a%20b%25/members/bulk_delete': () => ({ json: body }),
    });
    const { proxy, log } = client(server.url);
    expect(await proxy.leaveTeam('a b%', ['row-6', 'nobody'])).toMatchObject([
      { userId: 'row-6', ok: false, lost: true },
      { userId: 'nobody', ok: true },
    ]);
    expect(log.lines.join()).toContain('POST /management/v1/teams/{team_id}/members/bulk_delete 2 rows: 200');
  });

  it.each(['a/b', '.', '..'])('takes the classic route for the id %s, which fits no path', async (id) => {
    const server = await proxyOf('1.106', { 'POST /team/member_delete': () => ({ json: {} }) });
    expect(await client(server.url).proxy.leaveTeam(id, ['a'])).toEqual([{ userId: 'a', ok: true }]);
    expect(bodies(server, '/team/member_delete')).toEqual([{ team_id: id, user_id: 'a' }]);
  });

  it('goes one by one on 1.75', async () => {
    let under = 0;
    let clash = false;
    const server = await proxyOf('1.75', {
      'POST /team/member_delete': async ({ body }) => {
        clash ||= ++under > 1;
        await new Promise((resolve) => setTimeout(resolve, 3));
        under--;
        const { user_id } = body as { user_id: string };
        return user_id === 'a'
          ? { json: {} }
          : { status: 400, json: recorded('1.75/058-team-member-delete-again').body };
      },
      'GET /user/list': (request) =>
        users(query(request).get('user_ids') === 'half,half' ? userJson('half', { teams: ['t'] }) : userJson('out')),
    });
    const { proxy } = client(server.url);
    const [rows] = await Promise.all([proxy.leaveTeam('t', ['a', 'out', 'half']), proxy.leaveTeam('t', ['a'])]);
    expect(rows).toMatchObject([
      { userId: 'a', ok: true },
      { userId: 'out', ok: true },
      { userId: 'half', ok: false, reason: expect.stringContaining('recreate-on-failure') },
    ]);
    expect(clash).toBe(false);
  });
});

describe('look-ups', () => {
  it('find exactly the users asked for, a hundred a request', async () => {
    const server = await proxyOf('1.106', {
      'GET /user/list': (request) =>
        users(...[...new Set(query(request).get('user_ids')?.split(','))].map((id) => userJson(id))),
      'GET /user/info': (request) =>
        query(request).get('user_id') === 'x,y'
          ? { json: { user_info: userJson('x,y'), keys: [{}, {}] } }
          : { status: 404, json: { detail: 'no such user' } },
    });
    const { proxy } = client(server.url);
    const ids = Array.from({ length: 250 }, (_, index) => `u${index}`);
    const found = await proxy.findUsers([...ids, ...ids, 'x,y', ' blank ']);
    expect(found.map((user) => user.userId).sort()).toEqual([...ids, 'x,y'].sort());
    expect(server.routes().filter((route) => route === 'GET /user/list')).toHaveLength(3);
    expect(await proxy.findUsers([])).toEqual([]);
  });

  it('ask for a lone id twice, since one alone matches its like', async () => {
    const server = await proxyOf('1.106', { 'GET /user/list': () => users(userJson('ann'), userJson('joann')) });
    expect((await client(server.url).proxy.findUsers(['ann'])).map((user) => user.userId)).toEqual(['ann']);
    expect(query(server.received[0] as Received).get('user_ids')).toBe('ann,ann');
  });

  it('find an email in any letter case, and no longer one', async () => {
    const found = users(
      userJson('1', { user_email: ' Ann+x@Example.com ' }),
      userJson('2', { user_email: 'joann+x@example.com' }),
    );
    const server = await proxyOf('1.106', { 'GET /user/list': () => found });
    expect((await client(server.url).proxy.findUsersByEmail('ann+X@example.com')).map((user) => user.userId)).toEqual([
      '1',
    ]);
    expect(query(server.received[0] as Received).get('user_email')).toBe('ann+X@example.com');
  });

  it('find teams one by one where they are few, else all in one listing', async () => {
    const all = ['a', 'b c', 'd/e', 'f', 'g'].map((id) => team(id));
    const server = await proxyOf('1.106', {
      'GET /v2/team/list': (request) => {
        const id = query(request).get('team_id');
        return teams(...all.filter((row) => id === null || row.team_id === id));
      },
    });
    const { proxy } = client(server.url);
    expect((await proxy.findTeams(['d/e', 'none'])).map((found) => found.teamId)).toEqual(['d/e']);
    expect(proxy.requestCount).toBe(2);
    expect((await proxy.findTeams(['a', 'b c', 'f', 'none'])).map((found) => found.teamId)).toEqual(['a', 'b c', 'f']);
    expect(proxy.requestCount).toBe(3);
  });
});

describe('keys', () => {
  const key = (hash: string, user_id: string | null, team_id: string | null, key_alias: string | null = null) => ({
    token: hash,
    key_name: 'sk-...1234',
    key_alias,
    user_id,
    team_id,
    spend: 1.5,
  });
  const listed = (rows: readonly ReturnType<typeof key>[]): Routes => ({
    'GET /key/list': (request) => {
      const wanted = query(request);
      const found = rows.filter(
        (row) =>
          (!wanted.has('user_id') || row.user_id === wanted.get('user_id')) &&
          (!wanted.has('team_id') || row.team_id === wanted.get('team_id')) &&
          (!wanted.has('key_alias') || row.key_alias?.includes(wanted.get('key_alias') ?? '')),
      );
      const page = Number(wanted.get('page'));
      return { json: { keys: found.slice((page - 1) * 100, page * 100), total_count: found.length } };
    },
  });

  it('of a user are read over all pages', async () => {
    const server = await proxyOf(
      '1.106',
      listed(Array.from({ length: 230 }, (_, index) => key(`h${index}`, 'a', null))),
    );
    const keys = await client(server.url).proxy.keysOfUser('a');
    expect(keys).toHaveLength(230);
    expect(keys[0]).toEqual({ hash: 'h0', name: 'sk-...1234', alias: null, userId: 'a', teamId: null, spend: 1.5 });
  });

  const pairs = (...all: [string, string][]) => all.map(([userId, teamId]) => ({ userId, teamId }));

  it('of users in teams cost a request per team or per user, whichever are fewer', async () => {
    const rows = [key('1', 'a', 't'), key('2', 'b', 't'), key('3', 'a', 'u'), key('4', 'c', 't'), key('5', 'a', null)];
    const server = await proxyOf('1.106', listed(rows));
    const { proxy } = client(server.url);
    const hashes = async (...all: [string, string][]): Promise<unknown> => {
      const found = await proxy.leavingKeys(pairs(...all));
      return found === 'unknown' ? found : found.map((one) => one.hash).sort();
    };
    expect(await hashes(['a', 't'], ['b', 't'])).toEqual(['1', '2']);
    expect(proxy.requestCount).toBe(1);
    expect(await hashes(['a', 't'], ['a', 'u'])).toEqual(['1', '3']);
    expect(proxy.requestCount).toBe(2);
    expect(await hashes()).toEqual([]);
    expect(proxy.requestCount).toBe(2);
  });

  const forbidden: Reply = {
    status: 403,
    json: { error: { message: "You are not authorized to check another user's keys" } },
  };

  it('are found among all where a viewer’s key may not filter (below 1.100)', async () => {
    const rows = [key('1', 'a', 't', 'one'), key('2', 'b', 't'), key('3', 'a', 'u')];
    const server = await proxyOf('1.75', {
      'GET /key/list': (request) => {
        const wanted = query(request);
        if (wanted.has('user_id') || wanted.has('team_id')) return forbidden;
        return { json: { keys: rows, total_count: rows.length } };
      },
    });
    const { proxy } = client(server.url);
    expect(await proxy.leavingKeys(pairs(['a', 't']))).toMatchObject([{ hash: '1' }]);
    expect(await proxy.keysOfUser('a')).toMatchObject([{ hash: '1' }, { hash: '3' }]);
  });

  it('are unknown, and never none, where the key may list none', async () => {
    const server = await proxyOf('1.75', { 'GET /key/list': () => forbidden });
    expect(await client(server.url).proxy.leavingKeys(pairs(['a', 't']))).toBe('unknown');
    expect((await failure(client(server.url).proxy.keysOfUser('a'))).name).toBe('ProxyForbiddenError');
  });

  it.each([
    [401, { error: { message: 'team not allowed to access model. This team can only access models', code: '401' } }],
    [403, { error: { message: 'User=a is not a member of the team=t.', code: '403' } }],
    [404, { error: { message: "{'error': \"Team doesn't exist in db.\"}", code: '404' } }],
  ])('stay where they are where the proxy says %d, with its words', async (status, json) => {
    const server = await proxyOf('1.75', { 'POST /key/update': () => ({ status, json }) });
    const moved = await client(server.url).proxy.moveKey('hash', 't');
    expect(moved).toEqual({ ok: false, reason: expect.stringMatching(/^(team not|User=a is|Team doesn't)/) });
  });

  it('move by their hash; a key of ours that is refused is no word on that one', async () => {
    const replies: Reply[] = [{ json: { team_id: 't' } }, { status: 401, json: { error: { message: 'invalid key' } } }];
    const server = await proxyOf('1.106', { 'POST /key/update': () => replies.shift() as Reply });
    const { proxy } = client(server.url);
    expect(await proxy.moveKey('hash', 't')).toEqual({ ok: true });
    expect(bodies(server, '/key/update')).toEqual([{ key: 'hash', team_id: 't' }]);
    expect((await failure(proxy.moveKey('hash', 't'))).name).toBe('ProxyAuthError');
  });

  it('hold aliases: matched exactly, by the fewest requests', async () => {
    const rows = [key('1', 'a', null, 'one'), key('2', null, null, 'two'), key('3', 'c', null, 'one-more')];
    const server = await proxyOf('1.106', listed(rows));
    const { proxy } = client(server.url);
    expect(await proxy.takenAliases(['one', 'free'])).toEqual(new Map([['one', 'a']]));
    expect(proxy.requestCount).toBe(2);
    expect(await proxy.takenAliases(['one', 'two', 'on', 'free', 'other'])).toEqual(
      new Map([
        ['one', 'a'],
        ['two', null],
      ]),
    );
    expect(proxy.requestCount).toBe(3);
    expect(await proxy.takenAliases([])).toEqual(new Map());
  });

  it('are made for user, team and alias', async () => {
    const server = await proxyOf('1.106', {
      'POST /key/generate': () => ({ json: { key: 'sk-new-0001', token: 'h' } }),
    });
    const { proxy, secrets } = client(server.url);
    expect((await proxy.createKey({ userId: 'a', teamId: 't', alias: null })).reveal()).toBe('sk-new-0001');
    await proxy.createKey({ userId: 'a', teamId: null, alias: 'k' });
    expect(secrets).toEqual(['sk-new-0001', 'sk-new-0001']);
    expect(bodies(server, '/key/generate')).toEqual([
      { user_id: 'a', team_id: 't' },
      { user_id: 'a', key_alias: 'k' },
    ]);
  });

  it('that are gone already do not keep the others from being deleted', async () => {
    const left = new Set(['1', '3']);
    const server = await proxyOf('1.106', {
      'POST /key/delete': ({ body }) => {
        const { keys } = body as { keys: string[] };
        if (keys.some((hash) => !left.has(hash)))
          return { status: 404, json: { error: { message: "{'error': 'No keys found'}" } } };
        for (const hash of keys) left.delete(hash);
        return { json: { deleted_keys: keys } };
      },
    });
    await client(server.url).proxy.deleteKeys(['1', '2', '3']);
    expect(left.size).toBe(0);
  });
});

describe('createInvitation', () => {
  const refused = (...existing: string[]): Routes => ({
    'POST /invitation/new': () => ({ status: 400, json: recorded('1.106/088-invitation-new-unknown-user').body }),
    'GET /user/list': () => users(...existing.map((id) => userJson(id))),
  });

  it('makes the proxy’s own user first where no team has made it yet, once for all', async () => {
    const made: unknown[] = [];
    const server = await proxyOf('1.106', {
      ...refused('a', 'b'),
      'POST /invitation/new': (call) =>
        made.length === 0
          ? { status: 400, json: recorded('1.106/088-invitation-new-unknown-user').body }
          : { json: { id: `i-${(call.body as { user_id: string }).user_id}`, expires_at: '2026-01-01T00:00:00Z' } },
      'POST /user/new': (call) => {
        made.push(call.body);
        return { json: { user_id: 'default_user_id', key: '', teams: [] } };
      },
    });
    const { proxy } = client(server.url);
    const links = await Promise.all([proxy.createInvitation('a'), proxy.createInvitation('b')]);
    expect(links.map((link) => link.id.reveal())).toEqual(['i-a', 'i-b']);
    expect(made).toEqual([
      { user_id: 'default_user_id', user_role: 'internal_user', teams: [], auto_create_key: false },
    ]);
  });

  it('leaves the proxy’s word for a user that is really missing', async () => {
    const server = await proxyOf('1.106', refused('default_user_id'));
    expect((await failure(client(server.url).proxy.createInvitation('a'))).message).toContain('User id does not exist');
  });
});
