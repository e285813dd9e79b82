import type { RefusalCode } from './errors.ts';
import type { Secret } from './secret.ts';

export type OutcomeAction = 'ADDED' | 'DELETED' | 'UPDATED' | 'UNCHANGED' | 'DEACTIVATED' | 'REACTIVATED';

/** A key that this run made, as far as a result may tell: enough to find and revoke it, never the key itself. */
export interface MadeKey {
  /** The proxy's hash of the key, by which it can be deleted. */
  readonly hash: string;
  /** `sk-...abcd` */
  readonly shown: string;
}

/**
 * Why something failed.
 * - {@link RefusalCode}: the proxy refused the write.
 * - `lost`: the answer was lost, and the write had no effect as far as can be seen.
 * - `unknown`: whether it took effect could not be found out; recovery looks again.
 * - `incomplete`: the user was created, but a key, a team or the link is missing.
 * - `unverified`: the proxy reports success, and its state says otherwise, or could not be read.
 * - `not attempted`: nothing was sent.
 * - `interrupted`: the run that was to do it was killed.
 * - `gone`: the user is no longer on the proxy.
 * - `undelivered`: the link is there, and the mail with it did not go out for certain.
 * - `row`: the row itself is wrong.
 */
export type FailureCode =
  | RefusalCode
  | 'lost'
  | 'unknown'
  | 'incomplete'
  | 'unverified'
  | 'not attempted'
  | 'interrupted'
  | 'gone'
  | 'undelivered'
  | 'row';

/**
 * Why nothing was done although nothing went wrong.
 * - `withheld`: `no-*`, a limit, or not reviewed.
 * - `superseded`: a newer file is on the branch.
 * - `exists`, `missing`: the row asks for what is so already.
 */
export type SkipCode = 'withheld' | 'superseded' | 'exists' | 'missing';

interface OutcomeBase {
  /** Index of the change in the plan; `null`: of no change (an unchanged user, a row that was left out of the plan). */
  readonly index: number | null;
  readonly action: OutcomeAction;
  readonly email: string;
  /** Empty where no user came to be. */
  readonly userId: string;
  /** Empty where the proxy has none. */
  readonly role: string;
  /** Team names joined by `;`. */
  readonly teamName: string;
  /** The key that was made for the user; `null`: none. */
  readonly key: MadeKey | null;
  /** The user was deleted and made anew, under this id: they get a key and a link as a new one does. */
  readonly recreated?: true | undefined;
}

export interface Succeeded extends OutcomeBase {
  readonly status: 'SUCCESS';
  /** What a reader should know of a success; usually empty. */
  readonly reason: string;
}

export interface Failed extends OutcomeBase {
  readonly status: 'FAILED';
  readonly code: FailureCode;
  /** What happened, and the way out. */
  readonly reason: string;
}

export interface Skipped extends OutcomeBase {
  readonly status: 'SKIPPED';
  readonly code: SkipCode;
  readonly reason: string;
}

/** What became of one user. Result rows and sentences are made of it at the edge. */
export type Outcome = Succeeded | Failed | Skipped;

/** The same outcome as a failure; what went wrong before is kept and told first. */
export function failedWith(outcome: Outcome, code: FailureCode, reason: string): Failed {
  const { index, action, email, userId, role, teamName, key, recreated } = outcome;
  const base = { index, action, email, userId, role, teamName, key, ...(recreated && { recreated }) };
  const told = outcome.reason === '' ? reason : `${outcome.reason} ${reason}`;
  return { ...base, status: 'FAILED', code, reason: told };
}

/** Whether this run created the user, be it anew. */
export function isCreated({ action, recreated, userId, status }: Outcome): boolean {
  return (action === 'ADDED' || recreated === true) && userId !== '' && status !== 'SKIPPED';
}

