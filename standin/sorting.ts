import { type Page, slice } from './validate.ts';

type Value = string | number | null;

/** PostgreSQL's order: by code unit, missing values last (first when descending). */
export function by<T>(value: (row: T) => Value, descending: boolean): (a: T, b: T) => number {
  const sign = descending ? -1 : 1;
  return (a, b) => sign * compare(value(a), value(b));
}

function compare(a: Value, b: Value): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -1 : 1;
}

/** A page of a list in the form of `/user/list` and `/v2/team/list`. */
export function paged<T>(name: string, rows: readonly T[], page: Page, shape: (row: T) => unknown): unknown {
  return {
    [name]: slice(rows, page).map(shape),
    total: rows.length,
    page: page.page,
    page_size: page.size,
    total_pages: Math.ceil(rows.length / page.size),
  };
}
