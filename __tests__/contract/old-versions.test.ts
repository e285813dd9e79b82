import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startStandin } from '../../standin/server.ts';
import type { Version } from '../../standin/versions.ts';
import { Api } from './api.ts';
import { TURN_TIMEOUT, takeTurn } from './targets.ts';

/**
 * The stand-in as an old version; and the real one, where LITELLM_1_75_BASE_URL and LITELLM_1_75_MASTER_KEY (or
 * LITELLM_1_55_…) name it. Every test uses ids of its own, so nothing is deleted; other files may empty that proxy, so
 * they wait for each other.
 */
function targets(version: Version): { name: string; start: () => Promise<{ api: Api; stop: () => Promise<void> }> }[] {
  const standin = async () => {
    const { baseUrl, masterKey, close } = await startStandin({ version });
    return { api: new Api(baseUrl, masterKey), stop: close };
  };
  const prefix = `LITELLM_${version.replace('.', '_')}`;
  const [url, key] = [process.env[`${prefix}_BASE_URL`], process.env[`${prefix}_MASTER_KEY`]];
  const real = async () => {
    const release = await takeTurn(url ?? '');
    return { api: new Api(url ?? '', key ?? ''), stop: async () => release() };
  };
  return [{ name: 'the stand-in', start: standin }, ...(url && key ? [{ name: 'the real one', start: real }] : [])];
}

function version(name: Version, define: (api: () => Api, id: (name: string) => string) => void): void {
  describe.each(targets(name))(`${name}: $name`, ({ start }) => {
    let running: Awaited<ReturnType<typeof start>>;
    let suffix = '';
    beforeAll(async () => {
      running = await start();
    }, TURN_TIMEOUT);
    afterAll(() => running.stop());
    beforeEach(() => {
      suffix = randomBytes(4).toString('hex');
    });
    define(
      () => running.api,
      (id) => `${id}-${suffix}`,
    );
  });
}

const teamsOf = async (api: Api, userId: string) =>
  (await api.get(`/user/info?user_id=${userId}`)).body.user_info.teams;
const asMember = (userId: string) => ({ user_id: userId, role: 'user' });

const V1 = [
  '/management/v1/users/bulk',
  '/management/v1/users/bulk_delete',
  '/management/v1/teams/t/members/bulk_delete',
];

function common(api: () => Api): void {
  test('no /management/v1 whatever the key, no /v2/user/info, no onboarding page', async () => {
    const missing = { status: 404, body: { detail: 'Not Found' } };
    for (const path of V1) expect(await api().as('sk-unknown-0123456789').post(path, {})).toMatchObject(missing);
    expect(await api().get('/v2/user/info')).toMatchObject(missing);
    expect(await api().get('/ui/onboarding?invitation_id=x')).toMatchObject({ status: 404 });
    expect(await api().get('/ui/?invitation_id=x')).toMatchObject({ status: 200, type: 'text/html' });
  });
}

