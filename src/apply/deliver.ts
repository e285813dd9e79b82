import { type Delivery, deliveryCell, undelivered } from '../core/delivery.ts';
import {
  failedWith,
  hasLink,
  isCreated,
  isFreshLink,
  isUndelivered,
  type LinkRow,
  type Outcome,
} from '../core/outcome.ts';
import type { MailState } from '../journal/format.ts';
import type { Journal } from '../journal/journal.ts';
import type { OnboardingFile } from '../journal/onboarding-file.ts';
import type { Run } from './run.ts';

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
