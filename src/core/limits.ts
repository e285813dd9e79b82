import type { Breach, Change } from './plan.ts';

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

/** What the limits are measured against. */
export interface Population {
  /** Number of managed users on the proxy before the plan. */
  readonly managed: number;
  /** Number of users with an email and the role `proxy_admin` before the plan, managed or not. */
  readonly admins: number;
}

/** Breaches of the limits by what would be written; withheld changes do not count. */
export function breaches(changes: readonly Change[], population: Population, limits: Limits): Breach[] {
  const written = changes.filter((change) => change.withheld === null);
  return [tooManyDeletes(written, population, limits), tooFewAdmins(written, population, limits)].filter(
    (breach) => breach !== null,
  );
}

function tooManyDeletes(written: readonly Change[], { managed }: Population, limits: Limits): Breach | null {
  const { maxDeletes, listsDeletes } = limits;
  if (maxDeletes === null) return null;
  const deletes = written.filter((change) => change.kind === 'delete').length;
  const allowed = maxDeletes.kind === 'count' ? maxDeletes.count : share(managed, maxDeletes.percent);
  if (deletes <= allowed) return null;
  const shown =
    maxDeletes.kind === 'percent' ? `${maxDeletes.percent}% of ${managed} managed users = ${allowed}` : `${allowed}`;
  const correct = listsDeletes ? 'take rows out of the file' : 'put the missing rows back into the file';
  return {
    limit: 'max-deletes',
    message: `${deletes} of ${managed} managed users would be deleted, but max-deletes allows ${shown}. Nothing is applied. If this is intended, raise the limit (max-deletes: ${deletes}); if not, ${correct}, or set no-delete: true.`,
  };
}

/** Rounded up; what binary fractions add (1.1% of 3,000 is 33.000000000000004) is no user. */
function share(managed: number, percent: number): number {
  return Math.ceil(Number(((managed * percent) / 100).toFixed(6)));
}

function tooFewAdmins(written: readonly Change[], { admins }: Population, limits: Limits): Breach | null {
  const { minAdmins, listsDeletes } = limits;
  const after = admins + written.reduce((sum, change) => sum + adminsGained(change), 0);
  if (written.length === 0 || after >= minAdmins) return null;
  const correct = listsDeletes
    ? 'take administrators out of the file'
    : 'give somebody the role proxy_admin in the file';
  return {
    limit: 'min-admins',
    message: `${after} of now ${admins} proxy_admin users would remain, but min-admins asks for ${minAdmins}. Nothing is applied. If this is intended, lower the limit (min-admins: ${after}); if not, ${correct}.`,
  };
}

function adminsGained(change: Change): number {
  switch (change.kind) {
    case 'add':
      return change.role === 'proxy_admin' ? 1 : 0;
    case 'delete':
      return change.role === 'proxy_admin' ? -1 : 0;
    case 'update':
      return change.role === null
        ? 0
        : Number(change.role.to === 'proxy_admin') - Number(change.role.from === 'proxy_admin');
    case 'invite':
      return 0;
  }
}
