import { type CsvTable, readTable, type TableRow, type TableSpec } from './csv.ts';
import { codePointsOf, didYouMean, shown, skeleton } from './did-you-mean.ts';
import { emailKey, isRole, nameKey, ROLES, type Role } from './inventory.ts';
import type { TeamRef } from './plan.ts';
import { type Problem, withCells } from './problem.ts';
import { Shared } from './shared.ts';
import { isNoTeam, type TeamDirectory, teamCellFault } from './teams.ts';
import {
  type DesiredLimits,
  LIMIT_HEADERS,
  type LimitColumns,
  limitColumns,
  NO_LIMITS,
  readDate,
  readLimits,
} from './user-limits.ts';

export { type DesiredLimits, NO_LIMITS } from './user-limits.ts';

/** A role as a row asks for it. Blank leaves an existing role alone, `default` lets the proxy decide for a new user. */
export type DesiredRole = Role | 'blank' | 'default';

/** What a row and the user that it asks for have in common. */
interface RowCells {
  readonly line: number;
  readonly email: string;
  readonly role: DesiredRole;
  readonly keyName: string | null;
  readonly limits: DesiredLimits;
  /** The email that the row's user has had so far. */
  readonly previousEmail: string | null;
  /** The last day (`YYYY-MM-DD`, UTC) on which the row counts. */
  readonly expires: string | null;
  readonly columns: RowColumns;
}

/** Where a row has its cells, 1-based; 1 without such a column. Shared by the rows of a file. */
interface RowColumns {
  readonly email: number;
  readonly team: number;
  readonly key: number;
  readonly limits: LimitColumns;
  readonly previousEmail: number;
  readonly expires: number;
}

/** A row of the file, its cells understood as far as that goes without knowing the proxy. */
export interface UserRow extends RowCells {
  /** As written, also where it is none of the allowed ones. */
  readonly roleText: string;
  /** Cells as written: a name, an id, or several joined by `;`. `null`: blank, not managed; empty: `-`, no team at all. */
  readonly teamNames: readonly string[] | null;
}

export interface UserList {
  /** The header's cells as written. */
  readonly header: readonly string[];
  readonly rows: readonly UserRow[];
  readonly problems: readonly Problem[];
  /** False where nothing could be read at all. */
  readonly readable: boolean;
}

/** A row whose teams were found on the proxy. */
export interface DesiredUser extends RowCells {
  /** `null`: not managed. Empty: no team at all. */
  readonly teams: readonly TeamRef[] | null;
}

const BASIC = ['email', 'role', 'team_name', 'key_name'];
const LIMITS = Object.values(LIMIT_HEADERS);
const LIFE = ['previous_email', 'expires'];

const notHere = (columns: readonly string[], why: string): [string, string][] => columns.map((column) => [column, why]);

const FOR_SYNC = 'is read by `sync` alone: remove it here.';

/** `user_list.csv` of `sync`. */
const USER_LIST: TableSpec = { columns: [...BASIC, ...LIMITS, ...LIFE], required: ['email'], shown: BASIC };

/** `user_addlist.csv`. */
export const ADD_LIST: TableSpec = {
  columns: [...BASIC, ...LIMITS],
  required: ['email'],
  shown: BASIC,
  elsewhere: new Map(notHere(LIFE, FOR_SYNC)),
};

/** `user_dellist.csv`. A column more is an error: a list of users to keep must not pass for one of users to delete. */
export const DELETE_LIST: TableSpec = { columns: ['email'], required: ['email'] };

/** `users.csv` of `onboard`; one email a line without a header will do too, the first perhaps misspelt. */
export const ONBOARD_LIST: TableSpec = {
  columns: ['email', 'role', 'team_id', 'team_name', 'key_name'],
  required: ['email'],
  shown: ['user_email', 'team_id'],
  bare: { column: 'email', is: (cell) => cell.includes('@') },
  elsewhere: new Map([
    ...notHere(LIFE, FOR_SYNC),
    ...notHere(LIMITS, 'is read by `sync` and `add` alone: remove it here.'),
  ]),
  alsoRead: [
    {
      header: ['action', 'email', 'user_id', 'role', 'team_name', 'api_keys', 'status', 'error_reason'],
      kept: ['action'],
    },
    { header: ['email', 'role', 'user_id', 'team_name', 'models', 'api_keys', 'invitation_url'], kept: [] },
  ],
};

