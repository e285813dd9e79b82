import type { ZodType } from 'zod';
import type { Log } from '../core/log.ts';
import type { Capabilities } from './capabilities.ts';
import { ProxyError, UnexpectedShapeError } from './errors.ts';
import { type Http, routeOf } from './http.ts';
import { PAGE_SIZE } from './paging.ts';
import { userTotal } from './schemas.ts';

/**
 * Most users that are read in one answer, the proxy's own `default_user_id` not counted: at 50,000 it answers nobody else
 * for 7 seconds, at 10,000 for one.
 */
const MOST = 10_000;

/** A page of users takes the proxy so many times longer than as many users of a snapshot (12 to 20, measured). */
const PAGE_COST = 10;

const SNAPSHOT = { method: 'GET', path: '/spend/users' } as const;

/**
 * All users in one answer, where `/user/list` counts the keys of each: 5,000 in 1 second instead of 9. Asked only where
 * `/management/v1` is (from 1.103 on): before 1.90 the answer holds hashes of passwords. Whatever is odd about it leaves
 * the pages of `/user/list` to whoever asks.
 */
export class Snapshot {
  readonly #http: Http;
  readonly #capabilities: Capabilities;
  readonly #log: Log;
  /** How many users there were when they were read last; `null`: not read, or not to be read so. */
  #total: number | null = null;

  constructor(http: Http, capabilities: Capabilities, log: Log) {
    this.#http = http;
    this.#capabilities = capabilities;
    this.#log = log;
  }

  /**
   * Everybody, proven complete: as many different ids as `/user/list` counts before and after.
   * @returns `rows: null`: read the pages, of about so many users
   */
  async everybody<R extends { readonly user_id: string }>(
    schema: ZodType<R[]>,
  ): Promise<{ readonly rows: R[] | null; readonly total: number }> {
    this.#http.onRead?.(0, null);
    const [isOffered, count] = await Promise.all([this.#capabilities.isBulk(), this.#count()]);
    const rows = isOffered ? await this.#proven(schema, count) : null;
    if (rows !== null) this.#http.onRead?.(rows.length, rows.length);
    return { rows, total: count };
  }

  async #proven<R extends { readonly user_id: string }>(schema: ZodType<R[]>, count: number): Promise<R[] | null> {
    let total = count;
    for (let attempt = 0; attempt < 2 && total <= MOST + 1; attempt++) {
      const rows = await this.#ask(schema, false);
      if (rows === null) return null;
      const before = total;
      total = await this.#count();
      const distinct = new Set(rows.map((row) => row.user_id)).size;
      if (before === total && distinct === total && rows.length === total) {
        this.#total = total;
        return rows;
      }
      this.#log.debug(`${routeOf(SNAPSHOT)} gave ${distinct} different users of ${before}, then ${total}.`);
    }
    return null;
  }

  /** Those of these users whom the answer holds, where asking for everybody costs less than asking for them by id. */
  async some<R extends { readonly user_id: string }>(
    schema: ZodType<R[]>,
    userIds: ReadonlySet<string>,
  ): Promise<readonly R[]> {
    const isCheaper = userIds.size > PAGE_SIZE && this.#total !== null && this.#total <= userIds.size * PAGE_COST;
    const rows = isCheaper ? await this.#ask(schema, true) : null;
    return rows?.filter((row) => userIds.has(row.user_id)) ?? [];
  }

  async #count(): Promise<number> {
    const call = { method: 'GET', path: '/user/list', query: { page: 1, page_size: 1 } } as const;
    return (await this.#http.requestJson(call, userTotal)).total;
  }

  /** @param lookUp whether it is to tell what a write has done */
  async #ask<R>(schema: ZodType<R[]>, lookUp: boolean): Promise<R[] | null> {
    try {
      return await this.#http.requestJson({ ...SNAPSHOT, lookUp, repeatable: false }, schema);
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      this.#total = null;
      // Nothing of an answer that makes no sense is told but where it does not.
      const why = error instanceof UnexpectedShapeError ? error.message : `${routeOf(SNAPSHOT)} gave no answer of use`;
      this.#log.debug(`${why} (${error.status ?? 'none'}): the users are read page by page.`);
      return null;
    }
  }
}
