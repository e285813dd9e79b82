import type { ZodType } from 'zod';
import type { Blocked, RoleResult, RoleRow, RowResult, UpdatedUser, UserFields } from '../apply/ports.ts';
import { halves, mapConcurrent, type TeamLocks } from '../concurrency.ts';
import { StoppedError } from '../core/errors.ts';
import { emailKey, type LimitSettings, type ProxyUser, type UserLimits } from '../core/inventory.ts';
import { Shared } from '../core/shared.ts';
import type { Capabilities } from './capabilities.ts';
import { failedRow, LostWriteError, ProxyResponseError, rowResults, unsentRow } from './errors.ts';
import { type Http, routeOf } from './http.ts';
import { fewKeys } from './keys.ts';
import { PAGE_SIZE, type Page, readAll } from './paging.ts';
import {
  anyJson,
  type ListedRow,
  listedUsers,
  metadataInfo,
  metadataPage,
  modelsPage,
  type PlainUserRow,
  projected,
  resultData,
  resultList,
  updatedUser,
  userInfo,
  userPage,
  userSnapshot,
} from './schemas.ts';
import type { Snapshot } from './snapshot.ts';

export interface WriteContext {
  readonly http: Http;
  readonly capabilities: Capabilities;
  readonly locks: TeamLocks;
  readonly onSecret: (value: string) => void;
  /** Whether the proxy has teams for users without any; not known before the first of them is created. */
  readonly defaults: { teams?: boolean };
}

const NEVER: Blocked = () => null;

/** As the proxy names them, those alone that are set; `null` clears, see `ProxyFacts`. */
export function limitsBody(limits: LimitSettings): Record<string, unknown> {
  const { maxBudget, budgetDuration, tpmLimit, rpmLimit, models } = limits;
  return {
    ...(maxBudget === undefined ? {} : { max_budget: maxBudget }),
    ...(budgetDuration === undefined ? {} : { budget_duration: budgetDuration }),
    ...(tpmLimit === undefined ? {} : { tpm_limit: tpmLimit }),
    ...(rpmLimit === undefined ? {} : { rpm_limit: rpmLimit }),
    ...(models === undefined ? {} : { models }),
  };
}

export function limitsOf(
  row: Pick<PlainUserRow, 'max_budget' | 'budget_duration' | 'tpm_limit' | 'rpm_limit' | 'models'>,
): UserLimits {
  const { max_budget: maxBudget, budget_duration: budgetDuration, tpm_limit: tpmLimit, rpm_limit: rpmLimit } = row;
  const isFree = (maxBudget ?? budgetDuration ?? tpmLimit ?? rpmLimit) === null && row.models.length === 0;
  return isFree ? NO_LIMITS : { maxBudget, budgetDuration, tpmLimit, rpmLimit, models: row.models };
}

/** One for all users without any: they are many. */
const NO_LIMITS: UserLimits = { maxBudget: null, budgetDuration: null, tpmLimit: null, rpmLimit: null, models: [] };

export async function deleteUsers(
  context: WriteContext,
  userIds: readonly string[],
  blocked: Blocked = NEVER,
): Promise<RowResult[]> {
  if (userIds.length === 0) return [];
  if (!(await context.capabilities.bulk('delete'))) return deleteClassic(context, userIds, blocked);
  const call = { method: 'POST', path: '/management/v1/users/bulk_delete', body: { user_ids: userIds } } as const;
  const { data } = await context.http.requestJson({ ...call, rows: userIds.length }, resultData);
  return rowResults(userIds, data, (error) => /not found/i.test(error));
}

/** Edits the rosters of all the users' teams without a lock: one call at a time on the whole proxy. */
const ALL_TEAMS = ' all teams';

function deleteClassic(
  { http, locks }: WriteContext,
  userIds: readonly string[],
  blocked: Blocked,
): Promise<RowResult[]> {
  return locks.run([ALL_TEAMS], () => deleteHalving(http, userIds, blocked));
}

