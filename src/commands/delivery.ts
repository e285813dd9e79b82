import { readFile } from 'node:fs/promises';
import { messageOf, UsageError } from '../core/errors.ts';
import type { Delivery, LinkRow } from '../core/outcome.ts';
import { isApplied, type Plan } from '../core/plan.ts';
import type { Host } from '../host/port.ts';
import type { Inputs } from '../inputs.ts';
import { SmtpMailer } from '../mail/mailer.ts';
import { mailServer, type Sender, sender } from '../mail/server.ts';
import { composeMail, isProblem, readSubject, readTemplate, type Template } from '../mail/template.ts';
import { makesLink } from './connection.ts';

/** What mails look like, and who they come from. */
export interface MailForm {
  readonly template: Template;
  readonly subject: Template;
  readonly from: Sender;
}

/** Brings links to their users by mail. */
export interface LinkMailer {
  /** @throws RefusedError where the server cannot be reached or logged into */
  verify(): Promise<void>;
  deliver(row: LinkRow, begin: () => Promise<boolean>): Promise<Delivery>;
  close(): void;
}

/**
 * The form of the mails, checked in the pull request already; `null`: none are sent.
 * @throws UsageError that says what is wrong with which input
 */
export async function mailForm(inputs: Inputs): Promise<MailForm | null> {
  if (inputs.deliver !== 'smtp' || !['sync', 'add', 'onboard'].includes(inputs.command)) return null;
  if (!inputs.invitations) {
    throw new UsageError('Input `deliver` is `smtp`, but `invitations` is `false`: there are no links to deliver.');
  }
  const template = readTemplate(await templateText(inputs));
  if (isProblem(template)) {
    const line = template.line === null ? '' : `:${template.line}`;
    throw new UsageError(`ERROR: mail-template '${inputs.mailTemplate}'${line}: ${template.message}`);
  }
  const subject = readSubject(inputs.mailSubject || null);
  if (isProblem(subject)) throw new UsageError(`Input \`mail-subject\`: ${subject.message}`);
  return { template, subject, from: usable(() => sender(inputs.mailFrom || null)) };
}

async function templateText({ mailTemplate, mailTemplatePath }: Inputs): Promise<string | null> {
  if (mailTemplatePath === null) return null;
  try {
    return await readFile(mailTemplatePath, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`ERROR: mail-template '${mailTemplate}' cannot be read (${code}).`, { cause: error });
  }
}

/** The mailer of a run that writes. @throws UsageError where `smtp-url` is missing or wrong */
export function linkMailer(form: MailForm, inputs: Inputs, host: Host): LinkMailer {
  const { smtpUrl, publicUrl } = inputs;
  if (smtpUrl === null) throw new UsageError('ERROR: smtp-url or env SMTP_URL is required with deliver: smtp.');
  host.onSecret(smtpUrl.reveal());
  const server = usable(() => mailServer(smtpUrl));
  if (server.login !== null) host.onSecret(server.login.password.reveal());
  const mailer = new SmtpMailer({ server, from: form.from, log: host.log });
  return {
    verify: () => mailer.verify(host.signal),
    deliver: ({ email, link, invitationId, expiresAt, teamName }, begin) => {
      host.onSecret(link.reveal());
      const values = { email, link, invitationId, expiresAt, teamName, proxyUrl: publicUrl };
      return mailer.send(composeMail(form.template, form.subject, values), host.signal, begin);
    },
    close: () => mailer.close(),
  };
}

/** Whether applying the plan makes links, or may make them: a user who is recreated gets one. */
export function isMailDue({ changes }: Plan, { recreateOnFailure }: Pick<Inputs, 'recreateOnFailure'>): boolean {
  return changes.some(
    (change) => makesLink(change) || (recreateOnFailure && change.kind === 'update' && isApplied(change)),
  );
}

function usable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError(`ERROR: ${messageOf(error)}`, { cause: error });
  }
}
