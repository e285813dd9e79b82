import { expect, it } from 'vitest';
import { backoff, Pool, pause, Semaphore } from '../src/concurrency.ts';
import { StoppedError } from '../src/core/errors.ts';
import { gate } from './gate.ts';

it('runs tasks in order, at most as many at once as it may, also those that come later', async () => {
  const pool = new Pool(2);
  const gates = [gate(), gate(), gate(), gate()];
  const started: number[] = [];
  const task = (number: number) => () => {
    started.push(number);
    return gates[number]?.opened ?? Promise.resolve();
  };
  for (const number of [0, 1, 2]) pool.add(task(number));
  expect(started).toEqual([0, 1]);
  const small = pool.backlog(0);
  gates[1]?.open();
  await small;
  expect(started).toEqual([0, 1, 2]);
  pool.add(task(3));
  for (const { open } of gates) open();
  await pool.idle();
  expect(started).toEqual([0, 1, 2, 3]);
});

it('lets the others run when one fails, then passes the failure on', async () => {
  const pool = new Pool(1);
  let ran = false;
  pool.add(() => Promise.reject(new Error('defect')));
  pool.add(async () => {
    ran = true;
  });
  await expect(pool.idle()).rejects.toThrow('defect');
  expect(ran).toBe(true);
});

it('ends a pause with the signal, and makes none after it', async () => {
  const controller = new AbortController();
  const begin = performance.now();
  const pauses = [pause(60_000, controller.signal), pause(5)];
  setTimeout(() => controller.abort(), 20);
  await Promise.all(pauses);
  await pause(60_000, controller.signal);
  expect(performance.now() - begin).toBeLessThan(1000);
});

it('doubles the wait up to the longest', () => {
  expect([0, 1, 2, 9].map((attempt) => backoff(attempt, 500, 3000))).toEqual([500, 1000, 2000, 3000]);
});

it('lets nobody wait for a place any more after the signal, and keeps the others in order', async () => {
  const controller = new AbortController();
  const slots = new Semaphore(1);
  const first = gate();
  const order: string[] = [];
  const call = (name: string) => async () => void order.push(name);
  const running = slots.run(() => first.opened);
  const leaving = slots.run(call('leaving'), controller.signal).catch((error: unknown) => error);
  const staying = slots.run(call('staying'), new AbortController().signal);
  controller.abort();
  expect(await leaving).toBeInstanceOf(StoppedError);
  expect(await slots.run(call('late'), controller.signal).catch((error: unknown) => error)).toBeInstanceOf(
    StoppedError,
  );
  first.open();
  await Promise.all([running, staying]);
  expect(order).toEqual(['staying']);
  await slots.run(call('next'));
  expect(order).toEqual(['staying', 'next']);
});

it('gives a call as many places as it takes, when its turn comes, and the others what is left', async () => {
  const slots = new Semaphore(4);
  const order: string[] = [];
  const gates = new Map(['one', 'heavy', 'two', 'three'].map((name) => [name, gate()]));
  const enter = (name: string, places?: number, signal?: AbortSignal): Promise<void> =>
    slots.run(
      () => {
        order.push(name);
        return gates.get(name)?.opened ?? Promise.resolve();
      },
      signal,
      places,
    );
  const controller = new AbortController();
  const running = [enter('one', 2), enter('heavy', 3), enter('two'), enter('three')];
  expect(order).toEqual(['one']);
  gates.get('one')?.open();
  await running[0];
  expect(order).toEqual(['one', 'heavy', 'two']);
  gates.get('two')?.open();
  await running[2];
  expect(order).toEqual(['one', 'heavy', 'two', 'three']);

  const leaving = [enter('leaving', 2, controller.signal), enter('never', 1, controller.signal)];
  const staying = enter('staying', 2);
  gates.get('three')?.open();
  await running[3];
  controller.abort();
  await Promise.all(leaving.map((one) => expect(one).rejects.toBeInstanceOf(StoppedError)));
  gates.get('heavy')?.open();
  await Promise.all([running[1], staying]);
  expect(order).toEqual(['one', 'heavy', 'two', 'three', 'staying']);
});
