import type { Outcome } from './outcome.ts';
import { ALREADY_THERE } from './row-plan.ts';

const CLASSES: readonly (readonly [RegExp, string])[] = [
  [/\banswered (400|422)\b/, 'Bad request'],
  [/\banswered 401\b/, 'Unauthorized'],
  [/\banswered 403\b/, 'Forbidden'],
];

/** Somebody was quicker: the words of the bulk route, of the classic one (409, 400), and of our own look-up. */
const MADE_MEANWHILE = /^not created: (.*\buser (with )?email\b.*already exists|user \S+ has this email by now)/i;

/** What became of a new user, in the words of the manual of `add_user.py`. */
export function addedInWords(outcome: Outcome): Outcome {
  if (outcome.status !== 'FAILED' || outcome.userId !== '') return outcome;
  if (MADE_MEANWHILE.test(outcome.reason)) return { ...outcome, status: 'SKIPPED', reason: ALREADY_THERE };
  return { ...outcome, reason: classified(outcome.reason) };
}

/** What became of a delete, in the words of the manual of `del_user.py`. */
export function deletedInWords(outcome: Outcome): Outcome {
  if (outcome.status !== 'FAILED') return outcome;
  return { ...outcome, reason: `Failed to delete user (${classified(outcome.reason)})` };
}

function classified(reason: string): string {
  const found = CLASSES.find(([pattern]) => pattern.test(reason));
  return found === undefined ? reason : `${found[1]}: ${reason}`;
}
