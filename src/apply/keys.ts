import { Pool } from '../concurrency.ts';
import type { ProxyKey } from '../core/inventory.ts';
import { compare } from '../core/order.ts';
import type { TeamRef } from '../core/plan.ts';
import type { Run } from './apply-run.ts';
import { type RowAnswer, writeOne } from './bulk.ts';
import { reasonOf } from './messages.ts';

/** A user whose keys move to another team before they leave this one; `null`: the keys are deleted instead. */
export interface KeyMove {
  readonly userId: string;
  readonly team: TeamRef;
  readonly keysTo: TeamRef | null;
  /**
   * A key that stays behind is deleted by the next plan: the user is in the new team by then, so that a row of several
   * teams has no single destination any more.
   */
  readonly deletedNext: boolean;
}

/** @param one just one key stays behind */
function nextTime(one: boolean): string {
  const [them, keys] = one ? ['it', 'the key'] : ['them', 'the keys'];
  return `. The next plan will delete ${them}, as the row names several teams: before that, move ${keys} in LiteLLM, or keep the old team in the row`;
}

type StaysBehind = Exclude<RowAnswer<never>, { kind: 'answered' }>;

/** Keys of one user that stay where they are. */
interface Held {
  /** The last of the answers: the row is told by it, and all of them in words. */
  answer: StaysBehind;
  /** Names of keys by what the proxy said of them: an owner who has all reasons needs no run for each. */
  readonly keys: Map<string, string[]>;
}

/**
 * Takes users' keys out of the team that they leave, and lists them again right after: as long as one remains the team
 * must not be left, because leaving deletes it, or, up to 1.80, leaves one behind that was to be deleted. All moves are
 * out of one team.
 * @returns why, for each user who must stay
 */
export async function movedAway(run: Run, moves: readonly KeyMove[]): Promise<ReadonlyMap<string, StaysBehind>> {
  const failures = new Map<string, StaysBehind>();
  if (moves.length === 0) return failures;
  const present = await keysOf(run, moves, failures);
  const held = new Map<string, Held>();
  const unheard = new Map<string, string>();
  const pool = new Pool(run.options.concurrency);
  for (const move of moves) {
    for (const key of present.get(move.userId) ?? []) pool.add(() => moveKey(run, move, key, held, unheard));
  }
  await pool.idle();
  for (const move of moves) {
    const stays = held.get(move.userId);
    if (stays !== undefined) failures.set(move.userId, heldBack(move, stays));
  }
  if (present.size === 0) return failures;
  const left = await keysOf(
    run,
    moves.filter(({ userId }) => present.has(userId)),
    failures,
  );
  for (const [userId, keys] of left) {
    if (!failures.has(userId)) failures.set(userId, remaining(keys, unheard.get(userId)));
  }
  return failures;
}

/** @param unheard why it is not known what became of a move: that shows when the keys are listed again */
async function moveKey(
  run: Run,
  { userId, keysTo }: KeyMove,
  key: ProxyKey,
  held: Map<string, Held>,
  unheard: Map<string, string>,
): Promise<void> {
  const answer = await writeOne(run, async () => {
    if (keysTo === null) {
      await run.options.proxy.deleteKeys([key.hash]);
      return { userId, ok: true as const };
    }
    const moved = await run.options.proxy.moveKey(key.hash, keysTo.teamId);
    return moved.ok ? { userId, ...moved } : { userId, code: 'invalid' as const, ...moved };
  });
  if (answer.kind === 'answered') return;
  if (answer.kind === 'lost' || (keysTo !== null && answer.kind === 'refused' && answer.code !== 'invalid')) {
    unheard.set(userId, answer.reason);
    return;
  }
  const stays = held.get(userId) ?? { answer, keys: new Map() };
  stays.answer = answer;
  stays.keys.set(answer.reason, [...(stays.keys.get(answer.reason) ?? []), key.name].sort(compare));
  held.set(userId, stays);
}

/** Why the team is not left, with every key that keeps its owner there. */
function heldBack({ keysTo, deletedNext }: KeyMove, { answer, keys }: Held): StaysBehind {
  const done = keysTo === null ? 'deleted' : `moved to team ${keysTo.name}`;
  const told = [...keys]
    .sort(([, a], [, b]) => compare(String(a[0]), String(b[0])))
    .map(([why, names]) => {
      const [subject, verb] = names.length === 1 ? ['key', 'was'] : ['keys', 'were'];
      return `${subject} ${names.join(', ')} ${verb} not ${done} (${why})`;
    });
  if (keysTo !== null) {
    const next = deletedNext ? nextTime([...keys.values()].flat().length === 1) : '';
    return { ...answer, reason: `${told.join('; ')}: the user stays in both teams, and no key is lost${next}` };
  }
  const reason = `${told.join('; ')}: the user stays in the team`;
  // Said of the call: a key is no reason to recreate its owner.
  return answer.kind === 'refused' ? { ...answer, reason, wholeCall: true } : { ...answer, reason };
}

/** The keys by user; a look-up that fails keeps everybody where they are. */
async function keysOf(
  run: Run,
  moves: readonly KeyMove[],
  failures: Map<string, StaysBehind>,
): Promise<ReadonlyMap<string, readonly ProxyKey[]>> {
  const byUser = new Map<string, ProxyKey[]>();
  const failAll = (why: string, kind: Unlisted): void => {
    const reason = `the user's keys of the team could not be listed (${why}), and leaving would delete them or leave them behind`;
    for (const { userId } of moves) failures.set(userId, { ...kind, reason });
  };
  try {
    const pairs = moves.map(({ userId, team }) => ({ userId, teamId: team.teamId }));
    const keys = await run.options.proxy.leavingKeys(pairs);
    if (keys === 'unknown') failAll('the key that is used may not list keys', HIDDEN);
    for (const key of keys === 'unknown' ? [] : keys) {
      if (key.userId !== null) byUser.set(key.userId, [...(byUser.get(key.userId) ?? []), key]);
    }
  } catch (error) {
    run.haltIfFatal(error);
    failAll(reasonOf(error), { kind: 'lost' });
  }
  return byUser;
}

type Unlisted = typeof HIDDEN | { readonly kind: 'lost' };

const HIDDEN = { kind: 'refused', code: 'forbidden', wholeCall: false } as const;

function remaining(keys: readonly ProxyKey[], unheard: string | undefined): StaysBehind {
  const names = keys.map((key) => key.name).join(', ');
  const told = unheard === undefined ? '' : ` (${unheard})`;
  const reason = `${names} would be deleted, as the team is still theirs${told}: the user stays in both teams`;
  return unheard === undefined
    ? { kind: 'refused', code: 'other', reason, wholeCall: false }
    : { kind: 'lost', reason };
}
