import type { MovedKey } from '../apply/ports.ts';
import { mapConcurrent } from '../concurrency.ts';
import type { ProxyKey } from '../core/inventory.ts';
import { Secret } from '../core/secret.ts';
import { ProxyAuthError, ProxyError, ProxyForbiddenError, ProxyResponseError } from './errors.ts';
import type { Http } from './http.ts';
import { type Listing, PAGE_SIZE, readAll } from './paging.ts';
import { anyJson, generatedKey, keyInfo, keyPage, PROXY_USER } from './schemas.ts';

/** The token (hash) is the primary key; the proxy's own order, newest first, shifts when a key is made meanwhile. */
const ORDER = { sort_by: 'token', sort_order: 'asc', return_full_object: 'true' } as const;

type KeyFilter = { readonly user_id: string } | { readonly team_id: string } | { readonly key_alias: string };

function listing(http: Http, filter: KeyFilter | Readonly<Record<string, never>>): Listing<ProxyKey> {
  return {
    route: 'GET /key/list',
    concurrency: http.concurrency,
    page: async (page) => {
      const query = { ...filter, page, size: PAGE_SIZE, ...ORDER };
      const call = { method: 'GET', path: '/key/list', query, lookUp: 'user_id' in filter } as const;
      const { keys, total_count } = await http.requestJson(call, keyPage);
      const rows = keys.map((row) => ({
        hash: row.token,
        name: row.key_name ?? '',
        alias: row.key_alias,
        userId: row.user_id,
        teamId: row.team_id,
        spend: row.spend,
      }));
      return { ids: rows.map((key) => key.hash), rows, total: total_count };
    },
  };
}

/**
 * The keys of everybody, `null` where they are more than `most` or our key may list none. Like `key_count` of
 * `/user/list`, the listing leaves out what the proxy makes for a login (source: `_build_key_filter_conditions`).
 */
export async function fewKeys(http: Http, most: number): Promise<ProxyKey[] | null> {
  const all = listing(http, {});
  try {
    const first = await all.page(1);
    return first.total > most ? null : await readAll(all, first);
  } catch (error) {
    if (error instanceof ProxyForbiddenError) return null;
    throw error;
  }
}

/** The keys of everybody. */
export function allKeys(http: Http): Promise<ProxyKey[]> {
  return readAll(listing(http, {}));
}

/** All keys of one user. Filtered again: between 1.75 and 1.106 there were proxies that matched a part of the id. */
export async function keysOfUser(http: Http, userId: string): Promise<ProxyKey[]> {
  const keys = await filtered(http, [{ user_id: userId }]);
  return keys.filter((key) => key.userId === userId);
}

/**
 * The keys of these users in these teams: one listing per team or per user, whichever are fewer.
 * @returns `'unknown'` where the key that we use may list none; never a part of them
 */
export async function leavingKeys(
  http: Http,
  pairs: readonly { readonly userId: string; readonly teamId: string }[],
): Promise<ProxyKey[] | 'unknown'> {
  const teams = [...new Set(pairs.map((pair) => pair.teamId))];
  const users = [...new Set(pairs.map((pair) => pair.userId))];
  const filters =
    teams.length <= users.length ? teams.map((team_id) => ({ team_id })) : users.map((user_id) => ({ user_id }));
  const wanted = new Set(pairs.map((pair) => JSON.stringify([pair.userId, pair.teamId])));
  try {
    const found = await filtered(http, filters);
    return found.filter((key) => wanted.has(JSON.stringify([key.userId, key.teamId])));
  } catch (error) {
    if (error instanceof ProxyForbiddenError) return 'unknown';
    throw error;
  }
}

/**
 * The keys that at least one of the filters lets through, and perhaps others. Source: below 1.100 a
 * `proxy_admin_viewer`'s key gets 403 for a user's or a team's keys, and all keys where it names neither.
 */
