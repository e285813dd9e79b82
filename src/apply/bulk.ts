import { AnswerLostError } from '../core/errors.ts';
import { oneLine, reasonOf, withWayOut } from './messages.ts';
import type { Blocked, FailedRow } from './ports.ts';
import type { Run } from './run.ts';

/** What is known of one row after a write. */
export type Answer<R> =
  | { readonly kind: 'answered'; readonly row: R }
  /** It may or may not have taken effect. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** It had no effect. `wholeCall`: not the row, but the call that it was in. */
  | { readonly kind: 'refused'; readonly reason: string; readonly wholeCall: boolean }
  /** It was not sent. */
  | { readonly kind: 'blocked'; readonly reason: string };

type Result = { readonly userId: string; readonly ok: true } | FailedRow;

/**
 * One write for many rows. A call that is refused as a whole is halved, so that one bad row does not take the others
 * with it; where nothing at all gets through, the proxy refuses the kind of write and the rest is not tried.
 */
export async function writeInBulk<T extends { readonly userId: string }, R extends Result>(
  run: Run,
  rows: readonly T[],
  call: (rows: readonly T[], blocked: Blocked) => Promise<readonly R[]>,
): Promise<Map<string, Answer<Extract<R, { ok: true }>>>> {
  const answers = new Map<string, Answer<Extract<R, { ok: true }>>>();
  const tell = (some: readonly T[], answer: Answer<never>): void => {
    for (const { userId } of some) answers.set(userId, answer);
  };
  let patience = Math.ceil(Math.log2(rows.length + 1)) + 2;
  const write = async (some: readonly T[]): Promise<void> => {
    const blocked = run.blocked();
    if (blocked !== null) return tell(some, { kind: 'blocked', reason: blocked });
    try {
      const answered = await call(some, () => run.blocked());
      const results = new Map(answered.map((result) => [result.userId, result]));
      for (const { userId } of some) answers.set(userId, answerOf(results.get(userId)));
      patience = Number.POSITIVE_INFINITY;
    } catch (error) {
      const reason = reasonOf(error);
      if (error instanceof AnswerLostError) return tell(some, { kind: 'lost', reason });
      if (run.isFatal(error)) return tell(some, { kind: 'blocked', reason });
      patience--;
      if (some.length === 1 || patience <= 0) return tell(some, refusal(reason));
      const half = Math.ceil(some.length / 2);
      await write(some.slice(0, half));
      if (patience <= 0) return tell(some.slice(half), refusal(reason));
      await write(some.slice(half));
    }
  };
  if (rows.length > 0) await write(rows);
  return answers;
}

function answerOf<R extends Result>(row: R | undefined): Answer<Extract<R, { ok: true }>> {
  if (row === undefined) return { kind: 'lost', reason: 'the answer does not mention the row' };
  if (row.ok) return { kind: 'answered', row: row as Extract<R, { ok: true }> };
  if (row.lost === true) return { kind: 'lost', reason: oneLine(row.reason) };
  if (row.blocked === true) return { kind: 'blocked', reason: row.reason };
  return { kind: 'refused', reason: withWayOut(row.reason), wholeCall: false };
}

function refusal(reason: string): Answer<never> {
  return { kind: 'refused', reason: withWayOut(reason), wholeCall: true };
}

/** Cuts a list into pieces of at most `size`. */
export function* pieces<T>(rows: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size);
}
