import { AnswerLostError, StoppedError } from '../core/errors.ts';
import type { OnboardingRow, Outcome } from '../core/outcome.ts';
import type { InviteChange } from '../core/plan.ts';
import { Secret } from '../core/secret.ts';
import { type NewUserState, recordLack } from './add/new-user.ts';
import { unsent, writeEach } from './bulk.ts';
import { codeOf, type FailureReason, reasonOf, teamNames, userOutcome, withWayOut } from './messages.ts';
import type { Invitation } from './ports.ts';
import type { Run } from './run.ts';

/** A fresh link for an existing user, as far as carrying it out needs the change. */
export type InviteTarget = Pick<InviteChange, 'email' | 'userId' | 'role' | 'teams'>;

interface InviteRow {
  readonly index: number;
  readonly change: InviteTarget;
}

/**
 * Makes fresh links for existing users; their roles, teams and keys are not touched. Each link goes to the onboarding
 * file before its outcome is recorded, so that a killed run loses none that it made.
 */
export function applyInvites(
  run: Run,
  rows: readonly InviteRow[],
  progress: (done: number, total: number) => void,
): Promise<void> {
  return writeEach(run, rows, progress, (row) => inviteUser(run, row));
}

async function inviteUser(run: Run, { index, change }: InviteRow): Promise<void> {
  const made = await createInvitation(run, change.userId);
  if ('reason' in made) {
    run.record(index, invitedOutcome(index, change, withoutLink(made)));
    return;
  }
  const unsaved: FailureReason = {
    code: 'incomplete',
    reason: 'without a link: it could not be saved; run `onboard` again',
  };
  run.persistThenRecord(linkRow(change, made, run.options.linkFor), index, invitedOutcome(index, change, unsaved), () =>
    run.record(index, invitedOutcome(index, change, null)),
  );
}

/** The outcome of a fresh link: nothing about the user changed. */
export function invitedOutcome(index: number, change: InviteTarget, failure: FailureReason | null): Outcome {
  return userOutcome('UNCHANGED', index, change, failure);
}

function withoutLink({ code, reason }: FailureReason): FailureReason {
  return { code, reason: `without a link: ${reason}; run \`onboard\` again` };
}

function linkRow(change: InviteTarget, made: Invitation, linkFor: (invitationId: string) => string): OnboardingRow {
  return {
    email: change.email,
    userId: change.userId,
    role: change.role ?? '',
    teamName: teamNames(change.teams),
    keyName: '',
    apiKey: null,
    invitationId: made.id,
    expiresAt: made.expiresAt,
    link: new Secret(linkFor(made.id.reveal())),
    delivery: '',
    delivered: false,
  };
}

/** Makes the invitation of a new user, unless they have one; a failure becomes a problem of the row. */
export async function completeInvitation(run: Run, user: NewUserState): Promise<void> {
  if (!run.options.invitations || user.linked || user.gone) return;
  const made = await createInvitation(run, user.candidate.user.userId);
  if (!('reason' in made)) {
    user.invitation = made;
    return;
  }
  recordLack(run, user, made, WITHOUT_LINK);
}

const WITHOUT_LINK = {
  lack: 'without a link',
  brings: 'makes one',
  otherwise: 'run `onboard` for a fresh link',
};

/**
 * An invitation for an existing user. After a lost answer another one is made: the first may be there, but nobody has
 * seen it, and it expires after 7 days; the proxy has no list of invitations to look it up in.
 */
async function createInvitation(run: Run, userId: string): Promise<Invitation | FailureReason> {
  for (let attempt = 0; ; attempt++) {
    const blocked = run.blocked();
    if (blocked !== null) return unsent(run, blocked);
    try {
      return await run.options.proxy.createInvitation(userId);
    } catch (error) {
      if (error instanceof StoppedError) return unsent(run, error.message);
      const lost = error instanceof AnswerLostError;
      if (!lost) run.haltIfFatal(error);
      if (!lost || attempt >= run.options.retries) {
        return { code: codeOf(error), reason: withWayOut(reasonOf(error)) };
      }
      await run.pause(attempt);
    }
  }
}
