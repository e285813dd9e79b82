import type { Failed, Outcome } from './outcome.ts';
import { ALREADY_THERE } from './row-plan.ts';

/** The words of the Python tools' manuals: readers of their files search for them. */
const CLASSES: Partial<Record<Failed['code'], string>> = {
  invalid: 'Bad request',
  unauthorized: 'Unauthorized',
  forbidden: 'Forbidden',
};

/** What became of a new user, in the words of the manual of `add_user.py`. */
export function addedInWords(outcome: Outcome): Outcome {
  if (outcome.status !== 'FAILED' || outcome.userId !== '' || outcome.action !== 'ADDED') return outcome;
  if (outcome.code === 'exists') return { ...outcome, status: 'SKIPPED', code: 'exists', reason: ALREADY_THERE };
  return { ...outcome, reason: classified(outcome) };
}

/** What became of a delete, in the words of the manual of `del_user.py`. */
export function deletedInWords(outcome: Outcome): Outcome {
  if (outcome.status !== 'FAILED' || outcome.code === 'row') return outcome;
  return { ...outcome, reason: `Failed to delete user (${classified(outcome)})` };
}

function classified({ code, reason }: Failed): string {
  const found = CLASSES[code];
  return found === undefined ? reason : `${found}: ${reason}`;
}
