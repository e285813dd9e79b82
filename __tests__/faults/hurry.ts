import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

/**
 * Makes every time-out and pause of this process shorter, on both sides of the wire alike, so that a run that waits for
 * seconds is over in a fraction of one. Returns what puts the clock back.
 * @param factor How many times shorter.
 */
export function hurry(factor: number): () => void {
  const { setTimeout: callback } = globalThis;
  const { setTimeout: promise } = timers;
  const faster = (done: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
    callback(done, ms / factor, ...args);
  globalThis.setTimeout = Object.assign(faster, callback) as typeof setTimeout;
  timers.setTimeout = ((ms = 0, ...rest: []) => promise(ms / factor, ...rest)) as typeof promise;
  syncBuiltinESMExports();
  return () => {
    globalThis.setTimeout = callback;
    timers.setTimeout = promise;
    syncBuiltinESMExports();
  };
}
