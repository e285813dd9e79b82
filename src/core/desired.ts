import { readTable, type TableRow, type TableSpec } from './csv.ts';
import { didYouMean } from './did-you-mean.ts';
import { emailKey, isRole, ROLES, type Role } from './inventory.ts';
import type { TeamRef } from './plan.ts';
import type { Problem } from './problem.ts';
import type { TeamDirectory } from './teams.ts';

/** A role as a row asks for it. Blank leaves an existing role alone, `default` lets the proxy decide for a new user. */
export type DesiredRole = Role | 'blank' | 'default';

/** What a cell asks for: blank leaves alone what is there, `-` means none. */
export type DesiredLimit<T> =
  | { readonly kind: 'unmanaged' }
  | { readonly kind: 'none' }
  | { readonly kind: 'value'; readonly value: T };

export interface DesiredLimits {
  readonly maxBudget: DesiredLimit<number>;
  readonly budgetDuration: DesiredLimit<string>;
  readonly tpmLimit: DesiredLimit<number>;
  readonly rpmLimit: DesiredLimit<number>;
  readonly models: DesiredLimit<readonly string[]>;
}

const UNMANAGED = { kind: 'unmanaged' } as const;

/** A row without cells for limits. */
export const NO_LIMITS: DesiredLimits = {
  maxBudget: UNMANAGED,
  budgetDuration: UNMANAGED,
  tpmLimit: UNMANAGED,
  rpmLimit: UNMANAGED,
  models: UNMANAGED,
};

/** The cells of an account's life, as rows and desired users have them. */
export interface LifeCells {
  readonly limits: DesiredLimits;
  readonly limitColumns: Readonly<Record<keyof DesiredLimits, number>>;
  /** The email under which the user may still be on the proxy. */
  readonly previousEmail: string | null;
  readonly previousEmailColumn: number;
  /** `YYYY-MM-DD`, the last day of the account. */
  readonly expires: string | null;
  readonly expiresColumn: number;
}

/** A row of the file, its cells understood as far as that goes without knowing the proxy. */
export interface UserRow extends LifeCells {
  readonly line: number;
  readonly email: string;
  readonly emailColumn: number;
  readonly role: DesiredRole;
  /** As written, also where it is none of the allowed ones. */
  readonly roleText: string;
  /** Names or ids as written; `null`: blank, not managed; empty: `-`, no team at all. */
  readonly teamNames: readonly string[] | null;
  readonly teamColumn: number;
  readonly keyName: string | null;
  readonly keyColumn: number;
}

export interface UserList {
  readonly rows: readonly UserRow[];
  readonly problems: readonly Problem[];
  /** False where nothing could be read at all. */
  readonly readable: boolean;
}

/** A row whose teams were found on the proxy. */
export interface DesiredUser extends LifeCells {
  readonly line: number;
  readonly email: string;
  readonly emailColumn: number;
  readonly role: DesiredRole;
  /** `null`: not managed. Empty: no team at all. */
  readonly teams: readonly TeamRef[] | null;
  readonly keyName: string | null;
  readonly keyColumn: number;
}

const USER_LIST: TableSpec = {
  columns: ['email', 'role', 'team_name', 'key_name'],
  required: ['email'],
};

/** `user_dellist.csv`. A column more is an error: a list of users to keep must not pass for one of users to delete. */
export const DELETE_LIST: TableSpec = { columns: ['email'], required: ['email'] };

/** `users.csv` of `onboard`; one email a line without a header will do too, the first perhaps misspelt. */
export const ONBOARD_LIST: TableSpec = {
  columns: ['email', 'role', 'team_id', 'team_name', 'key_name'],
  required: ['email'],
  aliases: { user_email: 'email', user_role: 'role' },
  shown: ['user_email', 'team_id'],
  bare: { column: 'email', is: (cell) => cell.includes('@') },
};

/** Reads a `user_list.csv`: rows as far as they are readable, and everything that is wrong with them. */
export function readUserList(bytes: Uint8Array, spec: TableSpec = USER_LIST): UserList {
  const table = readTable(bytes, spec);
  const problems: Problem[] = [...table.problems];
  const rows = table.rows.map((row) => userRow(row, problems));
  problems.push(...repeatedEmails(rows));
  return { rows, problems, readable: table.readable };
}

