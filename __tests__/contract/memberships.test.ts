import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import type { Api } from './api.ts';
import { contract } from './suite.ts';

const asMember = (userId: string) => ({ user_id: userId, role: 'user' });
const V1 = (teamId: string) => `/management/v1/teams/${teamId}/members/bulk_delete`;

contract('memberships', (api, _target, is) => {
  async function prepare(...members: string[]): Promise<void> {
    await api().makeTeam('t');
    for (const member of members) await api().makeUser(member, { teams: ['t'] });
    await api().makeUser('a');
  }

  test('/team/member_add writes both halves and answers with the team', async () => {
    await prepare();
    const answer = await api().ok('/team/member_add', { team_id: 't', member: asMember('a') });
    const email = is.rosterEmails ? 'a@example.com' : null;
    expect(answer.members_with_roles).toContainEqual({ user_id: 'a', user_email: email, role: 'user' });
    expect(answer.updated_users).toMatchObject([{ user_id: 'a' }]);
    expect(answer.updated_team_memberships).toMatchObject(is.membershipRecords ? [{ user_id: 'a', team_id: 't' }] : []);
    expect(await api().teamsOf('a')).toEqual(['t']);
  });

  test('who is in is refused, alone or when all of several are', async () => {
    await prepare('in', 'too');
    const known =
      "Existing members=[Member(user_id='default_user_id', user_email=None, role='admin'), Member(user_id='in', user_email='in@example.com', role='user'), Member(user_id='too', user_email='too@example.com', role='user')]";
    const error = { type: 'team_member_already_in_team', param: 'member', code: '400' };
    const one = await api().post('/team/member_add', { team_id: 't', member: asMember('in') });
    const message = `User already in team. Member: user_id=in, user_email=None. ${known}`;
    expect(one).toMatchObject({ status: 400, body: { error: { ...error, message } } });
    const all = await api().post('/team/member_add', { team_id: 't', member: [asMember('in'), asMember('too')] });
    expect(all).toMatchObject({
      status: 400,
      body: { error: { ...error, message: `All users are already in team. ${known}` } },
    });
    const some = await api().ok('/team/member_add', { team_id: 't', member: [asMember('in'), asMember('a')] });
    const twice = { user_id: 'in', teams: ['t', 't'] };
    expect(some.updated_users).toMatchObject(is.joiningLooksFirst ? [{ user_id: 'a' }] : [twice, { user_id: 'a' }]);
    expect(await api().teamsOf('in')).toEqual(is.joiningLooksFirst ? ['t'] : ['t', 't']);
    expect(await api().rosterOf('t')).toEqual(['in', 'too', 'a']);
  });

  test('an unknown id or email becomes a user; a known email in other letters only on the oldest', async () => {
    await prepare();
    await api().ok('/team/member_add', { team_id: 't', member: asMember('made') });
    expect(await api().user('made')).toMatchObject({ user_email: null, user_role: 'internal_user', teams: ['t'] });
    await api().ok('/team/member_add', { team_id: 't', member: { user_email: 'new@example.com', role: 'user' } });
    const { users } = (await api().get('/user/list?user_email=new@example.com')).body;
    expect(users).toMatchObject([{ user_role: 'internal_user', teams: ['t'] }]);
    await api().ok('/team/member_add', { team_id: 't', member: { user_email: 'A@example.com', role: 'user' } });
    const third = is.joinsByAnyCase ? 'a' : expect.not.stringMatching(/^a$/);
    expect(await api().rosterOf('t')).toEqual(['made', users[0].user_id, third]);
  });

  test('an unknown team and a team admin', async () => {
    await prepare();
    const error = "Team doesn't exist in db. Team=none. Create team via `/team/new` call.";
    const unknown = await api().post('/team/member_add', { team_id: 'none', member: asMember('a') });
    if (is.unknownTeamIs404) expect(unknown).toMatchObject({ status: 404, body: { detail: { error } } });
    else expect(unknown).toMatchObject({ status: 500, type: 'text/plain' });
    const admin = await api().post('/team/member_add', { team_id: 't', member: { user_id: 'a', role: 'admin' } });
    expect(admin.status).toBe(400);
    expect(admin.body.detail.error).toContain('Assigning team admins is a premium feature.');
  });

  test('/team/bulk_member_add', async () => {
    await prepare('in');
    const add = (...ids: string[]) => api().ok('/team/bulk_member_add', { team_id: 't', members: ids.map(asMember) });
    const some = await add('in', 'a');
    expect(some).toMatchObject({ total_requested: 2, successful_additions: 2, failed_additions: 0 });
    const success = { success: true, error: null };
    expect(some.results).toMatchObject([
      { ...success, user_id: 'in', updated_user: is.joiningLooksFirst ? null : { user_id: 'in' } },
      { ...success, user_id: 'a', updated_user: { user_id: 'a' } },
    ]);
    const memberships = some.results.map((row: { updated_team_membership: unknown }) => row.updated_team_membership);
    expect(memberships).toMatchObject(is.membershipRecords ? [null, { user_id: 'a' }] : [null, null]);
    expect(await api().teamsOf('a')).toEqual(['t']);
    const none = await add('in', 'a');
    expect(none).toMatchObject({
      total_requested: 2,
      successful_additions: 0,
      failed_additions: 2,
      updated_team: null,
    });
    for (const row of none.results) {
      expect(row).toMatchObject({ success: false });
      expect(row.error).toMatch(is.bulkAddNamesErrors ? /^All users are already in team\. Existing members=/ : /^$/);
    }
  });

  test('/team/bulk_member_add: 200 for an unknown team, 400 for none and for 501', async () => {
    await prepare();
    const { results } = await api().ok('/team/bulk_member_add', { team_id: 'none', members: [asMember('a')] });
    const message = "Team doesn't exist in db. Team=none. Create team via `/team/new` call.";
    const error = is.unknownTeamIs404 ? `404: {'error': "${message}"}` : message;
    expect(results).toMatchObject([{ user_id: 'a', success: false, error }]);
    const refused = async (members: unknown[]) => api().post('/team/bulk_member_add', { team_id: 't', members });
    expect(await refused([])).toMatchObject({
      status: 400,
      body: { detail: { error: 'At least one member is required' } },
    });
    const many = Array.from({ length: 501 }, (_, index) => asMember(`u${index}`));
    expect(await refused(many)).toMatchObject({
      status: 400,
      body: { detail: { error: 'Maximum 500 members can be added at once' } },
    });
  });

  test(`leaving ${is.leavingDeletesKeys ? 'deletes' : 'keeps'} the keys of that team, and keeps others`, async () => {
    await prepare('in');
    await api().ok('/key/generate', { user_id: 'in', team_id: 't', key_alias: 'team' });
    await api().ok('/key/generate', { user_id: 'in', key_alias: 'own' });
    const left = await api().ok('/team/member_delete', { team_id: 't', user_id: 'in' });
    expect(left).toMatchObject({ team_id: 't', members_with_roles: [{ user_id: 'default_user_id' }] });
    expect(await api().teamsOf('in')).toEqual([]);
    expect(await api().keyAliasesOf('in')).toEqual(is.leavingDeletesKeys ? ['own'] : ['own', 'team']);
    const again = await api().post('/team/member_delete', { team_id: 't', user_id: 'in' });
    expect(again).toMatchObject({ status: 400, body: { detail: { error: 'User not found in team' } } });
    const unknown = await api().post('/team/member_delete', { team_id: 'none', user_id: 'in' });
    expect(unknown).toMatchObject({ status: 400, body: { detail: { error: 'Team id=none does not exist in db' } } });
  });

  test('leaving takes one of two copies from `user.teams`, or both', async () => {
    await prepare('in');
    await api().ok('/team/member_add', { team_id: 't', member: [asMember('in'), asMember('a')] });
    await api().ok('/team/member_delete', { team_id: 't', user_id: 'in' });
    expect(await api().teamsOf('in')).toEqual(is.joiningLooksFirst ? [] : ['t']);
  });

  test('a roster entry of another id with the same email keeps a user out, call after call', async () => {
    await prepare('stale');
    await api().ok('/user/update', { user_id: 'stale', user_email: 'moved@example.com' });
    await api().makeUser('fresh', { user_email: 'stale@example.com' });
    const add = () => api().post('/team/member_add', { team_id: 't', member: asMember('fresh') });
    expect(await add()).toMatchObject({ status: 200 });
    expect(await add()).toMatchObject({ status: is.rosterEmails ? 200 : 400 });
    expect(await api().rosterOf('t')).toEqual(is.rosterEmails ? ['stale'] : ['stale', 'fresh']);
    const copies = is.joiningLooksFirst ? 0 : is.rosterEmails ? 2 : 1;
    expect(await api().teamsOf('fresh')).toEqual(Array(copies).fill('t'));
  });

  test.skipIf(!is.managementV1)('leaving in bulk', async () => {
    await prepare('in', 'too');
    await api().ok('/key/generate', { user_id: 'in', team_id: 't', key_alias: 'team' });
    const members = [
      { user_id: 'in' },
      { user_id: 'nobody' },
      { user_id: 'in' },
      { user_email: 'too@example.com' },
      { user_id: 'a' },
    ];
    const { data } = await api().ok(V1('t'), { members });
    expect(data).toEqual([
      { user_id: 'in', user_email: null, success: true, error: null },
      { user_id: 'nobody', user_email: null, success: false, error: 'User not found in team' },
      { user_id: 'in', user_email: null, success: false, error: 'Duplicate member in request' },
      { user_id: null, user_email: 'too@example.com', success: true, error: null },
      { user_id: 'a', user_email: null, success: false, error: 'User not found in team' },
    ]);
    expect(await api().rosterOf('t')).toEqual([]);
    expect(await api().keyAliasesOf('in')).toEqual([]);
    const unknown = await api().post(V1('none'), { members: [{ user_id: 'in' }] });
    expect(unknown).toMatchObject({ status: 404, type: 'application/problem+json' });
    expect(unknown.body).toEqual({
      type: 'urn:litellm:error:team-not-found',
      title: 'Team not found',
      status: 404,
      detail: 'Team id=none does not exist in db',
    });
  });
});

