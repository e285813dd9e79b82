import Papa from 'papaparse';
import type { ExportOptions, ExportRow } from '../core/export-list.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Secret } from '../core/secret.ts';
import { LIMIT_HEADERS } from '../core/user-limits.ts';

/**
 * A spreadsheet would take such a cell for a formula. `-` alone is no formula and means "no team" in the file.
 * A cell that begins so behind a `'` of its own gets another one, as the reader takes one off.
 */
const FORMULA = /^(?!-$)('*[=+\-@]|[\t\r])/;

/**
 * CSV with a header row, comma, `\n`, and a line break at the end. A cell that a spreadsheet would calculate
 * (`=`, `+`, `-`, `@`, tab or CR at its beginning, except `-` alone) gets a leading `'`.
 */
export function csvText(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return `${Papa.unparse([[...header]], UNPARSE)}\n${csvLines(rows)}`;
}

/** A row that begins with `#` is a comment to our reader, unless its first cell is quoted. */
const UNPARSE = {
  delimiter: ',',
  newline: '\n',
  quotes: (value: unknown, column: number) => column === 0 && String(value).startsWith('#'),
} as const;

/** The rows of {@link csvText} without a header, to append to a file; empty for no rows. */
export function csvLines(rows: readonly (readonly string[])[]): string {
  return rows.length === 0
    ? ''
    : `${Papa.unparse(
        rows.map((row) => row.map(safeCell)),
        UNPARSE,
      )}\n`;
}

function safeCell(value: string): string {
  return FORMULA.test(value) ? `'${value}` : value;
}

const OUTCOMES = ['action', 'email', 'user_id', 'role', 'team_name', 'api_keys', 'status', 'error_reason'];

/** `user_sync_result.csv` */
export function outcomesCsv(outcomes: readonly Outcome[]): string {
  const row = (o: Outcome) => [o.action, o.email, o.userId, o.role, o.teamName, o.key?.shown ?? '', o.status, o.reason];
  return csvText(OUTCOMES, outcomes.map(row));
}

/** A row of `user_reg_result.csv`. */
export interface RegistrationRow {
  readonly email: string;
  readonly role: string;
  readonly userId: string;
  readonly teamName: string;
  /** The user's own models; empty: all that the proxy has. `null`: not known. */
  readonly models: readonly string[] | null;
  /** A new user's key; for existing users `sk-...abcd`, several joined by `;`. */
  readonly apiKeys: Secret | string | null;
  /** `delivered` once a mail has brought it to its user. */
  readonly invitationUrl: Secret | string | null;
}

const REGISTRATIONS = ['email', 'role', 'user_id', 'team_name', 'models', 'api_keys', 'invitation_url'];

/** `user_reg_result.csv`: holds secrets in the clear. Without header: lines to append to a file that has one. */
export function registrationsCsv(rows: readonly RegistrationRow[], { header }: { readonly header: boolean }): string {
  const cells = rows.map((row) => [
    row.email,
    row.role,
    row.userId,
    row.teamName,
    row.models?.length === 0 ? 'All proxy models' : (row.models?.join(';') ?? ''),
    revealed(row.apiKeys),
    revealed(row.invitationUrl),
  ]);
  return header ? csvText(REGISTRATIONS, cells) : csvLines(cells);
}

/** `user_reg_error.csv` */
export function registrationErrorsCsv(
  rows: readonly { readonly email: string; readonly role: string; readonly reason: string }[],
): string {
  return csvText(
    ['email', 'role', 'error_reason'],
    rows.map((row) => [row.email, row.role, row.reason]),
  );
}

/** `user_del_result.csv` */
export function deletionsCsv(rows: readonly { readonly email: string; readonly userId: string }[]): string {
  return csvText(
    ['email', 'user_id', 'status'],
    rows.map((row) => [row.email, row.userId, 'Deleted']),
  );
}

/** `user_del_error.csv`; `userId` is empty where no user was found. */
export function deletionErrorsCsv(
  rows: readonly { readonly email: string; readonly userId: string; readonly reason: string }[],
): string {
  return csvText(
    ['email', 'user_id', 'error_reason'],
    rows.map((row) => [row.email, row.userId, row.reason]),
  );
}

/** `user_list.csv` as `export` writes it; `teamName` as the file wants it (`;` between teams, `-` for none). */
export function usersCsv(rows: readonly ExportRow[], options: ExportOptions = { limits: false }): string {
  const limits = options.limits ? Object.values(LIMIT_HEADERS) : [];
  return csvText(
    ['email', 'role', 'team_name', ...limits],
    rows.map((row) => [row.email, row.role, row.teamName, ...limits.map((_, index) => row.limits[index] ?? '')]),
  );
}

/** A secret in the clear: for the writers of secret files alone. */
export function revealed(secret: Secret | string | null): string {
  if (secret === null) return '';
  return typeof secret === 'string' ? secret : secret.reveal();
}