/** Rows of a result file whose users were taken away: a link would bring them back. */
const GONE: ReadonlySet<string> = new Set(['DELETED', 'DEACTIVATED']);

/** Reads a `user_list.csv`: rows as far as they are readable, and everything that is wrong with them. */
export function readUserList(bytes: Uint8Array, spec: TableSpec = USER_LIST): UserList {
  const table = readTable(bytes, spec);
  const problems: Problem[] = [...table.problems];
  const kept = table.rows.filter((row) => !GONE.has(row.cell('action').text));
  const rows = readRows(kept, table, problems);
  problems.push(...repeatedEmails(rows), ...takenPreviousEmails(rows));
  const { header, readable } = table;
  return { header, rows, problems: withCells(problems, { header, rows }), readable };
}

function readRows(rows: readonly TableRow[], table: CsvTable, problems: Problem[]): UserRow[] {
  const [first] = rows;
  if (first === undefined) return [];
  const shared: SharedByRows = {
    byId: columnsOf(first, 'team_id'),
    byName: columnsOf(first, 'team_name'),
    hasLimits: LIMITS.some((column) => table.columns.has(column)),
    texts: new Shared(),
  };
  return rows.map((row) => userRow(row, shared, problems));
}

/** Once for all rows: 100,000 of them share the columns, few roles and teams, and most files set no limits. */
interface SharedByRows {
  /** With the column of the team's id. */
  readonly byId: RowColumns;
  readonly byName: RowColumns;
  readonly hasLimits: boolean;
  readonly texts: Shared;
}

function columnsOf(row: TableRow, team: 'team_id' | 'team_name'): RowColumns {
  const at = (column: string): number => row.cell(column).column;
  return {
    email: at('email'),
    team: at(team),
    key: at('key_name'),
    limits: limitColumns(row),
    previousEmail: at('previous_email'),
    expires: at('expires'),
  };
}

function userRow(row: TableRow, shared: SharedByRows, problems: Problem[]): UserRow {
  const email = row.cell('email');
  const key = row.cell('key_name');
  const previous = row.cell('previous_email');
  const roleText = shared.texts.text(row.cell('role').text);
  const role = readRole(row, roleText, problems);
  if (email.text === '') problems.push({ line: row.line, column: email.column, message: 'The row has no email.' });
  return {
    line: row.line,
    email: email.text,
    role,
    roleText,
    ...readTeams(row, shared, problems),
    keyName: key.text === '' || key.text === '-' ? null : key.text,
    limits: shared.hasLimits ? readLimits(row, problems) : NO_LIMITS,
    previousEmail: previous.text === '' || previous.text === '-' ? null : previous.text,
    expires: readDate(row, 'expires', problems),
  };
}

/** Blank, `default` or one of ours; anything else is a problem and reads as blank. */
function readRole(row: TableRow, text: string, problems: Problem[]): DesiredRole {
  if (text === '') return 'blank';
  if (text === 'default' || isRole(text)) return text;
  const allowed = [...ROLES, 'default'];
  const message = `Invalid role \`${text}\`.${didYouMean(text, allowed)} Allowed: ${allowed.join(', ')}, or blank.`;
  problems.push({ line: row.line, column: row.cell('role').column, message });
  return 'blank';
}

/** Names and ids are taken alike, from either column or both. */
function readTeams(
  row: TableRow,
  { byId, byName, texts }: SharedByRows,
  problems: Problem[],
): Pick<UserRow, 'teamNames' | 'columns'> {
  const cells = [row.cell('team_id'), row.cell('team_name')].filter((cell) => cell.text !== '');
  const columns = row.cell('team_id').text === '' ? byName : byId;
  if (cells.length === 0) return { teamNames: null, columns };
  if (cells.every((cell) => isNoTeam(cell.text))) return { teamNames: texts.list([]), columns };
  for (const { text, column } of cells) {
    const message = teamCellFault(text, cells.length > 1);
    if (message !== null) problems.push({ line: row.line, column, message });
  }
  return { teamNames: texts.list(cells.map((cell) => cell.text)), columns };
}

