import { setTimeout } from 'node:timers/promises';
import { StoppedError } from './core/errors.ts';

/** Runs tasks as they come, at most `size` at once. A task handles its own errors. */
export class Pool {
  readonly #size: number;
  readonly #waiting: (() => Promise<void>)[] = [];
  #next = 0;
  #running = 0;
  readonly #idle: (() => void)[] = [];
  readonly #onTake: (() => void)[] = [];
  #failure: unknown = null;

  constructor(size: number) {
    this.#size = Math.max(1, size);
  }

  add(task: () => Promise<void>): void {
    this.#waiting.push(task);
    if (this.#running < this.#size) void this.#work();
  }

  /** Resolves when no more than `count` tasks wait. */
  async backlog(count: number): Promise<void> {
    while (this.#waiting.length - this.#next > count) {
      await new Promise<void>((resolve) => this.#onTake.push(resolve));
    }
  }

  /** Resolves when nothing runs or waits; rejects with the first error that a task let out. */
  async idle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    if (this.#failure !== null) throw this.#failure;
  }

  async #work(): Promise<void> {
    this.#running++;
    for (let task = this.#take(); task !== undefined; task = this.#take()) {
      try {
        await task();
      } catch (error) {
        this.#failure ??= error;
      }
    }
    this.#running--;
    if (this.#running > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** From the front without moving the rest: the queue may hold tens of thousands. */
  #take(): (() => Promise<void>) | undefined {
    const task = this.#waiting[this.#next];
    if (task === undefined) {
      this.#waiting.length = 0;
      this.#next = 0;
      return undefined;
    }
    this.#waiting[this.#next++] = DONE;
    for (const resolve of this.#onTake.splice(0)) resolve();
    return task;
  }
}

const DONE = (): Promise<void> => Promise.resolve();

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

/** Lets in as many holders as take at most `width` places together; the others wait in order. */
export class Semaphore {
  #free: number;
  readonly #waiting: { readonly places: number; readonly enter: () => void }[] = [];

  constructor(width: number) {
    this.#free = width;
  }

  /**
   * @param signal Ends the wait for a place; a call that has begun is not touched.
   * @param places How many the call takes; no more than there are, or it waits for ever.
   * @throws StoppedError where the signal came before the call began
   */
  async run<R>(call: () => Promise<R>, signal?: AbortSignal, places = 1): Promise<R> {
    if (signal?.aborted) throw new StoppedError();
    if (this.#waiting.length === 0 && this.#free >= places) this.#free -= places;
    else await this.#turn(places, signal);
    try {
      // Whoever left because of the signal has let this one in.
      if (signal?.aborted) throw new StoppedError();
      return await call();
    } finally {
      this.#free += places;
      this.#letIn();
    }
  }

  #letIn(): void {
    for (let next = this.#waiting[0]; next !== undefined && next.places <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.places;
      next.enter();
    }
  }

  #turn(places: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(new StoppedError());
        this.#letIn();
      };
      const enter = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const turn = { places, enter };
      this.#waiting.push(turn);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }
}

/** Waits; no longer than until the signal comes. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    if (!signal?.aborted) throw error;
  });
}

/** The wait before try number `attempt` (0: the second one): doubles from `firstMs` up to `longestMs`. */
export function backoff(attempt: number, firstMs: number, longestMs: number): number {
  return Math.min(longestMs, firstMs * 2 ** attempt);
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

/** A call that was refused as a whole is sent again as two, so that one bad row does not take the others with it. */
export function halves<T>(rows: readonly T[]): readonly [readonly T[], readonly T[]] {
  const half = Math.ceil(rows.length / 2);
  return [rows.slice(0, half), rows.slice(half)];
}
