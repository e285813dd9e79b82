import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { stopOnSignals } from '../../src/host/signals.ts';

function stopped(...signals: string[]) {
  const warnings: string[] = [];
  const target = new EventEmitter();
  const quiet = { debug: () => {}, info: () => {}, error: () => {} };
  const stop = stopOnSignals({ ...quiet, warning: (message) => void warnings.push(message) }, target);
  for (const signal of signals) target.emit(signal, signal);
  return { stop, warnings, target };
}

describe('signals', () => {
  it.each(['SIGINT', 'SIGTERM'])('%s asks the run to end, and says what happens now', (signal) => {
    const { stop, warnings } = stopped(signal);
    expect(stop.signal.aborted).toBe(true);
    expect(warnings).toEqual([
      `${signal}: no new write is started; what has begun is finished and written down. Once more ends the run at once, and leaves that to the next one.`,
    ]);
  });

  it('are told once', () => {
    const { stop, warnings } = stopped('SIGINT', 'SIGINT', 'SIGTERM');
    expect([stop.signal.aborted, warnings.length]).toEqual([true, 1]);
  });

  it('end the program when they come again, but not both copies of one', () => {
    vi.useFakeTimers();
    const { target } = stopped('SIGINT', 'SIGINT');
    vi.advanceTimersByTime(900);
    expect(target.listenerCount('SIGINT')).toBe(1);
    vi.advanceTimersByTime(200);
    expect([target.listenerCount('SIGINT'), target.listenerCount('SIGTERM')]).toEqual([0, 1]);
    vi.useRealTimers();
  });

  it('that mean something else are left alone', () => {
    expect(stopped('SIGHUP').stop.signal.aborted).toBe(false);
  });

  it('are given back: the next one ends the program as ever', () => {
    const { stop, target } = stopped();
    stop.release();
    expect(target.eventNames()).toEqual([]);
    target.emit('SIGINT', 'SIGINT');
    expect(stop.signal.aborted).toBe(false);
  });
});
