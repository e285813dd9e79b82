import { mapConcurrent } from '../concurrency.ts';
import { IncompleteInventoryError } from './errors.ts';

/** Largest page of `/user/list`, `/v2/team/list` and `/key/list` (422 beyond it). */
export const PAGE_SIZE = 100;

export interface Page<T> {
  /** One per row: proves that no row came twice or got lost between pages. */
  readonly ids: readonly string[];
  readonly rows: readonly T[];
  /** Of the whole listing, as this page names it. */
  readonly total: number;
}

export interface Listing<T> {
  /** For messages: `GET /user/list`. */
  readonly route: string;
  /** @param page From 1. */
  readonly page: (page: number) => Promise<Page<T>>;
  /** Pages asked for at once. */
  readonly concurrency: number;
  /** About how many rows there are, where that is known: else the first page is waited for, which tells it. */
  readonly expected?: number;
}

/**
 * All rows of a listing, proven complete: as many different ids as the total that every page names. Where that fails
 * (rows came or went meanwhile) it is read once more from the start.
 * @param first The first page where it is at hand already.
 * @throws IncompleteInventoryError after the second failure.
 */
export async function readAll<T>(listing: Listing<T>, first?: Page<T>): Promise<T[]> {
  const once = await readOnce(listing, first);
  if (once.complete) return once.rows;
  const again = await readOnce(listing);
  if (again.complete) return again.rows;
  throw new IncompleteInventoryError(
    `${listing.route} is not complete, read twice: it names ${again.totals} rows and gave ${again.distinct} different ones. Somebody else may be changing the proxy: run again.`,
    listing.route,
    200,
  );
}

interface Reading<T> {
  readonly rows: T[];
  readonly complete: boolean;
  readonly distinct: number;
  readonly totals: string;
}

async function readOnce<T>(listing: Listing<T>, known?: Page<T>): Promise<Reading<T>> {
  const begun = known === undefined ? await pagesFrom(listing, 1, pagesOf(listing.expected ?? 0)) : [known];
  const [first] = begun as [Page<T>];
  const pages = [...begun, ...(await pagesFrom(listing, begun.length + 1, pagesOf(first.total)))];
  const totals = new Set(pages.map((page) => page.total));
  const distinct = new Set(pages.flatMap((page) => page.ids)).size;
  const rows = pages.flatMap((page) => page.rows);
  const complete = totals.size === 1 && distinct === first.total && rows.length === first.total;
  return { rows, complete, distinct, totals: [...totals].join(' and ') };
}

function pagesOf(rows: number): number {
  return Math.max(1, Math.ceil(rows / PAGE_SIZE));
}

function pagesFrom<T>({ page, concurrency }: Listing<T>, from: number, to: number): Promise<Page<T>[]> {
  const numbers = Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
  return mapConcurrent(numbers, concurrency, page);
}