function repeatedEmails(rows: readonly UserRow[]): Problem[] {
  const first = new Map<string, UserRow>();
  const repeated = rows.filter((row) => {
    const key = emailKey(row.email);
    if (row.email === '' || first.has(key)) return row.email !== '';
    first.set(key, row);
    return false;
  });
  return repeated.map((row) => {
    const before = first.get(emailKey(row.email)) as UserRow;
    const isTypedAlike = row.email.toLowerCase() === before.email.toLowerCase();
    const note = isTypedAlike
      ? 'letter case does not count'
      : `the same letters in other code points: ${codePointsOf(row.email, before.email)}`;
    const message = `\`${row.email}\` stands on line ${before.line} already, and again on line ${row.line} (${note}). Remove one of them.`;
    return { line: row.line, column: row.columns.email, message };
  });
}

/** A rename from an address that another row has or renames, too: which user is meant would be a guess. */
function takenPreviousEmails(rows: readonly UserRow[]): Problem[] {
  const renames = rows.filter((row) => row.previousEmail !== null);
  if (renames.length === 0) return [];
  const emails = new Map(rows.map((row) => [emailKey(row.email), row.line]));
  const first = new Map<string, number>();
  return renames.flatMap((row) => {
    const previous = row.previousEmail as string;
    const key = emailKey(previous);
    const at = (message: string): Problem => ({ line: row.line, column: row.columns.previousEmail, message });
    const found: Problem[] = [];
    const line = emails.get(key);
    if (line === row.line) {
      found.push(at(`\`${previous}\` is the row's own email. Write the email that the user had before, or nothing.`));
    } else if (line !== undefined) {
      found.push(
        at(
          `\`${previous}\` on line ${row.line} is the email of line ${line}, too: one user cannot be both. A chain of renames takes one merge for each.`,
        ),
      );
    }
    const before = first.get(key);
    if (before === undefined) first.set(key, row.line);
    else
      found.push(
        at(
          `previous_email \`${previous}\` stands on line ${before} already, and again on line ${row.line}. Remove one of them.`,
        ),
      );
    return found;
  });
}

/** Letters and digits of any script, and the marks that mail servers take. An apostrophe is allowed inside only. */
const LOCAL = /^(?!')[\p{L}\p{M}\p{Nd}!$%&'+=?^_{|}~-]+(\.[\p{L}\p{M}\p{Nd}!$%&'+=?^_{|}~-]+)*(?<!')$/u;
const DOMAIN = /^(?!-)[\p{L}\p{M}\p{Nd}-]+(?<!-)(\.(?!-)[\p{L}\p{M}\p{Nd}-]+(?<!-))+$/u;

/** What is not seen (a zero-width space that came along with copying, a filler letter), and fullwidth ASCII. */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{C}\uff01-\uff5e]/u;

/** Sources: RFC 5321, 4.5.3.1.1, and its limit of a path, which holds an address in brackets. */
const LONGEST_LOCAL = 64;
const LONGEST_EMAIL = 254;

/** `name@example.com`: what no mail server would take is refused, though the proxy takes anything. */
export function isEmail(text: string): boolean {
  return emailFault(text) === null;
}

/** What is wrong with an email: a sentence, or `''` where that is plain to see; `null` if nothing is. */
function emailFault(text: string): string | null {
  const email = nameKey(text);
  const at = email.lastIndexOf('@');
  const local = email.slice(0, Math.max(at, 0));
  const odd = [...email].filter(
    (char) => /[^ -~]/.test(char) && (UNSEEN.test(char) || !/[\p{L}\p{M}\p{Nd}]/u.test(char)),
  );
  if (odd.length > 0) return ` It holds ${shown(odd)}, which no email has.`;
  if (!LOCAL.test(local) || !DOMAIN.test(email.slice(at + 1))) return '';
  const [before, all] = [[...local].length, [...email].length];
  if (before > LONGEST_LOCAL) return ` It has ${before} characters before the \`@\`; ${LONGEST_LOCAL} are allowed.`;
  return all > LONGEST_EMAIL ? ` It has ${all} characters; ${LONGEST_EMAIL} are allowed.` : null;
}

/** The {@link emailKey} of every email on the proxy: a set, or what users are found in by it. */
export interface KnownEmails {
  has(key: string): boolean;
  keys(): Iterable<string>;
}

/**
 * Emails that cannot be right, and new ones that look like another one; one that the proxy has already (it checks
 * nothing) is accepted.
 */
