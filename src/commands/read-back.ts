import { readUserList, type UserRow } from '../core/desired.ts';
import type { ExportRow } from '../core/export-list.ts';
import { usersCsv } from '../render/csv.ts';

/** Rows read at once: the whole of a large file a second time would take as much memory as the users themselves. */
const PIECE = 1_000;

/** Rows that `sync` would read as something else than they were written as: their emails. */
export function misreadEmails(rows: readonly ExportRow[]): string[] {
  const found: string[] = [];
  for (let at = 0; at < rows.length; at += PIECE) found.push(...misreadAmong(rows.slice(at, at + PIECE)));
  return found;
}

function misreadAmong(rows: readonly ExportRow[]): string[] {
  const { rows: read } = readUserList(new TextEncoder().encode(usersCsv(rows)));
  const byEmail = new Map(read.map((row) => [row.email, row]));
  return rows.flatMap((row) => (isSame(row, byEmail.get(row.email)) ? [] : row.email));
}

function isSame(written: ExportRow, read: UserRow | undefined): boolean {
  if (read === undefined || read.roleText !== written.role) return false;
  const teamName = read.teamNames === null ? '' : read.teamNames.length === 0 ? '-' : read.teamNames.join(';');
  return teamName === written.teamName;
}
