import type { Log } from '../core/log.ts';

/** Whether this run was asked to end. */
export interface StopOnSignals {
  readonly signal: AbortSignal;
  /** Stops listening: the signals do again what they did before. */
  release(): void;
}

/** npm passes on a Ctrl-C that the terminal has sent already: not everything that comes twice was meant twice. */
const TWICE_MS = 1_000;

/**
 * Aborted by SIGINT and SIGTERM: no new write is started, every wait ends, what has begun is finished, the files are
 * written. The same signal a second later does what it always does, and ends the program.
 */
export function stopOnSignals(log: Log, target: NodeJS.EventEmitter = process): StopOnSignals {
  const controller = new AbortController();
  const request = (signal: string): void => {
    if (!controller.signal.aborted)
      log.warning(
        `${signal}: no new write is started; what has begun is finished and written down. Once more ends the run at once, and leaves that to the next one.`,
      );
    controller.abort();
    setTimeout(() => target.off(signal, request), TWICE_MS).unref();
  };
  for (const signal of SIGNALS) target.on(signal, request);
  return {
    signal: controller.signal,
    release: () => {
      for (const signal of SIGNALS) target.off(signal, request);
    },
  };
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
