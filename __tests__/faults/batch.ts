/** Calls for every item, `width` at a time; the results in the items' order. */
export async function inTurn<T, R>(items: readonly T[], width: number, call: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await call(items[at] as T);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, work));
  return results;
}

/** How many of a test's places `npm test` plays; `FAULTS=all` plays every one, as CI does. */
const PLAYED = process.env.FAULTS === 'all' ? Number.POSITIVE_INFINITY : 4;

/** The places 0 to `count - 1` that a test plays: all, or the first, the last and some between at even distances. */
export function placesOf(count: number): number[] {
  const places = [...Array(count).keys()];
  if (count <= PLAYED) return places;
  return Array.from(
    { length: PLAYED },
    (_, index) => places[Math.round((index * (count - 1)) / (PLAYED - 1))] as number,
  );
}
