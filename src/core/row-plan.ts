import {
  badEmails,
  type DesiredUser,
  isEmail,
  type KnownEmails,
  resolveTeams,
  type UserList,
  type UserRow,
} from './desired.ts';
import {
  addition,
  deletion,
  namelessMessage,
  namelessUsers,
  type Policy,
  planOf,
  sharedMessage,
  takenKeyNames,
  WHY_UNTOUCHED,
} from './diff.ts';
import { emailKey, type Inventory, type UserWithEmail } from './inventory.ts';
import type { Failed, Outcome, Skipped } from './outcome.ts';
import type { AddChange, Change, DeleteChange, InviteChange, Plan } from './plan.ts';
import type { Problem } from './problem.ts';
import { meantUser, type Population, splitManaged, UsersByEmail } from './scope.ts';
import { type Memberships, memberships, type TeamDirectory, teamDirectory, teamRefs, UNKNOWN_TEAM } from './teams.ts';

/** A row of the file: a change of the plan, or why it is none. */
export type RowEntry = { readonly index: number } | { readonly left: Failed | Skipped };

/** What single rows ask for: that is done, and no other user is touched. */
export interface RowPlan {
  readonly plan: Plan;
  /** What carrying a row out means. */
  readonly action: 'ADDED' | 'DELETED';
  /** One entry a row, in the order of the file. */
  readonly entries: readonly RowEntry[];
  /** What is wrong with rows, in the order of the file. */
  readonly problems: readonly Problem[];
}

/** The changes of rows by the line where the row begins. */
export type ChangesByLine = ReadonlyMap<number, Change>;

/** The plan of these changes, and what became of every row. */
export function rowPlan(rows: Rows, changes: ChangesByLine, lookup: Lookup): RowPlan {
  const plan = lookup.plan([...changes.values()]);
  const indexes = new Map(plan.changes.map((change, index) => [change, index]));
  const entries = rows.all.flatMap((row): RowEntry[] => {
    const left = rows.left.get(row);
    if (left !== undefined) return [{ left }];
    const change = changes.get(row.line);
    return change === undefined ? [] : [{ index: indexes.get(change) as number }];
  });
  return { plan, action: rows.action, entries, problems: rows.problems };
}

/** The outcomes of a file's rows in their order; those of changes by their index. */
export function outcomesOfRows(entries: readonly RowEntry[], outcomes: readonly Outcome[]): Outcome[] {
  const byIndex = new Map(outcomes.map((outcome) => [outcome.index, outcome]));
  return entries.flatMap((entry) => ('left' in entry ? entry.left : (byIndex.get(entry.index) ?? [])));
}

/** Rows whose users exist already are skipped; those of somebody without email whose id is the row's are refused. */
export function skipExisting(rows: Rows, lookup: Lookup): void {
  for (const row of rows.open) {
    if (lookup.has(row.email)) rows.skip(row, 'exists');
    else lookup.refuseNameless(row, rows);
  }
}

