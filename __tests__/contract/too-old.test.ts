import { expect, test } from 'vitest';
import type { Api } from './api.ts';
import { contract } from './suite.ts';

const teamsOf = async (api: Api, userId: string) =>
  (await api.get(`/user/info?user_id=${userId}`)).body.user_info.teams;
const asMember = (userId: string) => ({ user_id: userId, role: 'user' });

const V1 = [
  '/management/v1/users/bulk',
  '/management/v1/users/bulk_delete',
  '/management/v1/teams/t/members/bulk_delete',
];

contract('too old', define, { versions: ['1.55'] });

function define(api: () => Api): void {
  test('no /management/v1 whatever the key, no /v2/user/info, no onboarding page', async () => {
    const missing = { status: 404, body: { detail: 'Not Found' } };
    for (const path of V1) expect(await api().as('sk-unknown-0123456789').post(path, {})).toMatchObject(missing);
    expect(await api().get('/v2/user/info')).toMatchObject(missing);
    expect(await api().get('/ui/onboarding?invitation_id=x')).toMatchObject({ status: 404 });
    expect(await api().get('/ui/?invitation_id=x')).toMatchObject({ status: 200, type: 'text/html' });
  });

  test('names its version, and has no bulk routes', async () => {
    expect((await api().get('/health/readiness')).body).toMatchObject({ litellm_version: '1.55.8' });
    for (const path of ['/user/bulk_update', '/team/bulk_member_add']) {
      expect(await api().post(path, {})).toMatchObject({ status: 404 });
    }
    expect(await api().get('/v2/team/list')).toMatchObject({ status: 404 });
  });

  test('/user/new: a second user of one email, teams stored as they come, rosters untouched', async () => {
    await api().makeTeam('t');
    const user = { user_email: 'a@example.com', teams: ['t', 'none'], auto_create_key: false };
    const first = await api().ok('/user/new', user);
    const second = await api().ok('/user/new', user);
    expect(second.user_id).not.toBe(first.user_id);
    expect(await teamsOf(api(), first.user_id)).toEqual(['t', 'none']);
    expect(await api().rosterOf('t')).toEqual([]);
    const bound = await api().ok('/user/new', { user_id: 'b', team_id: 't' });
    expect(bound.team_id).toBe('t');
    expect(await api().rosterOf('t')).toEqual(['b']);
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
    await api().makeTeam('t');
    await api().makeUser('a');
    for (const _time of [1, 2]) await api().ok('/team/member_add', { team_id: 't', member: asMember('a') });
    expect([await teamsOf(api(), 'a'), await api().rosterOf('t')]).toEqual([
      ['t', 't'],
      ['a', 'a'],
    ]);
    await api().ok('/team/member_delete', { team_id: 't', user_id: 'a' });
    expect([await teamsOf(api(), 'a'), await api().rosterOf('t')]).toEqual([['t'], []]);
    await api().ok('/team/member_delete', { team_id: 't', user_id: 'a' });
    expect(await teamsOf(api(), 'a')).toEqual([]);
  });

  test('a deleted user stays in the rosters, a deleted team in user.teams', async () => {
    await api().makeTeam('t');
    await api().makeUser('a');
    await api().makeUser('b');
    for (const name of ['a', 'b']) await api().ok('/team/member_add', { team_id: 't', member: asMember(name) });
    await api().ok('/user/delete', { user_ids: ['a'] });
    expect(await api().rosterOf('t')).toEqual(['a', 'b']);
    await api().ok('/team/delete', { team_ids: ['t'] });
    expect(await teamsOf(api(), 'b')).toEqual(['t']);
  });

  test('/key/list: hashes only, for the master key only', async () => {
    await api().makeUser('a', { user_role: 'proxy_admin' });
    const { key } = await api().ok('/key/generate', { user_id: 'a' });
    expect((await api().get('/key/list?user_id=a')).body).toMatchObject({ total_count: 1 });
    expect(await api().get('/key/list?return_full_object=true')).toMatchObject({ status: 400 });
    const message = 'Authentication Error, Tried to access route=/key/list, which is only for MASTER KEY';
    expect(await api().as(key).get('/key/list')).toMatchObject({ status: 401, body: { error: { message } } });
  });
}
