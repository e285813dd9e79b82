import { expect, test } from 'vitest';
import type { Api } from './api.ts';
import { contract } from './suite.ts';

const BULK = '/management/v1/users/bulk';
const BULK_DELETE = '/management/v1/users/bulk_delete';

contract('users in bulk', defineBulk, { where: (is) => is.managementV1 });

function defineBulk(api: () => Api): void {
  test('rows fail one by one', async () => {
    await api().makeTeam('t');
    await api().makeTeam('u');
    await api().makeUser('taken');
    const users = [
      { user_id: 'a', user_email: 'a@example.com', user_role: 'internal_user', teams: ['t'] },
      { user_id: 'b', user_email: ' A@Example.com' },
      { user_id: 'c', user_email: 'TAKEN@example.com' },
      { user_id: 'd', teams: ['t', 'none'] },
      { user_id: 'taken', user_email: 'e@example.com' },
      { user_id: 'a' },
      { user_id: 'f', teams: ['t'], team_id: 'u', auto_create_key: true, key_alias: 'k' },
      { user_id: 'g', teams: ['t'], auto_create_key: true, key_alias: 'k' },
    ];
    const { data, meta } = await api().ok(BULK, { users });
    expect(meta).toEqual({ total_requested: 8, created: 3, failed: 5 });
    const failed = { success: false, teams: null, key: null };
    expect(data).toMatchObject([
      { user_id: 'a', user_email: 'a@example.com', success: true, teams: ['t'], key: null, error: null },
      { ...failed, user_id: 'b', error: 'Duplicate user_email in request:  A@Example.com' },
      { ...failed, user_id: 'c', error: 'User email=TAKEN@example.com already exists' },
      { ...failed, user_id: 'd', error: 'Team id=none does not exist' },
      { ...failed, user_id: 'taken', error: 'User id=taken already exists' },
      { ...failed, user_id: 'a', error: 'Duplicate user_id in request: a' },
      { user_id: 'f', success: true, teams: ['u'], error: null },
      { user_id: 'g', success: true, teams: ['t'], error: null },
    ]);
    expect(data[6].key).toMatch(/^sk-/);
    expect(await api().rosterOf('t')).toEqual(['a', 'g']);
    expect(await api().rosterOf('u')).toEqual(['f']);
    expect((await api().get('/key/list?return_full_object=true&user_id=f')).body.keys).toMatchObject([
      { team_id: 'u' },
    ]);
    expect((await api().get('/key/list?return_full_object=true&user_id=g')).body.keys).toMatchObject([
      { team_id: null },
    ]);
    expect(await api().user('d')).toBeUndefined();
  });

  test('limits go to the user and, but for the budget, to the key; bad periods', async () => {
    const limits = { budget_duration: '30d', tpm_limit: 4, rpm_limit: 3, models: ['fake-model'], metadata: { m: 1 } };
    const users = [
      { user_id: 'a', max_budget: 3, ...limits, auto_create_key: true },
      { user_id: 'b', budget_duration: 'banana' },
      { user_id: 'c', duration: 'banana', auto_create_key: true },
    ];
    const { data } = await api().ok(BULK, { users });
    expect(data).toMatchObject([
      { success: true, error: null },
      { success: false, error: "Invalid budget_duration 'banana'. Use a format like '1h', '24h', '7d', or '30d'." },
      { success: true, key: null, error: 'Failed to create key: Invalid duration format' },
    ]);
    expect(await api().user('a')).toMatchObject({ max_budget: 3, ...limits });
    const { keys } = (await api().get('/key/list?return_full_object=true&user_id=a')).body;
    expect(keys).toMatchObject([{ ...limits, max_budget: null, budget_duration: null }]);
    expect([await api().user('b'), (await api().user('c')).user_id]).toEqual([undefined, 'c']);
  });

  test('no role, and an id of the proxy where none is given', async () => {
    const { data } = await api().ok(BULK, { users: [{ user_email: 'a@example.com' }] });
    expect(await api().user(data[0].user_id)).toMatchObject({ user_role: null, teams: [] });
  });

  test('500 at once', async () => {
    await api().makeTeam('t');
    const users = Array.from({ length: 500 }, (_, index) => ({ user_id: `u${index}`, teams: ['t'] }));
    expect((await api().ok(BULK, { users })).meta).toEqual({ total_requested: 500, created: 500, failed: 0 });
    expect(await api().rosterOf('t')).toHaveLength(500);
    const ids = users.map((user) => user.user_id);
    const { data } = await api().ok(BULK_DELETE, { user_ids: ids });
    expect(data.every((row: { success: boolean }) => row.success)).toBe(true);
    expect(await api().rosterOf('t')).toEqual([]);
  });

  test('delete: known, unknown and repeated ids', async () => {
    await api().makeTeam('t');
    await api().makeTeam('s');
    await api().makeUser('a', { teams: ['t', 's'], auto_create_key: true });
    await api().makeUser('b');
    const { data } = await api().ok(BULK_DELETE, { user_ids: ['a', 'nobody', 'a', 'b'] });
    expect(data).toEqual([
      { user_id: 'a', user_email: 'a@example.com', success: true, teams_removed: ['s', 't'], error: null },
      { user_id: 'nobody', user_email: null, success: false, teams_removed: [], error: 'User id=nobody not found' },
      { user_id: 'a', user_email: null, success: false, teams_removed: [], error: 'Duplicate user_id in request: a' },
      { user_id: 'b', user_email: 'b@example.com', success: true, teams_removed: [], error: null },
    ]);
    expect((await api().get('/key/list')).body.keys).toEqual([]);
    expect(await api().rosterOf('t')).toEqual([]);
  });

  test('delete: only unknown ids is no error of the call', async () => {
    const { data } = await api().ok(BULK_DELETE, { user_ids: ['nobody'] });
    expect(data).toMatchObject([{ success: false }]);
  });
}
