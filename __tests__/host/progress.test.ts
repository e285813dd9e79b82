import { expect, it } from 'vitest';
import { ProgressLines } from '../../src/host/progress.ts';

it('tells counts and the rate of the phase, also where it is taken up again', () => {
  const lines: string[] = [];
  let now = 0;
  const log = { debug: () => {}, info: (line: string) => void lines.push(line), warning: () => {}, error: () => {} };
  const progress = new ProgressLines(log, () => now);
  const at = (seconds: number, phase: string, done: number): void => {
    now = seconds * 1000;
    progress.show({ phase, done, total: 1000 });
  };
  at(0, 'Links', 0);
  at(5, 'Links', 100);
  at(8, 'Links', 200);
  at(10, 'Adding', 1000);
  at(11, 'Links', 500);
  at(16, 'Links', 600);
  expect(lines).toEqual(['Links: 100 of 1,000 (20.0 a second)', 'Links: 600 of 1,000 (20.0 a second)']);
});
