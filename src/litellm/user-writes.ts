import type { Blocked, CreatedUser, NewUser, RoleResult, RowResult } from '../apply/ports.ts';
import { Secret } from '../core/secret.ts';
import type { Role } from '../core/user.ts';
import type { Capabilities } from './capabilities.ts';
import { mapConcurrent, type TeamLocks } from './concurrency.ts';
import { ProxyResponseError } from './errors.ts';
import type { Http } from './http.ts';
import { failedRow, leftOut, reasonOf, rowResults, unsent } from './rows.ts';
import { anyJson, bulkCreated, created, resultData, resultList } from './schemas.ts';

export interface WriteContext {
  readonly http: Http;
  readonly capabilities: Capabilities;
  readonly locks: TeamLocks;
  readonly onSecret: (value: string) => void;
}

/** Stands for the proxy's default teams, which a user without `teams` joins. */
const DEFAULT_TEAMS = ' default teams';

const NEVER: Blocked = () => null;

export async function createUsers(
  context: WriteContext,
  users: readonly NewUser[],
  blocked: Blocked = NEVER,
): Promise<CreatedUser[]> {
  if (users.length === 0) return [];
  if (await context.capabilities.bulk('create')) return createInBulk(context, users);
  return mapConcurrent(users, context.http.concurrency, (user) =>
    context.locks.run(
      user.teams ?? [DEFAULT_TEAMS],
      async () => unsent(user.userId, blocked) ?? (await createOne(context, user)),
    ),
  );
}

async function createInBulk({ http, onSecret }: WriteContext, users: readonly NewUser[]): Promise<CreatedUser[]> {
  const call = { method: 'POST', path: '/management/v1/users/bulk', body: { users: users.map(newUserBody) } } as const;
  const { data } = await http.json({ ...call, rows: users.length }, bulkCreated);
  for (const row of data) if (isKey(row.key)) onSecret(row.key);
  const byId = new Map(data.map((row) => [row.user_id, row]));
  return users.map(({ userId }) => {
    const row = byId.get(userId);
    if (row === undefined) return leftOut(userId);
    if (!row.success) return { userId, ok: false, reason: reasonOf(row.error) };
    const warning = row.error === null || row.error === '' ? null : reasonOf(row.error);
    return { userId, ok: true, key: secretKey(row.key), teams: row.teams ?? null, warning };
  });
}

async function createOne({ http, onSecret }: WriteContext, user: NewUser): Promise<CreatedUser> {
  try {
    const answer = await http.json({ method: 'POST', path: '/user/new', body: newUserBody(user) }, created);
    if (isKey(answer.key)) onSecret(answer.key);
    return { userId: user.userId, ok: true, key: secretKey(answer.key), teams: answer.teams ?? null, warning: null };
  } catch (error) {
    return failedRow(user.userId, error);
  }
}

/** `team_id` binds the key to the team and makes a member too; `teams` alone makes a personal key. */
function newUserBody(user: NewUser): Record<string, unknown> {
  const team = user.withKey && user.teams?.length === 1 ? user.teams[0] : undefined;
  return {
    user_id: user.userId,
    user_email: user.email,
    auto_create_key: user.withKey,
    ...(user.role === null ? {} : { user_role: user.role }),
    ...(team !== undefined ? { team_id: team } : user.teams === null ? {} : { teams: user.teams }),
    ...(user.withKey && user.keyAlias !== null ? { key_alias: user.keyAlias } : {}),
  };
}

function isKey(key: string | null): key is string {
  return key !== null && key !== '';
}

function secretKey(key: string | null): Secret | null {
  return isKey(key) ? new Secret(key) : null;
}

export async function deleteUsers(
  context: WriteContext,
  userIds: readonly string[],
  blocked: Blocked = NEVER,
): Promise<RowResult[]> {
  if (userIds.length === 0) return [];
  if (!(await context.capabilities.bulk('delete'))) return deleteClassic(context, userIds, blocked);
  const call = { method: 'POST', path: '/management/v1/users/bulk_delete', body: { user_ids: userIds } } as const;
  const { data } = await context.http.json({ ...call, rows: userIds.length }, resultData);
  return rowResults(userIds, data, (error) => /not found/i.test(error));
}

/** Edits the rosters of all the users' teams without a lock: one call at a time on the whole proxy. */
const ALL_TEAMS = ' all teams';

function deleteClassic(
  { http, locks }: WriteContext,
  userIds: readonly string[],
  blocked: Blocked,
): Promise<RowResult[]> {
  return locks.run([ALL_TEAMS], async () => {
    if (await deleteTogether(http, userIds)) return userIds.map((userId) => ({ userId, ok: true }));
    const rows: RowResult[] = [];
    for (const userId of userIds) {
      const row = unsent(userId, blocked) ?? ({ userId, ok: true } as const);
      if (row.ok) await deleteTogether(http, [userId]);
      rows.push(row);
    }
    return rows;
  });
}

/** False where one of them does not exist: then none is deleted, though rosters of those before it are edited. */
async function deleteTogether(http: Http, userIds: readonly string[]): Promise<boolean> {
  const body = { user_ids: userIds };
  try {
    await http.json({ method: 'POST', path: '/user/delete', body, rows: userIds.length }, anyJson);
    return true;
  } catch (error) {
    if (error instanceof ProxyResponseError && error.status === 404 && /not found/i.test(error.proxyMessage ?? '')) {
      return false;
    }
    throw error;
  }
}

export async function updateRoles(
  http: Http,
  users: readonly { readonly userId: string; readonly role: Role }[],
): Promise<RoleResult[]> {
  if (users.length === 0) return [];
  const body = { users: users.map(({ userId, role }) => ({ user_id: userId, user_role: role })) };
  const call = { method: 'POST', path: '/user/bulk_update', body, rows: users.length } as const;
  const { results } = await http.json(call, resultList);
  const roles = new Map(results.map((row) => [row.user_id, row.updated_user?.data?.user_role]));
  const rows = rowResults(
    users.map((user) => user.userId),
    results,
  );
  return rows.map((row) => (row.ok ? { ...row, role: roles.get(row.userId) ?? null } : row));
}
