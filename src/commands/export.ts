import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readUserList, type UserRow } from '../core/desired.ts';
import { UsageError } from '../core/errors.ts';
import { type ExportList, type ExportOptions, type ExportRow, exportList } from '../core/export-list.ts';
import type { LimitField } from '../core/plan.ts';
import { LIMIT_HEADERS, limitCell } from '../core/user-limits.ts';
import type { ExitCode, Host } from '../host/port.ts';
import type { Inputs } from '../inputs.ts';
import { usersCsv } from '../render/csv.ts';
import { plural, unmanagedWords } from '../render/labels.ts';
import { connectProxy } from './connection.ts';
import { runFailureOf } from './problems.ts';

/** Most users named in one message. */
const MOST_NAMED = 20;

/**
 * Writes the proxy's present users as the file that `sync` reads; `csv-file: -` prints it instead. Writes nothing to
 * the proxy, so that it does the same on every event; `dry-run: true` leaves the file alone.
 */
export async function exportUsers<E>(inputs: Inputs, host: Host<E>): Promise<ExitCode> {
  try {
    const options = { limits: inputs.exportLimits };
    const list = exportList(await connectProxy(inputs, host).inventory(), inputs.protectedUsers, options);
    const text = usersCsv(list.rows, options);
    const warnings = [...oddities(list), ...misread(list, options)];
    const written = await put(text, inputs, host);
    const users = list.rows.length;
    await host.shown({
      kind: 'export',
      ...written,
      users,
      warnings,
      notes: [...written.notes(users), ...leftOut(list)],
    });
    return 0;
  } catch (error) {
    await host.failed(runFailureOf(error), null, false);
    throw error;
  }
}

interface Put {
  readonly path: string | null;
  readonly changed: boolean;
  readonly notes: (users: number) => readonly string[];
}

/** @throws UsageError where a file that differs is there */
async function put(text: string, inputs: Inputs, host: Host): Promise<Put> {
  const { csvFile, csvPath: path } = inputs;
  const told = (changed: boolean, verb: string): Put => {
    return { path, changed, notes: (users) => [`${csvFile}: ${plural(users, 'user')}, ${verb}.`] };
  };
  if (csvFile === '-') {
    host.print(text);
    return { path: null, changed: false, notes: () => [] };
  }
  const present = await presentText(path, csvFile);
  if (present?.replace(/\r\n/g, '\n') === text) return told(false, 'unchanged');
  if (inputs.dryRun === 'true') return told(true, present === null ? 'would be written' : 'differs from the proxy');
  if (present !== null && !inputs.force) {
    throw new UsageError(
      `ERROR: ${csvFile} is there already and differs from the proxy: it was left as it is. Set force: true (--force) to overwrite it, or another csv-file.`,
    );
  }
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  } catch (error) {
    throw unwritable(csvFile, error);
  }
  return told(true, 'written');
}

async function presentText(path: string, csvFile: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unwritable(csvFile, error);
  }
}

function unwritable(csvFile: string, error: unknown): UsageError {
  const { code } = error as NodeJS.ErrnoException;
  return new UsageError(`ERROR: ${csvFile} cannot be written (${code}). Set another csv-file.`, { cause: error });
}

function oddities({ rows, halfMembers, unnamable, unwritableLimits, shared }: ExportList): string[] {
  const found = [...shared];
  if (halfMembers.length > 0) {
    found.push(
      `${named(halfMembers, rows)}: a team and the user disagree on the membership. team_name is blank, so that sync leaves it alone; write the teams there to have it mended.`,
    );
  }
  if (unnamable.length > 0) {
    found.push(
      `${named(unnamable, rows)}: in a team that no cell can name, by alias or id. team_name is blank, so that sync leaves it alone.`,
    );
  }
  if (unwritableLimits.length > 0) {
    found.push(
      `${named(unwritableLimits, rows)}: a limit that no cell can say. It is blank, so that sync leaves it alone.`,
    );
  }
  return found;
}

function misread(list: ExportList, options: ExportOptions): string[] {
  const emails = misreadEmails(list.rows, options);
  if (emails.length === 0) return [];
  return [
    `The file cannot say what the proxy has of ${named(emails, list.rows)}: sync would change them. Change their email in LiteLLM, or protect them (protected-users).`,
  ];
}

function leftOut({ unmanaged, inactive }: ExportList): string[] {
  const words = unmanagedWords(unmanaged);
  return [
    ...(words === '' ? [] : [`Left out, as sync never touches them: ${words}.`]),
    ...(inactive === 0 ? [] : [`Left out, as they are deactivated: ${plural(inactive, 'user')}.`]),
  ];
}

/** With their lines in the file, which tell them apart where emails are masked. */
function named(emails: readonly string[], rows: readonly ExportRow[]): string {
  const more = emails.length - MOST_NAMED;
  const shown = emails.slice(0, MOST_NAMED);
  const lines = new Map(
    rows.flatMap(({ email }, at): [string, number][] => (shown.includes(email) ? [[email, at + 2]] : [])),
  );
  return shown.map((email) => `${email} (line ${lines.get(email)})`).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** Rows read at once: the whole of a large file a second time would take as much memory as the users themselves. */
const PIECE = 1_000;

/** Rows that `sync` would read as something else than they were written as: their emails. */
function misreadEmails(rows: readonly ExportRow[], options: ExportOptions): string[] {
  const found: string[] = [];
  for (let at = 0; at < rows.length; at += PIECE) found.push(...misreadAmong(rows.slice(at, at + PIECE), options));
  return found;
}

function misreadAmong(rows: readonly ExportRow[], options: ExportOptions): string[] {
  const { rows: read } = readUserList(new TextEncoder().encode(usersCsv(rows, options)));
  const byEmail = new Map(read.map((row) => [row.email, row]));
  return rows.flatMap((row) => (isSame(row, byEmail.get(row.email)) ? [] : row.email));
}

function isSame(written: ExportRow, read: UserRow | undefined): boolean {
  if (read === undefined || read.roleText !== written.role) return false;
  const teamName = read.teamNames === null ? '' : read.teamNames.length === 0 ? '-' : read.teamNames.join(';');
  return teamName === written.teamName && LIMITS.every((limit, at) => isSameLimit(read, limit, written.limits[at]));
}

const LIMITS = Object.keys(LIMIT_HEADERS) as LimitField[];

/** A row without limits asks for none of them. */
function isSameLimit({ limits }: UserRow, field: LimitField, written = ''): boolean {
  const cell = limits[field];
  if (cell.kind === 'unmanaged') return written === '';
  return limitCell(field, cell.kind === 'none' ? null : cell.value) === written;
}