async function filtered(http: Http, filters: readonly KeyFilter[]): Promise<ProxyKey[]> {
  try {
    const found = await mapConcurrent(filters, http.concurrency, (filter) => readAll(listing(http, filter)));
    return found.flat();
  } catch (error) {
    if (error instanceof ProxyForbiddenError) return allKeys(http);
    throw error;
  }
}

/** Up to this many aliases are asked for one by one without finding out how many keys there are in all. */
const FEW = 3;

/** Which of these aliases exist, and whose key has them (`null`: nobody's). One by one, or all keys where fewer. */
export async function takenAliases(http: Http, aliases: readonly string[]): Promise<Map<string, string | null>> {
  const wanted = new Set(aliases.filter((alias) => alias !== ''));
  const taken = new Map<string, string | null>();
  for (const key of await keysAmong(http, [...wanted])) {
    if (key.alias !== null && wanted.has(key.alias)) taken.set(key.alias, key.userId);
  }
  return taken;
}

async function keysAmong(http: Http, aliases: readonly string[]): Promise<ProxyKey[]> {
  if (aliases.length > FEW) {
    const all = listing(http, {});
    const first = await all.page(1);
    if (first.total <= aliases.length * PAGE_SIZE) return readAll(all, first);
  }
  return filtered(
    http,
    aliases.map((key_alias) => ({ key_alias })),
  );
}

/** The user whose key we use; `null` with the master key (404: it is not in the proxy's table). */
export async function ownUserId(http: Http): Promise<string | null> {
  try {
    const { info } = await http.requestJson({ method: 'GET', path: '/key/info' }, keyInfo);
    return info.user_id === PROXY_USER ? null : info.user_id;
  } catch (error) {
    if (error instanceof ProxyResponseError && error.status === 404 && error.proxyMessage !== null) return null;
    throw error;
  }
}

export async function createKey(
  http: Http,
  key: { readonly userId: string; readonly teamId: string | null; readonly alias: string | null },
  onSecret: (value: string) => void,
): Promise<Secret> {
  const body = {
    user_id: key.userId,
    ...(key.teamId === null ? {} : { team_id: key.teamId }),
    ...(key.alias === null ? {} : { key_alias: key.alias }),
  };
  const answer = await http.requestJson({ method: 'POST', path: '/key/generate', body }, generatedKey);
  onSecret(answer.key);
  return new Secret(answer.key);
}

/** Keys that are gone already are fine. */
export async function deleteKeys(http: Http, hashes: readonly string[]): Promise<void> {
  if (hashes.length === 0) return;
  try {
    const call = { method: 'POST', path: '/key/delete', body: { keys: hashes }, rows: hashes.length } as const;
    await http.requestJson({ ...call, repeatable: true }, anyJson);
  } catch (error) {
    if (!(error instanceof ProxyResponseError) || error.status !== 404) throw error;
    if (hashes.length > 1) for (const hash of hashes) await deleteKeys(http, [hash]);
  }
}

/**
 * Moves a key by its hash. Source: alias, limits, budget and spend stay (1.75 to 1.110, each tried), which
 * `/key/bulk_update` does not keep up to 1.90.
 */
export async function moveKey(http: Http, hash: string, teamId: string): Promise<MovedKey> {
  try {
    const body = { key: hash, team_id: teamId };
    await http.requestJson({ method: 'POST', path: '/key/update', body, repeatable: true }, anyJson);
    return { ok: true };
  } catch (error) {
    // 1.75 and 1.82 answer 401 to a model that the team lacks: no word against the key that we use.
    if (!(error instanceof ProxyError) || !isRefusal(error.status) || error instanceof ProxyAuthError) throw error;
    return { ok: false, reason: error.proxyMessage ?? error.message };
  }
}

/** Whether it is the proxy's word on what was asked, and not one on its own state. */
function isRefusal(status: number | null): boolean {
  return status !== null && status >= 400 && status < 500 && status !== 408 && status !== 429;
}
