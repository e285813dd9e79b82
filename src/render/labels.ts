import type { Outcome } from '../core/outcome.ts';
import type { Change, Plan, TeamMove, TeamRef, UnmanagedCounts, Withheld } from '../core/plan.ts';

const ADMIN = 'proxy_admin';

/** Shown in place of a role that is not there: the proxy decides. */
export const NO_ROLE = 'default';
/** Shown in place of an empty list of teams, as one writes it in the CSV. */
export const NO_TEAM = '-';
/** Shown in place of teams that the file leaves to the proxy. */
export const DEFAULT_TEAMS = 'proxy default';

/** `1 key`, `3 keys`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** US dollars with cents; what is less than a cent is not shown as nothing. */
export function money(dollars: number): string {
  return dollars > 0 && dollars < 0.01 ? 'under $0.01' : `$${dollars.toFixed(2)}`;
}

/** `a and b`, `a, b and c`. */
export function list(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

export interface PlanCounts {
  readonly add: number;
  readonly delete: number;
  readonly update: number;
  readonly unchanged: number;
  /** Fresh links for existing users. */
  readonly invite: number;
}

/** All planned changes, withheld ones included. */
export function planCounts(plan: Plan): PlanCounts {
  const counts = { add: 0, delete: 0, update: 0, unchanged: plan.unchanged.length, invite: 0 };
  for (const change of plan.changes) counts[change.kind] += 1;
  return counts;
}

export interface OutcomeCounts {
  readonly added: number;
  readonly deleted: number;
  readonly updated: number;
  readonly deactivated: number;
  readonly reactivated: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly skipped: number;
}

const COUNTED_AS = {
  ADDED: 'added',
  DELETED: 'deleted',
  UPDATED: 'updated',
  UNCHANGED: 'unchanged',
  DEACTIVATED: 'deactivated',
  REACTIVATED: 'reactivated',
} as const;

/** Each outcome counts once: a failed add is `failed`, not `added`. */
export function outcomeCounts(outcomes: readonly Outcome[]): OutcomeCounts {
  const counts = {
    added: 0,
    deleted: 0,
    updated: 0,
    deactivated: 0,
    reactivated: 0,
    unchanged: 0,
    failed: 0,
    skipped: 0,
  };
  for (const { status, action } of outcomes) {
    if (status === 'SUCCESS') counts[COUNTED_AS[action]] += 1;
    else counts[status === 'FAILED' ? 'failed' : 'skipped'] += 1;
  }
  return counts;
}

/** How many changes are not applied, by reason. */
export function withheldCounts(plan: Plan): ReadonlyMap<Withheld, number> {
  const counts = new Map<Withheld, number>();
  for (const { withheld } of plan.changes) {
    if (withheld !== null) counts.set(withheld, (counts.get(withheld) ?? 0) + 1);
  }
  return counts;
}

/** Whether a change makes an administrator or takes one away. */
export function adminChange(change: Change): 'gained' | 'lost' | null {
  switch (change.kind) {
    case 'add':
      return change.role === ADMIN ? 'gained' : null;
    case 'delete':
      return change.role === ADMIN ? 'lost' : null;
    case 'update':
      if (change.role?.to === ADMIN) return 'gained';
      return change.role?.from === ADMIN ? 'lost' : null;
    case 'invite':
      return null;
  }
}

/** Memberships that are only half there now (user or roster) and become whole, or go, without the user changing team. */
export function mendedTeams(move: TeamMove): readonly TeamRef[] {
  const from = new Set(move.from.map((team) => team.teamId));
  const to = new Set(move.to.map((team) => team.teamId));
  return [
    ...move.join.filter(({ teamId }) => from.has(teamId) || !to.has(teamId)),
    ...move.leave.filter(({ teamId }) => to.has(teamId) || !from.has(teamId)),
  ];
}

/** Whether the move is more than mending: other teams than before. */
export function changesTeams(move: TeamMove): boolean {
  const from = new Set(move.from.map((team) => team.teamId));
  return from.size !== move.to.length || move.to.some(({ teamId }) => !from.has(teamId));
}

/** `1 without email, 2 protected`; empty where every user is managed. */
export function unmanagedWords(unmanaged: UnmanagedCounts): string {
  const reasons: [number, string][] = [
    [unmanaged.withoutEmail, 'without email'],
    [unmanaged.otherRole, 'with a role that is not managed'],
    [unmanaged.ownUser, 'whose key this run uses'],
    [unmanaged.protected, 'protected'],
  ];
  return list(reasons.filter(([count]) => count > 0).map(([count, reason]) => `${count} ${reason}`));
}
