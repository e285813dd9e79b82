import type { Blocked, FailedRow, RowResult } from '../apply/ports.ts';
import { AnswerLostError, StoppedError } from '../core/errors.ts';
import { cleanMessage } from './error-text.ts';
import { ProxyError, saysExists } from './errors.ts';

export interface RowAnswer {
  readonly user_id: string | null;
  readonly success: boolean;
  readonly error: string | null;
}

/** One result per asked user, in their order; a user that the answer leaves out is a lost row. */
export function rowResults(
  userIds: readonly string[],
  answers: readonly RowAnswer[],
  isFine: (error: string) => boolean = () => false,
): RowResult[] {
  const byId = new Map(answers.map((answer) => [answer.user_id, answer]));
  return userIds.map((userId) => {
    const answer = byId.get(userId);
    if (answer === undefined) return leftOut(userId);
    if (answer.success || (answer.error !== null && isFine(answer.error))) return { userId, ok: true };
    return refusedRow(userId, reasonOf(answer.error));
  });
}

export function leftOut(userId: string): FailedRow {
  return { userId, ok: false, lost: true, reason: "The proxy's answer leaves this user out." };
}

/** The row of a request that may not be made any more; `null` where it may. */
export function unsent(userId: string, blocked: Blocked): FailedRow | null {
  const reason = blocked();
  return reason === null ? null : unsentRow(userId, reason);
}

export function unsentRow(userId: string, reason: string): FailedRow {
  return { userId, ok: false, blocked: true, reason };
}

export function reasonOf(error: string | null): string {
  return error === null || error === '' ? 'The proxy gives no reason.' : cleanMessage(error);
}

/** The row of a call about one user that threw. Errors that are not the proxy's are thrown on. */
export function failedRow(userId: string, error: unknown): FailedRow {
  if (error instanceof StoppedError) return unsentRow(userId, error.message);
  if (error instanceof AnswerLostError) return { userId, ok: false, lost: true, reason: error.message };
  if (!(error instanceof ProxyError)) throw error;
  const { code, message, proxyMessage } = error;
  if (proxyMessage !== null && code !== 'unavailable') return refusedRow(userId, proxyMessage);
  return { userId, ok: false, code, reason: proxyMessage ?? message };
}

/** A row that the proxy refused in its own words. */
export function refusedRow(userId: string, reason: string): FailedRow {
  return { userId, ok: false, code: saysExists(reason) ? 'exists' : 'other', reason };
}