/** A call that the proxy does not carry out is halved down to the user whom it cannot delete: the others are. */
async function deleteHalving(http: Http, userIds: readonly string[], blocked: Blocked): Promise<RowResult[]> {
  const refusal = await deleteTogether(http, userIds).catch(stoppedOnly);
  if (refusal === null) return userIds.map((userId) => ({ userId, ok: true }));
  if (refusal instanceof StoppedError) return userIds.map((userId) => failedRow(userId, refusal));
  const [only] = userIds;
  if (userIds.length === 1 && only !== undefined) return [await deletedAfterAll(http, only, refusal)];
  const rows: RowResult[] = [];
  for (const half of halves(userIds)) {
    const reason = blocked();
    if (reason === null) rows.push(...(await deleteHalving(http, half, blocked)));
    else rows.push(...half.map((userId) => unsentRow(userId, reason)));
  }
  return rows;
}

/**
 * Why the proxy deleted none of them, `null`: it did. 404: one of them does not exist (rosters of those before it are
 * edited). 500: one cannot be deleted. A refusal of every such call, and an answer that got lost, are thrown on.
 */
async function deleteTogether(
  http: Http,
  userIds: readonly string[],
): Promise<ProxyResponseError | LostWriteError | null> {
  const body = { user_ids: userIds };
  try {
    const call = { method: 'POST', path: '/user/delete', body, rows: userIds.length } as const;
    // After a plain 500 the server closes the connection without a word, and the next write would run into that.
    await http.requestJson({ ...call, ownConnection: true }, anyJson);
    return null;
  } catch (error) {
    if (error instanceof LostWriteError && error.status === 500) return error;
    const isMissing = error instanceof ProxyResponseError && error.status === 404;
    if (isMissing && /not found/i.test(error.proxyMessage ?? '') && error.proxyMessage !== 'Not Found') return error;
    throw error;
  }
}

/** Thrown on, it would take the rows along that are done. */
function stoppedOnly(error: unknown): StoppedError {
  if (error instanceof StoppedError) return error;
  throw error;
}

/** Source: up to 1.82 a foreign key holds the row of whoever has made an invitation (`created_by`, `updated_by`). */
const CANNOT_BE_DELETED =
  'The proxy answers 500 to the deletion of this user alone. Up to LiteLLM 1.82 that is so for whoever has made an invitation; their keys and team memberships are gone already. Update the proxy, or delete their rows of LiteLLM_InvitationLink in its database, then run again.';

async function deletedAfterAll(
  http: Http,
  userId: string,
  refusal: ProxyResponseError | LostWriteError,
): Promise<RowResult> {
  if (refusal instanceof ProxyResponseError) return { userId, ok: true };
  const present = await findUsers(http, [userId]);
  return present.length === 0 ? { userId, ok: true } : { userId, ok: false, reason: CANNOT_BE_DELETED };
}

export async function updateRoles(http: Http, users: readonly RoleRow[]): Promise<RoleResult[]> {
  if (users.length === 0) return [];
  const body = { users: users.map(({ userId, role, limits }) => ({ user_id: userId, ...roleBody(role, limits) })) };
  const call = { method: 'POST', path: '/user/bulk_update', body, rows: users.length } as const;
  const { results } = await http.requestJson(call, resultList);
  const answered = new Map(results.map((row) => [row.user_id, row.updated_user?.data]));
  const rows = rowResults(
    users.map((user) => user.userId),
    results,
  );
  return rows.map((row) => {
    const data = answered.get(row.userId);
    if (!row.ok || !data) return row;
    return {
      ...row,
      role: data.user_role,
      limits: { maxBudget: data.max_budget, budgetDuration: data.budget_duration },
    };
  });
}

/**
 * Source: where the proxy's configuration has `max_internal_user_budget` or `internal_user_budget_duration`, a role
 * without budget and period writes those over the user's own (1.75 to 1.110, each tried).
 */
function roleBody(role: string, { maxBudget, budgetDuration }: RoleRow['limits']): Record<string, unknown> {
  return { user_role: role, max_budget: maxBudget, budget_duration: budgetDuration };
}

const UPDATE = { method: 'POST', path: '/user/update' } as const;

/**
 * Source: `/user/update` drops the user's keys from the proxy's cache, which `/user/bulk_update` does on 1.110 alone:
 * elsewhere a key in use goes by the old role and limits for up to a minute.
 */