version('1.75', (api, id) => {
  common(api);

  test('names its version', async () => {
    expect((await api().get('/health/readiness')).body).toMatchObject({ db: 'connected', litellm_version: '1.75.8' });
  });

  test('/user/new: a taken email is 400, a taken id 200 that changes nothing; teams are not answered', async () => {
    await api().makeTeam(id('t'));
    const made = await api().ok('/user/new', {
      user_id: id('a'),
      user_email: `${id('a')}@example.com`,
      teams: [id('t'), 'none'],
    });
    expect(made.teams).toBeNull();
    expect(await teamsOf(api(), id('a'))).toEqual([id('t')]);
    expect(await api().rosterOf(id('t'))).toEqual([id('a')]);
    const taken = await api().post('/user/new', { user_email: `${id('A')}@example.com` });
    const message = `{'error': 'User with email ${id('a')}@example.com already exists'}`;
    expect(taken).toMatchObject({ status: 400, body: { error: { message, param: 'None', code: '400' } } });
    await api().ok('/user/new', { user_id: id('a'), user_email: `${id('b')}@example.com`, user_role: 'proxy_admin' });
    expect(await api().user(id('a'))).toMatchObject({ user_email: `${id('a')}@example.com`, user_role: null });
  });

  test('/user/list sorts and filters as now', async () => {
    for (const name of ['b', 'a']) await api().makeUser(id(name));
    const { body } = await api().get(`/user/list?user_ids=${id('a')},${id('b')}&sort_by=user_id`);
    expect(body.users.map((user: { user_id: string }) => user.user_id)).toEqual([id('a'), id('b')]);
    expect((await api().get(`/user/list?user_email=${id('a')}`)).body).toMatchObject({ total: 1 });
  });

  test('/team/member_add: already in 400, an unknown team 500 in plain text', async () => {
    await api().makeTeam(id('t'));
    await api().makeUser(id('a'), { teams: [id('t')] });
    const again = await api().post('/team/member_add', { team_id: id('t'), member: asMember(id('a')) });
    expect(again).toMatchObject({
      status: 400,
      body: { error: { type: 'team_member_already_in_team', param: 'member' } },
    });
    const unknown = await api().post('/team/member_add', { team_id: id('none'), member: asMember(id('a')) });
    expect(unknown).toMatchObject({ status: 500, type: 'text/plain' });
  });

  test('joining along with others adds the team to user.teams once more, and leaving takes one away', async () => {
    await api().makeTeam(id('t'));
    await api().makeUser(id('a'), { teams: [id('t')] });
    await api().makeUser(id('b'));
    const members = [asMember(id('a')), asMember(id('b'))];
    const { results } = await api().ok('/team/bulk_member_add', { team_id: id('t'), members });
    expect(results).toMatchObject([{ success: true }, { success: true }]);
    expect(await teamsOf(api(), id('a'))).toEqual([id('t'), id('t')]);
    expect(await api().rosterOf(id('t'))).toEqual([id('a'), id('b')]);
    const none = await api().ok('/team/bulk_member_add', { team_id: id('t'), members });
    expect(none.results).toMatchObject([
      { success: false, error: '' },
      { success: false, error: '' },
    ]);
    await api().ok('/team/member_delete', { team_id: id('t'), user_id: id('a') });
    expect([await teamsOf(api(), id('a')), await api().rosterOf(id('t'))]).toEqual([[id('t')], [id('b')]]);
    const stray = await api().post('/team/member_delete', { team_id: id('t'), user_id: id('a') });
    expect(stray).toMatchObject({ status: 400, body: { detail: { error: 'User not found in team' } } });
  });

  test('leaving keeps the keys of the team', async () => {
    await api().makeTeam(id('t'));
    await api().makeUser(id('a'), { teams: [id('t')] });
    await api().ok('/key/generate', { user_id: id('a'), team_id: id('t'), key_alias: id('k') });
    await api().ok('/team/member_delete', { team_id: id('t'), user_id: id('a') });
    expect(await api().keyAliasesOf(id('a'))).toEqual([id('k')]);
  });

  test('a deleted team leaves user.teams of its roster only', async () => {
    await api().makeTeam(id('t'));
    for (const name of ['a', 'b']) await api().makeUser(id(name), { teams: [id('t')] });
    expect(await api().post('/user/delete', { user_ids: [id('a'), 'nobody'] })).toMatchObject({ status: 404 });
    await api().ok('/team/delete', { team_ids: [id('t')] });
    expect([await teamsOf(api(), id('a')), await teamsOf(api(), id('b'))]).toEqual([[id('t')], []]);
  });

  test('unknown users and keys', async () => {
    expect((await api().get('/user/info?user_id=nobody')).body).toMatchObject({ user_info: { spend: 0 }, keys: [] });
    expect(await api().post('/key/update', { key: 'none', key_alias: 'x' })).toMatchObject({ status: 401 });
    const error = { message: "{'error': 'No keys found'}", param: 'None', code: '404' };
    expect(await api().post('/key/delete', { keys: ['none'] })).toMatchObject({ status: 404, body: { error } });
  });

  test('an internal user’s key: 401 on /user/list', async () => {
    await api().makeUser(id('a'), { user_role: 'internal_user' });
    const { key } = await api().ok('/key/generate', { user_id: id('a') });
    expect(await api().as(key).get('/user/list')).toMatchObject({
      status: 401,
      body: { error: { type: 'auth_error' } },
    });
  });
});