export function badEmails(rows: readonly UserRow[], known: KnownEmails): Problem[] {
  const fresh = rows.filter((row) => row.email !== '' && !known.has(emailKey(row.email)));
  if (fresh.length === 0) return [];
  const twinOf = twins(rows, known);
  return fresh.flatMap((row) => {
    const at = (column: number, message: string): Problem => ({ line: row.line, column, message });
    const invalidAt = (column: number, message: string): Problem => ({ ...at(column, message), code: 'invalid email' });
    const fault = emailFault(row.email);
    const twin = twinOf(row);
    const { previousEmail } = row;
    const isOddBefore = previousEmail !== null && !known.has(emailKey(previousEmail)) && !isEmail(previousEmail);
    return [
      ...(fault === null ? [] : [invalidAt(row.columns.email, invalid(row.email, fault) + (twin ? ` ${twin}` : ''))]),
      ...(fault === null && twin !== null
        ? [at(row.columns.email, `${twin} Write it the same, or create this user in LiteLLM if there really are two.`)]
        : []),
      ...(isOddBefore ? [invalidAt(row.columns.previousEmail, invalid(previousEmail, ''))] : []),
    ];
  });
}

function invalid(email: string, fault: string): string {
  return `Invalid email format: \`${email}\`. Expected name@example.com.${fault}`;
}

/** What an email looks like; a mark in front of it is as good as unseen. */
function emailSkeleton(email: string): string {
  return skeleton(email).replace(/^[^\p{L}\p{N}_]+/u, '');
}

interface KnownEmail {
  readonly email: string;
  /** `null`: a user of the proxy. */
  readonly line: number | null;
}

/** Says of a new email which other one it looks like, on the proxy or in the file; `null` if none. */
function twins(rows: readonly UserRow[], known: KnownEmails): (row: UserRow) => string | null {
  const seen = lookAlikes(rows, known);
  return (row) => {
    const key = emailKey(row.email);
    const renamed = row.previousEmail === null ? key : emailKey(row.previousEmail);
    const twin = seen.get(emailSkeleton(key))?.find(({ email }) => email !== key && email !== renamed);
    if (twin === undefined) return null;
    const where = twin.line === null ? 'on the proxy' : `on line ${twin.line}`;
    return `\`${row.email}\` looks like \`${twin.email}\` ${where} and is another address: it has ${codePointsOf(key, twin.email)}.`;
  };
}

/** Emails by what they look like. Two plain ones never look alike, so that only those beside an odd one are kept. */
function lookAlikes(rows: readonly UserRow[], known: KnownEmails): Map<string, KnownEmail[]> {
  const forEach = (visit: (email: string, line: number | null) => void): void => {
    for (const row of rows) visit(emailKey(row.email), row.line);
    for (const email of known.keys()) visit(email, null);
  };
  const seen = new Map<string, KnownEmail[]>();
  forEach((email) => {
    const form = emailSkeleton(email);
    if (form !== email) seen.set(form, []);
  });
  if (seen.size > 0) forEach((email, line) => void seen.get(emailSkeleton(email))?.push({ email, line }));
  return seen;
}

/** Looks the rows' teams up; rows that name an unknown or ambiguous one become problems. */
export function resolveTeams(
  rows: readonly UserRow[],
  directory: TeamDirectory,
): { users: DesiredUser[]; problems: Problem[] } {
  const problems: Problem[] = [];
  // By the list, which rows of the same cells share: so they share the teams, too.
  const resolved = new Map<readonly string[], RowTeams>();
  const teamsOf = (cells: readonly string[]): RowTeams => {
    const found = resolved.get(cells) ?? resolveRow(cells, directory);
    resolved.set(cells, found);
    return found;
  };
  const users = rows.map((row): DesiredUser => {
    const { line, email, role, keyName, limits, previousEmail, expires, columns, teamNames } = row;
    const { teams, faults } = teamNames === null ? NOT_MANAGED : teamsOf(teamNames);
    for (const fault of faults) problems.push({ line, column: columns.team, ...fault });
    return { line, email, role, keyName, limits, previousEmail, expires, columns, teams };
  });
  return { users, problems };
}

/** The teams of a row, and what is wrong with its cells. */
interface RowTeams {
  readonly teams: readonly TeamRef[] | null;
  readonly faults: readonly Pick<Problem, 'message' | 'code'>[];
}

const NOT_MANAGED: RowTeams = { teams: null, faults: [] };

function resolveRow(cells: readonly string[], directory: TeamDirectory): RowTeams {
  const teams = new Map<string, TeamRef>();
  const faults: Pick<Problem, 'message' | 'code'>[] = [];
  for (const lookup of cells.flatMap((cell) => directory.read(cell))) {
    if (lookup.found) teams.set(lookup.team.teamId, lookup.team);
    else {
      const { found: _, ...fault } = lookup;
      faults.push(fault);
    }
  }
  return { teams: [...teams.values()], faults };
}

