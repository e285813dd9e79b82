import { messageOf } from '../core/errors.ts';
import { failedWith, isCreated, type MadeKey, type Outcome } from '../core/outcome.ts';
import type { PublishResult } from '../host/port.ts';
import type { ProxyClient } from '../litellm/client.ts';

type Unpublished = Extract<PublishResult, { published: false }>;

/**
 * After secrets could not be published: keys that nobody can see any more are deleted, and the rows say how to get new
 * ones. Links cannot be taken back (the proxy lists none); they expire by themselves after seven days.
 * @param proxy `null`: no key at hand, nothing can be revoked
 */
export async function revokeUnseenKeys(
  outcomes: readonly Outcome[],
  unpublished: Unpublished,
  proxy: ProxyClient | null,
): Promise<readonly Outcome[]> {
  const told: Outcome[] = [];
  for (const outcome of outcomes) told.push(await revoked(outcome, unpublished, proxy));
  return told;
}

async function revoked(outcome: Outcome, unpublished: Unpublished, proxy: ProxyClient | null): Promise<Outcome> {
  if (isFreshLink(outcome)) return failedWith(outcome, 'incomplete', whereTheLinkIs(unpublished));
  if (!isCreated(outcome)) return outcome;
  const { reason, isLost } = unpublished;
  if (!isLost) return failedWith(outcome, 'incomplete', `${reason} The key and link are in the output directory.`);
  const lost = failedWith(
    outcome,
    'incomplete',
    `${reason} Nobody has seen the link: run the command onboard for a fresh one.`,
  );
  return outcome.key === null || proxy === null ? lost : withoutKey(lost, outcome.key, proxy);
}

/** A link of an existing user: their outcome is a change of the plan that left them unchanged. */
function isFreshLink({ action, status, index }: Outcome): boolean {
  return action === 'UNCHANGED' && status === 'SUCCESS' && index !== null;
}

function whereTheLinkIs({ reason, isLost }: Unpublished): string {
  return `${reason} ${isLost ? 'Nobody has seen the link: run onboard again.' : 'The link is in the output directory.'}`;
}

async function withoutKey(outcome: Outcome, key: MadeKey, proxy: ProxyClient): Promise<Outcome> {
  try {
    await proxy.deleteKeys([key.hash]);
    const told = 'The key that nobody has seen was deleted: onboard with api-keys: true makes a new one.';
    return { ...failedWith(outcome, 'incomplete', told), key: null };
  } catch (error) {
    const told = `The key ${key.shown} that nobody has seen could not be deleted (${messageOf(error)}): delete it in LiteLLM.`;
    return failedWith(outcome, 'incomplete', told);
  }
}