export async function updateUser(http: Http, userId: string, fields: UserFields): Promise<UpdatedUser> {
  if (fields.email !== undefined) await checkRename(http, userId, fields.email);
  const body = {
    user_id: userId,
    ...(fields.email === undefined ? {} : { user_email: emailKey(fields.email) }),
    ...(fields.role === undefined ? {} : roleBody(fields.role, fields)),
    ...limitsBody(fields),
  };
  const { data } = await http.requestJson({ ...UPDATE, body }, updatedUser);
  return { userId, email: data.user_email, role: data.user_role, limits: limitsOf(data) };
}

/** The proxy itself gives two users one email, and makes a user of an id that it does not know. */
async function checkRename(http: Http, userId: string, email: string): Promise<void> {
  const [[user], holders] = await Promise.all([findUsers(http, [userId]), findUsersByEmail(http, email)]);
  const others = holders.map((holder) => holder.userId).filter((id) => id !== userId);
  const refuse = (reason: string): never => {
    throw new ProxyResponseError(`${routeOf(UPDATE)} was not sent: ${reason}`, routeOf(UPDATE), null, reason);
  };
  if (user === undefined) refuse('the user is no longer on the proxy');
  if (others.length > 0)
    refuse(`the email ${emailKey(email)} has been taken meanwhile, by user id ${others.join(', ')}`);
}

/** A user's metadata as it is, for {@link writeMetadata}; `null`: no such user. Never printed: it may hold secrets. */
export async function readMetadata(http: Http, userId: string): Promise<Metadata | null> {
  if (fitsList(userId)) {
    const found = await pagesOfUsers(
      http,
      { user_ids: asList([userId]) },
      projected(metadataPage, (user) => user),
    );
    return found.find((user) => user.user_id === userId)?.metadata ?? null;
  }
  const info = await ofUserInfo(http, userId, metadataInfo);
  return info?.user_info?.metadata ?? null;
}

/** The whole of it: what is left out is gone. Empty, it would be ignored. */
export async function writeMetadata(http: Http, userId: string, metadata: Metadata): Promise<void> {
  await http.requestJson({ ...UPDATE, body: { user_id: userId, metadata } }, anyJson);
}

export type Metadata = Readonly<Record<string, unknown>>;

/** Without `sort_by` users made at the same time get lost or doubled between pages (order: created_at alone). */
const ORDER = { sort_by: 'user_id', sort_order: 'asc' } as const;

/** Longest list of ids in one address, in encoded characters: servers refuse addresses from 8 KiB on. */
const LONGEST_IDS = 5000;

/** Of users who are listed together: they share what they have in common, which saves 15 MB of 100,000. */
function toProxyUser(): (row: PlainUserRow) => ProxyUser {
  const shared = new Shared();
  return (row) => ({
    userId: row.user_id,
    email: row.user_email === '' ? null : row.user_email,
    role: row.user_role === '' || row.user_role === null ? null : shared.text(row.user_role),
    // Joining twice on 1.75 lists the team twice.
    teams: shared.list(row.teams.length > 1 ? [...new Set(row.teams)] : row.teams),
    keyCount: row.key_count,
    spend: row.spend,
    limits: limitsOf(row),
    activity: row.metadata,
  });
}

export async function listUsers(http: Http, snapshot: Snapshot): Promise<ProxyUser[]> {
  const { rows, total } = await snapshot.everybody(userSnapshot);
  const project = toProxyUser();
  return rows?.map(project) ?? pagesOfUsers(http, {}, userPage(project), total);
}

/** Every user with these columns of the proxy, reduced at once: 100,000 whole rows would not fit into memory. */
export async function projectUsers<T>(
  http: Http,
  snapshot: Snapshot,
  columns: readonly string[],
  project: (user: ListedRow) => T,
): Promise<T[]> {
  const schemas = listedUsers(columns);
  const page = projected(schemas.page, project);
  if (columns.includes('key_count')) return pagesOfUsers(http, {}, page);
  const { rows, total } = await snapshot.everybody(schemas.snapshot);
  return rows?.map(project) ?? pagesOfUsers(http, {}, page, total);
}

