// Loaded into a child process: pauses between attempts (1 to 25 seconds) pass a hundred times as fast. Time limits of
// requests, which are longer, stay.
import { syncBuiltinESMExports } from 'node:module';
import promises from 'node:timers/promises';

const shortened = (milliseconds) =>
  milliseconds >= 1_000 && milliseconds <= 25_000 ? milliseconds / 100 : milliseconds;

const { setTimeout: later } = globalThis;
globalThis.setTimeout = (callback, milliseconds, ...rest) => later(callback, shortened(milliseconds), ...rest);
const { setTimeout: wait } = promises;
promises.setTimeout = (milliseconds, ...rest) => wait(shortened(milliseconds), ...rest);
syncBuiltinESMExports();
