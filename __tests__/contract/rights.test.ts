import { expect, test } from 'vitest';
import type { Answer, Api } from './api.ts';
import type { Truth } from './statements.ts';
import { contract } from './suite.ts';

const V1 = '/management/v1';
const UNKNOWN = 'f'.repeat(64);
const READS = [
  '/user/list',
  '/user/info?user_id=other',
  '/team/list',
  '/v2/team/list',
  '/v2/team/list?team_id=team',
  '/team/info?team_id=team',
  '/key/list',
  '/key/list?user_id=other',
  '/key/list?team_id=team',
  '/invitation/info?invitation_id=none',
  '/v1/models',
];
const WRITES: readonly (readonly [string, object])[] = [
  ['/user/new', { user_email: 'new@example.com' }],
  ['/user/update', { user_id: 'other', user_role: 'internal_user' }],
  ['/user/bulk_update', { users: [{ user_id: 'other', user_role: 'internal_user' }] }],
  ['/user/delete', { user_ids: ['other'] }],
  ['/team/new', { team_alias: 'new' }],
  ['/team/delete', { team_ids: ['team'] }],
  ['/team/member_add', { team_id: 'team', member: { user_id: 'other', role: 'user' } }],
  ['/team/bulk_member_add', { team_id: 'team', members: [{ user_id: 'other', role: 'user' }] }],
  ['/team/member_delete', { team_id: 'team', user_id: 'other' }],
  ['/key/generate', { user_id: 'other' }],
  ['/key/delete', { keys: ['none'] }],
  ['/invitation/new', { user_id: 'other' }],
  ['/invitation/delete', { invitation_id: 'none' }],
];
/** The routes that only some versions have, or guard. */
const LATER_READS: readonly (readonly [keyof Truth, string])[] = [['userInfoV2', '/v2/user/info?user_id=other']];
const LATER_WRITES: readonly (readonly [keyof Truth, string, object])[] = [
  ['keysGuarded', '/key/update', { key: 'none', key_alias: 'x' }],
  ['keysGuarded', '/key/block', { key: UNKNOWN }],
  ['keysGuarded', '/key/unblock', { key: UNKNOWN }],
  ['bulkKeyUpdate', '/key/bulk_update', { keys: [{ key: UNKNOWN, team_id: null }] }],
  ['managementV1', `${V1}/users/bulk`, { users: [{ user_email: 'new@example.com' }] }],
  ['managementV1', `${V1}/users/bulk_delete`, { user_ids: ['other'] }],
  ['managementV1', `${V1}/teams/team/members/bulk_delete`, { members: [{ user_id: 'other' }] }],
];

const readsOf = (is: Truth) => [...READS, ...LATER_READS.flatMap(([there, path]) => (is[there] ? [path] : []))];
const writesOf = (is: Truth) => [...WRITES, ...LATER_WRITES.flatMap(([there, ...call]) => (is[there] ? [call] : []))];

/** Status of every route for a caller, and the message where it is refused. */
async function statuses(caller: Api, is: Truth): Promise<Record<string, string>> {
  const reads = readsOf(is).map(async (path) => [path, summary(await caller.get(path))]);
  const writes = writesOf(is).map(async ([path, body]) => [path, summary(await caller.post(path, body))]);
  return Object.fromEntries(await Promise.all([...reads, ...writes]));
}

function summary({ status, body }: Answer): string {
  if (status === 200) return '200';
  const message = body.error?.message ?? body.detail?.error ?? body.detail;
  return `${status} ${message}`;
}

/** User ids as the proxy shows them in this message, by the role that it names. */
const MASKED: Record<string, string> = {
  internal_user: 'intern*****er',
  internal_user_viewer: 'intern************er',
};

