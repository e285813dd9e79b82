/** Maps with at most `width` calls under way; after a failure no further one is started. Keeps the order. */
export async function mapConcurrent<T, R>(
  items: readonly T[],
  width: number,
  call: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const index = next++;
      try {
        results[index] = await call(items[index] as T);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}

/** Lets at most `width` holders in; the others wait in order. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(width: number) {
    this.#free = width;
  }

  async run<R>(call: () => Promise<R>): Promise<R> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await call();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

/**
 * One writer at a time per team. Older proxies read a team's roster, change it and write it back without a lock, so two
 * writes at once lose one of the changes (source: `_add_team_members_to_team`, `_cleanup_members_with_roles` of 1.75).
 */
export class TeamLocks {
  readonly #tails = new Map<string, Promise<void>>();

  async run<R>(teamIds: Iterable<string>, call: () => Promise<R>): Promise<R> {
    const ids = [...new Set(teamIds)];
    const before = ids.map((id) => this.#tails.get(id));
    let release = (): void => {};
    const promise = new Promise<void>((resolve) => {
      release = resolve;
    });
    for (const id of ids) this.#tails.set(id, promise);
    await Promise.all(before);
    try {
      return await call();
    } finally {
      for (const id of ids) if (this.#tails.get(id) === promise) this.#tails.delete(id);
      release();
    }
  }
}
