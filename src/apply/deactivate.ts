import type { DeactivateChange } from '../core/plan.ts';
import { failureOf, writeEach, writeOne } from './bulk.ts';
import { type FailureReason, NOT_SO, reasonOf, userOutcome } from './messages.ts';
import type { Run } from './run.ts';

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
