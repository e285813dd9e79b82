import { messageOf } from '../core/errors.ts';
import {
  failedWith,
  hasLink,
  holdsSecret,
  isCreated,
  isFreshLink,
  type LinkRow,
  type OnboardingRow,
  type Outcome,
} from '../core/outcome.ts';
import type { PublishResult } from '../host/port.ts';
import type { ProxyClient } from '../litellm/client.ts';

type Revoker = Pick<ProxyClient, 'deleteInvitation' | 'deleteKeys'>;
type Unpublished = Extract<PublishResult, { published: false }>;

/**
 * After secrets could not be published: keys that nobody can see any more are deleted and links revoked, and the rows say
 * how to get new ones. Links that a mail has brought to their users stay.
 * @param rows this run's rows of the onboarding file, by user id
 * @param proxy `null`: no key at hand, nothing can be revoked
 */
export async function revokeUnseen(
  outcomes: readonly Outcome[],
  rows: ReadonlyMap<string, OnboardingRow>,
  unpublished: Unpublished,
  proxy: Revoker | null,
): Promise<readonly Outcome[]> {
  const told: Outcome[] = [];
  for (const outcome of outcomes) {
    const row = isCreated(outcome) || isFreshLink(outcome) ? rows.get(outcome.userId) : undefined;
    const isUnseen = row !== undefined && holdsSecret(row);
    told.push(isUnseen ? await revoked(outcome, row, unpublished, proxy) : outcome);
  }
  return told;
}

async function revoked(
  outcome: Outcome,
  row: OnboardingRow,
  { reason, isLost }: Unpublished,
  proxy: Revoker | null,
): Promise<Outcome> {
  if (!isLost) {
    const where = row.apiKey === null ? 'The link is' : 'The key and link are';
    return failedWith(outcome, 'incomplete', `${reason} ${where} in the output directory.`);
  }
  const link = hasLink(row) ? await revokedLink(row, proxy) : '';
  return withoutKey(failedWith(outcome, 'incomplete', [reason, link].filter(Boolean).join(' ')), row, proxy);
}

async function revokedLink({ invitationId }: LinkRow, proxy: Revoker | null): Promise<string> {
  const wayOut = 'run the command onboard for a fresh one';
  if (proxy === null) return `Nobody gets to see the link: ${wayOut}.`;
  try {
    await proxy.deleteInvitation(invitationId);
    return `The link was revoked: ${wayOut}.`;
  } catch (error) {
    return `The link could not be revoked (${messageOf(error)}) and expires after 7 days: ${wayOut}.`;
  }
}

async function withoutKey(outcome: Outcome, { apiKey }: OnboardingRow, proxy: Revoker | null): Promise<Outcome> {
  if (apiKey === null || proxy === null) return outcome;
  try {
    await proxy.deleteKeys([apiKey.hash()]);
    const told = 'The key that nobody has seen was deleted: onboard with api-keys: true makes a new one.';
    return { ...failedWith(outcome, 'incomplete', told), key: null };
  } catch (error) {
    const told = `The key ${apiKey.abbreviated()} that nobody has seen could not be deleted (${messageOf(error)}): delete it in LiteLLM.`;
    return failedWith(outcome, 'incomplete', told);
  }
}
