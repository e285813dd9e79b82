import { expect, test } from 'vitest';
import type { Api } from './api.ts';
import { contract } from './suite.ts';

const USERS = ['ben', 'ana', 'dan', 'cho'].map((id) => ({ user_id: id, user_email: `${id}@Example.com` }));

async function make(api: Api, users: readonly object[] = USERS): Promise<void> {
  const { status } = await api.post('/management/v1/users/bulk', { users });
  if (status === 404) for (const user of users) await api.ok('/user/new', { auto_create_key: false, ...user });
}

/** User ids of a list. */
async function list(api: Api, query: string): Promise<string[]> {
  const { body } = await api.get(`/user/list?${query}`);
  return body.users.map((user: { user_id: string }) => user.user_id).filter((id: string) => id !== 'default_user_id');
}

contract('/user/list', (api, _target, is) => {
  test('pages of a stable order cover everybody once', async () => {
    await make(
      api(),
      Array.from({ length: 25 }, (_, index) => ({ user_id: `u${index + 10}`, user_email: `u${index}@example.com` })),
    );
    const first = (await api().get('/user/list?sort_by=user_id&sort_order=asc&page_size=10&user_email=u')).body;
    expect(first).toMatchObject({ page: 1, page_size: 10 });
    const { total, total_pages: pages } = first;
    expect(pages).toBe(Math.ceil(total / 10));
    const queries = Array.from(
      { length: pages },
      (_, page) => `sort_by=user_id&page_size=10&user_email=u&page=${page + 1}`,
    );
    const ids = (await Promise.all(queries.map((query) => list(api(), query)))).flat();
    expect(ids).toEqual(Array.from({ length: 25 }, (_, index) => `u${index + 10}`));
    const past = (await api().get(`/user/list?sort_by=user_id&page_size=10&user_email=u&page=${pages + 1}`)).body;
    expect(past).toEqual({ users: [], total, page: pages + 1, page_size: 10, total_pages: pages });
  });

  test('page size 25 when none is asked for; newest first without sort_by', async () => {
    for (const user of USERS) await make(api(), [user]);
    expect((await api().get('/user/list')).body).toMatchObject({ page: 1, page_size: 25 });
    expect(await list(api(), '')).toEqual(['cho', 'dan', 'ana', 'ben']);
  });

  test('sorts by email and role; missing values come last ascending and first descending', async () => {
    await make(api(), [...USERS.slice(0, 2), { user_id: 'none' }]);
    expect(await list(api(), 'sort_by=user_email&user_ids=ben,ana,none')).toEqual(['ana', 'ben', 'none']);
    expect(await list(api(), 'sort_by=user_email&sort_order=DESC&user_ids=ben,ana,none')).toEqual([
      'none',
      'ben',
      'ana',
    ]);
  });

  test(`one user id means ${is.oneIdMeansPart ? 'containing it in any letter case' : 'that one'}, several mean exactly those`, async () => {
    await make(api(), [{ user_id: 'x1' }, { user_id: 'X12' }, { user_id: 'y' }]);
    expect(await list(api(), 'user_ids=x1&sort_by=user_id')).toEqual(is.oneIdMeansPart ? ['X12', 'x1'] : ['x1']);
    expect(await list(api(), 'user_ids=x1,y,nobody&sort_by=user_id')).toEqual(['x1', 'y']);
    expect(await list(api(), 'user_ids=X1,Y')).toEqual([]);
  });

  test('email contains, in any letter case', async () => {
    await make(api());
    expect(await list(api(), 'user_email=ANA@example')).toEqual(['ana']);
    expect(await list(api(), 'user_email=example.com&sort_by=user_id')).toEqual(['ana', 'ben', 'cho', 'dan']);
    expect(await list(api(), 'user_email=nobody')).toEqual([]);
  });

  test('role is exact, an unknown role matches nobody', async () => {
    await make(api(), [
      { user_id: 'a', user_role: 'internal_user' },
      { user_id: 'b', user_role: 'internal_user_viewer' },
      { user_id: 'c' },
    ]);
    expect(await list(api(), 'role=internal_user')).toEqual(['a']);
    expect((await api().get('/user/list?role=emperor')).body).toMatchObject({ users: [], total: 0, total_pages: 0 });
  });

  test('team filters by user.teams', async () => {
    await api().makeTeam('t');
    await make(api(), [{ user_id: 'in', teams: ['t'] }, { user_id: 'out' }]);
    expect(await list(api(), 'team=t')).toEqual(['in']);
  });

  test('a user shows role, teams, email as given, spend and number of keys', async () => {
    await api().makeTeam('t');
    await api().ok('/user/new', { user_id: 'a', user_email: ' A@Example.com ', teams: ['t'], metadata: { a: 1 } });
    await api().ok('/key/generate', { user_id: 'a' });
    expect(await api().user('a')).toMatchObject({
      user_id: 'a',
      user_email: ' A@Example.com ',
      user_role: null,
      teams: ['t'],
      key_count: 2,
      spend: 0,
      metadata: { a: 1 },
    });
  });

  test('default_user_id turns up once a team exists', async () => {
    await api().makeTeam('t');
    expect(await api().user('default_user_id')).toMatchObject({ user_email: null, teams: ['t'] });
    const { body } = await api().get('/team/info?team_id=t');
    expect(body.team_info.members_with_roles).toMatchObject([{ user_id: 'default_user_id', role: 'admin' }]);
  });
});
