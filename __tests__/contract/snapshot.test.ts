import { expect, test } from 'vitest';
import type { Api } from './api.ts';
import { contract } from './suite.ts';

// biome-ignore-start lint/suspicious/noExplicitAny: rows are compared as they come
type Row = Record<string, any>;

const COUNT = 1500;
/** Fields of `/user/list` that the snapshot lacks, and one of it that the list lacks. */
const LIST_ONLY = ['key_count', 'organization_memberships', 'object_permission'];
const SNAPSHOT_ONLY = ['key_aliases'];
const TIMES = ['created_at', 'updated_at', 'budget_reset_at'];

/** Users of every kind: without email, without role, in several teams, with budgets, keys, metadata of all sorts. */
function person(index: number): object {
  const pick = <T>(...choices: T[]): T => choices[index % choices.length] as T;
  return {
    user_id: `user-${String(index).padStart(4, '0')}`,
    ...pick({}, { user_email: `User.${index}@Example.com` }, { user_email: `  ü${index}@exämple.com ` }),
    ...pick({}, { user_role: 'internal_user' }, { user_role: 'internal_user_viewer' }, { user_role: 'proxy_admin' }),
    ...pick({}, { teams: ['t0'] }, { teams: ['t0', 't1', 't2'] }, { teams: [] }, { teams: ['t2', 't1'] }),
    ...pick({}, { max_budget: index / 7 }, { max_budget: 0, budget_duration: '30d' }, { max_budget: 1e9 }),
    ...pick(
      {},
      { tpm_limit: 3_000_000_000 },
      { rpm_limit: 0 },
      { models: ['fake-model', 'other'] },
      { user_alias: 'Ä "q"' },
    ),
    ...pick({}, { metadata: { deep: { list: [1, null, 'x'] }, scim_active: false } }, { metadata: { 'a b': '€' } }),
    ...pick({ spend: index / 3 }, {}),
    auto_create_key: index % 10 === 0,
    key_alias: index % 20 === 0 ? `key-${index}` : null,
  };
}

async function populate(api: Api): Promise<void> {
  for (const team of ['t0', 't1', 't2']) await api.makeTeam(team);
  const users = Array.from({ length: COUNT }, (_, index) => person(index));
  for (let begin = 0; begin < COUNT; begin += 500) {
    const { meta } = await api.ok('/management/v1/users/bulk', { users: users.slice(begin, begin + 500) });
    expect(meta).toMatchObject({ created: 500, failed: 0 });
  }
}

async function pages(api: Api): Promise<Row[]> {
  const rows: Row[] = [];
  for (let page = 1, total = 1; rows.length < total; page += 1) {
    const { body } = await api.get(`/user/list?sort_by=user_id&sort_order=asc&page_size=100&page=${page}`);
    rows.push(...body.users);
    total = body.total;
  }
  return rows;
}

/** Without what only one of them has; times as moments. */
function comparable(row: Row): Row {
  const fields = Object.entries(row).filter(([name]) => ![...LIST_ONLY, ...SNAPSHOT_ONLY].includes(name));
  return Object.fromEntries(
    fields.map(([name, value]) => [name, TIMES.includes(name) && value !== null ? Date.parse(value) : value]),
  );
}

contract(
  '/spend/users as a snapshot of all pages of /user/list',
  (api) => {
    test(`${COUNT} users of every kind: each once, field by field the same`, { timeout: 170_000 }, async () => {
      await populate(api());
      const listed = await pages(api());
      const { body: snapshot } = await api().get('/spend/users');
      expect(snapshot).toHaveLength((await api().get('/user/list?page_size=1')).body.total);
      expect(snapshot.map((row: Row) => row.spend)).toEqual(listed.map((row) => row.spend).sort((a, b) => b - a));
      const byId = new Map<string, Row>(snapshot.map((row: Row) => [row.user_id, row]));
      expect(byId.size).toBe(snapshot.length);
      for (const row of listed) expect(comparable(byId.get(row.user_id) ?? {})).toEqual(comparable(row));
      const emails = listed.flatMap((row) => row.user_email ?? []);
      expect([listed.length, emails.length]).toEqual([COUNT + 1, COUNT - COUNT / 3]);
    });

    test('the same for a viewer; own user for others; `[null]` for a stranger', async () => {
      await api().makeUser('a');
      const viewer = api().as(await api().makeKeyOf('proxy_admin_viewer'));
      const internal = api().as(await api().makeKeyOf('internal_user'));
      const ids = async (caller: Api, query = '') =>
        (await caller.get(`/spend/users${query}`)).body.map((row: Row | null) => row?.user_id).sort();
      expect(await ids(viewer)).toEqual(await ids(api()));
      expect(await ids(internal)).toEqual(['internal_user']);
      expect(await internal.get('/spend/users?user_id=a')).toMatchObject({ status: 403 });
      expect(await ids(api(), '?user_id=a')).toEqual(['a']);
      expect((await api().get('/spend/users?user_id=nobody')).body).toEqual([null]);
    });
  },
  { where: (is) => is.managementV1 },
);

contract(
  '/spend/users of the older ones',
  (api, _target, is) => {
    test(`${is.passwordsHidden ? 'no hash of a password' : 'hashes of passwords, to whoever has a key'}`, async () => {
      await api().makeUser('a', { user_role: 'internal_user' });
      const internal = api().as(await api().makeKeyOf('internal_user'));
      const [row] = (await api().get('/spend/users')).body.filter((one: Row) => one.user_id === 'a');
      expect('password' in row).toBe(!is.passwordsHidden);
      const updated = await api().ok('/user/update', { user_id: 'a', user_role: 'internal_user' });
      expect('password' in updated.data).toBe(!is.passwordsHidden);
      const others = (await internal.get('/spend/users')).body.filter((one: Row) => one.user_id === 'a');
      expect(others).toHaveLength(is.passwordsHidden ? 0 : 1);
      const viewer = api().as(await api().makeKeyOf('proxy_admin_viewer'));
      expect((await viewer.get('/spend/users')).status).toBe(is.viewerReadsMore ? 200 : 403);
    });
  },
  { where: (is) => !is.managementV1 },
);
// biome-ignore-end lint/suspicious/noExplicitAny: see above
