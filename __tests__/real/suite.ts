import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { Api } from '../contract/api.ts';
import { type Truth, truthOf } from '../contract/statements.ts';
import { type RunningTarget, realTarget, TURN_TIMEOUT } from '../contract/targets.ts';

export interface Lab {
  readonly target: RunningTarget;
  readonly api: Api;
}

const real = realTarget();

/**
 * Defines tests against the proxy of LITELLM_BASE_URL and LITELLM_MASTER_KEY, which they empty; skipped without one.
 * @param define Is given what is true of its version.
 */
export function onRealProxy(title: string, define: (proxy: () => Lab, is: Truth & { minor: number }) => void): void {
  const minor = Number(real?.version.split('.')[1] ?? 0);
  describe.skipIf(real === null)(`${title}: ${real?.name ?? 'no real proxy'}`, { timeout: 60_000 }, () => {
    let proxy: Lab | null = null;
    beforeAll(async () => {
      const target = await real?.start();
      if (target) proxy = { target, api: new Api(target.baseUrl, target.masterKey) };
    }, TURN_TIMEOUT);
    afterAll(() => proxy?.target.stop());
    beforeEach(() => proxy?.target.reset(), 60_000);
    define(() => proxy as Lab, { ...truthOf(real?.version ?? '1.106'), minor });
  });
}

/** The status that a key's call of the model is answered with. */
export async function chat({ api }: Lab, key: string | undefined): Promise<number> {
  const messages = [{ role: 'user', content: 'hi' }];
  const { status } = await api.as(key ?? '').post('/chat/completions', { model: 'fake-model', messages });
  return status;
}
