import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Answer } from './api.ts';
import { contract } from './suite.ts';

const OFF = { metadata: { keep: 1, scim_active: false } };
const ON = { metadata: { keep: 1 } };

/** What a used key of a changed user may do: the proxy remembers it for a minute. Ids are of one test, as it remembers them, too. */
contract('activity and used keys', (api, _target, is) => {
  async function person(role: string) {
    const userId = `p-${randomUUID().slice(0, 8)}`;
    await api().makeUser(userId, { user_role: role, ...ON });
    const { key, token } = await api().ok('/key/generate', { user_id: userId });
    return { userId, key, token };
  }

  const use = (key: string): Promise<Answer> =>
    api()
      .as(key)
      .post('/chat/completions', { model: 'fake-model', messages: [{ role: 'user', content: 'x' }] });
  const works = async (key: string): Promise<boolean> => (await use(key)).status !== 401;
  const update = (userId: string, fields: object) => api().ok('/user/update', { user_id: userId, ...fields });
  const bulkUpdate = (userId: string, fields: object) =>
    api().ok('/user/bulk_update', { users: [{ user_id: userId, ...fields }] });

  test(`a deactivated user’s keys ${is.deactivationEnforced ? 'stop' : 'go on'}, and come back, at once`, async () => {
    const { userId, key } = await person('internal_user');
    expect(await works(key)).toBe(true);
    await update(userId, OFF);
    expect((await api().user(userId)).metadata).toEqual(OFF.metadata);
    expect(await works(key)).toBe(!is.deactivationEnforced);
    const later = await api().ok('/key/generate', { user_id: userId });
    expect(await works(later.key)).toBe(!is.deactivationEnforced);
    if (is.deactivationEnforced) {
      const message = `Authentication Error, User=${userId} has been deactivated via SCIM. Keys owned by this user cannot be used.`;
      const error = { message, type: 'auth_error', param: is.otherParam, code: '401' };
      expect(await use(key)).toMatchObject({ status: 401, body: { error } });
    }
    expect(await api().post('/invitation/new', { user_id: userId })).toMatchObject({ status: 200 });
    await update(userId, ON);
    expect(await works(key)).toBe(true);
  });

  test('only the boolean deactivates', async () => {
    const { userId, key } = await person('internal_user');
    await update(userId, { metadata: { scim_active: 'false' } });
    expect(await works(key)).toBe(true);
  });

  test.skipIf(!is.deactivationEnforced)(
    `in bulk it counts ${is.bulkActivityAtOnce ? 'at once' : 'a minute later'}`,
    async () => {
      const { userId, key } = await person('internal_user');
      expect(await works(key)).toBe(true);
      await bulkUpdate(userId, OFF);
      expect(await works(key)).toBe(!is.bulkActivityAtOnce);
      await update(userId, OFF);
      expect(await works(key)).toBe(false);
    },
  );

  test('a demoted administrator: at once, in bulk on the newest only', async () => {
    const { userId, key } = await person('proxy_admin');
    const lists = async () => (await api().as(key).get('/user/list')).status === 200;
    expect(await lists()).toBe(true);
    await bulkUpdate(userId, { user_role: 'internal_user' });
    expect(await lists()).toBe(!is.bulkRoleAtOnce);
    await update(userId, { user_role: 'internal_user' });
    expect(await lists()).toBe(false);
  });

  test('a deleted user’s key: at once on the newer ones; /key/delete at once on all', async () => {
    const { userId, key } = await person('internal_user');
    expect(await works(key)).toBe(true);
    await api().ok('/user/delete', { user_ids: [userId] });
    expect(await works(key)).toBe(!is.deletedKeysDieAtOnce);
    const second = await person('internal_user');
    expect(await works(second.key)).toBe(true);
    await api().ok('/key/delete', { keys: [second.token] });
    expect(await works(second.key)).toBe(false);
  });

  test('a blocked key stops at once and comes back at once; a hash unblocks by /key/update on all', async () => {
    const { key, token } = await person('internal_user');
    expect(await works(key)).toBe(true);
    expect(await api().ok('/key/block', { key: token })).toMatchObject({ token, blocked: true });
    const refused = await use(key);
    expect(refused.status).toBe(401);
    expect(refused.body.error.message).toMatch(
      /^Authentication Error, Key is blocked\. Update via `\/key\/unblock` if/,
    );
    const unblocked = await api().post('/key/unblock', { key: token });
    expect(unblocked.status).toBe(is.unblocksByHash ? 200 : 401);
    expect(await works(key)).toBe(is.unblocksByHash);
    await api().ok('/key/update', { key: token, blocked: true });
    expect(await works(key)).toBe(false);
    await api().ok('/key/update', { key: token, blocked: false });
    expect(await works(key)).toBe(true);
  });
});
