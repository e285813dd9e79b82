import type { ZodType } from 'zod';
import type { ProxyUser } from '../core/user.ts';
import { emailKey } from '../core/user.ts';
import { mapConcurrent } from './concurrency.ts';
import { ProxyResponseError } from './errors.ts';
import type { Http } from './http.ts';
import { PAGE_SIZE, readAll } from './paging.ts';
import { modelsPage, type UserRow, userInfo, userPage, wideUserPage } from './schemas.ts';

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
