import type { LimitSettings } from '../core/inventory.ts';
import type { Outcome } from '../core/outcome.ts';
import {
  type Change,
  isRemoval,
  type KeyFate,
  type Loss,
  type Plan,
  type TeamMove,
  type TeamRef,
  type UnmanagedCounts,
  type UpdateChange,
  type Withheld,
} from '../core/plan.ts';
import { decimal } from '../core/user-limits.ts';

const ADMIN = 'proxy_admin';

/** Shown in place of a role that is not there: the proxy decides. */
export const NO_ROLE = 'default';
/** Shown in place of an empty list of teams, as one writes it in the CSV. */
export const NO_TEAM = '-';
/** Shown in place of teams that the file leaves to the proxy. */
export const DEFAULT_TEAMS = 'proxy default';

/** A team by its name; where that is not enough, by alias and id. */
export function teamLabel({ teamId, name, alias }: TeamRef): string {
  return alias === undefined ? name : `${alias} (${teamId})`;
}

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

/** What a plan calls a change: an update that reactivates somebody has a word of its own. */
export type ChangeKind = Change['kind'] | 'reactivate';

export function kindOf(change: Change): ChangeKind {
  return change.kind === 'update' && change.reactivates ? 'reactivate' : change.kind;
}

export type PlanCounts = Readonly<Record<ChangeKind | 'unchanged', number>>;

/** All planned changes, withheld ones included; each counts once. */
export function planCounts(plan: Pick<Plan, 'changes' | 'unchanged'>): PlanCounts {
  const unchanged = plan.unchanged.length;
  const counts = { add: 0, delete: 0, deactivate: 0, update: 0, reactivate: 0, invite: 0, unchanged };
  for (const change of plan.changes) counts[kindOf(change)] += 1;
  return counts;
}

const KINDS = ['add', 'delete', 'deactivate', 'update', 'reactivate', 'invite'] as const;

/** `2 to add, 1 to delete`: the kinds that a plan holds. */
export function countWords(counts: PlanCounts): string {
  return KINDS.filter((kind) => counts[kind] > 0)
    .map((kind) => `${counts[kind]} to ${kind}`)
    .join(', ');
}

const COUNTED_AS = {
  ADDED: 'added',
  DELETED: 'deleted',
  DEACTIVATED: 'deactivated',
  UPDATED: 'updated',
  REACTIVATED: 'reactivated',
  UNCHANGED: 'unchanged',
} as const;

export type OutcomeCounts = Readonly<
  Record<(typeof COUNTED_AS)[keyof typeof COUNTED_AS] | 'failed' | 'skipped', number>
>;

