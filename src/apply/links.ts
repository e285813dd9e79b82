import { AnswerLostError, StoppedError } from '../core/errors.ts';
import {
  type Delivery,
  deliveryCell,
  failedWith,
  hasLink,
  isCreated,
  isFreshLink,
  isUndelivered,
  type LinkRow,
  type OnboardingRow,
  type Outcome,
  undelivered,
} from '../core/outcome.ts';
import type { InviteChange } from '../core/plan.ts';
import { Secret } from '../core/secret.ts';
import type { MailState } from '../journal/format.ts';
import type { Journal } from '../journal/journal.ts';
import type { OnboardingFile } from '../journal/onboarding-file.ts';
import { type NewUserState, recordLack } from './add/new-user.ts';
import type { Run } from './apply-run.ts';
import { unsent, writeEach } from './bulk.ts';
import { codeOf, type FailureReason, reasonOf, teamNames, userOutcome, withWayOut } from './messages.ts';
import type { Invitation } from './ports.ts';

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

/** A journal with its file of links: what is delivered is read from there, as it is on disk. */
export type LinkJournal = Journal & { readonly onboardingFile: Pick<OnboardingFile, 'read' | 'close'> };

/** @param begin see `Mailer.send` */
export type Deliver = (row: LinkRow, begin: () => Promise<boolean>) => Promise<Delivery>;

interface DueMail {
  readonly index: number;
  readonly outcome: Outcome;
  readonly row: LinkRow;
}

/**
 * Sends the links of this run to their users, each once: the intent is on disk before a mail leaves, the server's answer
 * after it. An intent without an answer is a mail that may have arrived: it is not sent again.
 * @param mails how far the mails had come when the run was interrupted, by the change's index
 */
export async function deliverLinks(
  run: Run,
  journal: LinkJournal,
  mails: ReadonlyMap<number, MailState>,
): Promise<void> {
  const { deliver } = run.options;
  if (deliver === null) return;
  await run.flush();
  const due = await dueMails(run, journal, mails);
  await Promise.all(due.map((mail) => deliverOne(run, deliver, mail, mails.get(mail.index))));
}

/** Also those whose mail failed, where the run was killed before their row said so. */
async function dueMails(
  run: Run,
  { onboardingFile }: LinkJournal,
  mails: ReadonlyMap<number, MailState>,
): Promise<DueMail[]> {
  const rows = await onboardingFile.read();
  return [...run.outcomes].flatMap(([index, outcome]) => {
    const row = isCreated(outcome) || isFreshLink(outcome) ? rows.get(outcome.userId) : undefined;
    if (row === undefined || !hasLink(row) || isUndelivered(outcome)) return [];
    const isDue = row.delivery === '' || mails.get(index)?.state === 'answered';
    return isDue ? [{ index, outcome, row }] : [];
  });
}

async function deliverOne(run: Run, deliver: Deliver, mail: DueMail, before: MailState | undefined): Promise<void> {
  if (before?.state === 'answered') return recordDelivery(run, mail, before.delivery);
  if (before?.state === 'intended') return answered(run, mail, { kind: 'not known', reason: 'the run was killed' });
  let isIntended = false;
  // Not before its turn: of a mail that waits behind others, a killed run would not know whether it was sent.
  const begin = async (): Promise<boolean> => {
    isIntended ||=
      run.blocked() === null && (await run.persist(run.options.journal.mail(mail.index, { state: 'intended' })));
    return isIntended;
  };
  const delivery = await deliver(mail.row, begin);
  if (!isIntended && run.blocked() !== null) return leaveToNextRun(run, mail);
  if (delivery.kind === 'failed' && run.isStopped) {
    await run.persist(run.options.journal.mail(mail.index, { state: 'unsent' }));
    return leaveToNextRun(run, mail);
  }
  await answered(run, mail, delivery);
}

async function answered(run: Run, mail: DueMail, delivery: Delivery): Promise<void> {
  await run.persist(run.options.journal.mail(mail.index, { state: 'answered', delivery }));
  await recordDelivery(run, mail, delivery);
}

async function recordDelivery(run: Run, { index, outcome, row }: DueMail, delivery: Delivery): Promise<void> {
  const sent = delivery.kind === 'sent';
  const link = sent ? { link: null, invitationId: null } : {};
  const told = { ...row, ...link, delivery: deliveryCell(delivery), delivered: sent };
  await run.persist(run.options.journal.onboarding([told]));
  const problem = undelivered(delivery);
  if (problem !== null) run.record(index, failedWith(outcome, 'undelivered', problem));
}

function leaveToNextRun(run: Run, { index, outcome }: DueMail): void {
  const reason = `The mail with the link was not sent, because ${run.blocked()}: the next run sends it.`;
  run.recordUnresolved(index, failedWith(outcome, 'undelivered', reason));
}
