import { describe, expect, it } from 'vitest';
import { applyPlan } from '../../src/apply/apply.ts';
import type { LinkJournal } from '../../src/apply/ports.ts';
import { dyingAt, type Moment, started, stepOf } from '../apply/setup.ts';
import { check, recoverWithKills, secondRun, world } from '../apply/world.ts';
import { PLAYS_ALL } from '../faults/batch.ts';

const STRIDE = PLAYS_ALL ? 1 : 4;

describe('a run that is killed at a write to its journal', () => {
  it.each<Moment>(['before', 'after'])('%s: is completed by recovery, one after the other', async (moment) => {
    let reached = 0;
    for (let write = 1; ; write += STRIDE) {
      const one = world();
      const { directory, journal, options } = await started(one.proxy);
      const life = one.proxy.begin([]);
      const dying = dyingAt(journal, stepOf(write, moment, life), life);
      const run = applyPlan(one.plan, { ...options, proxy: life.bind(one.proxy), journal: dying });
      const outcomes = await Promise.race([run, life.died]);
      await journal.close();
      if (outcomes !== undefined) break;
      reached = write;
      const begun = !(write === 1 && moment === 'before');
      if (begun) {
        const report = await recoverWithKills(one, directory, 'killed-after');
        expect(report.outcomes).toHaveLength(one.plan.changes.length);
        await check(one, directory, report.outcomes);
      } else {
        expect(one.proxy.writes).toBe(0);
      }
      await secondRun(one, directory);
    }
    expect(reached).toBeGreaterThan(20);
  });
});

describe('a journal that cannot be written', () => {
  it.each(['begin', 'intend', 'onboarding', 'recorded'] as const)(
    '%s fails: no write goes on, rows say so',
    async (name) => {
      const one = world();
      const { directory, journal, options } = await started(one.proxy);
      const full: LinkJournal = {
        onboardingFile: journal.onboardingFile,
        begin: (plan, head) => journal.begin(plan, head),
        intend: (rows) => journal.intend(rows),
        onboarding: (rows, when) => journal.onboarding(rows, when),
        mail: (index, state) => journal.mail(index, state),
        recorded: (rows) => journal.recorded(rows),
        finish: (complete) => journal.finish(complete),
        [name]: () => Promise.reject(new Error('ENOSPC: no space left on device')),
      };
      const outcomes = await applyPlan(one.plan, { ...options, journal: full });
      await journal.close();
      expect(outcomes.filter((outcome) => outcome.status === 'SUCCESS').length).toBeLessThan(outcomes.length - 3);
      expect(outcomes.at(-1)?.reason).toContain('ENOSPC');
      if (name === 'begin') {
        expect(one.proxy.writes).toBe(0);
        return;
      }
      expect((await journal.lines()).some((line) => line.t === 'finished')).toBe(false);
      const report = await recoverWithKills(one, directory, 'killed-before');
      await check(one, directory, report.outcomes);
      await secondRun(one, directory);
    },
  );
});