/** @param shown The role that the message names. */
const onlyAdmin = (is: Truth, shown: string, path: string) => {
  const id = MASKED[shown] ?? (is.shortIdsMasked ? '******' : 'nobody');
  return `401 Authentication Error, Only proxy admin can be used to generate, delete, update info for new keys/users/teams. Route=${path}. Your role=${shown}. Your user_id=${id}`;
};
const teamAdmin = (path: string) =>
  `403 Call not allowed. User not proxy admin OR team admin. route=${path}, team_id=team`;

/** What a key of a user without the right to administer gets; `shown`: the role that refusals name. */
function ordinary(is: Truth, userId: string, role: string, shown: string): Record<string, string> {
  const teams = `401 Only admin users can query all teams/other teams. Your user role=${role}`;
  const refused = (path: string) => onlyAdmin(is, shown, path);
  const admin = (path: string) => [path, refused(path)];
  const adminOnly = `Admin-only endpoint. Not allowed to access this., your role=${role}`;
  const ifDecides = (path: string, decision: string) => (is.routesDecide ? decision : refused(path));
  const all: Record<string, string> = {
    '/user/list': ifDecides('/user/list', '403 Only proxy admins and organization admins can list users.'),
    '/user/info?user_id=other': `403 key not allowed to access this user's info. user_id=other, key's user_id=${userId}`,
    '/v2/user/info?user_id=other': '404 User not found: other',
    '/team/list': teams,
    '/v2/team/list': teams,
    '/v2/team/list?team_id=team': teams,
    '/team/info?team_id=team': `403 {'error': 'User=${userId} not authorized to access this team=team'}`,
    '/key/list': '200',
    '/key/list?user_id=other': "403 You are not authorized to check another user's keys",
    '/key/list?team_id=team': "403 You are not authorized to check this team's keys",
    '/invitation/info?invitation_id=none': refused('/invitation/info'),
    '/v1/models': '200',
    ...Object.fromEntries(['/user/new', '/user/update', '/user/bulk_update', '/user/delete'].map(admin)),
    ...Object.fromEntries(['/team/new', '/team/delete', '/team/bulk_member_add', `${V1}/users/bulk`].map(admin)),
    '/team/member_add': teamAdmin('/team/member_add'),
    '/team/member_delete': teamAdmin('/team/member_delete'),
    '/key/generate': `403 User can only create keys for themselves. Got user_id=other, Your ID=${userId}`,
    '/key/update': '404 Key not found.',
    '/key/delete': "404 {'error': 'No keys found'}",
    '/key/block': `404 Key not found: ${UNKNOWN}`,
    '/key/unblock': `404 Key not found: ${UNKNOWN}`,
    '/key/bulk_update': '403 Only proxy admins can perform bulk key updates',
    '/invitation/new': ifDecides('/invitation/new', `400 {'error': '${adminOnly}'}`),
    '/invitation/delete': ifDecides('/invitation/delete', `400 ${adminOnly}`),
    [`${V1}/users/bulk_delete`]: '403 Only PROXY_ADMIN or ORG_ADMIN users may delete users.',
    [`${V1}/teams/team/members/bulk_delete`]: `403 Call not allowed. User not proxy admin OR team admin OR org admin for this team. route='${V1}/teams/team/members/bulk_delete'`,
  };
  const paths = [...readsOf(is), ...writesOf(is).map(([path]) => path)];
  return Object.fromEntries(paths.map((path) => [path, all[path] ?? 'not stated']));
}

