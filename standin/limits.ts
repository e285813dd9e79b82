import { numberOf, textOf, textsOf } from './context.ts';
import { proxyError, type Refusal } from './refusal.ts';
import { timestamp } from './state.ts';
import type { InternalUserBudget, Limits } from './types.ts';
import { type Body, dictionary, list, number, optional, rate, text, whole } from './validate.ts';
import type { Behaviour } from './versions.ts';

/** The limits and metadata that users and keys take, as the body names them. */
export const LIMIT_FIELDS = {
  max_budget: optional(number),
  budget_duration: optional(text),
  tpm_limit: optional(rate),
  rpm_limit: optional(rate),
  max_parallel_requests: optional(whole),
  models: optional(list(text)),
  metadata: optional(dictionary),
};

/** The limits of a new row. */
export function limitsOf(body: Body): Limits {
  const budgetDuration = textOf(body, 'budget_duration');
  return {
    maxBudget: numberOf(body, 'max_budget'),
    budgetDuration,
    budgetResetAt: budgetDuration === null ? null : resetAt(budgetDuration),
    tpmLimit: numberOf(body, 'tpm_limit'),
    rpmLimit: numberOf(body, 'rpm_limit'),
    maxParallelRequests: numberOf(body, 'max_parallel_requests'),
    models: textsOf(body, 'models'),
  };
}

/** What an update of a user changes: a `null` counts where the version clears that field, `[]` never does. */
export function limitChanges(body: Body, behaviour: Behaviour): Partial<Limits> {
  const clears = { budget: behaviour.budgetCleared, others: behaviour.periodAndRatesCleared };
  const counts = (name: string, cleared: boolean) => name in body && (body[name] !== null || cleared);
  const given = limitsOf(body);
  return {
    ...(counts('max_budget', clears.budget) ? { maxBudget: given.maxBudget } : {}),
    ...(counts('budget_duration', clears.others)
      ? { budgetDuration: given.budgetDuration, budgetResetAt: given.budgetResetAt }
      : {}),
    ...(counts('tpm_limit', clears.others) ? { tpmLimit: given.tpmLimit } : {}),
    ...(counts('rpm_limit', clears.others) ? { rpmLimit: given.rpmLimit } : {}),
    ...(counts('max_parallel_requests', false) ? { maxParallelRequests: given.maxParallelRequests } : {}),
    ...(given.models.length > 0 ? { models: given.models } : {}),
  };
}

/** The configured budget of internal users, for what is not among `given`: new users (where `null` is not given) and role changes. */
export function internalBudget(
  role: string | null,
  given: Partial<Limits>,
  config: InternalUserBudget,
): Partial<Limits> {
  if (role !== 'internal_user') return {};
  const { maxBudget, budgetDuration } = config;
  const period = budgetDuration !== undefined && given.budgetDuration === undefined ? budgetDuration : null;
  return {
    ...(maxBudget !== undefined && given.maxBudget === undefined ? { maxBudget } : {}),
    ...(period === null ? {} : { budgetDuration: period, budgetResetAt: resetAt(period) }),
  };
}

/** The proxy's complaint about a budget's period; `null` where this version has none. */
export function periodFault(body: Body, { periodsChecked }: Behaviour): string | null {
  const period = textOf(body, 'budget_duration');
  if (period === null) return null;
  if (periodsChecked && !/^([1-9]\d*[smhdw]|1mo)$/.test(period)) {
    return `Invalid budget_duration '${period}'. Use a format like '1h', '24h', '7d', or '30d'.`;
  }
  return /^\d+mo$/.test(period) && period !== '1mo' ? 'Monthly resets currently only support 1 month intervals' : null;
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, mo: 2_592_000 };

/** When a key of this lifetime expires; `undefined` for one that LiteLLM cannot read. */
export function expiryOf(duration: string | null): string | null | undefined {
  if (duration === null) return null;
  const [, count, unit = ''] = /^(\d+)(mo|[smhdw])$/.exec(duration) ?? [];
  if (count === undefined) return;
  return timestamp(Date.now() + Number(count) * (SECONDS[unit] ?? 0) * 1000);
}

/** What LiteLLM says of such a lifetime. */
export function badLifetime(): Refusal {
  return proxyError(500, 'Invalid duration format', 'internal_server_error', null);
}

/** Budgets are reset at points of the calendar: midnight, Monday, the first of a month. UTC. */
function resetAt(period: string): string {
  const now = new Date();
  const midnight = (days: number) => Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + days);
  if (period === '30d' || period === '1mo') return timestamp(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1));
  if (period === '7d' || period === '1w') return timestamp(midnight(7 - ((now.getUTCDay() + 6) % 7)));
  const days = /^([1-9]\d*)d$/.exec(period)?.[1];
  return timestamp(midnight(days === undefined ? 1 : Number(days)));
}
