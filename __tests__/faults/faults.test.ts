import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTurn } from './batch.ts';
import { caseOf, TIMEOUT } from './cases.ts';
import { hurry } from './hurry.ts';
import { withStandin } from './labs.ts';
import { play } from './scenario.ts';

/** A sample at every write, for each way to write; `npm run faults` plays them all. */
const KINDS = {
  '1.106': ['reset after'],
  '1.75': ['answer cut in half'],
} as const;

let slowDown = (): void => {};
beforeAll(() => {
  process.setMaxListeners(0);
  slowDown = hurry(25);
});
afterAll(() => slowDown());

describe.each(['1.106', '1.75'] as const)('sync on %s', (version) => {
  let writes = 0;

  it('does all without a fault', async () => {
    const report = await withStandin(version, (lab) => play(lab, {}));
    expect(report.violations).toEqual([]);
    expect(report.first.code).toBe(0);
    writes = report.writes;
    expect(writes).toBe({ '1.106': 16, '1.75': 23 }[version]);
  });

  it.each(KINDS[version])('%s, at every write in turn', { timeout: 120_000 }, async (kind) => {
    const cases = Array.from({ length: writes }, (_, at) => caseOf(kind, 'once', at));
    const reports = await inTurn(cases, 8, async ({ name, fault }) => ({
      name,
      ...(await withStandin(version, (lab) => play(lab, { fault, timeoutSeconds: TIMEOUT }))),
    }));
    expect(reports.filter((report) => report.violations.length > 0)).toEqual([]);
    expect(reports).toHaveLength(writes);
  });
});
