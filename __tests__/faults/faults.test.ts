import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTurn, placesOf } from './batch.ts';
import { caseOf } from './cases.ts';
import { hurry } from './hurry.ts';
import { withStandin } from './labs.ts';
import { play } from './scenario.ts';

let slowDown = (): void => {};
beforeAll(() => {
  process.setMaxListeners(0);
  slowDown = hurry(25);
});
afterAll(() => slowDown());

/** One kind of fault for each way to write; `npm run faults` plays them all. */
it.each([
  ['sync', '1.106', 17, 'reset after'],
  ['sync', '1.75', 31, 'answer cut in half'],
  ['add', '1.106', 7, 'reset after'],
  ['delete', '1.106', 1, 'reset after'],
  ['onboard', '1.106', 11, 'answer cut in half'],
  ['life', '1.110', 25, 'reset after'],
  ['life', '1.82', 25, 'reset before'],
] as const)('%s on %s: %d writes, and %s at one after the other', { timeout: 120_000 }, async (...row) => {
  const [trial, version, writes, kind] = row;
  const clean = await withStandin(version, (lab) => play(lab, { trial }));
  expect([clean.first.code, clean.violations, clean.writes]).toEqual([0, [], writes]);
  const cases = placesOf(writes).map((at) => caseOf(kind, 'once', at));
  const reports = await inTurn(cases, 8, async ({ name, fault }) => ({
    name,
    ...(await withStandin(version, (lab) => play(lab, { trial, fault }))),
  }));
  expect(reports.filter((report) => report.violations.length > 0)).toEqual([]);
});
