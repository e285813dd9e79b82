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
  /** Told how many rows have been read so far, of how many. */
  readonly onRead?: ((done: number, total: number) => void) | undefined;
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
  let done = 0;
  const page = async (number: number): Promise<Page<T>> => told(await listing.page(number));
  const told = (read: Page<T>): Page<T> => {
    done += read.rows.length;
    listing.onRead?.(done, read.total);
    return read;
  };
  const from = (first: number, rows: number): Promise<Page<T>[]> =>
    mapConcurrent(numbers(first, rows), listing.concurrency, page);
  const begun = known === undefined ? await from(1, listing.expected ?? 0) : [told(known)];
  const [first] = begun as [Page<T>];
  const pages = [...begun, ...(await from(begun.length + 1, first.total))];
  const totals = new Set(pages.map((page) => page.total));
  const distinct = new Set(pages.flatMap((page) => page.ids)).size;
  const rows = pages.flatMap((page) => page.rows);
  const complete = totals.size === 1 && distinct === first.total && rows.length === first.total;
  return { rows, complete, distinct, totals: [...totals].join(' and ') };
}

/** The pages of so many rows from one on; there is always a first one. */
function numbers(from: number, rows: number): number[] {
  const last = Math.max(1, Math.ceil(rows / PAGE_SIZE));
  return Array.from({ length: Math.max(0, last - from + 1) }, (_, index) => from + index);
}
