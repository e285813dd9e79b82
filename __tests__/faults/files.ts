import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Papa from 'papaparse';

export interface ResultRow {
  readonly action: string;
  readonly email: string;
  readonly user_id: string;
  readonly api_keys: string;
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
  readonly links: readonly LinkRow[];
  /** A journal that the next run has to settle. */
  readonly unsettled: boolean;
}

export function readFiles(directory: string, earlier: Files | null): Files {
  const journal = textOf(join(directory, 'journal.jsonl'));
  const rows = table<ResultRow>(join(directory, 'user_sync_result.csv'));
  return {
    rows,
    everyRow: [...(earlier?.everyRow ?? []), ...(rows ?? [])],
    links: table<LinkRow>(join(directory, 'onboarding_links.csv')) ?? [],
    unsettled: journal !== null && !journal.includes('"t":"finished"'),
  };
}

function table<T>(path: string): T[] | null {
  const text = textOf(path);
  if (text === null) return null;
  const { data } = Papa.parse<Record<string, string>>(text, { header: true, delimiter: ',', skipEmptyLines: true });
  return data.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, (cell ?? '').replace(/^'(?=[=+\-@])/, '')])),
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
