import { expect, test } from 'vitest';
import { hashKey } from '../../standin/state.ts';
import { wrapped } from './statements.ts';
import { contract } from './suite.ts';

const taken = (alias: string) => ({
  message: `Key with alias '${alias}' already exists. Unique key aliases across all keys are required.`,
  type: 'bad_request_error',
  param: 'key_alias',
  code: '400',
});

contract('keys', (api, _target, is) => {
  test('/key/generate answers with the key once; its hash names it from then on', async () => {
    await api().makeUser('a');
    const made = await api().ok('/key/generate', { user_id: 'a', key_alias: 'k' });
    expect(made).toMatchObject({
      user_id: 'a',
      key_alias: 'k',
      team_id: null,
      key_name: `sk-...${made.key.slice(-4)}`,
    });
    expect(made.token).toBe(hashKey(made.key));
    for (const name of [made.key, made.token]) {
      const info = (await api().get(`/key/info?key=${name}`)).body;
      expect(info).toMatchObject({ key: name, info: { key_alias: 'k', user_id: 'a', key_name: made.key_name } });
    }
    const { body } = await api().get('/key/list?return_full_object=true&user_id=a');
    expect(body).toMatchObject({ total_count: 1, current_page: 1, total_pages: 1 });
    expect(body.keys).toMatchObject([{ token: made.token, key_name: made.key_name, key_alias: 'k', spend: 0 }]);
    expect(JSON.stringify(body)).not.toContain(made.key);
  });

  test('neither user nor team need exist, nor be each other’s', async () => {
    await api().makeTeam('t');
    await api().makeUser('a');
    await api().ok('/key/generate', { user_id: 'nobody', team_id: 'none' });
    await api().ok('/key/generate', { user_id: 'a', team_id: 't' });
    expect(await api().user('nobody')).toBeUndefined();
    expect(await api().rosterOf('t')).toEqual([]);
  });

  test('an alias must be unused', async () => {
    await api().makeUser('a');
    await api().ok('/key/generate', { user_id: 'a', key_alias: 'k' });
    expect(await api().post('/key/generate', { key_alias: 'k' })).toMatchObject({
      status: 400,
      body: { error: taken('k') },
    });
    const other = await api().ok('/key/generate', { user_id: 'a', key_alias: 'l' });
    const renamed = await api().post('/key/update', { key: other.token, key_alias: 'k' });
    expect(renamed).toMatchObject({ status: 400, body: { error: taken('k') } });
    expect(await api().ok('/key/update', { key: other.token, key_alias: 'm' })).toMatchObject({ key_alias: 'm' });
    expect(await api().keyAliasesOf('a')).toEqual(['k', 'm']);
  });

  test('a chosen key that exists already: 200 that changes nothing', async () => {
    const key = `sk-contract-${Date.now()}`;
    await api().ok('/key/generate', { user_id: 'a', key, key_alias: 'first' });
    const again = await api().ok('/key/generate', { user_id: 'b', key, key_alias: 'second' });
    expect(again).toMatchObject({ key, user_id: 'b', key_alias: 'second' });
    expect((await api().get(`/key/info?key=${key}`)).body.info).toMatchObject({ user_id: 'a', key_alias: 'first' });
  });

  test(`a chosen key: ${is.keyFormat} is checked`, async () => {
    const made = async (key: string) => {
      const { status, body } = await api().post('/key/generate', { key });
      return status === 200 ? 'made' : body.error;
    };
    const begin = "Invalid key format. LiteLLM Virtual Key must start with 'sk-'. Received: chos****cdef";
    expect(await made('chosen-0123456789abcdef')).toEqual(is.keyFormat === 'any' ? 'made' : wrapped(is, 400, begin));
    const length = 'Invalid key format. LiteLLM Virtual Key must be at least 16 characters long.';
    const short = is.keyFormat === 'prefix and length' ? wrapped(is, 400, length) : 'made';
    expect(await made(`sk-${Math.random().toString(36).slice(2, 10)}`)).toEqual(short);
  });

  test('/key/list pages newest first and filters by user, team and alias', async () => {
    const make = (alias: string, rest: object) => api().ok('/key/generate', { key_alias: alias, ...rest });
    await make('one', { user_id: 'a' });
    await make('two', { user_id: 'a', team_id: 't' });
    await make('three', { user_id: 'ab', team_id: 't' });
    const aliases = async (query: string) =>
      (await api().get(`/key/list?return_full_object=true&${query}`)).body.keys.map(
        (key: { key_alias: string }) => key.key_alias,
      );
    expect(await aliases('')).toEqual(['three', 'two', 'one']);
    expect(await aliases('user_id=a')).toEqual(['two', 'one']);
    expect(await aliases('team_id=t')).toEqual(['three', 'two']);
    expect(await aliases('user_id=a&team_id=t')).toEqual(['two']);
    expect(await aliases('key_alias=one')).toEqual(['one']);
    expect(await aliases('key_alias=on')).toEqual([]);
    expect(await aliases('size=2&page=2')).toEqual(['one']);
    const hashes = (await api().get('/key/list?size=2')).body;
    expect(hashes).toMatchObject({ total_count: 3, current_page: 1, total_pages: 2 });
    expect(hashes.keys.every((key: unknown) => /^[0-9a-f]{64}$/.test(String(key)))).toBe(true);
  });

  test('/key/info: the caller’s own without a name, 404 for the master key and unknown ones', async () => {
    const key = await api().makeKeyOf('internal_user');
    expect((await api().as(key).get('/key/info')).body).toMatchObject({
      key: hashKey(key),
      info: { user_id: 'internal_user' },
    });
    const error = { message: 'Key not found in database', type: 'not_found_error', param: 'key', code: '404' };
    expect(await api().get('/key/info')).toMatchObject({ status: 404, body: { error } });
    expect(await api().get('/key/info?key=unknown')).toMatchObject({ status: 404, body: { error } });
  });

  test('/key/delete by key, hash or alias; unknown names do no harm beside known ones', async () => {
    const make = async (alias: string) => api().ok('/key/generate', { user_id: 'a', key_alias: alias });
    const [one, two] = [await make('one'), await make('two')];
    await make('three');
    expect(await api().ok('/key/delete', { keys: [one.key, 'none'] })).toEqual({ deleted_keys: [one.key, 'none'] });
    await api().ok('/key/delete', { keys: [two.token] });
    expect(await api().ok('/key/delete', { key_aliases: ['three'] })).toEqual({ deleted_keys: ['three'] });
    expect((await api().get('/key/list')).body.keys).toEqual([]);
    const error = wrapped(is, 404, 'No keys found');
    expect(await api().post('/key/delete', { keys: [one.key] })).toMatchObject({ status: 404, body: { error } });
  });

  test('a key moves to a team once its owner is in there, and survives leaving the old one', async () => {
    await api().makeTeam('old');
    await api().makeTeam('new');
    await api().makeUser('a', { teams: ['old'] });
    const { token } = await api().ok('/key/generate', { user_id: 'a', team_id: 'old', key_alias: 'moves' });
    await api().ok('/key/generate', { user_id: 'a', team_id: 'old', key_alias: 'stays' });
    const early = await api().post('/key/update', { key: token, team_id: 'new' });
    const message = 'User=a is not a member of the team=new. Check team members via `/team/info`.';
    expect(early).toMatchObject({
      status: 403,
      body: { error: { message, type: 'auth_error', param: is.otherParam, code: '403' } },
    });
    expect(await api().post('/key/update', { key: token, team_id: 'none' })).toMatchObject({
      status: is.unknownTeamIs404 ? 404 : 400,
    });
    await api().ok('/team/member_add', { team_id: 'new', member: { user_id: 'a', role: 'user' } });
    expect(await api().ok('/key/update', { key: token, team_id: 'new' })).toMatchObject({ team_id: 'new' });
    await api().ok('/team/member_delete', { team_id: 'old', user_id: 'a' });
    expect(await api().keyAliasesOf('a')).toEqual(is.leavingDeletesKeys ? ['moves'] : ['moves', 'stays']);
  });

  test('/key/update and /key/block: an unknown key', async () => {
    const guarded = { message: 'Key not found.', type: 'not_found_error', param: 'key', code: '404' };
    for (const [path, body] of [
      ['/key/update', { key: 'none', key_alias: 'x' }],
      ['/key/block', { key: 'f'.repeat(64) }],
    ] as const) {
      const answer = await api().post(path, body);
      expect(answer.status).toBe(is.keysGuarded ? 404 : 401);
      if (is.keysGuarded) expect(answer.body.error).toMatchObject(guarded);
    }
  });

  test('a move keeps all that the key has', async () => {
    const { token, kept } = await movable();
    expect(await api().ok('/key/update', { key: token, team_id: 'new' })).toMatchObject({ ...kept, team_id: 'new' });
    expect(await info(token)).toMatchObject({ ...kept, team_id: 'new' });
  });

  test('`team_id: null` makes a key personal, the empty text never does', async () => {
    const { token, kept } = await movable();
    await api().ok('/key/update', { key: token, team_id: null });
    expect(await info(token)).toMatchObject({ ...kept, team_id: null });
    await api().ok('/key/update', { key: token, team_id: 'old' });
    expect((await api().post('/key/update', { key: token, team_id: '' })).status).toBe(is.unknownTeamIs404 ? 200 : 400);
    expect((await info(token)).team_id).toBe(is.emptyTeamId);
  });

  test('a team that lacks the model, or allows less, refuses the key', async () => {
    const { token } = await movable();
    await api().ok('/team/new', { team_id: 'poor', models: ['other-model'] });
    await api().ok('/team/new', { team_id: 'slow', tpm_limit: 1 });
    for (const team of ['poor', 'slow']) {
      await api().ok('/team/member_add', { team_id: team, member: { user_id: 'a', role: 'user' } });
    }
    const poor = await api().post('/key/update', { key: token, team_id: 'poor' });
    expect(poor).toMatchObject({ status: is.modelRefusal, body: { error: { type: 'team_model_access_denied' } } });
    const message = `Key=${token} has a tpm_limit=5 which is greater than the team's tpm_limit=1.`;
    const slow = await api().post('/key/update', { key: token, team_id: 'slow' });
    expect(slow).toMatchObject({ status: 403, body: { error: { message } } });
    expect((await info(token)).team_id).toBe('old');
  });

  test.skipIf(!is.bulkKeyUpdate)('/key/bulk_update: row by row; what an item lacks is kept, or cleared', async () => {
    const { token, kept } = await movable();
    const unknown = 'f'.repeat(64);
    const keys = [
      { key: token, team_id: 'new', key_alias: 'ignored' },
      { key: unknown, team_id: 'new' },
      { key: token, team_id: 'none' },
    ];
    const answer = await api().ok('/key/bulk_update', { keys });
    expect(answer).toMatchObject({ total_requested: 3, successful_updates: [{ key: token }] });
    expect(answer.failed_updates).toMatchObject([
      { key: unknown, key_info: null, failed_reason: 'Key not found.' },
      {
        key: token,
        key_info: { team_id: 'new' },
        failed_reason: "Team doesn't exist in db. Team=none. Create team via `/team/new` call.",
      },
    ]);
    const lost = is.bulkKeyUpdateClears ? { max_budget: null } : {};
    expect(await info(token)).toMatchObject({ ...kept, ...lost, team_id: 'new' });
    await api().ok('/key/bulk_update', { keys: [{ key: token, team_id: 'old', max_budget: 4 }] });
    expect(await info(token)).toMatchObject({ ...kept, team_id: 'old' });
    expect((await api().post('/key/bulk_update', { keys: [] })).body.detail.error).toBe('No keys provided for update');
    const many = Array.from({ length: 501 }, () => ({ key: token }));
    expect(await api().post('/key/bulk_update', { keys: many })).toMatchObject({ status: 400 });
  });

  test.skipIf(is.bulkKeyUpdate)('no /key/bulk_update', async () => {
    expect(await api().post('/key/bulk_update', { keys: [] })).toMatchObject({ status: 404 });
  });

  test('a deleted key is shown from the archive, or not at all', async () => {
    const { token } = await api().ok('/key/generate', { key_alias: 'k' });
    await api().ok('/key/delete', { keys: [token] });
    const answer = await api().get(`/key/info?key=${token}`);
    if (is.deletedKeysShown) expect(answer.body.info).toMatchObject({ key_alias: 'k', status: 'deleted' });
    else expect(answer.status).toBe(404);
  });

  const info = async (token: string) => (await api().get(`/key/info?key=${token}`)).body.info;

  /** A key of user a and team `old`, with one of everything; the owner is in team `new`, too. */
  async function movable() {
    for (const team of ['old', 'new']) await api().makeTeam(team);
    await api().makeUser('a', { teams: ['old', 'new'] });
    const limits = { max_budget: 4, budget_duration: '7d', models: ['fake-model'], tpm_limit: 5, rpm_limit: 6 };
    const kept = { key_alias: 'moves', metadata: { z: 1 }, ...limits };
    const { token } = await api().ok('/key/generate', { user_id: 'a', team_id: 'old', duration: '90d', ...kept });
    return { token, kept };
  }
});
