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
import type { FileJournal } from '../journal/journal.ts';
import type { ProxyClient } from '../litellm/client.ts';

type Revoker = Pick<ProxyClient, 'deleteInvitation' | 'deleteKeys'>;
type Unpublished = Extract<PublishResult, { published: false }>;

/** What recovery needs of the journal to go on where this one was killed. */
type RevokingJournal = Pick<FileJournal, 'lines' | 'recorded' | 'revocation'> & {
  readonly onboardingFile: Pick<FileJournal['onboardingFile'], 'strip'>;
};

/** What became of one user's secrets. `isOpen`: something of it is there still, and recovery tries again. */
interface Attempt {
  readonly outcome: Outcome;
  readonly isOpen: boolean;
}

/**
 * After secrets could not be published: keys that nobody can see any more are deleted and links revoked, and the rows say
 * how to get new ones. Links that a mail has brought to their users stay. The journal knows of it before and after, and
 * the onboarding file holds nothing of it any more: what is dead must not be handed over by recovery.
 * @param rows this run's rows of the onboarding file, by user id
 * @param proxy `null`: no key at hand, nothing can be revoked
 */
export async function revokeUnseen(
  outcomes: readonly Outcome[],
  rows: ReadonlyMap<string, OnboardingRow>,
  { reason, isLost }: Unpublished,
  proxy: Revoker | null,
  journal: RevokingJournal,
): Promise<readonly Outcome[]> {
  const unseenRow = (outcome: Outcome): OnboardingRow | null => {
    const row = isCreated(outcome) || isFreshLink(outcome) ? rows.get(outcome.userId) : undefined;
    return row !== undefined && holdsSecret(row) ? row : null;
  };
  const userIds = outcomes.filter((outcome) => unseenRow(outcome) !== null).map((outcome) => outcome.userId);
  const revokes = isLost && proxy !== null && userIds.length > 0;
  if (revokes) await journal.revocation(userIds, false);
  const attempts: Attempt[] = [];
  for (const outcome of outcomes) {
    const row = unseenRow(outcome);
    if (row === null) attempts.push({ outcome, isOpen: true });
    else if (!isLost) attempts.push({ outcome: withFiles(outcome, row, reason), isOpen: true });
    else attempts.push(await revoked(failedWith(outcome, 'incomplete', reason), row, proxy));
  }
  if (revokes) await recordRevoked(attempts, journal);
  return attempts.map(({ outcome }) => outcome);
}

/** Who is left to recovery stays so: it makes new secrets. The others are done with, and their journalled success is none. */
async function recordRevoked(attempts: readonly Attempt[], journal: RevokingJournal): Promise<void> {
  const done = attempts.filter(({ isOpen }) => !isOpen).map(({ outcome }) => outcome);
  const userIds = done.map(({ userId }) => userId);
  await journal.onboardingFile.strip(new Set(userIds));
  const lines = await journal.lines();
  const closed = new Set(lines.flatMap((line) => (line.t === 'outcome' ? line.index : [])));
  const told = done.flatMap((outcome) =>
    outcome.index !== null && closed.has(outcome.index) ? [{ index: outcome.index, outcome }] : [],
  );
  await journal.recorded(told);
  await journal.revocation(userIds, true);
}

/** The files outlive the job: nothing of it is lost. */
function withFiles(outcome: Outcome, { apiKey }: OnboardingRow, reason: string): Outcome {
  const where = apiKey === null ? 'The link is' : 'The key and link are';
  return failedWith(outcome, 'incomplete', `${reason} ${where} in the output directory.`);
}

async function revoked(outcome: Outcome, row: OnboardingRow, proxy: Revoker | null): Promise<Attempt> {
  const link = hasLink(row) ? await revokedLink(outcome, row, proxy) : { outcome, isOpen: false };
  const key = await withoutKey(link.outcome, row, proxy);
  return { outcome: key.outcome, isOpen: link.isOpen || key.isOpen };
}

async function revokedLink(outcome: Outcome, { invitationId }: LinkRow, proxy: Revoker | null): Promise<Attempt> {
  const told = (what: string): Outcome =>
    failedWith(outcome, 'incomplete', `${what}: run the command onboard for a fresh one.`);
  if (proxy === null) return { outcome: told('Nobody gets to see the link'), isOpen: true };
  try {
    await proxy.deleteInvitation(invitationId);
    return { outcome: told('The link was revoked'), isOpen: false };
  } catch (error) {
    const why = `The link could not be revoked (${messageOf(error)}) and expires after 7 days`;
    return { outcome: told(why), isOpen: true };
  }
}

async function withoutKey(outcome: Outcome, { apiKey }: OnboardingRow, proxy: Revoker | null): Promise<Attempt> {
  if (apiKey === null || proxy === null) return { outcome, isOpen: false };
  try {
    await proxy.deleteKeys([apiKey.hash()]);
    const told =
      "The key that nobody has seen was deleted: create one in the proxy's UI, or let the user do so after signing in.";
    return { outcome: { ...failedWith(outcome, 'incomplete', told), key: null }, isOpen: false };
  } catch (error) {
    const told = `The key ${apiKey.abbreviated()} that nobody has seen could not be deleted (${messageOf(error)}): delete it in LiteLLM.`;
    return { outcome: failedWith(outcome, 'incomplete', told), isOpen: true };
  }
}
