import { join } from 'node:path';
import { expect, it } from 'vitest';
import { inTurn } from './batch.ts';
import { deathOf, die } from './kills.ts';
import { withStandin } from './labs.ts';
import { play } from './scenario.ts';

const DIST = join(import.meta.dirname, '..', '..', 'dist');
it.each([
  ['1.106', ['sync', 'onboard']],
  ['1.75', ['add', 'delete']],
  ['1.110', ['life']],
] as const)(
  'on %s: %j killed somewhere, completed by post or the next run',
  { timeout: 120_000 },
  async (version, trials) => {
    // A sample; `npm run faults -- --kills 100` plays more.
    const reports = await inTurn(trials, 2, async (trial) => {
      const { requests } = await withStandin(version, (lab) => play(lab, { trial }));
      const death = deathOf(trial, 1, requests);
      return { death: death.name, ...(await withStandin(version, (lab) => die(lab, death, DIST))) };
    });
    expect(reports.filter((report) => report.violations.length > 0)).toEqual([]);
    expect(reports.filter((report) => report.first.code === null).length).toBeGreaterThan(0);
  },
);
