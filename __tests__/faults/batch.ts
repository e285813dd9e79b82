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

/** `npm test` plays a sample of what takes long; `FAULTS=all` plays everything, as CI does. */
export const PLAYS_ALL = process.env.FAULTS === 'all';

/** How many of a test's places are played. */
const PLAYED = PLAYS_ALL ? Number.POSITIVE_INFINITY : 3;

/** The places 0 to `count - 1` that a test plays: all, or the first, the last and some between at even distances. */
export function placesOf(count: number): number[] {
  const places = [...Array(count).keys()];
  if (count <= PLAYED) return places;
  return Array.from(
    { length: PLAYED },
    (_, index) => places[Math.round((index * (count - 1)) / (PLAYED - 1))] as number,
  );
}

/** What a test plays of kinds that are alike: all, or one, which is another one for the next `test`. */
export function kindsOf<T>(kinds: readonly T[], test: number): readonly T[] {
  return PLAYS_ALL ? kinds : kinds.filter((_, index) => index === test % kinds.length);
}
