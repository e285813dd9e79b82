import { expect, test } from 'vitest';
import { wrapped } from './statements.ts';
import { contract } from './suite.ts';

contract('teams', (api, _target, is) => {
  test('an alias need not be unique, an id must be', async () => {
    await api().ok('/team/new', { team_id: 'a', team_alias: 'same' });
    await api().ok('/team/new', { team_alias: 'same' });
    expect((await api().get('/v2/team/list')).body).toMatchObject({ total: 2 });
    const error = wrapped(is, 400, 'Team id = a already exists. Please use a different team id.');
    expect(await api().post('/team/new', { team_id: 'a' })).toMatchObject({ status: 400, body: { error } });
  });

  test('/v2/team/list pages newest first, sorts, and filters by id and by part of the alias', async () => {
    for (const id of ['b', 'c', 'a']) await api().ok('/team/new', { team_id: id, team_alias: `Alias-${id}` });
    const ids = async (query: string) =>
      (await api().get(`/v2/team/list?${query}`)).body.teams.map((team: { team_id: string }) => team.team_id);
    expect(await ids('')).toEqual(['a', 'c', 'b']);
    expect(await ids('sort_by=team_id&sort_order=asc&page_size=2&page=1')).toEqual(['a', 'b']);
    expect(await ids('sort_by=team_id&sort_order=asc&page_size=2&page=2')).toEqual(['c']);
    expect(await ids('sort_by=shoe_size')).toEqual(['a', 'c', 'b']);
    expect(await ids('team_id=b')).toEqual(['b']);
    expect(await ids('team_alias=S-C')).toEqual(['c']);
    const past = (await api().get('/v2/team/list?page=3&page_size=2')).body;
    expect(past).toEqual({ teams: [], total: 3, page: 3, page_size: 2, total_pages: 2 });
  });

  test.skipIf(!is.teamCounts)('/v2/team/list counts members and keys', async () => {
    await api().makeTeam('t');
    await api().makeUser('a', { teams: ['t'] });
    await api().ok('/key/generate', { user_id: 'a', team_id: 't' });
    expect((await api().get('/v2/team/list')).body.teams).toMatchObject([{ members_count: 2, keys_count: 1 }]);
  });

  test('/team/list shows all teams at once, or those whose roster has a user', async () => {
    await api().makeTeam('t');
    await api().makeTeam('u');
    await api().makeUser('a', { teams: ['t'] });
    expect((await api().get('/team/list')).body).toHaveLength(2);
    expect((await api().get('/team/list?user_id=a')).body).toMatchObject([{ team_id: 't' }]);
    expect((await api().get('/team/list?user_id=nobody')).body).toEqual([]);
  });

  test('/team/info: unknown team and no team', async () => {
    const error = {
      type: is.authType,
      param: is.otherParam,
      code: '404',
      message: "{'message': 'Team not found, passed team id: no.'}",
    };
    expect(await api().get('/team/info?team_id=no')).toMatchObject({ status: 404, body: { error } });
    expect(await api().get('/team/info')).toMatchObject({ status: 422, body: { error: { code: '422' } } });
  });

  test('/team/delete takes its keys along and clears user.teams', async () => {
    await api().makeTeam('t');
    await api().makeUser('a', { teams: ['t'] });
    await api().ok('/key/generate', { user_id: 'a', team_id: 't', key_alias: 'team' });
    await api().ok('/key/generate', { user_id: 'a', key_alias: 'own' });
    expect(await api().ok('/team/delete', { team_ids: ['t'] })).toEqual({ deleted_teams: ['t'] });
    expect(await api().teamsOf('a')).toEqual([]);
    expect(await api().keyAliasesOf('a')).toEqual(['own']);
    const error = 'Team not found, passed team_id=t';
    expect(await api().post('/team/delete', { team_ids: ['t'] })).toMatchObject({
      status: 404,
      body: { detail: { error } },
    });
  });
});