/** What a viewer of everything gets. */
function viewing(is: Truth): Record<string, string> {
  const refused = (path: string) =>
    `403 user not allowed to access this route, role= proxy_admin_viewer. Trying to access: ${path}`;
  const updating = ` and updating invalid param: user_id. only ${is.viewerMayUpdate} can be updated`;
  const ofOthers = {
    '/user/info?user_id=other':
      "403 key not allowed to access this user's info. user_id=other, key's user_id=proxy_admin_viewer",
    '/key/list?user_id=other': "403 You are not authorized to check another user's keys",
    '/key/list?team_id=team': "403 You are not authorized to check this team's keys",
  };
  const unknown = '400 Invitation id does not exist in the database.';
  return {
    ...Object.fromEntries(readsOf(is).map((path) => [path, '200'])),
    ...(is.viewerReadsOthers ? {} : ofOthers),
    ...(is.viewerListsTeams ? {} : { '/v2/team/list?team_id=team': '404 User is not a member of team_id=team' }),
    '/invitation/info?invitation_id=none': is.viewerReadsMore ? unknown : refused('/invitation/info'),
    ...Object.fromEntries(writesOf(is).map(([path]) => [path, refused(path)])),
    ...(is.bulkKeyUpdate && !is.viewerReadsMore
      ? { '/key/bulk_update': '403 Only proxy admins can perform bulk key updates' }
      : {}),
    '/user/update': `${refused('/user/update')}${updating}`,
  };
}

contract('rights', (api, _target, is) => {
  async function prepare(): Promise<void> {
    await api().makeTeam('team');
    await api().makeUser('other');
  }

  test("a proxy_admin's key may do everything", async () => {
    await prepare();
    const admin = api().as(await api().makeKeyOf('proxy_admin'));
    const known = readsOf(is).filter((path) => !path.startsWith('/invitation'));
    for (const path of known) expect(await admin.get(path)).toMatchObject({ status: 200 });
    expect(await admin.post('/user/new', { user_id: 'made' })).toMatchObject({ status: 200 });
    expect(await admin.post('/team/new', { team_id: 'made' })).toMatchObject({ status: 200 });
    const team = (await admin.get('/team/info?team_id=made')).body.team_info;
    expect(team.members_with_roles).toMatchObject([{ user_id: 'proxy_admin', role: 'admin' }]);
  });

  test("a proxy_admin_viewer's key reads, keys and users of others by name only on the newer ones, and writes nothing", async () => {
    await prepare();
    const viewer = api().as(await api().makeKeyOf('proxy_admin_viewer'));
    expect(await statuses(viewer, is)).toEqual(viewing(is));
  });

  test("an internal user's key", async () => {
    await prepare();
    const internal = api().as(await api().makeKeyOf('internal_user'));
    expect(await statuses(internal, is)).toEqual(ordinary(is, 'internal_user', 'internal_user', 'internal_user'));
  });

  test('the key of a user without a role', async () => {
    await prepare();
    const nobody = api().as(await api().makeKeyOf(null));
    expect(await statuses(nobody, is)).toEqual(ordinary(is, 'nobody', 'internal_user', 'unknown'));
  });

  test("an internal_user_viewer's key may not even touch keys", async () => {
    await prepare();
    const role = 'internal_user_viewer';
    const viewer = api().as(await api().makeKeyOf(role));
    const writes = writesOf(is).filter(([path]) => path.startsWith('/key/'));
    const keys = Object.fromEntries(writes.map(([path]) => [path, onlyAdmin(is, role, path)]));
    expect(await statuses(viewer, is)).toEqual({ ...ordinary(is, role, role, role), ...keys });
  });

  test('everybody sees their own user and keys', async () => {
    await prepare();
    const internal = api().as(await api().makeKeyOf('internal_user'));
    expect((await internal.get('/user/info')).body.user_info).toMatchObject({ user_id: 'internal_user' });
    expect((await internal.get('/key/info')).body.info).toMatchObject({ user_id: 'internal_user' });
    expect((await internal.get('/key/list')).body).toMatchObject({ total_count: 1 });
  });

  test.skipIf(is.keysGuarded)('whoever has a key may block everybody’s', async () => {
    const { token } = await api().ok('/key/generate', { key_alias: 'k' });
    const internal = api().as(await api().makeKeyOf('internal_user'));
    expect(await internal.post('/key/block', { key: token })).toMatchObject({ status: 200 });
    expect((await api().get(`/key/info?key=${token}`)).body.info.blocked).toBe(true);
  });
});
