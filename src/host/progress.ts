import type { Log } from '../core/log.ts';
import type { Progress } from './port.ts';

const EVERY_MS = 5_000;

/** Progress as lines of a log: counts and rate, every few seconds, so that short work prints nothing. */
export class ProgressLines {
  readonly #log: Log;
  readonly #now: () => number;
  #phase = '';
  #startedAt = 0;
  /** What was done when this phase began, or was taken up again: the rate is of what came since. */
  #startedWith = 0;
  #shownAt = 0;

  constructor(log: Log, now: () => number = Date.now) {
    this.#log = log;
    this.#now = now;
  }

  show({ phase, done, total }: Progress): void {
    if (total === null) return;
    const now = this.#now();
    if (phase !== this.#phase) {
      this.#phase = phase;
      this.#startedAt = now;
      this.#startedWith = done;
      this.#shownAt = now;
    }
    if (now - this.#shownAt < EVERY_MS) return;
    this.#shownAt = now;
    const rate = ((done - this.#startedWith) / ((now - this.#startedAt) / 1000)).toFixed(1);
    this.#log.info(`${phase}: ${done.toLocaleString('en-US')} of ${total.toLocaleString('en-US')} (${rate} a second)`);
  }
}
