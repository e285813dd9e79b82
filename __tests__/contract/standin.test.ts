import { afterEach, describe, expect, test } from 'vitest';
import { type Fault, type SeenRequest, type Standin, type StandinOptions, startStandin } from '../../standin/server.ts';
import { Api } from './api.ts';

let running: Standin | null = null;

async function start(options: StandinOptions = {}): Promise<Api> {
  running = await startStandin(options);
  return new Api(running.baseUrl, running.masterKey);
}

afterEach(() => running?.close());

const NEW = { user_id: 'a', user_email: 'a@example.com', auto_create_key: false };

describe('options of the stand-in', () => {
  test('a seed: teams, users, keys, and both kinds of half a membership', async () => {
    const api = await start({
      seed: {
        teams: [{ teamId: 't', alias: 'Team' }, { teamId: 'u' }],
        users: [
          {
            userId: 'a',
            email: 'a@example.com',
            role: 'proxy_admin',
            teams: ['t'],
            spend: 1.5,
            keys: [{ alias: 'k', teamId: 't', spend: 1 }],
          },
          { userId: 'b', teamsOnly: ['t'], rosterOnly: ['u'] },
        ],
      },
    });
    expect(await api.user('a')).toMatchObject({ teams: ['t'], spend: 1.5, key_count: 1, user_role: 'proxy_admin' });
    expect(await api.teamsOf('b')).toEqual(['t']);
    expect([await api.rosterOf('t'), await api.rosterOf('u')]).toEqual([['a'], ['b']]);
    const { keys } = (await api.get('/key/list?return_full_object=true')).body;
    expect(keys).toMatchObject([{ key_alias: 'k', team_id: 't', user_id: 'a', spend: 1 }]);
  });

  test('a seed with a team that it does not have is refused', async () => {
    const seed = { users: [{ userId: 'a', teams: ['none'] }] };
    await expect(startStandin({ seed })).rejects.toThrow('Seed: user a is in team none');
  });

  test('a root path: nothing outside it, and redirects stay within', async () => {
    const api = await start({ rootPath: '/litellm' });
    expect(api.baseUrl).toMatch(/\/litellm$/);
    expect(await api.get('/user/list')).toMatchObject({ status: 200 });
    expect((await api.get('/ui')).headers.get('location')).toBe(`${api.baseUrl}/ui/`);
    const outside = new Api(api.baseUrl.replace('/litellm', ''), api.key);
    expect(await outside.get('/user/list')).toMatchObject({ status: 404, body: { detail: 'Not Found' } });
  });

  test('a license that is used up: 403, in bulk for the whole call', async () => {
    const api = await start({ licenseSeats: 2 });
    const users = [{ user_id: 'a' }, { user_id: 'b' }, { user_id: 'c' }];
    const detail = 'License is over limit. Please contact support@berri.ai to upgrade your license.';
    const bulk = await api.post('/management/v1/users/bulk', { users });
    expect(bulk).toMatchObject({
      status: 403,
      type: 'application/problem+json',
      body: { title: 'License limit exceeded', detail },
    });
    for (const user of users) await api.ok('/user/new', user);
    const refused = await api.post('/user/new', { user_id: 'd' });
    expect(refused).toMatchObject({ status: 403, body: { error: { message: detail, code: '403' } } });
  });

  test('defaults for new users, for what the call leaves open', async () => {
    const api = await start({
      newUserDefaults: { role: 'internal_user_viewer', teams: ['t'] },
      seed: { teams: [{ teamId: 't' }] },
    });
    await api.ok('/user/new', NEW);
    await api.ok('/user/new', { user_id: 'b', teams: [], user_role: 'internal_user' });
    expect(await api.user('a')).toMatchObject({ user_role: 'internal_user_viewer', teams: ['t'] });
    expect(await api.user('b')).toMatchObject({ user_role: 'internal_user', teams: [] });
  });

  describe.each(['1.75', '1.82', '1.90', '1.106', '1.110'] as const)(
    'a configured budget of internal users: %s',
    (version) => {
      const internalUserBudget = { maxBudget: 10, budgetDuration: '30d' };
      const clears = version === '1.106' || version === '1.110';

      test.each([
        ['none sent', {}, [10, '30d']],
        ['the current ones sent', { max_budget: 500, budget_duration: '7d' }, [500, '7d']],
        ['no period sent', { max_budget: 500, budget_duration: null }, [500, clears ? null : '30d']],
        [
          'neither sent',
          { max_budget: null, budget_duration: null },
          [version === '1.75' ? 10 : null, clears ? null : '30d'],
        ],
      ])('a role update with %s', async (_name, sent, [max_budget, budget_duration]) => {
        const users = [{ userId: 'a', maxBudget: 500, budgetDuration: '7d' }];
        const api = await start({ version, internalUserBudget, seed: { users } });
        await api.ok('/user/update', { user_id: 'a', user_role: 'internal_user_viewer' });
        expect(await api.user('a')).toMatchObject({ max_budget: 500, budget_duration: '7d' });
        await api.ok('/user/update', { user_id: 'a', user_role: 'internal_user', ...sent });
        expect(await api.user('a')).toMatchObject({ max_budget, budget_duration });
      });

      test('a new user gets it, each half by itself, whatever `null` says; other roles do not', async () => {
        const api = await start({ version, internalUserBudget });
        const budgetOf = async (fields: object) => {
          const { user_id: userId } = await api.ok('/user/new', { auto_create_key: false, ...fields });
          const { max_budget, budget_duration } = await api.user(userId);
          return [max_budget, budget_duration];
        };
        const user_role = 'internal_user';
        expect(await budgetOf({ user_role, max_budget: null, budget_duration: null })).toEqual([10, '30d']);
        expect(await budgetOf({ user_role, max_budget: 500 })).toEqual([500, '30d']);
        expect(await budgetOf({ user_role: 'internal_user_viewer' })).toEqual([null, null]);
      });
    },
  );

  test('until the first team is made, the master key’s user is none and cannot invite', async () => {
    const api = await start();
    await api.makeUser('a');
    expect(await api.post('/invitation/new', { user_id: 'a' })).toMatchObject({ status: 400 });
    await api.makeTeam('t');
    expect(await api.post('/invitation/new', { user_id: 'a' })).toMatchObject({ status: 200 });
  });

  test('without a cache every change counts at once; models of one’s own', async () => {
    const api = await start({ version: '1.90', models: ['gpt'] });
    const key = await api.makeKeyOf('proxy_admin');
    expect((await api.as(key).get('/v1/models')).body.data).toMatchObject([{ id: 'gpt' }]);
    await api.ok('/user/bulk_update', { users: [{ user_id: 'proxy_admin', user_role: 'internal_user' }] });
    expect(await api.as(key).get('/user/list')).toMatchObject({ status: 403 });
  });

  test.each([
    ['1.82', 'of all, to anybody'],
    ['1.90', undefined],
  ] as const)('hashes of passwords in %s: %s', async (version, shown) => {
    const users = [{ userId: 'a', passwordHash: 'of all, to anybody' }];
    const api = await start({ version, seed: { users } });
    const rows = (await api.get('/spend/users')).body;
    expect(rows.find((row: { user_id: string }) => row.user_id === 'a').password).toBe(shown);
  });

  test('observers see requests before they take effect, writes numbered apart', async () => {
    const seen: [string, number, number | null, number][] = [];
    const api = await start({
      onRequest: ({ method, route, index, writeIndex }) => {
        seen.push([`${method} ${route}`, index, writeIndex, running?.state.users.size ?? -1]);
      },
    });
    await api.get('/user/list');
    await api.ok('/user/new', NEW);
    await api.post('/management/v1/teams/t/members/bulk_delete', { members: [{ user_id: 'a' }] });
    expect(seen).toEqual([
      ['GET /user/list', 0, null, 0],
      ['POST /user/new', 1, 0, 0],
      ['POST /management/v1/teams/{team_id}/members/bulk_delete', 2, 1, 1],
    ]);
    expect(running?.requests.map(({ status }) => status)).toEqual([200, 200, 404]);
  });

  test('without sort_by, pages of users of one moment overlap', async () => {
    const api = await start({ seed: { users: Array.from({ length: 20 }, (_, index) => ({ userId: `u${index}` })) } });
    const pages = await Promise.all([1, 2].map((page) => api.get(`/user/list?page_size=10&page=${page}`)));
    const ids = pages.flatMap(({ body }) => body.users.map((user: { user_id: string }) => user.user_id));
    expect(new Set(ids).size).toBeLessThan(20);
  });
});

