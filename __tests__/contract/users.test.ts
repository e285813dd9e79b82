import { expect, test } from 'vitest';
import { wrapped } from './statements.ts';
import { contract } from './suite.ts';

contract('users, one by one', (api, _target, is) => {
  test('/user/new makes a key unless told not to, and answers with the teams joined', async () => {
    await api().makeTeam('t');
    const made = await api().ok('/user/new', {
      user_email: 'a@example.com',
      user_role: 'internal_user',
      teams: ['t'],
      key_alias: 'k',
    });
    expect(made).toMatchObject({
      user_email: 'a@example.com',
      user_role: 'internal_user',
      teams: is.newUserAnswersTeams ? ['t'] : null,
      team_id: null,
      key_alias: 'k',
    });
    expect(made.key).toMatch(/^sk-/);
    const keys = (await api().get(`/key/list?return_full_object=true&user_id=${made.user_id}`)).body.keys;
    expect(keys).toMatchObject([{ key_alias: 'k', team_id: null, key_name: `sk-...${made.key.slice(-4)}` }]);
    const without = await api().ok('/user/new', { user_id: 'b', auto_create_key: false });
    expect(without).toMatchObject({ user_id: 'b', key: '', teams: null, user_role: null, user_email: null });
  });

  test('teams that cannot be joined are passed over in silence', async () => {
    await api().makeTeam('t');
    const made = await api().ok('/user/new', { user_id: 'a', teams: ['none', 't'], auto_create_key: false });
    expect(made.teams).toEqual(is.newUserAnswersTeams ? ['t'] : null);
    expect(await api().teamsOf('a')).toEqual(['t']);
    const none = await api().ok('/user/new', { user_id: 'b', teams: [] });
    expect(none.teams).toEqual(is.newUserAnswersTeams ? [] : null);
  });

  test('team_id wins over teams and binds the key', async () => {
    await api().makeTeam('t');
    await api().makeTeam('u');
    const made = await api().ok('/user/new', { user_id: 'a', teams: ['u'], team_id: 't' });
    expect(made).toMatchObject({ teams: is.newUserAnswersTeams ? ['t'] : null, team_id: 't' });
    expect((await api().get('/key/list?return_full_object=true&user_id=a')).body.keys).toMatchObject([
      { team_id: 't' },
    ]);
    expect(await api().rosterOf('u')).toEqual([]);
  });

  test('an email that is taken, in any letter case, and an id that is taken', async () => {
    await api().makeUser('a', { user_email: 'A@example.com' });
    const byEmail = await api().post('/user/new', { user_email: 'a@EXAMPLE.com ' });
    const error = wrapped(is, is.takenEmail, 'User with email A@example.com already exists');
    expect(byEmail).toMatchObject({ status: is.takenEmail, body: { error } });
    const byId = await api().post('/user/new', { user_id: 'a', user_email: 'b@example.com' });
    if (is.takenIdRefused) {
      const refused = wrapped(is, 409, 'User with id a already exists');
      expect(byId).toMatchObject({ status: 409, body: { error: refused } });
    } else {
      expect(byId.status).toBe(200);
      expect(await api().user('a')).toMatchObject({ user_email: 'A@example.com' });
    }
  });

  test('an alias is not checked', async () => {
    await api().ok('/user/new', { user_id: 'a', key_alias: 'same' });
    await api().ok('/user/new', { user_id: 'b', key_alias: 'same' });
    expect(await api().keyAliasesOf('a')).toEqual(['same']);
    expect(await api().keyAliasesOf('b')).toEqual(['same']);
  });

  test('/user/update changes the role and ignores teams', async () => {
    await api().makeTeam('t');
    await api().makeUser('a');
    const updated = await api().ok('/user/update', { user_id: 'a', user_role: 'internal_user_viewer', teams: ['t'] });
    expect(updated).toMatchObject({ user_id: 'a', data: { user_role: 'internal_user_viewer', teams: [] } });
    expect(await api().user('a')).toMatchObject({ user_role: 'internal_user_viewer', teams: [] });
  });

  test('/user/update makes a user of an unknown id; of an unknown email, too, and then answers 400', async () => {
    await api().ok('/user/update', { user_id: 'made', user_role: 'internal_user' });
    expect(await api().user('made')).toMatchObject({ user_role: 'internal_user', user_email: null });
    await api().makeUser('a');
    const answer = await api().post('/user/update', { user_email: 'A@example.com', user_role: 'internal_user' });
    expect(answer.status).toBe(400);
    const reason = "'LiteLLM_UserTable' object has no attribute 'get'";
    expect(answer.body.error.message).toBe(is.noAuthPrefix ? reason : `Authentication Error, ${reason}`);
    const { body } = await api().get('/user/list?user_email=a@example.com');
    expect(body.users.map((user: { user_email: string }) => user.user_email).sort()).toEqual([
      'A@example.com',
      'a@example.com',
    ]);
  });

  test('/user/update replaces metadata, and may set an email that is taken', async () => {
    await api().makeUser('a', { metadata: { first: 1 } });
    await api().makeUser('b');
    await api().ok('/user/update', { user_id: 'a', metadata: { second: 2 } });
    await api().ok('/user/update', { user_id: 'a', user_email: 'b@example.com' });
    expect(await api().user('a')).toMatchObject({ metadata: { second: 2 }, user_email: 'b@example.com' });
  });

  test('/user/bulk_update answers 200 row by row', async () => {
    await api().makeUser('a');
    const users = [
      { user_id: 'a', user_role: 'internal_user' },
      { user_id: 'made', user_role: 'internal_user' },
      { user_email: 'unknown@example.com', user_role: 'internal_user' },
    ];
    const answer = await api().ok('/user/bulk_update', { users });
    expect(answer).toMatchObject({ total_requested: 3, successful_updates: 2, failed_updates: 1 });
    expect(answer.results).toMatchObject([
      { user_id: 'a', success: true, error: null },
      { user_id: 'made', success: true, error: null },
      { user_id: null, success: false, error: "'LiteLLM_UserTable' object has no attribute 'get'" },
    ]);
    expect(await api().user('a')).toMatchObject({ user_role: 'internal_user' });
  });

  test('/user/bulk_update refuses none and 501', async () => {
    expect(await api().post('/user/bulk_update', { users: [] })).toMatchObject({ status: 400 });
    const users = Array.from({ length: 501 }, (_, index) => ({ user_id: `u${index}` }));
    const error = 'Maximum 500 users can be updated at once. Found 501 users.';
    expect(await api().post('/user/bulk_update', { users })).toMatchObject({
      status: 400,
      body: { detail: { error } },
    });
  });

  test('/user/delete takes keys, memberships and invitations along', async () => {
    await api().makeTeam('t');
    await api().makeUser('a', { teams: ['t'], auto_create_key: true });
    await api().makeUser('b');
    const { id } = await api().ok('/invitation/new', { user_id: 'a' });
    expect(await api().ok('/user/delete', { user_ids: ['a', 'b'] })).toBe(2);
    expect(await api().user('a')).toBeUndefined();
    expect(await api().rosterOf('t')).toEqual([]);
    expect((await api().get('/key/list?user_id=a')).body.keys).toEqual([]);
    expect(await api().get(`/invitation/info?invitation_id=${id}`)).toMatchObject({ status: 400 });
    const again = await api().post('/user/delete', { user_ids: ['a'] });
    expect(again).toMatchObject({ status: 404, body: { detail: { error: 'User not found, passed user_id=a' } } });
    expect(await api().ok('/user/delete', { user_ids: [] })).toBe(0);
  });

  test('/user/delete takes the invitations that the user issued along, or gets stuck at them', async () => {
    const admin = api().as(await api().makeKeyOf('proxy_admin'));
    await api().makeUser('a');
    const { id } = await admin.ok('/invitation/new', { user_id: 'a' });
    const answer = await api().post('/user/delete', { user_ids: ['proxy_admin'] });
    const invitation = await api().get(`/invitation/info?invitation_id=${id}`);
    if (is.inviterDeletable) {
      expect([answer.status, invitation.status]).toEqual([200, 400]);
    } else {
      expect(answer).toMatchObject({ status: 500, type: 'text/plain' });
      expect(invitation.status).toBe(200);
      await api().ok('/invitation/delete', { invitation_id: id });
      expect(await api().ok('/user/delete', { user_ids: ['proxy_admin'] })).toBe(1);
    }
    expect(await api().user('proxy_admin')).toBeUndefined();
  });

  test('rename: the roster keeps the old email until the user has left and joined again', async () => {
    const rosterEmail = async () => {
      const { body } = await api().get('/team/info?team_id=t');
      return body.team_info.members_with_roles.find((one: { user_id: string }) => one.user_id === 'a')?.user_email;
    };
    await api().makeTeam('t');
    await api().makeUser('a', { teams: ['t'] });
    await api().ok('/user/update', { user_id: 'a', user_email: 'New@example.com' });
    expect(await api().user('a')).toMatchObject({ user_email: 'New@example.com', teams: ['t'] });
    expect(await rosterEmail()).toBe('a@example.com');
    await api().ok('/user/update', { user_id: 'a', user_email: null });
    expect(await api().user('a')).toMatchObject({ user_email: 'New@example.com' });
    await api().ok('/team/member_delete', { team_id: 't', user_id: 'a' });
    await api().ok('/team/member_add', { team_id: 't', member: { user_id: 'a', role: 'user' } });
    expect(await rosterEmail()).toBe(is.rosterEmails ? 'New@example.com' : null);
  });

  test('/team/member_delete by a new email: refused, or half done', async () => {
    await api().makeTeam('t');
    await api().makeUser('a', { teams: ['t'] });
    await api().ok('/user/update', { user_id: 'a', user_email: 'new@example.com' });
    const answer = await api().post('/team/member_delete', { team_id: 't', user_email: 'new@example.com' });
    expect(answer.status).toBe(is.leavingMendsUserTeams ? 200 : 400);
    expect(await api().rosterOf('t')).toEqual(['a']);
    expect(await api().teamsOf('a')).toEqual(is.leavingMendsUserTeams ? [] : ['t']);
  });

  test('/user/info: 404 for a stranger, or nobody’s spend', async () => {
    const { type, param } = wrapped(is, 404, '');
    const error = { message: 'User nobody not found', type, param, code: '404' };
    const answer = await api().get('/user/info?user_id=nobody');
    if (is.strangerIs404) expect(answer).toMatchObject({ status: 404, body: { error } });
    else expect(answer.body).toMatchObject({ user_info: { spend: 0 }, keys: [] });
  });
});