/** Leaves a user in `user.teams` only: a refused `/user/delete` has edited the rosters of the ids before the unknown one. */
async function loseRoster(api: Api, userId: string): Promise<void> {
  expect(await api.post('/user/delete', { user_ids: [userId, 'nobody'] })).toMatchObject({ status: 404 });
}

const halfInUserTeams: Parameters<typeof contract>[1] = (api, _target, is) => {
  async function prepare(): Promise<void> {
    await api().makeTeam('t');
    await api().makeUser('other');
    await api().makeUser('half', { teams: ['t'] });
    await api().ok('/key/generate', { user_id: 'half', team_id: 't', key_alias: 'team' });
    await loseRoster(api(), 'half');
    expect([await api().teamsOf('half'), await api().rosterOf('t')]).toEqual([['t'], []]);
  }

  test.each([
    ['/team/member_add', { team_id: 't', member: asMember('half') }],
    ['/team/member_add', { team_id: 't', member: [asMember('half'), asMember('other')] }],
    ['/team/bulk_member_add', { team_id: 't', members: [asMember('half')] }],
    ['/team/bulk_member_add', { team_id: 't', members: [asMember('half'), asMember('other')] }],
  ])('%s mends it: %j', async (path, body) => {
    await prepare();
    await api().ok(path, body);
    expect(await api().teamsOf('half')).toEqual(is.joiningLooksFirst ? ['t'] : ['t', 't']);
    expect(await api().rosterOf('t')).toContain('half');
    expect(await api().keyAliasesOf('half')).toEqual(['team']);
  });

  test.skipIf(is.leavingMendsUserTeams)('leaving does not end it', async () => {
    await prepare();
    const answer = await api().post('/team/member_delete', { team_id: 't', user_id: 'half' });
    expect(answer).toMatchObject({ status: 400, body: { detail: { error: 'User not found in team' } } });
    expect(await api().teamsOf('half')).toEqual(['t']);
  });

  test('a deleted team goes from user.teams of everybody, or of its roster', async () => {
    await prepare();
    await api().ok('/team/delete', { team_ids: ['t'] });
    expect(await api().teamsOf('half')).toEqual(is.deletedTeamLeavesStrays ? [] : ['t']);
  });

  test.skipIf(!is.leavingMendsUserTeams).each([
    ['/team/member_delete', { team_id: 't', user_id: 'half' }],
    [V1('t'), { members: [{ user_id: 'half' }] }],
  ])('%s ends it, with the keys', async (path, body) => {
    await prepare();
    await api().ok(path, body);
    expect(await api().teamsOf('half')).toEqual([]);
    expect(await api().keyAliasesOf('half')).toEqual([]);
  });

  test('deleting one of two users with the same email leaves the other with half a membership', async () => {
    await api().makeTeam('t');
    await api().makeUser('one', { teams: ['t'] });
    await api().makeUser('two', { teams: ['t'] });
    await api().ok('/user/update', { user_id: 'two', user_email: 'one@example.com' });
    await api().ok('/user/delete', { user_ids: ['two'] });
    expect([await api().teamsOf('one'), await api().rosterOf('t')]).toEqual([['t'], []]);
  });
};