describe('faults', () => {
  const faulty = (fault: Fault) => start({ fault: ({ writeIndex }: SeenRequest) => (writeIndex === 0 ? fault : null) });

  test.each(['reset', 'cut'] as const)('%s before the effect and after it', async (kind) => {
    for (const when of ['before', 'after'] as const) {
      const api = await faulty({ when, kind });
      await expect(api.post('/user/new', NEW)).rejects.toThrow();
      expect(running?.state.users.has('a')).toBe(when === 'after');
      expect(running?.requests).toMatchObject([{ route: '/user/new', status: 0 }]);
      expect(await api.get('/user/list')).toMatchObject({ status: 200 });
      await running?.close();
    }
  });

  test('timeout: no answer, until the caller gives up', async () => {
    const api = await faulty({ when: 'after', kind: 'timeout' });
    const signal = AbortSignal.timeout(100);
    const call = fetch(`${api.baseUrl}/user/delete`, { method: 'POST', body: '{"user_ids":[]}', signal });
    await expect(call).rejects.toThrow(/timeout/);
  });

  test('status with headers, and a gateway’s page', async () => {
    const busy = await faulty({
      when: 'before',
      kind: 'status',
      status: 429,
      headers: { 'retry-after': '3' },
      body: { error: 'busy' },
    });
    const answer = await busy.post('/user/new', NEW);
    expect(answer).toMatchObject({ status: 429, body: { error: 'busy' } });
    expect(answer.headers.get('retry-after')).toBe('3');
    await running?.close();
    const gateway = await faulty({ when: 'after', kind: 'html' });
    expect(await gateway.post('/user/new', NEW)).toMatchObject({ status: 502, type: 'text/html' });
    expect(running?.state.users.has('a')).toBe(true);
  });

  test('slow: the true answer after all', async () => {
    const api = await faulty({ when: 'after', kind: 'slow', delayMs: 20 });
    expect(await api.post('/user/new', NEW)).toMatchObject({ status: 200, body: { user_id: 'a' } });
  });
});

