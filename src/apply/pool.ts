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