/** What is known while a `user_list.csv` is checked. */
export interface Known {
  readonly directory: TeamDirectory;
  readonly emails: KnownEmails;
  /** `YYYY-MM-DD`, UTC: core has no clock. */
  readonly today: string;
}

/**
 * The users that a `user_list.csv` asks for, and everything that is wrong with it. Of an expired row without a user only
 * email and date are checked: it does nothing any more.
 */
export function desiredUsers(list: UserList, known: Known): { users: DesiredUser[]; problems: Problem[] } {
  const { users, problems } = resolveTeams(list.rows, known.directory);
  const found = [...badEmails(list.rows, known.emails), ...problems, ...swallowedRows(list.rows, known.emails)];
  return { users, problems: withoutOver(list, [...list.problems, ...withCells(found, list)], known) };
}

/** What is wrong with a `user_list.csv` as far as that can be told without the proxy. */
export function problemsOffline(list: UserList, today: string): Problem[] {
  const found = withCells(badEmails(list.rows, new Set()), list);
  return withoutOver(list, [...list.problems, ...found], { emails: new Set(), today });
}

/** Without the problems of expired rows that have no user; those of the row as a whole, its email and its date stay. */
function withoutOver(list: UserList, problems: readonly Problem[], known: Pick<Known, 'emails' | 'today'>): Problem[] {
  if (problems.length === 0) return [];
  const over = new Map(list.rows.flatMap((row) => (isOver(row, known) ? [[row.line, row] as const] : [])));
  return problems.filter(({ line, column }) => {
    const row = line === null ? undefined : over.get(line);
    if (row === undefined || column === null) return true;
    const isSurplus = (list.header[column - 1] ?? '') === '';
    return isSurplus || column === row.columns.email || column === row.columns.expires;
  });
}

function isOver(
  { email, previousEmail, expires }: UserRow,
  { emails, today }: Pick<Known, 'emails' | 'today'>,
): boolean {
  const isKnown = [email, previousEmail ?? ''].some((one) => emails.has(emailKey(one)));
  return expires !== null && expires < today && !isKnown;
}

/**
 * A name that holds the email of a user without a row: two rows have run together, and that user would be deleted. Every
 * other cell that they may end in refuses an email of itself.
 */
function swallowedRows(rows: readonly UserRow[], known: KnownEmails): Problem[] {
  const holding = rows.flatMap((row) =>
    freeNames(row).flatMap(([column, name, at]) => {
      const held = emailsIn(name, known);
      return held.length === 0 ? [] : { line: row.line, column, name, at, held };
    }),
  );
  if (holding.length === 0) return [];
  const listed = new Set(rows.flatMap((row) => [emailKey(row.email), emailKey(row.previousEmail ?? '')]));
  return holding.flatMap(({ line, column, name, at, held }) => {
    const swallowed = held.find((emails) => !emails.some((email) => listed.has(email)))?.[0];
    if (swallowed === undefined) return [];
    const message = `${column} \`${name}\` holds the email of a user who has no row (\`${swallowed}\`). A line break before it is perhaps missing; else choose another ${column}.`;
    return [{ line, column: at, message }];
  });
}

/** The cells of a row that take any text, with their columns. */
function freeNames({ keyName, limits, columns }: UserRow): [string, string, number | null][] {
  const models = limits.models.kind === 'value' ? limits.models.value : [];
  const named = models.map((name): [string, string, number | null] => ['models', name, columns.limits.models]);
  return keyName === null ? named : [['key_name', keyName, columns.key], ...named];
}

/**
 * The known emails in a text, also where letters stand right before or after: for each `@` all that it may be part of,
 * the longest first.
 */
function emailsIn(text: string, known: KnownEmails): string[][] {
  return (emailKey(text).match(/[^\s,;"@]+@[^\s,;"@]+/g) ?? []).flatMap((word) => {
    const [local, domain] = word.split('@') as [string, string];
    const found = [];
    for (let from = Math.max(0, local.length - LONGEST_LOCAL); from < local.length; from++) {
      for (let to = Math.min(domain.length, LONGEST_EMAIL); to > 0; to--) {
        const email = `${local.slice(from)}@${domain.slice(0, to)}`;
        if (known.has(email)) found.push(email);
      }
    }
    return found.length === 0 ? [] : [found];
  });
}
