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
