import { expect, test } from 'vitest';
import { contract } from './suite.ts';

contract('users, one by one', (api) => {
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
      teams: ['t'],
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
    expect(made.teams).toEqual(['t']);
    expect(await api().teamsOf('a')).toEqual(['t']);
    expect((await api().ok('/user/new', { user_id: 'b', teams: [] })).teams).toEqual([]);
  });

  test('team_id wins over teams and binds the key', async () => {
    await api().makeTeam('t');
    await api().makeTeam('u');
    const made = await api().ok('/user/new', { user_id: 'a', teams: ['u'], team_id: 't' });
    expect(made).toMatchObject({ teams: ['t'], team_id: 't' });
    expect((await api().get('/key/list?return_full_object=true&user_id=a')).body.keys).toMatchObject([
      { team_id: 't' },
    ]);
    expect(await api().rosterOf('u')).toEqual([]);
  });

  test('an email that is taken, in any letter case, and an id that is taken: 409', async () => {
    await api().makeUser('a', { user_email: 'A@example.com' });
    const byEmail = await api().post('/user/new', { user_email: 'a@EXAMPLE.com ' });
    const error = { type: 'internal_server_error', param: null, code: '409' };
    expect(byEmail).toMatchObject({
      status: 409,
      body: { error: { ...error, message: "{'error': 'User with email A@example.com already exists'}" } },
    });
    const byId = await api().post('/user/new', { user_id: 'a' });
    expect(byId).toMatchObject({
      status: 409,
      body: { error: { ...error, message: "{'error': 'User with id a already exists'}" } },
    });
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
    expect(answer.body.error.message).toBe("Authentication Error, 'LiteLLM_UserTable' object has no attribute 'get'");
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

  test('/user/delete takes the invitations that the user issued along', async () => {
    const admin = api().as(await api().makeKeyOf('proxy_admin'));
    await api().makeUser('a');
    const { id } = await admin.ok('/invitation/new', { user_id: 'a' });
    await api().ok('/user/delete', { user_ids: ['proxy_admin'] });
    expect(await api().get(`/invitation/info?invitation_id=${id}`)).toMatchObject({ status: 400 });
  });

  test('/user/info: 404 for a stranger', async () => {
    const answer = await api().get('/user/info?user_id=nobody');
    const error = { message: 'User nobody not found', type: 'internal_server_error', param: null, code: '404' };
    expect(answer).toMatchObject({ status: 404, body: { error } });
  });
});