contract('half a membership: user.teams only', halfInUserTeams, { where: (is) => !is.deletingIsAtomic });

contract(
  'no half of a membership after /user/delete',
  (api) => {
    test('refused, it has edited no roster', async () => {
      await api().makeTeam('t');
      await api().makeUser('a', { teams: ['t'] });
      await loseRoster(api(), 'a');
      expect([await api().teamsOf('a'), await api().rosterOf('t')]).toEqual([['t'], ['a']]);
    });

    test('of one of two users with the same email, the other stays in the roster', async () => {
      await api().makeTeam('t');
      await api().makeUser('one', { teams: ['t'] });
      await api().makeUser('two', { teams: ['t'] });
      await api().ok('/user/update', { user_id: 'two', user_email: 'one@example.com' });
      await api().ok('/user/delete', { user_ids: ['two'] });
      expect([await api().teamsOf('one'), await api().rosterOf('t')]).toEqual([['t'], ['one']]);
    });
  },
  { where: (is) => is.deletingIsAtomic },
);

const database = process.env.LITELLM_DATABASE_URL;

/**
 * No call leaves a user in the roster only; two that race do. On the real proxy it takes its database:
 * LITELLM_DATABASE_URL, and `psql` on the path.
 */
const halfInRoster: Parameters<typeof contract>[1] = (api, target, is) => {
  const isOutOfReach = () => target().state === null && !database;

  async function prepare(): Promise<void> {
    await api().makeTeam('t');
    await api().makeUser('other');
    await api().makeUser('half', { teams: ['t'] });
    await api().ok('/key/generate', { user_id: 'half', team_id: 't', key_alias: 'team' });
    const user = target().state?.users.get('half');
    if (user !== undefined) user.teams = [];
    else
      execFileSync('psql', [
        '-q',
        database ?? '',
        '-c',
        `UPDATE "LiteLLM_UserTable" SET teams = '{}' WHERE user_id = 'half'`,
      ]);
    expect([await api().teamsOf('half'), await api().rosterOf('t')]).toEqual([[], ['half']]);
  }

  test('joining does not mend it, whatever the answer says', async ({ skip }) => {
    skip(isOutOfReach(), 'LITELLM_DATABASE_URL is not set');
    await prepare();
    expect(await api().post('/team/member_add', { team_id: 't', member: asMember('half') })).toMatchObject({
      status: 400,
    });
    const alone = await api().ok('/team/bulk_member_add', { team_id: 't', members: [asMember('half')] });
    expect(alone.results).toMatchObject([{ user_id: 'half', success: false }]);
    const among = await api().ok('/team/bulk_member_add', {
      team_id: 't',
      members: [asMember('half'), asMember('other')],
    });
    expect(among.results[0]).toMatchObject({ user_id: 'half', success: true, updated_user: null });
    expect([await api().teamsOf('half'), await api().rosterOf('t')]).toEqual([[], ['half', 'other']]);
  });

  test.for<[string, object]>([
    ['/team/member_delete', { team_id: 't', user_id: 'half' }],
    [V1('t'), { members: [{ user_id: 'half' }] }],
  ])('%s ends it, with the keys; joining anew makes it whole', async ([path, body], { skip }) => {
    skip(isOutOfReach(), 'LITELLM_DATABASE_URL is not set');
    await prepare();
    await api().ok(path, body);
    expect(await api().rosterOf('t')).toEqual([]);
    expect(await api().keyAliasesOf('half')).toEqual([]);
    await api().ok('/team/member_add', { team_id: 't', member: asMember('half') });
    expect([await api().teamsOf('half'), await api().rosterOf('t')]).toEqual([['t'], ['half']]);
  });

  test('/user/delete leaves the roster entry behind before 1.110, bulk_delete takes it along', async ({ skip }) => {
    skip(isOutOfReach(), 'LITELLM_DATABASE_URL is not set');
    await prepare();
    await api().ok('/user/delete', { user_ids: ['half'] });
    expect(await api().rosterOf('t')).toEqual(is.deletingIsAtomic ? [] : ['half']);
    await target().reset();
    await prepare();
    const { data } = await api().ok('/management/v1/users/bulk_delete', { user_ids: ['half'] });
    expect(data).toMatchObject([{ success: true, teams_removed: ['t'] }]);
    expect(await api().rosterOf('t')).toEqual([]);
  });
};

contract('half a membership: roster only', halfInRoster, { where: (is) => is.managementV1 });