/** Whether this run made a fresh link for a user who exists already: a change that leaves them as they are. */
export function isFreshLink(outcome: Outcome): boolean {
  if (outcome.action !== 'UNCHANGED' || outcome.index === null) return false;
  return outcome.status === 'SUCCESS' || isUndelivered(outcome);
}

/** Whether there is a link whose mail did not go out for certain. */
export function isUndelivered(outcome: Outcome): boolean {
  return outcome.status === 'FAILED' && outcome.code === 'undelivered';
}

/** A row of `onboarding_links.csv`: the only place of these secrets. */
export interface OnboardingRow {
  readonly email: string;
  readonly userId: string;
  readonly role: string;
  readonly teamName: string;
  readonly keyName: string;
  readonly apiKey: Secret | null;
  readonly invitationId: Secret | null;
  /** ISO 8601, as the proxy gives it. */
  readonly expiresAt: string;
  /** `null`: there is none, or the mail that brought it to its user is on its way. */
  readonly link: Secret | null;
  /** What became of the mail with the link, as a reader is told; empty where none was due, or not yet. */
  readonly delivery: string;
  /** The link is in the hands of its user alone: it stands in no file any more. */
  readonly delivered: boolean;
}

/** A row with a link that has not been delivered. */
export type LinkRow = OnboardingRow & { readonly link: Secret; readonly invitationId: Secret };

export function hasLink(row: OnboardingRow): row is LinkRow {
  return row.link !== null && row.invitationId !== null;
}

/** Whether the row holds anything that nobody else may see. */
export function holdsSecret(row: OnboardingRow): boolean {
  return row.apiKey !== null || row.link !== null;
}

/** One mail to one person. The text holds their link. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: Secret;
  /** What a server's answer must not carry into a log: a filter may quote the link that it objects to. */
  readonly secrets: readonly Secret[];
}

/** What became of one mail. */
export type Delivery =
  /** The server took it over: `250 2.0.0 Ok: queued as 4F1`. */
  | { readonly kind: 'sent'; readonly response: string }
  /** It was not sent, for certain: the server's refusal (`550 5.1.1 …`), or what kept it from being asked. */
  | { readonly kind: 'failed'; readonly response: string }
  /** The mail was under way when the connection ended: it may have arrived, so it is never sent again by itself. */
  | { readonly kind: 'not known'; readonly reason: string };

/** Who sends mails; the transport is handed in as this. */
export interface Mailer {
  /** Connects and logs in. @throws RefusedError that says what is wrong, without the password. */
  verify(signal?: AbortSignal): Promise<void>;
  /**
   * Sends one mail; whatever the server does, it is a {@link Delivery} and not an error. Mails may be handed over all at
   * once: few go out at the same time.
   * @param begin awaited when it is the mail's turn, before anything of it leaves; `false`: it is not sent
   */
  send(mail: Mail, signal?: AbortSignal, begin?: () => Promise<boolean>): Promise<Delivery>;
  /** Says goodbye to the server. */
  close(): void;
}

/** What a link reads in every file once the server's 250 is on disk. */
export const DELIVERED = 'delivered';

/** The cell of the column `delivery`. */
export function deliveryCell(delivery: Delivery): string {
  switch (delivery.kind) {
    case 'sent':
      return `sent (${delivery.response})`;
    case 'failed':
      return `failed (${delivery.response})`;
    case 'not known':
      return `not known (${delivery.reason}): ask whether the mail has arrived; if not, send a new link with \`onboard\``;
  }
}

/** Why the row is `FAILED`, with the way out; `null` where the mail was sent. */
export function undelivered(delivery: Delivery): string | null {
  switch (delivery.kind) {
    case 'sent':
      return null;
    case 'failed':
      return `The mail with the link was not sent (${delivery.response}). Put right what it names, then send a new link with \`onboard\`.`;
    case 'not known':
      return `Whether the mail with the link was sent is not known (${delivery.reason}). Ask whether it has arrived; if not, send a new link with \`onboard\`.`;
  }
}
