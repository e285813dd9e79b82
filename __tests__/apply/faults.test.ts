import { describe, expect, it } from 'vitest';
import { type ApplyOptions, applyPlan } from '../../src/apply/apply.ts';
import { recover } from '../../src/apply/recover.ts';
import { placesOf } from '../faults/batch.ts';
import type { FakeProxy, Fault } from './fake-proxy.ts';
import { optionsFor, started } from './setup.ts';
import { check, expectNoLinkLost, killed, recoverWithKills, secondRun, type World, world } from './world.ts';

async function writesOf(make: () => World, more: Partial<ApplyOptions> = {}): Promise<number> {
  const one = make();
  const { directory, options } = await started(one.proxy, more);
  const outcomes = await applyPlan(one.plan, options);
  await check(one, directory, outcomes);
  expect(outcomes.every((outcome) => outcome.status === 'SUCCESS')).toBe(true);
  return one.proxy.writes;
}

/** Each write in its own world, side by side: they wait for the disk most of the time. */
async function eachOf(writes: number, play: (at: number) => Promise<void>): Promise<void> {
  await Promise.all(placesOf(writes).map((place) => play(place + 1)));
}

const PROXIES: readonly (readonly [string, ConstructorParameters<typeof FakeProxy>[0]])[] = [
  ['a proxy that tells teams and keys', {}],
  ['a proxy that does not tell teams', { silentTeams: true }],
  ['a proxy that makes no keys along', { forgetsKeys: true }],
];

describe.each(PROXIES)('%s, with one fault at one write after the other', (_, proxyOptions) => {
  const make = () => world(proxyOptions);

  async function withFault(at: number, fault: Fault) {
    const one = make();
    one.proxy.faults.set(at, fault);
    const { directory, options } = await started(one.proxy);
    const outcomes = await applyPlan(one.plan, options);
    await check(one, directory, outcomes);
    return { one, directory, options, outcomes };
  }

  it.each<Fault>(['lost-before', 'lost-after'])('%s: looked up, and all is done in the end', async (fault) => {
    const writes = await writesOf(make);
    expect(writes).toBeGreaterThan(15);
    await eachOf(writes, async (at) => {
      const { outcomes } = await withFault(at, fault);
      const failures = outcomes.filter((outcome) => outcome.status !== 'SUCCESS');
      expect(failures, `${fault} at write ${at}`).toEqual([]);
    });
  });

  it.each<Fault>(['refused', 'unauthorized'])('%s: rows tell the truth, a second run does the rest', async (fault) => {
    const writes = await writesOf(make);
    await eachOf(writes, async (at) => {
      const { one, directory, options, outcomes } = await withFault(at, fault);
      expect(outcomes).toHaveLength(one.plan.changes.length);
      if (fault === 'unauthorized') {
        expect(one.proxy.writes - at, `writes after a 401 at ${at}`).toBeLessThan(options.concurrency);
      }
      await secondRun(one, directory);
    });
  });

  it('every answer from some write on is lost: bounded, nothing doubled', async () => {
    const writes = await writesOf(make);
    for (const fault of ['lost-before', 'lost-after'] as const) {
      await eachOf(writes, async (at) => {
        const one = make();
        for (let later = at; later < 300; later++) one.proxy.faults.set(later, fault);
        const { directory, options } = await started(one.proxy, { retries: 2 });
        const outcomes = await applyPlan(one.plan, options);
        expect(outcomes).toHaveLength(one.plan.changes.length);
        expect(one.proxy.madeUp).toEqual([]);
        expect([...one.homeless]).toEqual([]);
        one.proxy.faults.clear();
        const report = await recover(directory, optionsFor(one.proxy, options.journal));
        expect(report?.isComplete).toBe(true);
        await check(one, directory, report?.outcomes ?? []);
      });
    }
  });

  it.each<Fault>(['killed-before', 'killed-after'])(
    '%s: recovery completes it, also when killed itself',
    async (fault) => {
      const writes = await writesOf(make);
      await eachOf(writes, async (at) => {
        const one = make();
        const directory = await killed(one, [at, fault]);
        const report = await recoverWithKills(one, directory, fault);
        expect(report.outcomes.map((outcome) => outcome.email)).toEqual(one.plan.changes.map((change) => change.email));
        await check(one, directory, report.outcomes);
        await expectNoLinkLost(one, directory);
        const unsaid = report.outcomes.filter(
          (outcome) => outcome.status === 'FAILED' && !outcome.reason.includes('next run'),
        );
        expect(unsaid, `${fault} at write ${at}`).toEqual([]);
        await secondRun(one, directory);
      });
    },
  );
});
