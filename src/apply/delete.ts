import type { Outcome } from '../core/outcome.ts';
import type { DeleteChange } from '../core/plan.ts';
import { pieces, writeInBulk } from './bulk.ts';
import { reasonOf, userOutcome } from './messages.ts';
import type { Run } from './run.ts';

export interface Doomed {
  readonly change: number;
  readonly userId: string;
}

/** What became of one delete. */
export type Deletion = { readonly gone: true } | { readonly gone: false; readonly reason: string };

/** Deletes users piece by piece; every row's outcome is in the run when this resolves. */
export async function applyDeletes(
  run: Run,
  rows: readonly { readonly change: number; readonly plan: DeleteChange }[],
  progress: (done: number, total: number) => void,
): Promise<void> {
  let done = 0;
  for (const piece of pieces(rows, run.options.proxy.batchSize)) {
    const doomed = piece.map(({ change, plan }) => ({ change, userId: plan.userId }));
    const deletions = await deleteUsers(run, doomed);
    for (const { change, plan } of piece) {
      run.settle(change, deletedOutcome(plan, deletions.get(plan.userId) ?? { gone: false, reason: 'not attempted' }));
    }
    done += piece.length;
    progress(done, rows.length);
  }
}

/** At most `batchSize` users. Whoever the proxy does not report as deleted is looked up: gone is gone. */
export async function deleteUsers(run: Run, doomed: readonly Doomed[]): Promise<Map<string, Deletion>> {
  const deletions = new Map<string, Deletion>();
  if (run.blocked() === null) await run.keep(run.options.journal.intend(doomed));
  let pending = doomed;
  for (let attempt = 0; pending.length > 0; attempt++) {
    const answers = await writeInBulk(run, pending, (some, blocked) =>
      run.options.proxy.deleteUsers(
        some.map((row) => row.userId),
        blocked,
      ),
    );
    const lost: Doomed[] = [];
    const unclear: Doomed[] = [];
    for (const row of pending) {
      const answer = answers.get(row.userId);
      if (answer === undefined || answer.kind === 'answered') deletions.set(row.userId, { gone: true });
      else if (answer.kind === 'blocked' && attempt === 0) deletions.set(row.userId, notAttempted(answer.reason));
      else {
        deletions.set(row.userId, { gone: false, reason: answer.reason });
        unclear.push(row);
        if (answer.kind === 'lost') lost.push(row);
      }
    }
    if (unclear.length === 0) break;
    if (lost.length > 0) await run.pause(attempt);
    const present = await presentOf(run, unclear, deletions);
    pending = attempt < run.options.retries ? lost.filter((row) => present.has(row.userId)) : [];
  }
  return deletions;
}

/** Who of them is still there; the others are deleted. None where that cannot be found out. */
async function presentOf(
  run: Run,
  rows: readonly Doomed[],
  deletions: Map<string, Deletion>,
): Promise<ReadonlySet<string>> {
  try {
    const users = await run.options.proxy.findUsers(rows.map((row) => row.userId));
    const present = new Set(users.map((user) => user.userId));
    for (const { userId } of rows) if (!present.has(userId)) deletions.set(userId, { gone: true });
    return present;
  } catch (error) {
    run.isFatal(error);
    for (const { userId } of rows) {
      const before = deletions.get(userId);
      const reason = before?.gone === false ? before.reason : '';
      deletions.set(userId, {
        gone: false,
        reason: `${reason}; whether the user is gone could not be looked up (${reasonOf(error)}); run again, the next plan shows it`,
      });
    }
    return new Set();
  }
}

function notAttempted(reason: string): Deletion {
  return { gone: false, reason: `not attempted: ${reason}` };
}

export function deletedOutcome(
  plan: Omit<DeleteChange, 'keyCount' | 'spend' | 'withheld'>,
  deletion: Deletion,
): Outcome {
  return userOutcome('DELETED', plan, deletion.gone ? null : deletion.reason);
}