version('1.55', (api, id) => {
  common(api);

  test('names its version, and has no bulk routes', async () => {
    expect((await api().get('/health/readiness')).body).toMatchObject({ litellm_version: '1.55.8' });
    for (const path of ['/user/bulk_update', '/team/bulk_member_add']) {
      expect(await api().post(path, {})).toMatchObject({ status: 404 });
    }
    expect(await api().get('/v2/team/list')).toMatchObject({ status: 404 });
  });

  test('/user/new: a second user of one email, teams stored as they come, rosters untouched', async () => {
    await api().makeTeam(id('t'));
    const user = { user_email: `${id('a')}@example.com`, teams: [id('t'), 'none'], auto_create_key: false };
    const first = await api().ok('/user/new', user);
    const second = await api().ok('/user/new', user);
    expect(second.user_id).not.toBe(first.user_id);
    expect(await teamsOf(api(), first.user_id)).toEqual([id('t'), 'none']);
    expect(await api().rosterOf(id('t'))).toEqual([]);
    const bound = await api().ok('/user/new', { user_id: id('b'), team_id: id('t') });
    expect(bound.team_id).toBe(id('t'));
    expect(await api().rosterOf(id('t'))).toEqual([id('b')]);
  });

  test('/user/list: unfiltered by email, total 0 past the end', async () => {
    expect((await api().get('/user/list?user_email=nobody-at-all')).body.total).toBeGreaterThan(0);
    expect((await api().get('/user/list?page=1000&page_size=100')).body).toMatchObject({
      users: [],
      total: 0,
      total_pages: 0,
    });
  });

  test('joining twice lists twice, leaving once more is no error', async () => {
    await api().makeTeam(id('t'));
    await api().makeUser(id('a'));
    for (const _time of [1, 2]) await api().ok('/team/member_add', { team_id: id('t'), member: asMember(id('a')) });
    expect([await teamsOf(api(), id('a')), await api().rosterOf(id('t'))]).toEqual([
      [id('t'), id('t')],
      [id('a'), id('a')],
    ]);
    await api().ok('/team/member_delete', { team_id: id('t'), user_id: id('a') });
    expect([await teamsOf(api(), id('a')), await api().rosterOf(id('t'))]).toEqual([[id('t')], []]);
    await api().ok('/team/member_delete', { team_id: id('t'), user_id: id('a') });
    expect(await teamsOf(api(), id('a'))).toEqual([]);
  });

  test('a deleted user stays in the rosters, a deleted team in user.teams', async () => {
    await api().makeTeam(id('t'));
    await api().makeUser(id('a'));
    await api().makeUser(id('b'));
    for (const name of ['a', 'b']) await api().ok('/team/member_add', { team_id: id('t'), member: asMember(id(name)) });
    await api().ok('/user/delete', { user_ids: [id('a')] });
    expect(await api().rosterOf(id('t'))).toEqual([id('a'), id('b')]);
    await api().ok('/team/delete', { team_ids: [id('t')] });
    expect(await teamsOf(api(), id('b'))).toEqual([id('t')]);
  });

  test('/key/list: hashes only, for the master key only', async () => {
    await api().makeUser(id('a'), { user_role: 'proxy_admin' });
    const { key } = await api().ok('/key/generate', { user_id: id('a') });
    expect((await api().get(`/key/list?user_id=${id('a')}`)).body).toMatchObject({ total_count: 1 });
    expect(await api().get('/key/list?return_full_object=true')).toMatchObject({ status: 400 });
    const message = 'Authentication Error, Tried to access route=/key/list, which is only for MASTER KEY';
    expect(await api().as(key).get('/key/list')).toMatchObject({ status: 401, body: { error: { message } } });
  });
});
