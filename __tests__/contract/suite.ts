import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest';
import type { Version } from '../../standin/versions.ts';
import { Api } from './api.ts';
import { type Truth, truthOf } from './statements.ts';
import { contractTargets, type RunningTarget, realTarget, TURN_TIMEOUT } from './targets.ts';

/** A real proxy makes users one by one, below 1.106; on a machine that has other work it takes its time. */
const timeout = realTarget() === null ? 30_000 : 120_000;

/** The targets to test: a stand-in as each of these versions (all, when missing), and only those whose truth fits. */
export interface Scope {
  readonly versions?: readonly Version[];
  readonly where?: (is: Truth) => boolean;
}

type Define = (api: () => Api, target: () => RunningTarget, is: Truth) => void;

/** Defines tests against every target, each test on an empty proxy; `api()` calls it with the master key. */
export function contract(title: string, define: Define, { versions, where = () => true }: Scope = {}): void {
  const targets = contractTargets(versions).filter(({ version }) => where(truthOf(version)));
  if (targets.length === 0) describe(title, () => test.skip('says nothing of this version'));
  describe.each(targets)(`${title}: $name`, { timeout }, ({ version, start }) => {
    let target: RunningTarget | null = null;
    const running = (): RunningTarget => {
      if (target === null) throw new Error('The proxy was not started.');
      return target;
    };
    beforeAll(async () => {
      target = await start();
    }, TURN_TIMEOUT);
    afterAll(() => target?.stop());
    beforeEach(() => running().reset(), 60_000);
    define(() => new Api(running().baseUrl, running().masterKey), running, truthOf(version));
  });
}
