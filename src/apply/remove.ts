import type { DeactivateChange, DeleteChange } from '../core/plan.ts';
import type { Run } from './apply-run.ts';
import { failureOf, pieces, writeEach, writeInBulk, writeOne } from './bulk.ts';
import { type FailureReason, NOT_SO, reasonOf, userOutcome } from './messages.ts';

/** A user who is to be deleted, for the change with this index. */
export interface DeleteTarget {
  readonly index: number;
  readonly userId: string;
}

/** Deletes users piece by piece; every change has its outcome in the run when this resolves. */
export async function applyDeletes(
  run: Run,
  rows: readonly { readonly index: number; readonly change: DeleteChange }[],
  progress: (done: number, total: number) => void,
): Promise<void> {
  let done = 0;
  for (const piece of pieces(rows, run.options.proxy.batchSize)) {
    const targets = piece.map(({ index, change }) => ({ index, userId: change.userId }));
    const failures = await deleteUsers(run, targets);
    for (const { index, change } of piece) {
      run.record(index, userOutcome('DELETED', index, change, failures.get(change.userId) ?? null));
    }
    done += piece.length;
    progress(done, rows.length);
  }
}

/**
 * Deletes at most `batchSize` users. Whoever the proxy does not report as deleted is looked up: gone is gone.
 * @returns why, for each user who is still there
 */
export async function deleteUsers(run: Run, targets: readonly DeleteTarget[]): Promise<Map<string, FailureReason>> {
  const failures = new Map<string, FailureReason>();
  if (run.blocked() === null) await run.persist(run.options.journal.intend(targets));
  let pending = targets;
  for (let attempt = 0; pending.length > 0; attempt++) {
    const answers = await writeInBulk(run, pending, (some, blocked) =>
      run.options.proxy.deleteUsers(
        some.map((row) => row.userId),
        blocked,
      ),
    );
    const lost: DeleteTarget[] = [];
    const unclear: DeleteTarget[] = [];
    for (const row of pending) {
      const answer = answers.get(row.userId);
      failures.delete(row.userId);
      if (answer === undefined || answer.kind === 'answered') continue;
      failures.set(row.userId, failureOf(answer));
      if (answer.kind === 'blocked' && attempt === 0) continue;
      unclear.push(row);
      if (answer.kind === 'lost') lost.push(row);
    }
    if (unclear.length === 0) break;
    if (lost.length > 0) await run.pause(attempt);
    const present = await presentOf(run, unclear, failures);
    pending = attempt < run.options.retries ? lost.filter((row) => present.has(row.userId)) : [];
  }
  return failures;
}

/** Who of them is still there; the others are deleted. None where that cannot be found out. */
async function presentOf(
  run: Run,
  rows: readonly DeleteTarget[],
  failures: Map<string, FailureReason>,
): Promise<ReadonlySet<string>> {
  try {
    const users = await run.options.proxy.findUsers(rows.map((row) => row.userId));
    const present = new Set(users.map((user) => user.userId));
    for (const { userId } of rows) if (!present.has(userId)) failures.delete(userId);
    return present;
  } catch (error) {
    run.haltIfFatal(error);
    for (const { userId } of rows) {
      const before = failures.get(userId)?.reason ?? '';
      const reason = `${before}; whether the user is gone could not be looked up (${reasonOf(error)}); run again, the next plan shows it`;
      failures.set(userId, { code: 'unknown', reason });
    }
    return new Set();
  }
}

interface DeactivateRow {
  readonly index: number;
  readonly change: DeactivateChange;
}

/** Switches off the keys of users who keep their account; every change has its outcome in the run when this resolves. */
export function applyDeactivations(
  run: Run,
  rows: readonly DeactivateRow[],
  progress: (done: number, total: number) => void,
): Promise<void> {
  return writeEach(run, rows, progress, async ({ index, change }) =>
    run.record(index, userOutcome('DEACTIVATED', index, change, await deactivate(run, change.userId))),
  );
}

/** @returns why it failed; `null`: no key of theirs works */
async function deactivate(run: Run, userId: string): Promise<FailureReason | null> {
  for (let attempt = 0; ; attempt++) {
    const answer = await writeOne(run, () => run.options.proxy.setActivity(userId, false));
    if (answer.kind === 'answered') return answer.row.user.activity === 'active' ? NOT_SO : null;
    if (answer.kind !== 'lost') return failureOf(answer);
    await run.pause(attempt);
    const present = await activityOf(run, userId);
    if (present === 'off') return null;
    if (present !== 'on' || attempt >= run.options.retries) {
      const told = present === 'on' ? '' : `; whether it took effect is not known (${present})`;
      return { code: 'unknown', reason: `${answer.reason}${told}; run again, the next plan shows it` };
    }
  }
}

/** `on`, `off`, or why that cannot be told. */
async function activityOf(run: Run, userId: string): Promise<string> {
  try {
    const [user] = await run.options.proxy.findUsers([userId]);
    if (user === undefined) return 'the user is no longer on the proxy';
    return user.activity === 'active' ? 'on' : 'off';
  } catch (error) {
    run.haltIfFatal(error);
    return reasonOf(error);
  }
}
