import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Papa from 'papaparse';
import { emailOf, type Task } from './world.ts';

export interface ResultRow {
  readonly action: string;
  readonly email: string;
  readonly user_id: string;
  /** `null`: not told. */
  readonly api_keys: string | null;
  readonly status: string;
  readonly error_reason: string;
}

export interface LinkRow {
  readonly email: string;
  readonly user_id: string;
  readonly api_key: string;
  readonly invitation_id: string;
  readonly onboarding_link: string;
}

/** What the runs with one output directory have left there. */
export interface Files {
  /** Of the last run; `null`: it wrote none. */
  readonly rows: readonly ResultRow[] | null;
  /** Of all runs. */
  readonly everyRow: readonly ResultRow[];
  /** Of all runs, those that were put aside included. */
  readonly links: readonly LinkRow[];
  /** A journal that the next run has to complete. */
  readonly isUnfinished: boolean;
}

export function readFiles(directory: string, { command, added }: Task, earlier: Files | null): Files {
  const journal = textOf(join(directory, 'journal.jsonl'));
  const newcomers = new Set(added.map(({ id }) => emailOf(id)));
  const rows = READERS[command](directory, newcomers);
  const registrations = readdirSync(directory)
    .filter((name) => /^user_reg_result(-\d+)?\.csv$/.test(name))
    .flatMap((name) => table<RegistrationRow>(join(directory, name)) ?? []);
  return {
    rows,
    everyRow: [...(earlier?.everyRow ?? []), ...(rows ?? [])],
    links: [...(table<LinkRow>(join(directory, 'onboarding_links.csv')) ?? []), ...registrations.map(linkOf)],
    isUnfinished: journal !== null && !journal.includes('"t":"finished"'),
  };
}

/** The results of each command's own files, in one form; `null` where there are none. */
const READERS: Readonly<
  Record<Task['command'], (directory: string, newcomers: ReadonlySet<string>) => ResultRow[] | null>
> = {
  sync: (directory) => table<ResultRow>(join(directory, 'user_sync_result.csv')),
  add: (directory) => {
    const made = table<RegistrationRow>(join(directory, 'user_reg_result.csv'));
    const errors = table<{ email: string; error_reason: string }>(join(directory, 'user_reg_error.csv'));
    if (made === null || errors === null) return null;
    const reasons = new Map(errors.map((row) => [row.email, row.error_reason]));
    const emails = new Set([...made.map((row) => row.email), ...reasons.keys()]);
    return [...emails].map((email) => {
      const { user_id = '', api_keys = '' } = made.find((row) => row.email === email) ?? {};
      const shown = api_keys === '' ? '' : `sk-...${api_keys.slice(-4)}`;
      return { action: 'ADDED', email, user_id, api_keys: shown, ...statusOf(reasons.get(email) ?? '') };
    });
  },
  delete: (directory) => {
    const deleted = table<{ email: string; user_id: string }>(join(directory, 'user_del_result.csv'));
    const errors = table<{ email: string; user_id: string; error_reason: string }>(
      join(directory, 'user_del_error.csv'),
    );
    if (deleted === null || errors === null) return null;
    return [...deleted, ...errors].map((row) => ({
      action: 'DELETED',
      email: row.email,
      user_id: row.user_id,
      api_keys: '',
      ...statusOf('error_reason' in row ? String(row.error_reason) : ''),
    }));
  },
  onboard: (directory, newcomers) => {
    const text = textOf(join(directory, 'onboarding_results.json'));
    if (text === null) return null;
    const entries: readonly { email: string; user_id?: string; error?: string }[] = JSON.parse(text);
    return entries.map(({ email, user_id = '', error = '' }) => ({
      action: newcomers.has(email) ? 'ADDED' : 'UNCHANGED',
      email,
      user_id,
      // The results of onboard show no key.
      api_keys: null,
      ...statusOf(error),
    }));
  },
};

interface RegistrationRow {
  readonly email: string;
  readonly user_id: string;
  readonly api_keys: string;
  readonly invitation_url: string;
}

function statusOf(reason: string): Pick<ResultRow, 'status' | 'error_reason'> {
  const status = reason === '' ? 'SUCCESS' : SKIPPED.has(reason) ? 'SKIPPED' : 'FAILED';
  return { status, error_reason: reason };
}

const SKIPPED = new Set(['User already exists in the system', 'User not found in the system']);

function linkOf({ email, user_id, api_keys, invitation_url }: RegistrationRow): LinkRow {
  const address = URL.canParse(invitation_url) ? new URL(invitation_url).searchParams.get('invitation_id') : null;
  const invitation_id = address ?? invitation_url;
  return { email, user_id, api_key: api_keys, invitation_id, onboarding_link: invitation_url };
}

function table<T>(path: string): T[] | null {
  const text = textOf(path);
  if (text === null) return null;
  const { data } = Papa.parse<Record<string, string>>(text, { header: true, delimiter: ',', skipEmptyLines: true });
  return data.map((row) =>
    // The file of links may have rows of ten columns under a header of nine: of a run that sent mails, and was killed.
    Object.fromEntries(
      Object.entries(row).map(([name, cell]) => [name, String(cell ?? '').replace(/^'(?=[=+\-@])/, '')]),
    ),
  ) as T[];
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
