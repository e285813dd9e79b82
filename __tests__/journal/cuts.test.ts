import { describe, expect, it } from 'vitest';
import { applyPlan } from '../../src/apply/apply.ts';
import type { LinkJournal } from '../../src/apply/deliver.ts';
import type { Life } from '../apply/fake-proxy.ts';
import { started } from '../apply/setup.ts';
import { check, recoverWithKills, secondRun, world } from '../apply/world.ts';

type Moment = 'before' | 'after';

/** A journal whose process dies at its n-th write, before or after it has reached the disk. */
function dyingAt(journal: LinkJournal, write: number, moment: Moment, life: Life): LinkJournal {
  let writes = 0;
  const step = async (effect: () => Promise<void>): Promise<void> => {
    const mine = ++writes === write;
    if (mine && moment === 'before') {
      life.end();
      return new Promise(() => undefined);
    }
    await effect();
    if (mine) life.end();
  };
  return life.bind<LinkJournal>({
    onboardingFile: journal.onboardingFile,
    begin: (plan, head) => step(() => journal.begin(plan, head)),
    intend: (rows) => step(() => journal.intend(rows)),
    onboarding: (rows) => step(() => journal.onboarding(rows)),
    mail: (index, state) => step(() => journal.mail(index, state)),
    recorded: (rows) => step(() => journal.recorded(rows)),
    finish: (complete) => step(() => journal.finish(complete)),
  });
}

describe('a run that is killed at a write to its journal', () => {
  it.each<Moment>(['before', 'after'])('%s: is completed by recovery, each in turn', async (moment) => {
    let reached = 0;
    for (let write = 1; ; write++) {
      const one = world();
      const { directory, journal, options } = await started(one.proxy);
      const life = one.proxy.begin([]);
      const dying = dyingAt(journal, write, moment, life);
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
        onboarding: (rows) => journal.onboarding(rows),
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
