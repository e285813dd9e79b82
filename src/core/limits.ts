import { compare } from './order.ts';
import { type Breach, type Change, isApplied, isRemoval, type Plan } from './plan.ts';

/** A number of users, or a share of the managed ones (rounded up). */
export type DeleteLimit =
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'percent'; readonly percent: number };

export interface Limits {
  /** `null`: none. */
  readonly maxDeletes: DeleteLimit | null;
  readonly minAdmins: number;
  /** The file lists whom to delete, not whom to keep. */
  readonly listsDeletes?: boolean;
}

/** What the limits are measured against: active users before the plan. */
export interface ActiveCounts {
  readonly managed: number;
  /** Users with an email and the role `proxy_admin`, managed or not. */
  readonly admins: number;
}

/**
 * The changes held against the limits, on what would be written. Where expiries alone go beyond `max-deletes`, the
 * latest of them are withheld and the rest may be applied.
 */
export function measure(
  changes: readonly Change[],
  population: ActiveCounts,
  limits: Limits,
): Pick<Plan, 'changes' | 'breaches'> {
  const measured = holdRemovals(changes.map(released), population, limits);
  const admins = tooFewAdmins(measured.changes.filter(isApplied), population, limits);
  return { changes: measured.changes, breaches: [measured.breach, admins].filter((breach) => breach !== null) };
}

/** As if it had never been held against `max-deletes`. */
function released(change: Change): Change {
  return change.withheld === 'max-deletes' ? { ...change, withheld: null } : change;
}

function holdRemovals(
  changes: readonly Change[],
  { managed }: ActiveCounts,
  limits: Limits,
): { readonly changes: readonly Change[]; readonly breach: Breach | null } {
  const { maxDeletes } = limits;
  const removals = changes.filter(isRemoval).filter(isApplied);
  const allowed = maxDeletes === null ? Number.POSITIVE_INFINITY : allowedOf(maxDeletes, managed);
  const excess = removals.length - allowed;
  if (maxDeletes === null || excess <= 0) return { changes, breach: null };
  const shown =
    maxDeletes.kind === 'percent' ? `${maxDeletes.percent}% of ${managed} managed users = ${allowed}` : `${allowed}`;
  const expiries = removals.flatMap((change) => (change.expired === null ? [] : { change, expired: change.expired }));
  const are = `${removals.length} of ${managed} managed users would be ${verb(removals)}, but max-deletes allows ${shown}.`;
  const raise = `If this is intended, raise the limit (max-deletes: ${removals.length})`;
  if (expiries.length >= excess) {
    expiries.sort((a, b) => compare(b.expired, a.expired) || compare(b.change.userId, a.change.userId));
    const held = new Set<Change>(expiries.slice(0, excess).map(({ change }) => change));
    const message = `${are} ${excess} of the ${expiries.length} expired accounts ${excess === 1 ? 'stays' : 'stay'} for now, the rest is applied. ${raise}; if not, put a later date into \`expires\`.`;
    return {
      changes: changes.map((change) => (held.has(change) ? { ...change, withheld: 'max-deletes' } : change)),
      breach: { limit: 'max-deletes', stops: false, message },
    };
  }
  const correct = limits.listsDeletes
    ? 'take rows out of the file'
    : 'put the missing rows back into the file, or set no-delete: true';
  const message = `${are} Nothing is applied. ${raise}; if not, ${correct}.`;
  return { changes, breach: { limit: 'max-deletes', stops: true, message } };
}

/** A plan deletes or deactivates: `on-missing` says which. */
function verb(removals: readonly Change[]): string {
  return removals.some((change) => change.kind === 'delete') ? 'deleted' : 'deactivated';
}

function allowedOf(limit: DeleteLimit, managed: number): number {
  return limit.kind === 'count' ? limit.count : share(managed, limit.percent);
}

/** Rounded up; what binary fractions add (1.1% of 3,000 is 33.000000000000004) is no user. */
function share(managed: number, percent: number): number {
  return Math.ceil(Number(((managed * percent) / 100).toFixed(6)));
}

function tooFewAdmins(written: readonly Change[], { admins }: ActiveCounts, limits: Limits): Breach | null {
  const { minAdmins, listsDeletes } = limits;
  const after = admins + written.reduce((sum, change) => sum + adminsGained(change), 0);
  if (written.length === 0 || after >= minAdmins) return null;
  const correct = listsDeletes
    ? 'take administrators out of the file'
    : 'give somebody the role proxy_admin in the file';
  return {
    limit: 'min-admins',
    stops: true,
    message: `${after} of now ${admins} proxy_admin users would remain, but min-admins asks for ${minAdmins}. Nothing is applied. If this is intended, lower the limit (min-admins: ${after}); if not, ${correct}.`,
  };
}

/** Inactive administrators count for nothing, before and after. */
function adminsGained(change: Change): number {
  switch (change.kind) {
    case 'add':
      return Number(change.role === 'proxy_admin');
    case 'delete':
    case 'deactivate':
      return change.active && change.role === 'proxy_admin' ? -1 : 0;
    case 'update': {
      const before = !change.reactivates && change.currentRole === 'proxy_admin';
      const after = (change.role?.to ?? change.currentRole) === 'proxy_admin';
      return Number(after) - Number(before);
    }
    case 'invite':
      return 0;
  }
}
