import type { TableRow } from './csv.ts';
import { dashNote, didYouMean } from './did-you-mean.ts';
import type { LimitSettings, ProxyFacts, UserLimits } from './inventory.ts';
import type { LimitChange, LimitField } from './plan.ts';
import type { Problem } from './problem.ts';

/** A user's limits by the names of their columns, in the order in which a plan shows them. */
export const LIMIT_HEADERS: Readonly<Record<LimitField, string>> = {
  maxBudget: 'max_budget',
  budgetDuration: 'budget_duration',
  tpmLimit: 'tpm_limit',
  rpmLimit: 'rpm_limit',
  models: 'models',
};

const FIELDS = Object.keys(LIMIT_HEADERS) as LimitField[];

/**
 * Names of LiteLLM's own that stand for a set of models: all of the proxy (an empty list is the same), and none but the
 * teams'.
 */
const ALL_MODELS = 'all-proxy-models';
const NO_MODELS = 'no-default-models';
const SPECIAL_MODELS: ReadonlySet<string> = new Set([ALL_MODELS, NO_MODELS]);

/** What a cell asks for: nothing (blank), that there be none (`-`), or a value. */
export type DesiredLimit<Value> =
  | { readonly kind: 'unmanaged' }
  | { readonly kind: 'none' }
  | { readonly kind: 'value'; readonly value: Value };

/** The limits that a row asks for. */
export interface DesiredLimits {
  /** US dollars. */
  readonly maxBudget: DesiredLimit<number>;
  readonly budgetDuration: DesiredLimit<string>;
  readonly tpmLimit: DesiredLimit<number>;
  readonly rpmLimit: DesiredLimit<number>;
  /** Never none: `all-proxy-models` and `no-default-models` are values of their own. */
  readonly models: DesiredLimit<readonly string[]>;
}

const UNMANAGED = { kind: 'unmanaged' } as const;
const NONE = { kind: 'none' } as const;

/** A row without any limit: shared by all of them, as most files have no such columns. */
export const NO_LIMITS: DesiredLimits = {
  maxBudget: UNMANAGED,
  budgetDuration: UNMANAGED,
  tpmLimit: UNMANAGED,
  rpmLimit: UNMANAGED,
  models: UNMANAGED,
};

/** The columns of limits, 1-based; a limit without a column has 1. */
export type LimitColumns = Readonly<Record<LimitField, number>>;

/** The part of a row that its limits are told by. */
interface LimitedRow {
  readonly line: number;
  readonly email: string;
  readonly limits: DesiredLimits;
  readonly columns: { readonly limits: LimitColumns };
}

export function limitColumns(row: TableRow): LimitColumns {
  const column = (field: LimitField): number => row.cell(LIMIT_HEADERS[field]).column;
  return {
    maxBudget: column('maxBudget'),
    budgetDuration: column('budgetDuration'),
    tpmLimit: column('tpmLimit'),
    rpmLimit: column('rpmLimit'),
    models: column('models'),
  };
}

/** Reads the limits of a row; a cell that cannot be read is a problem and counts as blank. */
export function readLimits(row: TableRow, problems: Problem[]): DesiredLimits {
  const read = <Value>(field: LimitField, reader: Reader<Value>): DesiredLimit<Value> => {
    const { text, column } = row.cell(LIMIT_HEADERS[field]);
    if (text === '') return UNMANAGED;
    const found = reader(text);
    if (!('fault' in found)) return found;
    const message = `Invalid ${LIMIT_HEADERS[field]} \`${text}\`${dashNote(text)}. ${found.fault}`;
    problems.push({ line: row.line, column, message });
    return UNMANAGED;
  };
  return {
    maxBudget: read('maxBudget', budget),
    budgetDuration: read('budgetDuration', duration),
    tpmLimit: read('tpmLimit', rate),
    rpmLimit: read('rpmLimit', rate),
    models: read('models', models),
  };
}

type Reader<Value> = (text: string) => DesiredLimit<Value> | { readonly fault: string };

