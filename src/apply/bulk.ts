import { Pool } from '../concurrency.ts';
import { AnswerLostError, type RefusalCode, refusalCode } from '../core/errors.ts';
import type { FailureCode } from '../core/outcome.ts';
import type { Run } from './apply-run.ts';
import { type FailureReason, oneLine, reasonOf, withWayOut } from './messages.ts';
import type { Blocked, FailedRow } from './ports.ts';

/** What is known of one row after a write. */
export type RowAnswer<R> =
  | { readonly kind: 'answered'; readonly row: R }
  /** It may or may not have taken effect. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** It had no effect. `wholeCall`: not the row, but the call that it was in. */
  | { readonly kind: 'refused'; readonly reason: string; readonly code: RefusalCode; readonly wholeCall: boolean }
  /** It was not sent. */
  | { readonly kind: 'blocked'; readonly reason: string; readonly code: FailureCode };

type Result = { readonly userId: string; readonly ok: true } | FailedRow;

/**
 * One write for many rows. A call that is refused as a whole is halved, so that one bad row does not take the others
 * with it; where nothing at all gets through, the proxy refuses the kind of write and the rest is not tried.
 */
export async function writeInBulk<T extends { readonly userId: string }, R extends Result>(
  run: Run,
  rows: readonly T[],
  call: (rows: readonly T[], blocked: Blocked) => Promise<readonly R[]>,
): Promise<Map<string, RowAnswer<Extract<R, { ok: true }>>>> {
  const answers = new Map<string, RowAnswer<Extract<R, { ok: true }>>>();
  const tell = (some: readonly T[], answer: RowAnswer<never>): void => {
    for (const { userId } of some) answers.set(userId, answer);
  };
  let splitsLeft = Math.ceil(Math.log2(rows.length + 1)) + 2;
  const write = async (some: readonly T[]): Promise<void> => {
    const blocked = run.blocked();
    if (blocked !== null) return tell(some, { kind: 'blocked', reason: blocked, code: run.blockedCode });
    try {
      const answered = await call(some, () => run.blocked());
      const results = new Map(answered.map((result) => [result.userId, result]));
      for (const { userId } of some) answers.set(userId, answerOf(results.get(userId)));
      splitsLeft = Number.POSITIVE_INFINITY;
    } catch (error) {
      const reason = reasonOf(error);
      if (error instanceof AnswerLostError) return tell(some, { kind: 'lost', reason });
      if (run.haltIfFatal(error)) return tell(some, { kind: 'blocked', reason, code: run.blockedCode });
      splitsLeft--;
      const refusal = refusalOfCall(error);
      if (some.length === 1 || splitsLeft <= 0) return tell(some, refusal);
      const half = Math.ceil(some.length / 2);
      await write(some.slice(0, half));
      if (splitsLeft <= 0) return tell(some.slice(half), refusal);
      await write(some.slice(half));
    }
  };
  if (rows.length > 0) await write(rows);
  return answers;
}

/** One write for one user, in the same terms. */
export async function writeOne<R extends Result>(
  run: Run,
  call: () => Promise<R>,
): Promise<RowAnswer<Extract<R, { ok: true }>>> {
  const blocked = run.blocked();
  if (blocked !== null) return { kind: 'blocked', reason: blocked, code: run.blockedCode };
  try {
    return answerOf(await call());
  } catch (error) {
    const reason = reasonOf(error);
    if (error instanceof AnswerLostError) return { kind: 'lost', reason };
    if (run.haltIfFatal(error)) return { kind: 'blocked', reason, code: run.blockedCode };
    return { kind: 'refused', reason: withWayOut(reason), code: refusalCode(error), wholeCall: false };
  }
}

function answerOf<R extends Result>(row: R | undefined): RowAnswer<Extract<R, { ok: true }>> {
  if (row === undefined) return { kind: 'lost', reason: 'the answer does not mention the row' };
  if (row.ok) return { kind: 'answered', row: row as Extract<R, { ok: true }> };
  if (row.lost === true) return { kind: 'lost', reason: oneLine(row.reason) };
  if (row.blocked === true) return { kind: 'blocked', reason: row.reason, code: 'not attempted' };
  return { kind: 'refused', reason: withWayOut(row.reason), code: row.code ?? 'other', wholeCall: false };
}

function refusalOfCall(error: unknown): RowAnswer<never> {
  return { kind: 'refused', reason: withWayOut(reasonOf(error)), code: refusalCode(error), wholeCall: true };
}

/** An answer other than success as a failure; `blocked` says that nothing was sent. */
export function failureOf(answer: Exclude<RowAnswer<never>, { kind: 'answered' }>): FailureReason {
  switch (answer.kind) {
    case 'blocked':
      return { code: answer.code, reason: `not attempted: ${answer.reason}` };
    case 'lost':
      return { code: 'lost', reason: answer.reason };
    case 'refused':
      return { code: answer.code, reason: answer.reason };
  }
}

/** The failure of what may not be sent any more. @param why what {@link Run.blocked} answered */
export function unsent(run: Run, why: string): FailureReason {
  return failureOf({ kind: 'blocked', reason: why, code: run.blockedCode });
}

/**
 * One write a user, some at once; who is to be written to stands in the journal before. Progress is told row by row.
 * @param write records the row's outcome
 */
export async function writeEach<R extends { readonly index: number; readonly change: { readonly userId: string } }>(
  run: Run,
  rows: readonly R[],
  progress: (done: number, total: number) => void,
  write: (row: R) => Promise<void>,
): Promise<void> {
  let done = 0;
  for (const piece of pieces(rows, run.options.proxy.batchSize)) {
    if (run.blocked() === null) {
      await run.persist(
        run.options.journal.intend(piece.map(({ index, change }) => ({ index, userId: change.userId }))),
      );
    }
    const pool = new Pool(run.options.concurrency);
    for (const row of piece) {
      pool.add(async () => {
        await write(row);
        progress(++done, rows.length);
      });
    }
    await pool.idle();
  }
}

/** Cuts a list into pieces of at most `size`. */
export function* pieces<T>(rows: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size);
}
