import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { Api } from './api.ts';
import { contractTargets, type RunningTarget, TURN_TIMEOUT } from './targets.ts';

/** Defines tests against every target, each test on an empty proxy; `api()` calls it with the master key. */
export function contract(title: string, define: (api: () => Api, target: () => RunningTarget) => void): void {
  describe.each(contractTargets())(`${title}: $name`, ({ start }) => {
    let target: RunningTarget;
    beforeAll(async () => {
      target = await start();
    }, TURN_TIMEOUT);
    afterAll(() => target.stop());
    beforeEach(() => target.reset(), 60_000);
    define(
      () => new Api(target.baseUrl, target.masterKey),
      () => target,
    );
  });
}
