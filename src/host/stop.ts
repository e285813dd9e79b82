import type { Log } from '../core/log.ts';

/** Set by SIGINT and SIGTERM: no new write is started, what has begun is finished, the files are written. */
export function stopOnSignals(log: Log, target: NodeJS.EventEmitter = process): { requested: boolean } {
  const stop = { requested: false };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    target.on(signal, () => {
      if (!stop.requested)
        log.warning(`${signal}: no new write is started; what has begun is finished and written down.`);
      stop.requested = true;
    });
  }
  return stop;
}