const TOO_LARGE = { fault: 'It is too large to be exact. Allowed: less, `-` for none, or blank.' };

function budget(text: string): ReturnType<Reader<number>> {
  if (text === '-') return NONE;
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text)) return Number.isFinite(value) ? { kind: 'value', value } : TOO_LARGE;
  return { fault: 'Allowed: US dollars as digits with at most one point (50, 12.5), `-` for none, or blank.' };
}

function duration(text: string): ReturnType<Reader<string>> {
  if (text === '-') return NONE;
  if (/^([1-9]\d*[smhdw]|1mo)$/.test(text)) return { kind: 'value', value: text };
  return {
    fault:
      'Allowed: a number of seconds, minutes, hours, days or weeks (30s, 30m, 12h, 30d, 2w), 1mo, `-` for none, or blank.',
  };
}

function rate(text: string): ReturnType<Reader<number>> {
  if (text === '-') return NONE;
  const value = Number(text);
  if (/^\d+$/.test(text)) return Number.isSafeInteger(value) ? { kind: 'value', value } : TOO_LARGE;
  return { fault: 'Allowed: a whole number in digits alone (1000), `-` for none, or blank.' };
}

function models(text: string): ReturnType<Reader<readonly string[]>> {
  const names = [...new Set(text.split(/[;,]/).flatMap((name) => name.trim() || []))];
  const words = `\`${ALL_MODELS}\` (all of the proxy's), \`${NO_MODELS}\` (none but their teams')`;
  if (names.includes('-')) return { fault: `No models at all is written in words: ${words}, or blank.` };
  if (names.length === 0)
    return { fault: `It holds separators and no name. Allowed: model names, ${words}, or blank.` };
  if (names.length > 1 && names.some((name) => name === ALL_MODELS || name === NO_MODELS)) {
    return { fault: `${words}: either must stand alone.` };
  }
  return { kind: 'value', value: names };
}

/** A day of the calendar, or `null` where none is set (blank or `-`). */
export function readDate(row: TableRow, column: string, problems: Problem[]): string | null {
  const { text, column: at } = row.cell(column);
  if (text === '' || text === '-') return null;
  if (isDay(text)) return text;
  const message = `Invalid ${column} \`${text}\`${dashNote(text)}. Allowed: a day as YYYY-MM-DD (2027-01-31), \`-\` for none, or blank.`;
  problems.push({ line: row.line, column: at, message });
  return null;
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isDay(text: string): boolean {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (found === null) return false;
  const [year, month, day] = found.slice(1).map(Number) as [number, number, number];
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const last = month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0);
  return day >= 1 && day <= last;
}

/** The cell that asks for what a user has: `-` for none; `null` where no cell can say it. */
export function limitCell(field: LimitField, value: number | string | readonly string[] | null): string | null {
  const text = cellText(value);
  const found = READERS[field](text);
  if ('fault' in found) return null;
  return isSame(found, value) ? text : null;
}

const READERS: Readonly<Record<LimitField, Reader<number | string | readonly string[]>>> = {
  maxBudget: budget,
  budgetDuration: duration,
  tpmLimit: rate,
  rpmLimit: rate,
  models,
};

function cellText(value: number | string | readonly string[] | null): string {
  if (value === null) return '-';
  if (typeof value === 'number') return decimal(value);
  return typeof value === 'string' ? value : value.join(';') || ALL_MODELS;
}

/** Without an exponent, which no cell takes. */
export function decimal(value: number): string {
  return value.toLocaleString('en-US', { useGrouping: false, maximumFractionDigits: 20 });
}

/** Whether reading the cell again gives what the user has. */
function isSame(
  wish: DesiredLimit<number | string | readonly string[]>,
  value: number | string | readonly string[] | null,
) {
  if (wish.kind !== 'value') return value === null;
  if (typeof value !== 'object' || value === null) return wish.value === value;
  const wished = new Set(wish.value as readonly string[]);
  const had = new Set(value.length === 0 ? [ALL_MODELS] : value);
  return wished.size === had.size && [...had].every((name) => wished.has(name));
}

