import { expect, test } from 'vitest';
import { contract } from './suite.ts';

const ROLES =
  "Input should be <LitellmUserRoles.PROXY_ADMIN: 'proxy_admin'>, <LitellmUserRoles.PROXY_ADMIN_VIEW_ONLY: 'proxy_admin_viewer'>, <LitellmUserRoles.INTERNAL_USER: 'internal_user'> or <LitellmUserRoles.INTERNAL_USER_VIEW_ONLY: 'internal_user_viewer'>";

const V1_USERS = '/management/v1/users/bulk';
const V1_MEMBERS = '/management/v1/teams/t/members/bulk_delete';

const complaint = (type: string, loc: unknown[], msg: string) => ({ detail: [{ type, loc, msg }] });
const many = (row: (index: number) => unknown) => Array.from({ length: 501 }, (_, index) => row(index));

contract('errors', (api) => {
  test.each([
    ['no key', null, 'Authentication Error, No api key passed in.', 'auth_error'],
    [
      'an empty key',
      '',
      'Authentication Error, Malformed API Key passed in. Ensure Key has `Bearer ` prefix.',
      'auth_error',
    ],
    [
      'a key without sk-',
      'wrong',
      "LiteLLM Virtual Key expected. Received=****, expected to start with 'sk-'.",
      'auth_error',
    ],
  ])('401 with %s', async (_name, key, message, type) => {
    const answer = await api().as(key).get('/user/list');
    expect(answer).toMatchObject({ status: 401, type: 'application/json' });
    expect(answer.body).toEqual({ error: { message, type, param: 'None', code: '401' } });
  });

  test('401 with an unknown key, on classic routes and on /management/v1', async () => {
    const wrong = api().as('sk-unknown-0123456789');
    for (const answer of [
      await wrong.get('/user/list'),
      await wrong.post(V1_USERS, {}),
      await wrong.post('/user/new', {}),
    ]) {
      expect(answer).toMatchObject({ status: 401, type: 'application/json' });
      expect(answer.body.error).toMatchObject({ type: 'token_not_found_in_db', param: 'key', code: '401' });
      expect(answer.body.error.message).toContain('Invalid proxy server token passed. Received API Key = sk-...6789');
    }
  });

  test('404 for an unknown route and 405 for a wrong method, whatever the key', async () => {
    for (const caller of [api(), api().as('sk-unknown-0123456789'), api().as(null)]) {
      expect(await caller.get('/no/such/route')).toMatchObject({ status: 404, body: { detail: 'Not Found' } });
      expect(await caller.post('/management/v1/no/such/route', {})).toMatchObject({ status: 404 });
      for (const path of ['/user/new', '/user/delete', '/team/member_add', '/key/generate', V1_USERS]) {
        expect(await caller.get(path)).toMatchObject({ status: 405, body: { detail: 'Method Not Allowed' } });
      }
      expect(await caller.post('/user/list', {})).toMatchObject({ status: 405 });
    }
  });

  test('422 for broken JSON and for no body', async () => {
    const broken = await api().request('POST', '/user/new', '{"a":');
    expect(broken).toMatchObject({ status: 422, body: complaint('json_invalid', ['body', 5], 'JSON decode error') });
    const none = await api().request('POST', '/user/new');
    expect(none).toMatchObject({ status: 422, body: complaint('missing', ['body'], 'Field required') });
    const v1 = await api().request('POST', V1_USERS, '{"a":');
    expect(v1).toMatchObject({
      status: 422,
      type: 'application/problem+json',
      body: { detail: '5: JSON decode error' },
    });
  });

  test.each([
    ['/user/new', { user_role: 'emperor' }, 'literal_error', ['user_role'], ROLES],
    ['/user/new', { user_role: 'default' }, 'literal_error', ['user_role'], ROLES],
    ['/user/new', { user_email: 3 }, 'string_type', ['user_email'], 'Input should be a valid string'],
    ['/user/update', {}, 'value_error', [], 'Value error, Either user id or user email must be provided'],
    ['/user/update', { user_id: 'x', user_role: 'default' }, 'literal_error', ['user_role'], ROLES],
    [
      '/user/bulk_update',
      { users: [{ user_id: 'x', user_role: 'no' }] },
      'literal_error',
      ['users', 0, 'user_role'],
      ROLES,
    ],
    ['/user/delete', {}, 'missing', ['user_ids'], 'Field required'],
    ['/user/delete', { user_ids: 'x' }, 'list_type', ['user_ids'], 'Input should be a valid list'],
    ['/team/delete', {}, 'missing', ['team_ids'], 'Field required'],
    ['/team/member_add', { team_id: 't' }, 'missing', ['member'], 'Field required'],
    ['/team/member_add', { team_id: 't', member: { user_id: 'x' } }, 'missing', ['role'], 'Field required'],
    ['/team/member_delete', { user_id: 'x' }, 'missing', ['team_id'], 'Field required'],
    [
      '/team/member_delete',
      { team_id: 't' },
      'value_error',
      [],
      'Value error, Either user id or user email must be provided',
    ],
    ['/key/generate', { key_alias: 3 }, 'string_type', ['key_alias'], 'Input should be a valid string'],
    ['/key/update', {}, 'value_error', [], 'Value error, either key or key_alias must be provided'],
    [
      '/key/delete',
      { keys: [] },
      'value_error',
      [],
      "Value error, At least one of 'keys' or 'key_aliases' must be provided.",
    ],
    ['/invitation/new', {}, 'missing', ['user_id'], 'Field required'],
    ['/invitation/delete', {}, 'missing', ['invitation_id'], 'Field required'],
  ])('422: %s %j', async (path, body, type, loc, msg) => {
    const answer = await api().post(path, body);
    expect(answer).toMatchObject({
      status: 422,
      type: 'application/json',
      body: complaint(type, ['body', ...loc], msg),
    });
  });

  test.each([
    [V1_USERS, {}, 'users: Field required'],
    [V1_USERS, { users: [] }, 'users: Value should have at least 1 item after validation, not 0'],
    [V1_USERS, { users: many(() => ({})) }, 'users: Value should have at most 500 items after validation, not 501'],
    [V1_USERS, { users: [{}, { user_role: 'default' }] }, `users.1.user_role: ${ROLES}`],
    [V1_USERS, { users: [{ shoe_size: 43 }] }, 'users.0.shoe_size: Extra inputs are not permitted'],
    [
      V1_USERS,
      { users: [{ user_email: 3 }, { auto_create_key: 'maybe' }] },
      'users.0.user_email: Input should be a valid string; users.1.auto_create_key: Input should be a valid boolean, unable to interpret input',
    ],
    [
      V1_USERS,
      { users: [{ send_invite_email: true }] },
      `users.0.send_invite_email: Value error, send_invite_email is not supported on ${V1_USERS}; invite users separately`,
    ],
    ['/management/v1/users/bulk_delete', {}, 'user_ids: Field required'],
    [
      '/management/v1/users/bulk_delete',
      { user_ids: ['x'], shoe_size: 43 },
      'shoe_size: Extra inputs are not permitted',
    ],
    [
      '/management/v1/users/bulk_delete',
      { user_ids: many(String) },
      'user_ids: Tuple should have at most 500 items after validation, not 501',
    ],
    [V1_MEMBERS, { members: [] }, 'members: Tuple should have at least 1 item after validation, not 0'],
    [V1_MEMBERS, { members: [{}] }, 'members.0: Value error, Either user id or user email must be provided'],
    [V1_MEMBERS, { members: [{ user_id: 'a', role: 'user' }] }, 'members.0.role: Extra inputs are not permitted'],
  ])('problem+json: %s %#', async (path, body, detail) => {
    const answer = await api().post(path, body);
    expect(answer).toMatchObject({ status: 422, type: 'application/problem+json' });
    expect(answer.body).toEqual({
      type: 'urn:litellm:error:invalid-request-body',
      title: 'Invalid request body',
      status: 422,
      detail,
    });
    expect(
      (await api().get('/user/list')).body.users.filter(
        (user: { user_id: string }) => user.user_id !== 'default_user_id',
      ),
    ).toEqual([]);
  });

  test.each([
    ['/user/list?page_size=101', 'less_than_equal', 'page_size', 'Input should be less than or equal to 100'],
    ['/user/list?page=0', 'greater_than_equal', 'page', 'Input should be greater than or equal to 1'],
    [
      '/user/list?page=x',
      'int_parsing',
      'page',
      'Input should be a valid integer, unable to parse string as an integer',
    ],
    ['/v2/team/list?page_size=101', 'less_than_equal', 'page_size', 'Input should be less than or equal to 100'],
    ['/key/list?size=101', 'less_than_equal', 'size', 'Input should be less than or equal to 100'],
    ['/invitation/info', 'missing', 'invitation_id', 'Field required'],
  ])('422: GET %s', async (path, type, name, msg) => {
    expect(await api().get(path)).toMatchObject({ status: 422, body: complaint(type, ['query', name], msg) });
  });

  test.each([
    [
      '/user/list?sort_by=shoe_size',
      'Invalid sort column. Must be one of: user_id, user_email, created_at, spend, user_alias, user_role',
    ],
    ['/user/list?sort_by=user_id&sort_order=up', "Invalid sort order. Must be 'asc' or 'desc'"],
  ])('400: GET %s', async (path, error) => {
    expect(await api().get(path)).toMatchObject({ status: 400, body: { detail: { error } } });
  });
});
