import { expect, it } from 'vitest';
import { Pool } from '../src/concurrency.ts';

function gate(): { open: () => void; opened: Promise<void> } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

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
