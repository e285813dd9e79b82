import type { Log } from '../core/log.ts';

/** Whether this run was asked to end. */
export interface Stop {
  requested: boolean;
  /** Gives the signals back to whoever had them. */
  release(): void;
}

/** Set by SIGINT and SIGTERM: no new write is started, what has begun is finished, the files are written. */
export function stopOnSignals(log: Log, target: NodeJS.EventEmitter = process): Stop {
  const stop: Stop = {
    requested: false,
    release: () => {
      for (const signal of SIGNALS) target.off(signal, request);
    },
  };
  const request = (signal: string): void => {
    if (!stop.requested)
      log.warning(`${signal}: no new write is started; what has begun is finished and written down.`);
    stop.requested = true;
  };
  for (const signal of SIGNALS) target.on(signal, request);
  return stop;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
