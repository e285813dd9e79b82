import { AnswerLostError, messageOf, refusalCode, StoppedError } from '../core/errors.ts';
import type { FailureCode, Outcome, OutcomeAction } from '../core/outcome.ts';
import type { TeamRef, UnchangedUser } from '../core/plan.ts';
import { withoutKeys } from '../core/secret.ts';

/** Why something failed: for machines and for readers. */
export interface FailureReason {
  readonly code: FailureCode;
  readonly reason: string;
}

/** The proxy has said yes, and a look at it says no. */
export const NOT_SO: FailureReason = { code: 'unverified', reason: 'the proxy reports success, but it is not so' };

/** The outcome of a user whom the proxy has and who gets no key. `failure: null`: nothing went wrong. */
export function userOutcome(
  action: OutcomeAction,
  index: number | null,
  user: Pick<UnchangedUser, 'email' | 'userId' | 'role' | 'teams'>,
  failure: FailureReason | null,
): Outcome {
  const { email, userId, role, teams } = user;
  return withResult({ index, action, email, userId, role: role ?? '', teamName: teamNames(teams), key: null }, failure);
}

/** An outcome's fields with what became of it. */
export function withResult(
  base: Omit<Outcome, 'status' | 'code' | 'reason'>,
  failure: FailureReason | null,
  note = '',
): Outcome {
  return failure === null ? { ...base, status: 'SUCCESS', reason: note } : { ...base, status: 'FAILED', ...failure };
}

/** As the `team_name` column has them. */
export function teamNames(teams: readonly TeamRef[]): string {
  return teams.map((team) => team.name).join(';');
}

/** What kind of failure a thrown error is. */
export function codeOf(error: unknown): FailureCode {
  if (error instanceof AnswerLostError) return 'lost';
  return error instanceof StoppedError ? 'not attempted' : refusalCode(error);
}

const LONGEST = 400;

/** An error as one line for a result row: no line breaks, no key, cut to a readable length, and no final full stop. */
export function reasonOf(error: unknown): string {
  return oneLine(messageOf(error));
}

export function oneLine(text: string): string {
  const line = withoutKeys(text.replace(/\s+/g, ' ')).trim().replace(/\.+$/, '');
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}

/** What to do about a refusal, by the proxy's own words. */
const WAYS_OUT: readonly (readonly [RegExp, string])[] = [
  [
    /user.*already exists/i,
    'somebody created this user in the meantime: run again, the next plan works with the user as they are',
  ],
  [/key.*alias.*already exists|unique key alias/i, 'choose another key_name'],
  [
    /team.*(does not|doesn't) exist|team.*not found/i,
    'the team was deleted in the meantime: correct team_name or create the team',
  ],
  // Of the one who invites as of the one who is invited: the foreign key `created_by` behind /invitation/new.
  [
    /user id does not exist/i,
    "the user is gone, or the proxy lacks its own user `default_user_id`, who signs the master key's invitations: it comes with the first team that is created, a proxy_admin user's key does without",
  ],
  [/licen[sc]e|seats?\b/i, 'free a seat or extend the license, then run again'],
  // A refused call says so itself, a refused row does not.
  [
    /^(?!.*use the master key).*(not allowed|permission|forbidden|only .*admin)/i,
    "use the master key or a proxy_admin user's key",
  ],
];

/** The proxy's words and, where they are known, what to do about them. */
export function withWayOut(reason: string): string {
  const line = oneLine(reason);
  const known = WAYS_OUT.find(([pattern]) => pattern.test(line));
  return known === undefined ? line : `${line} (${known[1]})`;
}
