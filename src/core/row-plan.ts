import { badEmails, type DesiredUser, isEmail, resolveTeams, type UserList, type UserRow } from './desired.ts';
import { addition, takenKeyNames } from './diff.ts';
import type { Lookup } from './index.ts';
import { emailKey } from './inventory.ts';
import type { Outcome } from './outcome.ts';
import type { DeleteChange, Plan, UnchangedUser } from './plan.ts';
import type { Problem } from './problem.ts';

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

/** Why a row is not carried out although nothing is wrong with it. */
export const ALREADY_THERE = 'User already exists in the system';
const NOT_THERE = 'User not found in the system';

/** Problems that are about no single row: a header, quotes that may have swallowed the rest of the file. */
export function problemsOfFile(list: UserList): Problem[] {
  const lines = new Set(list.rows.map((row) => row.line));
  return list.problems.filter(({ line, column }) => line === null || column === null || !lines.has(line));
}

/** The rows of a file on their way to a plan: those that are still open, and what became of the others. Holds state. */
export class Rows {
  readonly all: readonly UserRow[];
  /** Rows that are not carried out: `FAILED` for a bad one, `SKIPPED` where there is nothing to do. */
  readonly left = new Map<UserRow, Outcome>();
  readonly #problems: Problem[] = [];
  readonly #blankRole: string;
  /** What carrying a row out means. */
  readonly action: 'ADDED' | 'DELETED';

  /** @param blankRole the role that a blank cell stands for */
  constructor(all: readonly UserRow[], action: 'ADDED' | 'DELETED', blankRole: string) {
    this.all = all;
    this.action = action;
    this.#blankRole = blankRole;
  }

  get open(): UserRow[] {
    return this.all.filter((row) => !this.left.has(row));
  }

  /** What is wrong with rows, in the order of the file. */
  get problems(): Problem[] {
    return [...this.#problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  }

  /** Takes the rows out that the problems are about; several problems of one row make one reason. */
  refuse(problems: readonly Problem[]): void {
    this.#problems.push(...problems);
    const byLine = new Map<number | null, string[]>();
    for (const problem of problems) {
      byLine.set(problem.line, [...(byLine.get(problem.line) ?? []), reasonOf(problem)]);
    }
    for (const row of this.open) {
      const reasons = byLine.get(row.line);
      if (reasons !== undefined) this.#leave(row, 'FAILED', reasons.join(' '));
    }
  }

  refuseRow(row: UserRow, message: string, userId = ''): void {
    this.#problems.push({ line: row.line, column: row.emailColumn, message });
    this.#leave(row, 'FAILED', message, userId);
  }

  skip(row: UserRow, reason: string): void {
    this.#leave(row, 'SKIPPED', reason);
  }

  #leave(row: UserRow, status: 'FAILED' | 'SKIPPED', reason: string, userId = ''): void {
    this.left.set(row, {
      action: this.action,
      email: row.email,
      userId,
      role: row.roleText || this.#blankRole,
      teamName: row.teamNames?.join(';') ?? '',
      keyShown: '',
      status,
      reason,
    });
  }
}

/** The manual's words in an error file: its readers search for them. The email itself stands beside them. */
function reasonOf({ message }: Problem): string {
  if (message.startsWith('Invalid email format')) return 'Invalid email format';
  return message.replace(/^Unknown team/, 'Team not found:');
}