function userRow(row: TableRow, problems: Problem[]): UserRow {
  const email = row.cell('email');
  const key = row.cell('key_name');
  const role = readRole(row, problems);
  if (email.text === '') problems.push({ line: row.line, column: email.column, message: 'The row has no email.' });
  return {
    line: row.line,
    email: email.text,
    emailColumn: email.column,
    role,
    roleText: row.cell('role').text,
    ...readTeams(row, problems),
    keyName: key.text === '' ? null : key.text,
    keyColumn: key.column,
    limits: NO_LIMITS,
    limitColumns: { maxBudget: 0, budgetDuration: 0, tpmLimit: 0, rpmLimit: 0, models: 0 },
    previousEmail: null,
    previousEmailColumn: 0,
    expires: null,
    expiresColumn: 0,
  };
}

/** Blank, `default` or one of ours; anything else is a problem and reads as blank. */
function readRole(row: TableRow, problems: Problem[]): DesiredRole {
  const { text, column } = row.cell('role');
  if (text === '') return 'blank';
  if (text === 'default' || isRole(text)) return text;
  const allowed = [...ROLES, 'default'];
  const message = `Invalid role \`${text}\`.${didYouMean(text, allowed)} Allowed: ${allowed.join(', ')}, or blank.`;
  problems.push({ line: row.line, column, message });
  return 'blank';
}

/** Names and ids are taken alike, from either column or both. */
function readTeams(row: TableRow, problems: Problem[]): Pick<UserRow, 'teamNames' | 'teamColumn'> {
  const cells = [row.cell('team_id'), row.cell('team_name')].filter((cell) => cell.text !== '');
  const [first] = cells;
  if (first === undefined) return { teamNames: null, teamColumn: row.cell('team_name').column };
  const teamColumn = first.column;
  if (cells.every((cell) => cell.text === '-')) return { teamNames: [], teamColumn };
  const names = cells.flatMap((cell) => cell.text.split(';')).flatMap((part) => part.trim() || []);
  if (names.includes('-')) {
    const message = '`-` means no team at all and must stand alone; a team of that name is written by its id.';
    problems.push({ line: row.line, column: teamColumn, message });
  }
  return { teamNames: [...new Set(names)], teamColumn };
}

function repeatedEmails(rows: readonly UserRow[]): Problem[] {
  const first = new Map<string, number>();
  return rows.flatMap((row) => {
    if (row.email === '') return [];
    const key = emailKey(row.email);
    const line = first.get(key);
    if (line === undefined) {
      first.set(key, row.line);
      return [];
    }
    const message = `\`${row.email}\` stands on line ${line} already, and again on line ${row.line} (letter case does not count). Remove one of them.`;
    return [{ line: row.line, column: row.emailColumn, message }];
  });
}

/** `\p{C}`: also what is not seen, as a zero-width space that came along with copying. */
const EMAIL = /^[^\s@,;:<>()[\]"\\\p{C}]+@[^\s@,;:<>()[\]"\\\p{C}.]+(\.[^\s@,;:<>()[\]"\\\p{C}.]+)+$/u;

/** `name@example.com`: what no mail server would take is refused, though the proxy takes anything. */
export function isEmail(text: string): boolean {
  return EMAIL.test(text);
}

/** Emails that cannot be right; one that the proxy has already (it checks nothing) is let be. */
export function badEmails(rows: readonly UserRow[], known: ReadonlySet<string>): Problem[] {
  return rows
    .filter((row) => row.email !== '' && !isEmail(row.email) && !known.has(emailKey(row.email)))
    .map((row) => ({
      line: row.line,
      column: row.emailColumn,
      message: `Invalid email format: \`${row.email}\`. Expected name@example.com.`,
    }));
}

/** Looks the rows' teams up; rows that name an unknown or ambiguous one become problems. */
export function resolveTeams(
  rows: readonly UserRow[],
  directory: TeamDirectory,
): { users: DesiredUser[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const users = rows.map((row): DesiredUser => {
    const { teamNames, teamColumn, roleText: _, ...rest } = row;
    return { ...rest, teams: teamNames && resolveRow(teamNames, { row, teamColumn, directory, problems }) };
  });
  return { users, problems };
}

function resolveRow(
  names: readonly string[],
  at: { row: UserRow; teamColumn: number; directory: TeamDirectory; problems: Problem[] },
): TeamRef[] {
  const found = new Map<string, TeamRef>();
  for (const name of names) {
    const lookup = at.directory.find(name);
    if (lookup.found) found.set(lookup.team.teamId, lookup.team);
    else at.problems.push({ line: at.row.line, column: at.teamColumn, message: lookup.message });
  }
  return [...found.values()];
}
