import type { ZodType } from 'zod';
import type { Blocked, CreatedUser, NewUser, RoleResult, RowResult } from '../apply/ports.ts';
import { mapConcurrent, type TeamLocks } from '../concurrency.ts';
import { emailKey, type ProxyUser, type Role } from '../core/inventory.ts';
import { Secret } from '../core/secret.ts';
import type { Capabilities } from './capabilities.ts';
import { ProxyResponseError } from './errors.ts';
import type { Http } from './http.ts';
import { PAGE_SIZE, readAll } from './paging.ts';
import { failedRow, leftOut, reasonOf, refusedRow, rowResults, unsent } from './row-results.ts';
import {
  anyJson,
  bulkCreated,
  created,
  modelsPage,
  resultData,
  resultList,
  type UserRow,
  userInfo,
  userPage,
  wideUserPage,
} from './schemas.ts';

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
    if (!row.success) return refusedRow(userId, reasonOf(row.error));
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

type PlainRow = Pick<UserRow, 'user_id' | 'user_email' | 'user_role' | 'teams' | 'key_count' | 'spend'>;

/** Without `sort_by` users made at the same time get lost or doubled between pages (order: created_at alone). */
const ORDER = { sort_by: 'user_id', sort_order: 'asc' } as const;

/** Longest list of ids in one address, in encoded characters: servers refuse addresses from 8 KiB on. */
const LONGEST_IDS = 5000;

function proxyUser(row: PlainRow): ProxyUser {
  return {
    userId: row.user_id,
    email: row.user_email === '' ? null : row.user_email,
    role: row.user_role === '' ? null : row.user_role,
    // Joining twice on 1.75 lists the team twice.
    teams: row.teams.length > 1 ? [...new Set(row.teams)] : row.teams,
    keyCount: row.key_count,
    spend: row.spend,
  };
}

export function listUsers(http: Http): Promise<ProxyUser[]> {
  return pagesOfUsers(http, {}, userPage, proxyUser);
}

/** Every user with all fields of the proxy, reduced at once: 100,000 whole rows would not fit into memory. */
export function projectUsers<T>(http: Http, project: (user: UserRow) => T): Promise<T[]> {
  return pagesOfUsers(http, {}, wideUserPage, project);
}

/** @param filter Query parameters of `/user/list`. */
function pagesOfUsers<R extends { user_id: string }, T>(
  http: Http,
  filter: Readonly<Record<string, string>>,
  schema: ZodType<{ users: R[]; total: number }>,
  project: (user: R) => T,
): Promise<T[]> {
  return readAll({
    route: 'GET /user/list',
    concurrency: http.concurrency,
    page: async (page) => {
      const query = { ...filter, page, page_size: PAGE_SIZE, ...ORDER };
      const { users, total } = await http.json({ method: 'GET', path: '/user/list', query }, schema);
      return { ids: users.map((user) => user.user_id), rows: users.map(project), total };
    },
  });
}

/** The models that users may use of their own; none: all of the proxy's. Users whose ids fit into no list are left out. */
export async function modelsOf(http: Http, userIds: readonly string[]): Promise<Map<string, readonly string[]>> {
  const wanted = new Set(userIds.filter(fitsList));
  const lists = await mapConcurrent(idLists([...wanted]), http.concurrency, (ids) =>
    pagesOfUsers(http, { user_ids: asList(ids) }, modelsPage, (user) => user),
  );
  return new Map(lists.flat().flatMap((user) => (wanted.has(user.user_id) ? [[user.user_id, user.models]] : [])));
}

/** Exactly these users, as many as exist. */
export async function findUsers(http: Http, userIds: readonly string[]): Promise<ProxyUser[]> {
  const wanted = new Set(userIds);
  const listable = [...wanted].filter(fitsList);
  const others = [...wanted].filter((id) => !fitsList(id));
  const [lists, single] = await Promise.all([
    mapConcurrent(idLists(listable), http.concurrency, (ids) => usersOfIds(http, ids)),
    mapConcurrent(others, http.concurrency, (id) => userOfInfo(http, id)),
  ]);
  const found = [...lists.flat(), ...single.filter((user) => user !== null)];
  return found.filter((user) => wanted.has(user.userId));
}

/** The proxy splits `user_ids` at commas and trims the parts (source: `get_users`). */
function fitsList(userId: string): boolean {
  return userId !== '' && userId === userId.trim() && !userId.includes(',');
}

function idLists(userIds: readonly string[]): string[][] {
  const lists: string[][] = [];
  let length = 0;
  for (const id of userIds) {
    const size = encodeURIComponent(id).length + 3;
    const last = lists.at(-1);
    if (last === undefined || last.length === PAGE_SIZE || length + size > LONGEST_IDS) {
      lists.push([id]);
      length = size;
    } else {
      last.push(id);
      length += size;
    }
  }
  return lists;
}

function usersOfIds(http: Http, ids: readonly string[]): Promise<ProxyUser[]> {
  return pagesOfUsers(http, { user_ids: asList(ids) }, userPage, proxyUser);
}

/** One id alone matches every id that *contains* it, several match exactly: so a lone one is said twice. */
function asList(ids: readonly string[]): string {
  return (ids.length === 1 ? [...ids, ...ids] : ids).join(',');
}

async function userOfInfo(http: Http, userId: string): Promise<ProxyUser | null> {
  try {
    const query = { user_id: userId };
    const info = await http.json({ method: 'GET', path: '/user/info', query }, userInfo);
    if (info.user_info === null || info.user_info === undefined) return null;
    return { ...proxyUser(info.user_info), keyCount: info.keys?.length ?? 0 };
  } catch (error) {
    if (error instanceof ProxyResponseError && error.status === 404) return null;
    throw error;
  }
}

/** Users with this email in any letter case; the proxy's own filter is *contains*. */
export async function findUsersByEmail(http: Http, email: string): Promise<ProxyUser[]> {
  const wanted = emailKey(email);
  const found = await pagesOfUsers(http, { user_email: email.trim() }, userPage, proxyUser);
  return found.filter((user) => user.email !== null && emailKey(user.email) === wanted);
}