/** What the row asks for, blank cells left out. */
export function limitSettings(desired: DesiredLimits): LimitSettings {
  const asked = FIELDS.flatMap((field): [LimitField, LimitValue][] => {
    const cell = desired[field];
    if (cell.kind === 'unmanaged') return [];
    if (cell.kind === 'value') return [[field, cell.value]];
    return [[field, field === 'models' ? [ALL_MODELS] : null]];
  });
  return Object.fromEntries(asked);
}

/** What differs between a row and its user. */
export function limitChanges(desired: DesiredLimits, current: UserLimits): LimitChange[] {
  const settings = limitSettings(desired);
  return FIELDS.flatMap((field) => {
    const to = settings[field];
    return to === undefined || sameLimit(current[field], to) ? [] : { field, from: current[field], to };
  }) as LimitChange[];
}

type LimitValue = UserLimits[LimitField];

/** How much two numbers may differ: the proxy gives 15 digits back (0.30000000000000004 returns as 0.3). */
const TOLERANCE = 1e-9;

/** Whether two values of one limit mean the same to the proxy. */
export function sameLimit(a: LimitValue, b: LimitValue): boolean {
  if (typeof a === 'number' && typeof b === 'number') {
    return Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b));
  }
  if (Array.isArray(a) && Array.isArray(b)) return modelsKey(a) === modelsKey(b);
  return a === b;
}

function modelsKey(models: readonly string[]): string {
  return JSON.stringify([...new Set(models.length === 0 ? [ALL_MODELS] : models)].sort());
}

/**
 * Limits that this proxy can't take off: it answers 200 and changes nothing. Tried on 1.75, 1.82, 1.90, 1.106, 1.110:
 * a budget is cleared from 1.82 on, a period or a rate from 1.106 on.
 */
export function unclearable(row: LimitedRow, changes: readonly LimitChange[], facts: ProxyFacts): Problem[] {
  const litellm = facts.version === null ? 'This LiteLLM, whose version is not known,' : `LiteLLM ${facts.version}`;
  return changes.flatMap(({ field, to }) => {
    const clears = field === 'maxBudget' ? facts.clearsBudget : facts.clearsDurationAndRates;
    if (to !== null || clears) return [];
    const columnName = LIMIT_HEADERS[field];
    const since = field === 'maxBudget' ? '1.82' : '1.106';
    const message = `${litellm} cannot take ${columnName} off a user: it answers "done" and keeps it. Leave the cell blank, write ${REPLACEMENT[field]}, or update LiteLLM to ${since}.`;
    return { line: row.line, column: row.columns.limits[field], columnName, email: row.email, message };
  });
}

const REPLACEMENT: Readonly<Record<LimitField, string>> = {
  maxBudget: 'a large amount',
  budgetDuration: 'another period',
  tpmLimit: 'a large number',
  rpmLimit: 'a large number',
  models: ALL_MODELS,
};

/** Names that `/v1/models` does not list: it may be a slip, or a group or pattern, so that it is only a warning. */
export function unknownModels(rows: readonly LimitedRow[], known: ReadonlySet<string> | null): string[] {
  const names = new Set([...(known ?? []), ...SPECIAL_MODELS]);
  const lines = new Map<string, number[]>();
  for (const { limits, line } of rows) {
    if (limits.models.kind !== 'value') continue;
    for (const model of limits.models.value) {
      if (!names.has(model) && !model.includes('*')) lines.set(model, [...(lines.get(model) ?? []), line]);
    }
  }
  if (known === null) {
    return lines.size === 0
      ? []
      : ['The proxy does not show its models: the names in the column models are not checked.'];
  }
  return [...lines].map(
    ([model, at]) =>
      `The proxy's model list has no \`${model}\` (${place(at)}).${didYouMean(model, names)} It is sent as it is written.`,
  );
}

function place([first, ...others]: readonly number[]): string {
  return others.length === 0 ? `line ${first}` : `line ${first} and ${others.length} more`;
}
