import { expect, test } from 'vitest';
import { contract } from './suite.ts';

const ROLES =
  "Input should be <LitellmUserRoles.PROXY_ADMIN: 'proxy_admin'>, <LitellmUserRoles.PROXY_ADMIN_VIEW_ONLY: 'proxy_admin_viewer'>, <LitellmUserRoles.INTERNAL_USER: 'internal_user'> or <LitellmUserRoles.INTERNAL_USER_VIEW_ONLY: 'internal_user_viewer'>";

const V1_USERS = '/management/v1/users/bulk';
const V1_MEMBERS = '/management/v1/teams/t/members/bulk_delete';

const complaint = (type: string, loc: unknown[], msg: string) => ({ detail: [{ type, loc, msg }] });
const many = (row: (index: number) => unknown) => Array.from({ length: 501 }, (_, index) => row(index));

contract('errors', (api, _target, is) => {
  test.each([
    ['no key', null, 'Authentication Error, No api key passed in.'],
    ['an empty key', '', 'Authentication Error, Malformed API Key passed in. Ensure Key has `Bearer ` prefix.'],
    ['a key without sk-', 'wrong', `${is.keyWithoutSk}expected to start with 'sk-'.`],
  ])('401 with %s', async (_name, key, message) => {
    const answer = await api().as(key).get('/user/list');
    expect(answer).toMatchObject({ status: 401, type: 'application/json' });
    expect(answer.body).toEqual({ error: { message, type: 'auth_error', param: is.otherParam, code: '401' } });
  });

  test('401 with an unknown key, on classic routes and on /management/v1 where there is one', async () => {
    const wrong = api().as('sk-unknown-0123456789');
    for (const answer of [
      await wrong.get('/user/list'),
      await wrong.post(is.managementV1 ? V1_USERS : '/user/bulk_update', {}),
      await wrong.post('/user/new', {}),
    ]) {
      expect(answer).toMatchObject({ status: 401, type: 'application/json' });
      expect(answer.body.error).toMatchObject({ type: 'token_not_found_in_db', param: 'key', code: '401' });
      const recent = 'Authentication Error, Invalid API key provided.';
      const old = 'Invalid proxy server token passed. Received API Key = sk-...6789';
      expect(answer.body.error.message).toContain(is.unknownKeyHidden ? recent : old);
    }
  });

  test('404 for an unknown route and 405 for a wrong method, whatever the key', async () => {
    for (const caller of [api(), api().as('sk-unknown-0123456789'), api().as(null)]) {
      expect(await caller.get('/no/such/route')).toMatchObject({ status: 404, body: { detail: 'Not Found' } });
      expect(await caller.post('/management/v1/no/such/route', {})).toMatchObject({ status: 404 });
      for (const path of ['/user/new', '/user/delete', '/team/member_add', '/key/generate']) {
        expect(await caller.get(path)).toMatchObject({ status: 405, body: { detail: 'Method Not Allowed' } });
      }
      expect(await caller.post('/user/list', {})).toMatchObject({ status: 405 });
      expect(await caller.get(V1_USERS)).toMatchObject({ status: is.managementV1 ? 405 : 404 });
    }
  });

  test('422 for broken JSON and for no body', async () => {
    const broken = await api().request('POST', '/user/new', '{"a":');
    expect(broken).toMatchObject({ status: 422, body: complaint('json_invalid', ['body', 5], 'JSON decode error') });
    const none = await api().request('POST', '/user/new');
    expect(none).toMatchObject({ status: 422, body: complaint('missing', ['body'], 'Field required') });
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
    is.keyUpdateByAlias
      ? ['/key/update', {}, 'value_error', [], 'Value error, either key or key_alias must be provided']
      : ['/key/update', {}, 'missing', ['key'], 'Field required'],
    ['/user/update', { user_id: 'x', models: 'a' }, 'list_type', ['models'], 'Input should be a valid list'],
    [
      '/user/update',
      { user_id: 'x', max_budget: 'much' },
      'float_parsing',
      ['max_budget'],
      'Input should be a valid number, unable to parse string as a number',
    ],
    [
      '/user/bulk_update',
      { users: [{ user_id: 'x', tpm_limit: 1.5 }] },
      'int_from_float',
      ['users', 0, 'tpm_limit'],
      'Input should be a valid integer, got a number with a fractional part',
    ],
    ['/user/new', { metadata: 'x' }, 'dict_type', ['metadata'], 'Input should be a valid dictionary'],
    ['/key/block', {}, 'missing', ['key'], 'Field required'],
    [
      '/key/delete',
      { keys: [] },
      'value_error',
      [],
      "Value error, At least one of 'keys' or 'key_aliases' must be provided.",
    ],
    ['/invitation/new', {}, 'missing', ['user_id'], 'Field required'],
    ['/invitation/delete', {}, 'missing', ['invitation_id'], 'Field required'],
  ] satisfies [string, object, string, (string | number)[], string][])(
    '422: %s %j',
    async (path, body, type, loc, msg) => {
      const answer = await api().post(path, body);
      expect(answer).toMatchObject({
        status: 422,
        type: 'application/json',
        body: complaint(type, ['body', ...loc], msg),
      });
    },
  );

  test.skipIf(!is.managementV1).each([
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

  test.skipIf(!is.managementV1)('422 as problem+json for broken JSON', async () => {
    const detail = '5: JSON decode error';
    const answer = await api().request('POST', V1_USERS, '{"a":');
    expect(answer).toMatchObject({ status: 422, type: 'application/problem+json', body: { detail } });
  });

  test.each([
    [
      '/user/list?sort_by=shoe_size',
      `Invalid sort column. Must be one of: user_id, user_email, created_at, spend, user_alias, ${is.sortColumns}`,
    ],
    ['/user/list?sort_by=user_id&sort_order=up', "Invalid sort order. Must be 'asc' or 'desc'"],
  ])('400: GET %s', async (path, error) => {
    expect(await api().get(path)).toMatchObject({ status: 400, body: { detail: { error } } });
  });
});