describe('size', () => {
  test('20,000 users in one team: all pages, a bulk write between them, exact look-ups', async () => {
    const id = (index: number) => `user-${String(index).padStart(6, '0')}`;
    const users = Array.from({ length: 20_000 }, (_, index) => ({
      userId: id(index),
      email: `${id(index)}@example.com`,
      role: 'internal_user',
      teams: ['t'],
    }));
    const api = await start({ seed: { teams: [{ teamId: 't' }], users } });
    const ids: string[] = [];
    for (let page = 1; ids.length < 20_000; page += 1) {
      const { body } = await api.get(`/user/list?user_ids=&role=&sort_by=user_id&page_size=100&page=${page}`);
      expect(body.total).toBe(20_001);
      ids.push(
        ...body.users
          .map((user: { user_id: string }) => user.user_id)
          .filter((name: string) => name !== 'default_user_id'),
      );
    }
    expect(ids).toEqual(users.map(({ userId }) => userId));
    const leaving = ids.slice(0, 500);
    const members = leaving.map((userId) => ({ user_id: userId }));
    const { data } = await api.ok('/management/v1/teams/t/members/bulk_delete', { members });
    expect(data.every((row: { success: boolean }) => row.success)).toBe(true);
    const found = (await api.get(`/user/list?user_ids=${leaving.slice(0, 100).join()}&page_size=100`)).body;
    expect(found.total).toBe(100);
    const { teams } = (await api.get('/v2/team/list')).body;
    expect(teams[0].members_with_roles).toHaveLength(19_501);
  });
});
