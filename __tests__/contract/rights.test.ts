import { expect, test } from 'vitest';
import type { Answer, Api } from './api.ts';
import { contract } from './suite.ts';

const V1 = '/management/v1';
const READS = [
  '/user/list',
  '/user/info?user_id=other',
  '/v2/user/info?user_id=other',
  '/team/list',
  '/v2/team/list',
  '/team/info?team_id=team',
  '/key/list?user_id=other',
  '/invitation/info?invitation_id=none',
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
  ['/key/update', { key: 'none', key_alias: 'x' }],
  ['/key/delete', { keys: ['none'] }],
  ['/invitation/new', { user_id: 'other' }],
  ['/invitation/delete', { invitation_id: 'none' }],
  [`${V1}/users/bulk`, { users: [{ user_email: 'new@example.com' }] }],
  [`${V1}/users/bulk_delete`, { user_ids: ['other'] }],
  [`${V1}/teams/team/members/bulk_delete`, { members: [{ user_id: 'other' }] }],
];

/** Status of every route for a caller, and the message where it is refused. */
async function statuses(caller: Api): Promise<Record<string, string>> {
  const reads = READS.map(async (path) => [path, summary(await caller.get(path))]);
  const writes = WRITES.map(async ([path, body]) => [path, summary(await caller.post(path, body))]);
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
  unknown: '******',
};

const onlyAdmin = (path: string, role: string) =>
  `401 Authentication Error, Only proxy admin can be used to generate, delete, update info for new keys/users/teams. Route=${path}. Your role=${role}. Your user_id=${MASKED[role]}`;
const teamAdmin = (path: string) =>
  `403 Call not allowed. User not proxy admin OR team admin. route=${path}, team_id=team`;

/** What a key of a user without the right to administer gets; `shown`: the role that refusals name. */
function ordinary(userId: string, role: string, shown: string): Record<string, string> {
  const teams = `401 Only admin users can query all teams/other teams. Your user role=${role}`;
  const admin = (path: string) => [path, onlyAdmin(path, shown)];
  const invitations = `400 {'error': 'Admin-only endpoint. Not allowed to access this., your role=${role}'}`;
  return {
    '/user/list': '403 Only proxy admins and organization admins can list users.',
    '/user/info?user_id=other': `403 key not allowed to access this user's info. user_id=other, key's user_id=${userId}`,
    '/v2/user/info?user_id=other': '404 User not found: other',
    '/team/list': teams,
    '/v2/team/list': teams,
    '/team/info?team_id=team': `403 {'error': 'User=${userId} not authorized to access this team=team'}`,
    '/key/list?user_id=other': "403 You are not authorized to check another user's keys",
    '/invitation/info?invitation_id=none': onlyAdmin('/invitation/info', shown),
    ...Object.fromEntries(['/user/new', '/user/update', '/user/bulk_update', '/user/delete'].map(admin)),
    ...Object.fromEntries(['/team/new', '/team/delete', '/team/bulk_member_add', `${V1}/users/bulk`].map(admin)),
    '/team/member_add': teamAdmin('/team/member_add'),
    '/team/member_delete': teamAdmin('/team/member_delete'),
    '/key/generate': `403 User can only create keys for themselves. Got user_id=other, Your ID=${userId}`,
    '/key/update': '404 Key not found.',
    '/key/delete': "404 {'error': 'No keys found'}",
    '/invitation/new': invitations,
    '/invitation/delete': `400 Admin-only endpoint. Not allowed to access this., your role=${role}`,
    [`${V1}/users/bulk_delete`]: '403 Only PROXY_ADMIN or ORG_ADMIN users may delete users.',
    [`${V1}/teams/team/members/bulk_delete`]: `403 Call not allowed. User not proxy admin OR team admin OR org admin for this team. route='${V1}/teams/team/members/bulk_delete'`,
  };
}

contract('rights', (api) => {
  async function prepare(): Promise<void> {
    await api().makeTeam('team');
    await api().makeUser('other');
  }

  test("a proxy_admin's key may do everything", async () => {
    await prepare();
    const admin = api().as(await api().makeKeyOf('proxy_admin'));
    for (const path of READS.slice(0, -1)) expect(await admin.get(path)).toMatchObject({ status: 200 });
    expect(await admin.post('/user/new', { user_id: 'made' })).toMatchObject({ status: 200 });
    expect(await admin.post('/team/new', { team_id: 'made' })).toMatchObject({ status: 200 });
    const team = (await admin.get('/team/info?team_id=made')).body.team_info;
    expect(team.members_with_roles).toMatchObject([{ user_id: 'proxy_admin', role: 'admin' }]);
  });

  test("a proxy_admin_viewer's key reads everything and writes nothing", async () => {
    await prepare();
    const viewer = api().as(await api().makeKeyOf('proxy_admin_viewer'));
    const refused = 'user not allowed to access this route, role= proxy_admin_viewer. Trying to access:';
    const updating = ' and updating invalid param: user_id. only user_email can be updated';
    expect(await statuses(viewer)).toEqual({
      ...Object.fromEntries(READS.map((path) => [path, '200'])),
      '/invitation/info?invitation_id=none': '400 Invitation id does not exist in the database.',
      ...Object.fromEntries(WRITES.map(([path]) => [path, `403 ${refused} ${path}`])),
      '/user/update': `403 ${refused} /user/update${updating}`,
    });
  });

  test("an internal user's key", async () => {
    await prepare();
    const internal = api().as(await api().makeKeyOf('internal_user'));
    expect(await statuses(internal)).toEqual(ordinary('internal_user', 'internal_user', 'internal_user'));
  });

  test('the key of a user without a role', async () => {
    await prepare();
    const nobody = api().as(await api().makeKeyOf(null));
    expect(await statuses(nobody)).toEqual(ordinary('nobody', 'internal_user', 'unknown'));
  });

  test("an internal_user_viewer's key may not even touch keys", async () => {
    await prepare();
    const role = 'internal_user_viewer';
    const viewer = api().as(await api().makeKeyOf(role));
    const keys = ['/key/generate', '/key/update', '/key/delete'].map((path) => [path, onlyAdmin(path, role)]);
    expect(await statuses(viewer)).toEqual({ ...ordinary(role, role, role), ...Object.fromEntries(keys) });
  });

  test('everybody sees his own user and keys', async () => {
    await prepare();
    const internal = api().as(await api().makeKeyOf('internal_user'));
    expect((await internal.get('/user/info')).body.user_info).toMatchObject({ user_id: 'internal_user' });
    expect((await internal.get('/key/info')).body.info).toMatchObject({ user_id: 'internal_user' });
    expect((await internal.get('/key/list')).body).toMatchObject({ total_count: 1 });
  });
});
