import { expect, test } from 'vitest';
import { wrapped } from './statements.ts';
import { contract } from './suite.ts';

contract('invitations', (api, _target, is) => {
  test('every call makes another one, for seven days; older ones stay', async () => {
    await api().makeUser('a');
    const first = await api().ok('/invitation/new', { user_id: 'a' });
    const second = await api().ok('/invitation/new', { user_id: 'a' });
    expect(second.id).not.toBe(first.id);
    expect(first).toMatchObject({ user_id: 'a', is_accepted: false, accepted_at: null, created_by: 'default_user_id' });
    expect(Date.parse(first.expires_at) - Date.parse(first.created_at)).toBe(7 * 24 * 60 * 60 * 1000);
    expect((await api().get(`/invitation/info?invitation_id=${first.id}`)).body).toEqual(first);
  });

  test('only for a user that exists', async () => {
    const answer = await api().post('/invitation/new', { user_id: 'nobody' });
    const message = "User id does not exist in 'LiteLLM_UserTable'. Fix this by creating user via `/user/new`.";
    const error = wrapped(is, 400, message);
    expect(answer).toMatchObject({ status: 400, body: { error } });
  });

  test('deleting answers with what was deleted', async () => {
    await api().makeUser('a');
    const made = await api().ok('/invitation/new', { user_id: 'a' });
    expect(await api().ok('/invitation/delete', { invitation_id: made.id })).toEqual(made);
    const gone = { status: 400, body: { detail: { error: 'Invitation id does not exist in the database.' } } };
    expect(await api().get(`/invitation/info?invitation_id=${made.id}`)).toMatchObject(gone);
    expect(await api().post('/invitation/delete', { invitation_id: made.id })).toMatchObject(gone);
  });
});