/** Each outcome counts once: a failed add is `failed`, not `added`. */
export function outcomeCounts(outcomes: readonly Outcome[]): OutcomeCounts {
  const none = { added: 0, deleted: 0, deactivated: 0, updated: 0, reactivated: 0 };
  const counts = { ...none, unchanged: 0, failed: 0, skipped: 0 };
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

/** Whether a change makes an administrator, takes one away, or gives one another email. */
export function adminChange(change: Change): 'gained' | 'lost' | 'renamed' | null {
  if (change.kind === 'add') return change.role === ADMIN ? 'gained' : null;
  if (isRemoval(change)) return change.role === ADMIN ? 'lost' : null;
  if (change.kind !== 'update') return null;
  const { role, rename, reactivates, currentRole } = change;
  const becomes = role?.to ?? currentRole;
  if (becomes === ADMIN && (role !== null || reactivates)) return 'gained';
  if (role?.from === ADMIN) return 'lost';
  return rename !== null && becomes === ADMIN ? 'renamed' : null;
}

/** Makes a value harmless where it is shown. */
type Show = (value: string) => string;

/** `$50.00`; to the last digit where cents do not tell all. */
function amount(dollars: number): string {
  const cents = dollars.toFixed(2);
  return `$${Number(cents) === dollars ? cents : decimal(dollars)}`;
}

function budget({ maxBudget, budgetDuration }: LimitSettings, show: Show): string {
  const period = budgetDuration == null ? '' : `/${budgetDuration}`;
  return maxBudget == null && period === '' ? '-' : show(`${maxBudget == null ? '-' : amount(maxBudget)}${period}`);
}

function rate(limit: number | null): string {
  if (limit === null) return '-';
  return limit === 0 ? '0 (blocks all calls)' : String(limit);
}

function models(names: readonly string[], show: Show): string {
  return names.length === 0 ? 'all-proxy-models' : names.map((name) => show(name)).join(';');
}

/** What a row asks for: `Budget: $50.00/30d`, `TPM: 1000`. */
export function settingWords(limits: LimitSettings, show: Show): string[] {
  const { maxBudget, budgetDuration, tpmLimit, rpmLimit } = limits;
  return [
    ...(maxBudget === undefined && budgetDuration === undefined ? [] : [`Budget: ${budget(limits, show)}`]),
    ...(tpmLimit === undefined ? [] : [`TPM: ${rate(tpmLimit)}`]),
    ...(rpmLimit === undefined ? [] : [`RPM: ${rate(rpmLimit)}`]),
    ...(limits.models === undefined ? [] : [`Models: ${models(limits.models, show)}`]),
  ];
}

/** What changes: `Budget: $50.00/30d → $200.00/30d (spent $48.10)`, `TPM: 1000 → -`. */
export function limitWords({ limits, currentLimits, spend }: UpdateChange, show: Show): string[] {
  const after = { ...currentLimits, ...Object.fromEntries(limits.map(({ field, to }) => [field, to])) };
  const changed = new Set(limits.map(({ field }) => field));
  const move = (name: string, from: string, to: string): string => `${name}: ${from} → ${to}`;
  const spent = ` (spent ${show(money(spend))})`;
  return [
    ...(changed.has('maxBudget') || changed.has('budgetDuration')
      ? [move('Budget', budget(currentLimits, show), budget(after, show)) + spent]
      : []),
    ...(changed.has('tpmLimit') ? [move('TPM', rate(currentLimits.tpmLimit), rate(after.tpmLimit))] : []),
    ...(changed.has('rpmLimit') ? [move('RPM', rate(currentLimits.rpmLimit), rate(after.rpmLimit))] : []),
    ...(changed.has('models') ? [move('Models', models(currentLimits.models, show), models(after.models, show))] : []),
  ];
}

/** What becomes of keys: `moves with the user to blue`, `are deleted`. */
function fateWords({ fate, to }: KeyFate, one: boolean, show: Show): string {
  switch (fate) {
    case 'moves':
      return `${one ? 'moves with the user to' : 'move with the user to'} ${show(teamLabel(to))}`;
    case 'deleted':
      return one ? 'is deleted' : 'are deleted';
    case 'survives':
      return one ? 'survives' : 'survive';
  }
}

/** What leaving teams costs, one part for each fate of keys and each loss. `name` shows some of many. */
export function leavingWords(
  { keyFates, leftKeys, losses }: UpdateChange,
  show: Show,
  name: (items: readonly string[]) => string,
): string[] {
  const keys =
    leftKeys === 'unknown'
      ? byFate(keyFates).map(
          (same) =>
            `keys not known in ${name(same.map(({ team }) => show(teamLabel(team))))}: they ${fateWords(same[0], false, show)}`,
        )
      : byFate(leftKeys).map((same) => {
          const shown = same.map(({ key }) => show(key.name) + (key.alias === null ? '' : ` (${show(key.alias)})`));
          return `${same.length === 1 ? 'key' : `${same.length} keys`} ${name(shown)} ${fateWords(same[0], same.length === 1, show)}`;
        });
  return [...keys, ...losses.map(({ team, what }) => `${LOST[what]} ${show(teamLabel(team))} is lost`)];
}

const LOST: Readonly<Record<Loss['what'], string>> = {
  'team admin role': 'the team admin role in',
  'own budget in the team': 'their own budget in',
};

function byFate<T extends KeyFate>(items: readonly T[]): [T, ...T[]][] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const item of items) {
    const name = `${item.fate} ${item.to?.teamId}`;
    const same = groups.get(name);
    if (same) same.push(item);
    else groups.set(name, [item]);
  }
  return [...groups.values()];
}

/** Added to from → to, so that the reader need not compare two lists: ` (joins b)`. */
export function moveNote(move: TeamMove, name: (teams: readonly TeamRef[]) => string): string {
  const counts = [move.from.length, move.to.length];
  const words = counts.includes(0) || Math.max(...counts) < 2 ? '' : moveWords(move, name);
  return words === '' ? '' : ` (${words})`;
}

/** What a move joins and leaves: `joins b, leaves c`. */
export function moveWords(move: TeamMove, name: (teams: readonly TeamRef[]) => string): string {
  const mended = new Set(mendedTeams(move).map(({ teamId }) => teamId));
  const moved = (teams: readonly TeamRef[]) => teams.filter(({ teamId }) => !mended.has(teamId));
  const parts = [['joins', moved(move.join)] as const, ['leaves', moved(move.leave)] as const];
  return parts.flatMap(([verb, teams]) => (teams.length === 0 ? [] : [`${verb} ${name(teams)}`])).join(', ');
}

/** `membership mended: x`, or nothing. */
export function mendWords(move: TeamMove, name: (teams: readonly TeamRef[]) => string): string {
  const mended = mendedTeams(move);
  if (mended.length === 0) return '';
  const how = move.rejoin.length === 0 ? '' : ` (leaves and joins ${name(move.rejoin)} again)`;
  return `membership mended: ${name(mended)}${how}`;
}

/** Memberships that are only half there now (user or roster) and become whole, or go, without the user changing team. */
function mendedTeams(move: TeamMove): readonly TeamRef[] {
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
    [unmanaged.deactivated, 'deactivated by others'],
  ];
  return list(reasons.filter(([count]) => count > 0).map(([count, reason]) => `${count} ${reason}`));
}

/** Lines on the users that are not managed, or deactivated already, if there are any. */
export function untouched({ unmanaged, deactivated }: Pick<Plan, 'unmanaged' | 'deactivated'>): string[] {
  const words = unmanagedWords(unmanaged);
  return [
    ...(words === '' ? [] : [`Users never touched: ${words}.`]),
    ...(deactivated === 0 ? [] : [`Users who stay deactivated: ${deactivated}.`]),
  ];
}
