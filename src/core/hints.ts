import type { DesiredUser } from './desired.ts';
import { distance } from './did-you-mean.ts';
import { emailKey, type ProxyFacts } from './inventory.ts';
import { compare } from './order.ts';
import {
  type AddChange,
  type Change,
  type DeactivateChange,
  type DeleteChange,
  isRemoval,
  type LeavingSoon,
  type Plan,
  type UpdateChange,
} from './plan.ts';

/** Most pairs or rows that a hint names. */
const MOST_NAMED = 20;

/** Adds and removals that look like one person: a slip, or a rename that was not said to be one. */
export function slipHints(changes: readonly Change[]): string[] {
  const pairs = slipPairs(
    changes.filter((change) => change.kind === 'add'),
    changes.filter(isRemoval),
  );
  const more = pairs.length - MOST_NAMED;
  return [
    ...pairs.slice(0, MOST_NAMED).map(pairHint),
    ...(more > 0 ? [`${more} more pairs of a new and a leaving user look alike.`] : []),
  ];
}

function pairHint([{ email, line }, removal]: Pair): string {
  const old = `\`${removal.email}\``;
  const ownRow = removal.line === null ? '' : `, and remove the row of ${old} (line ${removal.line})`;
  return `\`${email}\` (line ${line}) is new and ${old} leaves: a slip, or one person with a new address? To keep account, keys and spend, write ${old} into the column previous_email of that row${ownRow}.`;
}

/** Most pairs that are compared letter by letter: a plan with more of them is no slip. */
const MOST_COMPARED = 250_000;
const MOST_LETTERS = 2;

/** A new user, and one who leaves. */
type Pair = readonly [AddChange, Removal];
type Removal = DeleteChange | DeactivateChange;

function slipPairs(adds: readonly AddChange[], removals: readonly Removal[]): Pair[] {
  const byLocal = new Map(removals.map((removal) => [localPart(removal.email), removal]));
  const compares = adds.length * removals.length <= MOST_COMPARED;
  return adds.flatMap((add): Pair[] => {
    const close = compares ? removals.find(({ email }) => isClose(add.email, email)) : undefined;
    const alike = byLocal.get(localPart(add.email)) ?? close;
    return alike === undefined ? [] : [[add, alike]];
  });
}

function localPart(email: string): string {
  const key = emailKey(email);
  return key.slice(0, key.lastIndexOf('@'));
}

/** At most two letters apart, and something before the `@` in common. */
function isClose(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > MOST_LETTERS) return false;
  const apart = distance(emailKey(a), emailKey(b));
  return apart <= MOST_LETTERS && apart < localPart(a).length;
}

/** What a reader of budgets has to know, once in a plan. */
export function budgetNotes(changes: readonly Change[], facts: ProxyFacts): string[] {
  const limited = changes.filter((change) => change.kind === 'add' || change.kind === 'update');
  const notes: string[] = [];
  if (limited.some(limitsTeamMember)) {
    notes.push(
      "A user's budget and models bind their personal keys alone. Keys that belong to a team are held to the team's.",
    );
  }
  if (limited.some((change) => cannotKeepNone(change, facts))) {
    notes.push(
      'Where the configuration of this LiteLLM has max_internal_user_budget or internal_user_budget_duration, it writes those over "none" when somebody becomes internal_user, and cannot take them off again.',
    );
  }
  return notes;
}

function limitsTeamMember(change: AddChange | UpdateChange): boolean {
  const teams = change.kind === 'add' ? change.teams : (change.teams?.to ?? change.currentTeams);
  const { maxBudget, models } =
    change.kind === 'add'
      ? change.limits
      : Object.fromEntries(change.limits.map(({ field, to }): [string, unknown] => [field, to]));
  return (teams ?? []).length > 0 && ((maxBudget ?? null) !== null || models !== undefined);
}

/** Source: litellm-proxy, tried on 1.75, 1.82 and 1.90 with such a configuration, which nobody can read from outside. */
function cannotKeepNone(change: AddChange | UpdateChange, facts: ProxyFacts): boolean {
  if (change.kind === 'add' || change.role?.to !== 'internal_user') return false;
  const { maxBudget, budgetDuration } = change.currentLimits;
  return (maxBudget === null && !facts.clearsBudget) || (budgetDuration === null && !facts.clearsDurationAndRates);
}

/** Expired rows without a user. */
export function removableRows(rows: readonly DesiredUser[]): string[] {
  if (rows.length === 0) return [];
  const more = rows.length - MOST_NAMED;
  const named = rows.slice(0, MOST_NAMED).map(({ email, line, expires }) => `\`${email}\` (line ${line}, ${expires})`);
  const all = named.join(', ') + (more > 0 ? ` and ${more} more` : '');
  return [`Expired, and without a user: ${all}. ${rows.length === 1 ? 'That row' : 'Those rows'} can be removed.`];
}

const SOON_DAYS = 30;

/** Rows whose last day is at most 30 days ahead, by day. */
export function leavingSoon(rows: readonly DesiredUser[], today: string): Plan['leavingSoon'] {
  const last = dayNumber(today) + SOON_DAYS;
  const isSoon = (row: DesiredUser): row is DesiredUser & { readonly expires: string } =>
    row.expires !== null && dayNumber(row.expires) <= last;
  return rows
    .filter(isSoon)
    .map(({ line, email, expires }): LeavingSoon => ({ line, email, expires }))
    .sort((a, b) => compare(a.expires, b.expires) || compare(emailKey(a.email), emailKey(b.email)));
}

/** Days since 1 March of the year 0: years that begin in March have their leap day at the end. */
function dayNumber(date: string): number {
  const [year, month, day] = date.split('-').map(Number) as [number, number, number];
  const years = month < 3 ? year - 1 : year;
  const leapDays = Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400);
  return 365 * years + leapDays + Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
}
