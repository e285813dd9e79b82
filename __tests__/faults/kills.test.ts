import { join } from 'node:path';
import { expect, it } from 'vitest';
import { inTurn } from './batch.ts';
import { deathOf, die } from './kills.ts';
import { withStandin } from './labs.ts';
import { play } from './scenario.ts';

const DIST = join(import.meta.dirname, '..', '..', 'dist');
/** A sample; `npm run faults -- --kills 100` plays more. */
const SEEDS = Array.from({ length: 2 }, (_, at) => at + 1);

it.each(['1.106', '1.75'] as const)(
  'killed anywhere on %s, settled by the next run',
  { timeout: 120_000 },
  async (version) => {
    const { requests } = await withStandin(version, (lab) => play(lab, {}));
    const reports = await inTurn(SEEDS, 2, async (seed) => {
      const death = deathOf(seed, requests);
      return { death: death.name, ...(await withStandin(version, (lab) => die(lab, death, DIST))) };
    });
    expect(reports.filter((report) => report.violations.length > 0)).toEqual([]);
    expect(reports.filter((report) => report.first.code === null).length).toBeGreaterThan(0);
  },
);
