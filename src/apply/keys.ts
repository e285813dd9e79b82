import { Pool } from '../concurrency.ts';
import type { ProxyKey } from '../core/inventory.ts';
import type { TeamRef } from '../core/plan.ts';
import { type RowAnswer, writeOne } from './bulk.ts';
import { reasonOf } from './messages.ts';
import type { Run } from './run.ts';

/** A user whose keys are to go to another team before they leave this one; `null`: are to be deleted before that. */
export interface KeyMove {
  readonly userId: string;
  readonly team: TeamRef;
  readonly keysTo: TeamRef | null;
}

type Refusal = Exclude<RowAnswer<never>, { kind: 'answered' }>;

/**
 * Takes users' keys out of the team that they leave, and lists them again right after: as long as one remains the team
 * must not be left, because leaving deletes it, or, up to 1.80, leaves one behind that was to be deleted. All moves are
 * out of one team.
 * @returns why, for each user who must stay
 */
export async function movedAway(run: Run, moves: readonly KeyMove[]): Promise<ReadonlyMap<string, Refusal>> {
  const failures = new Map<string, Refusal>();
  if (moves.length === 0) return failures;
  const present = await keysOf(run, moves, failures);
  const pool = new Pool(run.options.concurrency);
  for (const move of moves) {
    for (const key of present.get(move.userId) ?? []) pool.add(() => moveKey(run, move, key, failures));
  }
  await pool.idle();
  if (present.size === 0) return failures;
  const left = await keysOf(
    run,
    moves.filter(({ userId }) => present.has(userId)),
    failures,
  );
  for (const [userId, keys] of left) {
    if (!failures.has(userId)) failures.set(userId, remaining(keys));
  }
  return failures;
}

async function moveKey(
  run: Run,
  { userId, keysTo }: KeyMove,
  key: ProxyKey,
  failures: Map<string, Refusal>,
): Promise<void> {
  const answer = await writeOne(run, async () => {
    if (keysTo === null) {
      await run.options.proxy.deleteKeys([key.hash]);
      return { userId, ok: true as const };
    }
    const moved = await run.options.proxy.moveKey(key.hash, keysTo.teamId);
    return moved.ok ? { userId, ok: true as const } : { userId, ok: false as const, reason: moved.reason };
  });
  // What a lost answer did shows when the keys are listed again.
  if (answer.kind === 'answered' || answer.kind === 'lost') return;
  if (keysTo === null) {
    const reason = `key ${key.name} was not deleted (${answer.reason}): the user stays in the team`;
    // Said of the call: a key is no reason to recreate its owner.
    failures.set(userId, answer.kind === 'refused' ? { ...answer, reason, wholeCall: true } : { ...answer, reason });
    return;
  }
  const reason = `key ${key.name} was not moved to team ${keysTo.name} (${answer.reason}): the user stays in both teams, and no key is lost`;
  failures.set(userId, { ...answer, reason });
}

/** The keys by user; a look-up that fails keeps everybody where they are. */
async function keysOf(
  run: Run,
  moves: readonly KeyMove[],
  failures: Map<string, Refusal>,
): Promise<ReadonlyMap<string, readonly ProxyKey[]>> {
  const byUser = new Map<string, ProxyKey[]>();
  try {
    const pairs = moves.map(({ userId, team }) => ({ userId, teamId: team.teamId }));
    const keys = await run.options.proxy.leavingKeys(pairs);
    if (keys === 'unknown') throw new Error('the key that is used may not list keys');
    for (const key of keys) {
      if (key.userId !== null) byUser.set(key.userId, [...(byUser.get(key.userId) ?? []), key]);
    }
  } catch (error) {
    run.haltIfFatal(error);
    const reason = `the user's keys of the team could not be listed (${reasonOf(error)}), and leaving would delete them or leave them behind`;
    for (const { userId } of moves) failures.set(userId, { kind: 'refused', code: 'other', reason, wholeCall: false });
  }
  return byUser;
}

function remaining(keys: readonly ProxyKey[]): Refusal {
  const names = keys.map((key) => key.name).join(', ');
  const reason = `${names} would be deleted, as the team is still theirs: the user stays in both teams`;
  return { kind: 'refused', code: 'other', reason, wholeCall: false };
}
