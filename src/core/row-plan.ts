import type { Lookup } from './lookup.ts';
import { addition, takenKeyNames } from './plan.ts';
import type { DeleteChange, Plan, UnchangedUser } from './plan-types.ts';
import { ALREADY_THERE, NOT_THERE, type Rows } from './rows.ts';
import { emailKey } from './user.ts';
import { badEmails, type DesiredUser, isEmail, resolveTeams, type UserRow } from './user-list.ts';

/** What single rows ask for: that is done, and no other user is touched. */
export interface RowPlan {
  /** Adds alone, or deletes alone. */
  readonly plan: Plan;
  /** Users who exist already and get a fresh link. */
  readonly invited: readonly UnchangedUser[];
  readonly rows: Rows;
}

/** Rows whose users exist already are skipped. */
export function skipExisting(rows: Rows, lookup: Lookup): void {
  for (const row of rows.open) if (lookup.has(row.email)) rows.skip(row, ALREADY_THERE);
}

/** Existing users of the rows, who get nothing but a fresh link. Rows whose user must not be touched are refused. */
export function takeExisting(rows: Rows, lookup: Lookup): Map<UserRow, UnchangedUser> {
  const found = new Map<UserRow, UnchangedUser>();
  for (const row of rows.open) {
    const user = lookup.touchable(row, rows);
    if (user !== null) found.set(row, lookup.unchanged(user, row.email));
  }
  return found;
}

/** New users as far as they can be told without asking for key names: bad emails and unknown teams are refused. */
export function newUsers(rows: Rows, lookup: Lookup, among: readonly UserRow[]): DesiredUser[] {
  rows.refuse(badEmails(among, lookup.emails));
  const good = among.filter((row) => !rows.left.has(row));
  const { users, problems } = resolveTeams(good, lookup.directory);
  rows.refuse(problems);
  return stillOpen(users, rows);
}

/** Refuses rows whose key name somebody has already. */
export function freeKeyNames(users: readonly DesiredUser[], rows: Rows, taken: ReadonlySet<string>): DesiredUser[] {
  rows.refuse(takenKeyNames(users, new Set(users.map((user) => emailKey(user.email))), taken));
  return stillOpen(users, rows);
}

function stillOpen(users: readonly DesiredUser[], rows: Rows): DesiredUser[] {
  const open = new Set(rows.open.map((row) => row.line));
  return users.filter((user) => open.has(user.line));
}

export function planAdds(users: readonly DesiredUser[], lookup: Lookup): Plan {
  return lookup.plan(users.map((user) => addition(user, lookup.policy)));
}

/** Deletes the rows' users and nobody else; a missing user is a skipped row. */
export function planDeletes(rows: Rows, lookup: Lookup): Plan {
  const changes: DeleteChange[] = [];
  for (const row of rows.open) {
    const user = lookup.touchable(row, rows);
    if (user !== null) changes.push({ ...lookup.deletion(user), email: row.email });
    else if (rows.left.has(row)) continue;
    else if (isEmail(row.email)) rows.skip(row, NOT_THERE);
    else rows.refuse(badEmails([row], new Set()));
  }
  return lookup.plan(changes);
}
