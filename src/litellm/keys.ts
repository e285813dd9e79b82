import { mapConcurrent } from '../concurrency.ts';
import type { ProxyKey } from '../core/inventory.ts';
import { Secret } from '../core/secret.ts';
import { ProxyResponseError } from './errors.ts';
import type { Http } from './http.ts';
import { type Listing, PAGE_SIZE, readAll } from './paging.ts';
import { anyJson, generatedKey, keyInfo, keyPage } from './schemas.ts';

/** The token (hash) is the primary key; the proxy's own order, newest first, shifts when a key is made meanwhile. */
const ORDER = { sort_by: 'token', sort_order: 'asc', return_full_object: 'true' } as const;

type KeyFilter = { user_id?: string; team_id?: string; key_alias?: string };

function listing(http: Http, filter: KeyFilter): Listing<ProxyKey> {
  return {
    route: 'GET /key/list',
    concurrency: http.concurrency,
    page: async (page) => {
      const query = { ...filter, page, size: PAGE_SIZE, ...ORDER };
      const { keys, total_count } = await http.json({ method: 'GET', path: '/key/list', query }, keyPage);
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

/** The keys of everybody. */
export function allKeys(http: Http): Promise<ProxyKey[]> {
  return readAll(listing(http, {}));
}

/** All keys of one user. Filtered again: between 1.75 and 1.106 there were proxies that matched a part of the id. */
export async function keysOfUser(http: Http, userId: string): Promise<ProxyKey[]> {
  const keys = await readAll(listing(http, { user_id: userId }));
  return keys.filter((key) => key.userId === userId);
}

/** The keys of these users in these teams: one listing per team or per user, whichever are fewer. */
export async function teamKeys(
  http: Http,
  pairs: readonly { readonly userId: string; readonly teamId: string }[],
): Promise<ProxyKey[]> {
  const teams = [...new Set(pairs.map((pair) => pair.teamId))];
  const users = [...new Set(pairs.map((pair) => pair.userId))];
  const filters: KeyFilter[] =
    teams.length <= users.length ? teams.map((team_id) => ({ team_id })) : users.map((user_id) => ({ user_id }));
  const found = await mapConcurrent(filters, http.concurrency, (filter) => readAll(listing(http, filter)));
  const wanted = new Set(pairs.map((pair) => JSON.stringify([pair.userId, pair.teamId])));
  return found.flat().filter((key) => wanted.has(JSON.stringify([key.userId, key.teamId])));
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
  const filters = aliases.map((key_alias) => ({ key_alias }));
  const found = await mapConcurrent(filters, http.concurrency, (filter) => readAll(listing(http, filter)));
  return found.flat();
}

/** The user whose key we use; `null` with the master key (404: it is not in the proxy's table). */
export async function ownUserId(http: Http): Promise<string | null> {
  try {
    const { info } = await http.json({ method: 'GET', path: '/key/info' }, keyInfo);
    return info.user_id === 'default_user_id' ? null : info.user_id;
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
  const answer = await http.json({ method: 'POST', path: '/key/generate', body }, generatedKey);
  onSecret(answer.key);
  return new Secret(answer.key);
}

/** Keys that are gone already are fine. */
export async function deleteKeys(http: Http, hashes: readonly string[]): Promise<void> {
  if (hashes.length === 0) return;
  try {
    const call = { method: 'POST', path: '/key/delete', body: { keys: hashes }, rows: hashes.length } as const;
    await http.json({ ...call, repeatable: true }, anyJson);
  } catch (error) {
    if (!(error instanceof ProxyResponseError) || error.status !== 404) throw error;
    if (hashes.length > 1) for (const hash of hashes) await deleteKeys(http, [hash]);
  }
}
