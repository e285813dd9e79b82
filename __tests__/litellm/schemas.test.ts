import { describe, expect, it } from 'vitest';
import type { ZodType } from 'zod';
import { listedUsers, teamPage, userPage, userSnapshot } from '../../src/litellm/schemas.ts';

const USER = {
  user_id: 'u1',
  user_email: 'a@x.io',
  user_role: 'internal_user',
  teams: ['t1', 't2'],
  spend: 1.5,
  max_budget: 5,
  budget_duration: '30d',
  tpm_limit: 10,
  rpm_limit: 20,
  models: ['m'],
  metadata: { scim_active: false, secret: 'x' },
};
const VALUES = [
  null,
  '',
  'x',
  0,
  Number.POSITIVE_INFINITY,
  true,
  [],
  ['a'],
  ['a', 1],
  {},
  { scim_active: false },
  { scim_active: 'false' },
  { scim_active: false, litellm_user_sync: { deactivated_at: '2026-01-01T00:00:00Z', more: 1 } },
  { scim_active: false, litellm_user_sync: { deactivated_at: 1 } },
  { scim_active: true, litellm_user_sync: { deactivated_at: '2026-01-01T00:00:00Z' } },
];

/** What is read, or where it fails and why. */
function read<T>(schema: ZodType<T>, body: unknown): T | string {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return `${issue?.path.join('.')}: ${issue?.message}`;
}

const page = userPage((row) => row);

describe('users of a page, read by hand', () => {
  it.each(Object.keys(USER))('are what the schema of a snapshot makes of them, whatever %s is', (field) => {
    for (const value of VALUES) {
      const row = { ...USER, [field]: value };
      const found = read(page, { users: [USER, row], total: 2, page: 1 });
      const wanted = read(listedUsers([]).snapshot, [USER, row]);
      const snapshot = read(userSnapshot, [USER, row]);
      if (typeof wanted === 'string') expect([found, snapshot]).toEqual([`users.${wanted}`, wanted]);
      else {
        expect(snapshot).toEqual(wanted.map((user) => ({ ...user, key_count: null })));
        const rows = wanted.map((user) => ({ ...user, key_count: 0 }));
        expect(found).toEqual({ ids: rows.map((user) => user.user_id), rows, total: 2 });
      }
    }
  });

  it.each([
    [{ ...USER, key_count: 3 }, 3],
    [{ ...USER, key_count: null }, 0],
  ])('with their number of keys', (row, keys) => {
    expect(read(page, { users: [row], total: 1 })).toMatchObject({ rows: [{ key_count: keys }] });
  });

  it.each([
    [{ scim_active: false, litellm_user_sync: { deactivated_at: '2026-01-01T00:00:00Z' } }, 'deactivated by us'],
    [{ scim_active: false, litellm_user_sync: { deactivated_at: 1 } }, 'deactivated by others'],
    [{ scim_active: false }, 'deactivated by others'],
    [{ scim_active: 'false' }, 'active'],
    [[], 'active'],
  ])('of their metadata %j who switched them off', (metadata, activity) => {
    expect(read(page, { users: [{ ...USER, metadata }], total: 1 })).toMatchObject({ rows: [{ metadata: activity }] });
  });

  it('may lack all but the id', () => {
    const nothing = { user_email: null, user_role: null, budget_duration: null, max_budget: null, metadata: 'active' };
    expect(read(page, { users: [{ user_id: 'u1' }], total: 1 })).toMatchObject({
      rows: [{ ...nothing, user_id: 'u1', teams: [], models: [], spend: 0, key_count: 0 }],
    });
  });

  it.each([
    [[], ': Invalid input: expected object, received array'],
    [{ total: 1 }, 'users: Invalid input: expected array, received undefined'],
    [{ users: [] }, 'total: Invalid input: expected number, received undefined'],
    [{ users: [7], total: 1 }, 'users.0: Invalid input: expected object, received number'],
    [
      { users: [{ ...USER, key_count: 'x' }], total: 1 },
      'users.0.key_count: Invalid input: expected number, received string',
    ],
  ])('are told where they make no sense: %j', (body, message) => {
    expect(read(page, body)).toBe(message);
  });
});

describe('a roster', () => {
  const of = (members_with_roles: unknown) => ({ teams: [{ team_id: 't1', members_with_roles }], total: 1 });

  it.each([[null], [undefined], [[]], [[{ user_id: 'u1', role: 'admin' }, {}]]])('%j', (members) => {
    expect(read(teamPage, of(members))).toMatchObject(of(members));
  });

  it.each([
    ['x', 'teams.0.members_with_roles: Invalid input: expected array, received string'],
    [[{}, 'u1'], 'teams.0.members_with_roles.1: Invalid input: expected object, received string'],
    [[{ user_email: 1 }], 'teams.0.members_with_roles.0.user_email: Invalid input: expected string, received number'],
  ])('is told where it makes no sense: %j', (members, message) => {
    expect(read(teamPage, of(members))).toBe(message);
  });
});