/** @param filter Query parameters of `/user/list`. @param expected About how many users, where that is known. */
function pagesOfUsers<T>(
  http: Http,
  filter: Readonly<Record<string, string>>,
  schema: ZodType<Page<T>>,
  expected = 0,
): Promise<T[]> {
  const isWhole = Object.keys(filter).length === 0;
  if (isWhole) http.onRead?.(0, null);
  return readAll({
    route: 'GET /user/list',
    concurrency: http.concurrency,
    expected,
    onRead: isWhole ? http.onRead : undefined,
    page: (page) => {
      const query = { ...filter, page, page_size: PAGE_SIZE, ...ORDER };
      return http.requestJson({ method: 'GET', path: '/user/list', query, lookUp: !isWhole }, schema);
    },
  });
}

/** The models that users may use of their own; none: all of the proxy's. Users whose ids fit into no list are left out. */
export async function modelsOf(http: Http, userIds: readonly string[]): Promise<Map<string, readonly string[]>> {
  const wanted = new Set(userIds.filter(fitsList));
  const lists = await mapConcurrent(idLists([...wanted]), http.concurrency, (ids) =>
    pagesOfUsers(
      http,
      { user_ids: asList(ids) },
      projected(modelsPage, (user) => user),
    ),
  );
  return new Map(lists.flat().flatMap((user) => (wanted.has(user.user_id) ? [[user.user_id, user.models]] : [])));
}

/** The same of {@link findUsers}, without numbers of keys where a snapshot costs less; whom that lacks is asked for. */
export async function findManyUsers(http: Http, snapshot: Snapshot, userIds: readonly string[]): Promise<ProxyUser[]> {
  const wanted = new Set(userIds);
  const rows = await snapshot.some(userSnapshot, wanted);
  for (const row of rows) wanted.delete(row.user_id);
  return [...rows.map(toProxyUser()), ...(await findUsers(http, [...wanted]))];
}

/** Numbers of keys by user id, of these users alone; a user who is not there any more may be left out. */
export async function keyCounts(http: Http, userIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const keys = userIds.length > PAGE_SIZE ? await fewKeys(http, userIds.length) : null;
  if (keys === null) {
    const users = await findUsers(http, userIds);
    return new Map(users.flatMap(({ userId, keyCount }) => (keyCount === null ? [] : [[userId, keyCount]])));
  }
  const counts = new Map(userIds.map((userId) => [userId, 0]));
  for (const { userId } of keys) {
    const known = counts.get(userId ?? '');
    if (userId !== null && known !== undefined) counts.set(userId, known + 1);
  }
  return counts;
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
  return pagesOfUsers(http, { user_ids: asList(ids) }, userPage(toProxyUser()));
}

/** One id alone matches every id that *contains* it, several match exactly: so a lone one is said twice. */
function asList(ids: readonly string[]): string {
  return (ids.length === 1 ? [...ids, ...ids] : ids).join(',');
}

async function userOfInfo(http: Http, userId: string): Promise<ProxyUser | null> {
  const info = await ofUserInfo(http, userId, userInfo);
  if (info?.user_info === null || info?.user_info === undefined) return null;
  return { ...toProxyUser()(info.user_info), keyCount: info.keys?.length ?? 0 };
}

/** For ids that fit into no list. `null`: no such user. */
async function ofUserInfo<T>(http: Http, userId: string, schema: ZodType<T>): Promise<T | null> {
  try {
    return await http.requestJson(
      { method: 'GET', path: '/user/info', query: { user_id: userId }, lookUp: true },
      schema,
    );
  } catch (error) {
    if (error instanceof ProxyResponseError && error.status === 404) return null;
    throw error;
  }
}

/** Users with this email in any letter case; the proxy's own filter is *contains*. */
export async function findUsersByEmail(http: Http, email: string): Promise<ProxyUser[]> {
  const wanted = emailKey(email);
  const found = await pagesOfUsers(http, { user_email: email.trim() }, userPage(toProxyUser()));
  return found.filter((user) => user.email !== null && emailKey(user.email) === wanted);
}