/** A fresh link for each row whose user exists. Rows whose user must not be touched are refused. */
export function planInvites(rows: Rows, lookup: Lookup): Map<number, InviteChange> {
  const found = new Map<number, InviteChange>();
  for (const row of rows.open) {
    const user = lookup.touchable(row, rows);
    if (user === null) continue;
    if (user.activity === 'active') found.set(row.line, lookup.invitation(user));
    else rows.refuseRow(row, INACTIVE, user.userId);
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

export function planAdds(users: readonly DesiredUser[], lookup: Lookup): Map<number, AddChange> {
  return new Map(users.map((user) => [user.line, addition(user, lookup.policy)]));
}

/** Deletes the rows' users and nobody else; a missing user is a skipped row. */
export function planDeletes(rows: Rows, lookup: Lookup): Map<number, DeleteChange> {
  const changes = new Map<number, DeleteChange>();
  for (const row of rows.open) {
    const user = lookup.touchable(row, rows);
    if (user !== null) changes.set(row.line, { ...lookup.deletion(user), email: row.email });
    else if (rows.left.has(row)) continue;
    else if (isEmail(row.email)) rows.skip(row, 'missing');
    else rows.refuse(badEmails([row], new Set()));
  }
  return changes;
}

/** Why a row is not carried out although nothing is wrong with it. */
const ALREADY_THERE = 'User already exists in the system';
const NOT_THERE = 'User not found in the system';

const INACTIVE =
  'The user is deactivated, and nobody inactive gets a link. Put their row back into the list that `sync` reads, which reactivates them.';

/** Problems that are about no single row: a header, quotes that may have swallowed the rest of the file. */
export function problemsOfFile(list: UserList): Problem[] {
  const lines = new Set(list.rows.map((row) => row.line));
  return list.problems.filter(({ line, column }) => line === null || column === null || !lines.has(line));
}

/** The rows of a file on their way to a plan: those that are still open, and what became of the others. Holds state. */
export class Rows {
  readonly all: readonly UserRow[];
  /** Rows that are not carried out: `FAILED` for a bad one, `SKIPPED` where there is nothing to do. */
  readonly left = new Map<UserRow, Failed | Skipped>();
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
      byLine.set(problem.line, [...(byLine.get(problem.line) ?? []), manualReason(problem)]);
    }
    for (const row of this.open) {
      const reasons = byLine.get(row.line);
      if (reasons !== undefined) this.#fail(row, reasons.join(' '));
    }
  }

  refuseRow(row: UserRow, message: string, userId = ''): void {
    this.#problems.push({ line: row.line, column: row.columns.email, message });
    this.#fail(row, message, userId);
  }

  skip(row: UserRow, code: 'exists' | 'missing'): void {
    const reason = code === 'exists' ? ALREADY_THERE : NOT_THERE;
    this.left.set(row, { ...this.#base(row, ''), status: 'SKIPPED', code, reason });
  }

  #fail(row: UserRow, reason: string, userId = ''): void {
    this.left.set(row, { ...this.#base(row, userId), status: 'FAILED', code: 'row', reason });
  }

  #base(row: UserRow, userId: string) {
    return {
      index: null,
      action: this.action,
      email: row.email,
      userId,
      role: row.roleText || this.#blankRole,
      teamName: row.teamNames?.join(';') ?? '',
      key: null,
    };
  }
}

/** The manual's words in an error file: its readers search for them. The email itself stands beside them. */
function manualReason({ code, message }: Problem): string {
  switch (code) {
    case 'invalid email':
      return 'Invalid email format';
    case 'unknown team':
      return `Team not found:${message.slice(UNKNOWN_TEAM.length)}`;
    default:
      return message;
  }
}

/** What is known of the proxy while rows are looked at. */
export class Lookup {
  readonly inventory: Inventory;
  readonly directory: TeamDirectory;
  readonly policy: Policy;
  readonly #population: Population;
  readonly #users: UsersByEmail;
  readonly #memberships: Memberships;
  readonly #nameless: ReadonlyMap<string, string>;

  constructor(inventory: Inventory, policy: Policy) {
    this.inventory = inventory;
    this.directory = teamDirectory(inventory.teams);
    this.policy = policy;
    this.#population = splitManaged(inventory, policy.protectedUsers);
    this.#users = new UsersByEmail(inventory.users);
    this.#memberships = memberships(inventory.teams);
    this.#nameless = namelessUsers(inventory.users);
  }

  has(email: string): boolean {
    return this.#users.has(emailKey(email));
  }

  /** Emails that the proxy has: it checks none, so that odd ones are among them. */
  get emails(): KnownEmails {
    return this.#users;
  }

  /** The one user of a row who may be touched; `null` where there is none. Any obstacle refuses the row. */
  touchable(row: UserRow, rows: Rows): UserWithEmail | null {
    const all = this.#users.get(emailKey(row.email));
    if (all.length === 0) {
      this.refuseNameless(row, rows);
      return null;
    }
    const user = meantUser(all, this.#population.unmanaged);
    const reason = user && this.#population.unmanaged.get(user);
    if (user === null) {
      const ids = all.map((one) => one.userId);
      rows.refuseRow(row, sharedMessage(row.email, all), ids.sort().join(';'));
    } else if (reason !== undefined && reason !== null && reason !== 'without email') {
      rows.refuseRow(row, `\`${row.email}\` ${WHY_UNTOUCHED[reason]}.`, user.userId);
    } else {
      return user;
    }
    return null;
  }

  /** A user without email whose id is the row's email: LiteLLM makes such ones by JWT and SSO, and fills the email in later. */
  refuseNameless(row: UserRow, rows: Rows): void {
    const userId = this.#nameless.get(emailKey(row.email));
    if (userId !== undefined) rows.refuseRow(row, namelessMessage(row.email, userId), userId);
  }

  deletion(user: UserWithEmail): DeleteChange {
    return deletion(user, { memberships: this.#memberships, directory: this.directory, policy: this.policy });
  }

  /** By the address that the proxy has: it is the one that the link is mailed to. */
  invitation(user: UserWithEmail): InviteChange {
    const { full, half } = this.#memberships(user);
    const teams = teamRefs([...full, ...half], this.directory);
    return { kind: 'invite', email: user.email.trim(), userId: user.userId, role: user.role, teams, withheld: null };
  }

  plan(changes: readonly Change[]): Plan {
    const listsDeletes = changes.some((change) => change.kind === 'delete');
    return planOf({ changes, unchanged: [] }, this.inventory, this.#population, { ...this.policy, listsDeletes });
  }
}

/** The words of the Python tools' manuals: readers of their files search for them. */
const CLASSES: Partial<Record<Failed['code'], string>> = {
  invalid: 'Bad request',
  unauthorized: 'Unauthorized',
  forbidden: 'Forbidden',
};

/** What became of a new user, in the words of the manual of `add_user.py`. */
export function addedInWords(outcome: Outcome): Outcome {
  if (outcome.status !== 'FAILED' || outcome.userId !== '' || outcome.action !== 'ADDED') return outcome;
  if (outcome.code === 'exists') return { ...outcome, status: 'SKIPPED', code: 'exists', reason: ALREADY_THERE };
  return { ...outcome, reason: classified(outcome) };
}

/** What became of a delete, in the words of the manual of `del_user.py`. */
export function deletedInWords(outcome: Outcome): Outcome {
  if (outcome.status !== 'FAILED' || outcome.code === 'row') return outcome;
  return { ...outcome, reason: `Failed to delete user (${classified(outcome)})` };
}

function classified({ code, reason }: Failed): string {
  const found = CLASSES[code];
  return found === undefined ? reason : `${found}: ${reason}`;
}
