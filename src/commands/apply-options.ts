import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApplyOptions, Phase } from '../apply/run.ts';
import type { Host } from '../host/port.ts';
import type { Inputs } from '../inputs.ts';
import type { Journal } from '../journal/journal.ts';
import type { ProxyClient } from '../litellm/client.ts';
import { ProxyAuthError } from '../litellm/errors.ts';
import { onboardingLinks } from './connection.ts';

const PHASES: Readonly<Record<Phase, string>> = {
  add: 'Adding users',
  invite: 'Creating onboarding links',
  delete: 'Deleting users',
  update: 'Updating users',
};

/** How a command applies its plan. @param beforeDeletes see {@link ApplyOptions} */
export async function applyOptions(
  journal: Journal,
  { inputs, host, proxy }: { readonly inputs: Inputs; readonly host: Host; readonly proxy: ProxyClient },
  beforeDeletes: () => Promise<boolean>,
): Promise<ApplyOptions> {
  return {
    proxy,
    journal,
    log: host.log,
    apiKeys: inputs.apiKeys,
    invitations: inputs.invitations,
    recreateOnFailure: inputs.recreateOnFailure,
    concurrency: inputs.concurrency,
    retries: inputs.retries,
    newUserId: randomUUID,
    linkFor: await onboardingLinks(inputs, proxy),
    stop: host.stop,
    isFatal: (error) => error instanceof ProxyAuthError,
    beforeDeletes,
    onProgress: (progress) => host.progress({ ...progress, phase: PHASES[progress.phase] }),
    sleep: async (milliseconds) => void (await sleep(milliseconds)),
  };
}
