import type { DesiredLimits, DesiredUser } from './desired.ts';
import { didYouMean } from './did-you-mean.ts';
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
/** As the proxy writes "all"; an empty list is the same. */
const ALL_MODELS = 'all-proxy-models';
const SPECIAL_MODELS: ReadonlySet<string> = new Set([ALL_MODELS, 'no-default-models']);

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
export function unclearable(row: DesiredUser, changes: readonly LimitChange[], facts: ProxyFacts): Problem[] {
  const litellm = facts.version === null ? 'This LiteLLM, whose version is not known,' : `LiteLLM ${facts.version}`;
  return changes.flatMap(({ field, to }) => {
    const clears = field === 'maxBudget' ? facts.clearsBudget : facts.clearsDurationAndRates;
    if (to !== null || clears) return [];
    const columnName = LIMIT_HEADERS[field];
    const since = field === 'maxBudget' ? '1.82' : '1.106';
    const message = `${litellm} cannot take ${columnName} off a user: it answers "done" and keeps it. Leave the cell blank, write ${REPLACEMENT[field]}, or update LiteLLM to ${since}.`;
    return { line: row.line, column: row.limitColumns[field], columnName, email: row.email, message };
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
export function unknownModels(rows: readonly DesiredUser[], known: ReadonlySet<string> | null): string[] {
  const names = new Set([...(known ?? []), ...SPECIAL_MODELS]);
  const lines = new Map<string, number[]>();
  for (const { limits, line } of rows) {
    for (const model of limits.models.kind === 'value' ? limits.models.value : []) {
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
