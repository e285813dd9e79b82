import { type Change, isApplied, isStopped, type Plan } from '../core/plan.ts';
import { type ChangeCells, changeCells, hasCost, hasLimits, keyNameCell, someWithheld } from './cells.ts';
import { code, prose } from './escape.ts';
import { type DocumentOptions, fitDocument, type Table } from './fit.ts';
import {
  adminChange,
  type ChangeKind,
  countWords,
  kindOf,
  list,
  money,
  planCounts,
  plural,
  untouched,
  withheldCounts,
} from './labels.ts';

export interface PlanMarkdownOptions extends DocumentOptions {
  /**
   * `plan`: in a pull request, merging applies it; `dry-run`: nothing follows; `not-applied`: this run was to apply it,
   * and may not; `drift`: only a check whether proxy and file differ.
   */
  readonly mode: 'plan' | 'dry-run' | 'not-applied' | 'drift';
  /** Of `mode: 'plan'`: what happens on merge to a change that no comment showed. */
  readonly unreviewed: 'skip' | 'apply' | 'fail';
  /** Indices of the changes that were due before the pull request; `null`: not told apart. */
  readonly earlier: ReadonlySet<number> | null;
  /** Why applying it would be refused, whatever it holds; `null`: it would not. */
  readonly obstacle: string | null;
  /** Messages to the reader, plain text; they may hold values. */
  readonly notes: readonly string[];
}

/**
 * The plan for comment and job summary: counts and costs, then administrators, deletes, updates, adds, each change in
 * exactly one table; what was due before the pull request in a second part. Long plans are cut on whole rows, from the
 * end.
 */
export function planMarkdown(plan: Plan, options: PlanMarkdownOptions): string {
  return fitDocument(
    {
      head: [
        heading(options),
        headline(plan, options),
        ...breachAlert(plan, options.mode === 'drift' ? DRIFT_STOPS : PLAN_STOPS),
        ...obstacleAlert(options),
        ...(options.mode === 'drift'
          ? costs(plan).map((lines) => `If the file were applied:\n\n${lines}`)
          : costs(plan)),
      ],
      notes: [...options.notes, ...plan.warnings, ...plan.notes],
      tables: tables(plan, options),
      foot: [...untouched(plan), ...footer(plan, options)],
      rest: options.rest,
    },
    options.limit,
  );
}

/** `## <title> for <target>` */
export function heading({ title, target }: { readonly title: string; readonly target: string | null }): string {
  return `## ${prose(title)}${target === null ? '' : ` for ${code(target)}`}`;
}

function headline(plan: Plan, { csvFile, mode, earlier }: PlanMarkdownOptions): string {
  const file = code(csvFile);
  const counts = planCounts(plan);
  if (plan.changes.length === 0) {
    const words = mode === 'drift' ? 'No drift.' : 'No changes.';
    return `**${words}** The proxy matches ${file}, ${plural(counts.unchanged, 'user')} unchanged.`;
  }
  if (mode === 'drift') return driftLine(plan.changes, counts.unchanged, file);
  if (earlier === null || earlier.size === 0) {
    return `**${countWords(counts)}**, ${counts.unchanged} unchanged, to match ${file}.`;
  }
  const own = countWords(planCounts({ ...plan, changes: plan.changes.filter((_, index) => !earlier.has(index)) }));
  const words = own === '' ? 'No changes by the rows of this pull request' : own;
  return `**${words}**, ${plural(earlier.size, 'change')} that ${earlier.size === 1 ? 'was' : 'were'} due before this pull request, ${counts.unchanged} unchanged, to match ${file}.`;
}

function driftLine(changes: readonly Change[], unchanged: number, file: string): string {
  const count = (side: Side): number => changes.filter((change) => SIDES[kindOf(change)] === side).length;
  const parts = (['only on the proxy', 'only in the file', 'different'] as const)
    .filter((side) => count(side) > 0)
    .map((side) => `${count(side)} ${side}`);
  return `**The proxy and ${file} differ: ${parts.join(', ')}**, ${unchanged} the same. Arrows point from the proxy to the file.`;
}

type Side = 'only on the proxy' | 'only in the file' | 'different';

const SIDES: Readonly<Record<ChangeKind, Side>> = {
  add: 'only in the file',
  delete: 'only on the proxy',
  deactivate: 'only on the proxy',
  update: 'different',
  reactivate: 'different',
  invite: 'different',
};

function obstacleAlert({ obstacle }: PlanMarkdownOptions): string[] {
  return obstacle === null ? [] : [`> [!CAUTION]\n> **A merge could not apply this plan.**\n>\n> ${prose(obstacle)}`];
}

/** What limits do to a plan, and to a look that applies nothing. */
const PLAN_STOPS = { all: 'Nothing of this plan can be applied.', some: 'Some of this plan is not applied.' };
const DRIFT_STOPS = {
  all: 'Applying the file would be refused as it stands.',
  some: 'Applying the file would leave some of this as it is.',
};

/** The breached limits as an alert, if there are any. */
export function breachAlert(plan: Plan, stops = PLAN_STOPS): string[] {
  const { breaches } = plan;
  if (breaches.length === 0) return [];
  const lines = breaches.map(({ message }) => `> ${prose(message)}`);
  const words = isStopped(plan) ? stops.all : stops.some;
  return [`> [!CAUTION]\n> **${words}**\n>\n${lines.join('\n>\n')}`];
}

/** What is lost if the plan is applied, and what is not applied. One line each: two `$` in one make a formula. */
export function costs(plan: Plan): string[] {
  const applied = plan.changes.filter(isApplied);
  const lines = [...deleteCosts(applied), ...deactivateCosts(applied), ...leavingCosts(applied)];
  for (const [reason, count] of withheldCounts(plan)) lines.push(`- ${count} **not applied**: ${prose(reason)}.`);
  return lines.length === 0 ? [] : [lines.join('\n')];
}

function deleteCosts(applied: readonly Change[]): string[] {
  const deletes = applied.filter((change) => change.kind === 'delete');
  const keys = deletes.reduce((sum, { keyCount }) => sum + (keyCount ?? 0), 0);
  const spend = deletes.reduce((sum, change) => sum + change.spend, 0);
  const unknown = deletes.filter(({ keyCount }) => keyCount === null).length;
  const more = unknown === 0 ? '' : ` (keys of ${plural(unknown, 'user')} not known)`;
  if (keys === 0 && spend === 0 && unknown === 0) return [];
  return [
    `- Deleting users also deletes **${plural(keys, 'key')}**${more} and the record of **${money(spend)}** spend.`,
  ];
}

function deactivateCosts(applied: readonly Change[]): string[] {
  const count = applied.filter((change) => change.kind === 'deactivate').length;
  if (count === 0) return [];
  return [`- Deactivating **${plural(count, 'user')}** stops all their keys; account, keys, teams and spend stay.`];
}

function leavingCosts(applied: readonly Change[]): string[] {
  const updates = applied.filter((change) => change.kind === 'update');
  const unknown = updates.filter(({ leftKeys }) => leftKeys === 'unknown').length;
  const keys = updates.flatMap(({ leftKeys }) => (leftKeys === 'unknown' ? [] : leftKeys));
  const count = (wanted: string): number => keys.filter(({ fate }) => fate === wanted).length;
  return [
    ...(count('deleted') > 0 ? [`- Leaving teams deletes **${plural(count('deleted'), 'key')}** of those teams.`] : []),
    ...(count('moves') > 0
      ? [
          `- **${plural(count('moves'), 'key')}** of teams that are left ${count('moves') === 1 ? 'goes' : 'go'} along to another team.`,
        ]
      : []),
    ...(unknown > 0 ? [`- **Keys not known** of ${plural(unknown, 'user')} who leave teams.`] : []),
  ];
}

/** Who leaves soon comes before the second part: that is no change, and was not due before the pull request. */
function tables(plan: Plan, { earlier, mode }: PlanMarkdownOptions): Table[] {
  const words = mode === 'drift' ? DRIFT_WORDS : PLAN_WORDS;
  const soon = soonTable(plan);
  if (earlier === null) return [...planTables(plan.changes, words), ...soon];
  const own = plan.changes.filter((_, index) => !earlier.has(index));
  const [first, ...others] = planTables(
    plan.changes.filter((_, index) => earlier.has(index)),
    words,
  );
  if (first === undefined) return [...planTables(own, words), ...soon];
  return [...planTables(own, words), ...soon, { ...first, heading: `${BEFORE}\n\n${first.heading}` }, ...others];
}

const BEFORE =
  '## Already different before this pull request\n\nWhat the file says about these users is not changed here. Merging applies these changes, too.';

interface Words {
  /** The heading of a table of one kind; `count` users. */
  readonly heading: (kind: ChangeKind, count: number) => string;
  /** What administrators are counted as. */
  readonly admins: Readonly<Record<AdminChange, string>>;
  /** Warnings: who would become an administrator; for drift, also who is one without the file saying so. */
  readonly warnOf: readonly AdminChange[];
  /** Names one change among those of administrators. */
  readonly change: (change: Change) => string;
}

type AdminChange = NonNullable<ReturnType<typeof adminChange>>;

const VERBS: Readonly<Record<ChangeKind, string>> = {
  add: 'Add',
  delete: 'Delete',
  deactivate: 'Deactivate',
  update: 'Update',
  reactivate: 'Reactivate',
  invite: 'Fresh link for',
};

const PLAN_WORDS: Words = {
  heading: (kind, count) => `### ${VERBS[kind]} ${plural(count, 'user')}`,
  admins: { gained: 'gained', lost: 'lost', renamed: 'renamed' },
  warnOf: ['gained'],
  change: kindOf,
};

/** Nothing is gained or lost by looking: what is told is on which side somebody is an administrator. */
const DRIFT_WORDS: Words = {
  heading: (kind, count) => {
    const [first = '', ...others] = SIDES[kind];
    return `### ${first.toUpperCase()}${others.join('')} (${kind}): ${plural(count, 'user')}`;
  },
  admins: { gained: 'only in the file', lost: 'only on the proxy', renamed: 'with another email' },
  warnOf: ['gained', 'lost'],
  change: (change) => `${SIDES[kindOf(change)]} (${kindOf(change)})`,
};

const DONE: Readonly<Record<ChangeKind, string>> = {
  add: 'Added',
  delete: 'Deleted',
  deactivate: 'Deactivated',
  update: 'Updated',
  reactivate: 'Reactivated',
  invite: 'Fresh links',
};

/** What was done, each table folded away. */
export function doneTables(changes: readonly Change[]): Table[] {
  const heading: Words['heading'] = (kind, count) => `### ${DONE[kind]}: ${count}`;
  return planTables(changes, { ...PLAN_WORDS, heading }).map((table) => ({ ...table, fold: 'always' }));
}

/** Administrators, removals, updates, adds: each change in exactly one table. */
export function planTables(changes: readonly Change[], words: Words = PLAN_WORDS): Table[] {
  const admins = changes.filter((change) => adminChange(change) !== null);
  const others = changes.filter((change) => adminChange(change) === null);
  const kinds = ['delete', 'deactivate', 'reactivate', 'update', 'add', 'invite'] as const;
  return [adminTable(admins, words), ...kinds.map((kind) => kindTable({ kind, words }, others, admins))].filter(
    ({ count }) => count > 0,
  );
}

function adminTable(changes: readonly Change[], words: Words): Table {
  const of = (what: AdminChange) => changes.filter((change) => adminChange(change) === what);
  const parts = (['gained', 'lost', 'renamed'] as const).map((what) => ({ what, changes: of(what) }));
  const counts = parts
    .filter((part) => part.changes.length > 0)
    .map((part) => `${part.changes.length} ${words.admins[part.what]}`);
  const warning = '> [!WARNING]\n> An administrator may read and change every user, team and key of the proxy.';
  return {
    heading: `### ⚠️ Administrators: ${list(counts)}`,
    intro: words.warnOf.some((what) => of(what).length > 0) ? warning : '',
    fold: 'never',
    ...columns(
      parts.flatMap((part) => part.changes),
      [['Change', words.change]],
    ),
  };
}

function kindTable(
  { kind, words }: { readonly kind: ChangeKind; readonly words: Words },
  others: readonly Change[],
  admins: readonly Change[],
): Table {
  const changes = others.filter((change) => kindOf(change) === kind);
  const above = admins.filter((change) => kindOf(change) === kind).length;
  return {
    heading: words.heading(kind, changes.length),
    intro: above === 0 ? '' : `${above} more under Administrators.`,
    fold: kind === 'delete' || kind === 'deactivate' ? 'open' : 'closed',
    ...columns(changes, []),
  };
}

type Column = readonly [title: string, cell: (change: Change, cells: ChangeCells) => string];

/** Columns that would hold nothing in any row are left out. */
function columns(changes: readonly Change[], first: readonly Column[]): Pick<Table, 'header' | 'count' | 'row'> {
  const some = (test: (change: Change) => boolean, column: Column) => (changes.some(test) ? [column] : []);
  const chosen: Column[] = [
    ...first,
    ['User', (_, { user }) => user],
    ['Role', (_, { role }) => role],
    ['Teams', (_, { teams }) => teams],
    ...some(hasLimits, ['Limits', (_, { limits }) => limits]),
    ...some((change) => change.kind === 'add' && change.keyName !== null, ['Key name', keyName]),
    ...some(hasCost, ['Cost', (_, { cost }) => cost]),
    ...(someWithheld(changes) ? [['Applied', (_, { applied }) => applied] satisfies Column] : []),
  ];
  return {
    header: chosen.map(([title]) => title),
    count: changes.length,
    row: (index) => {
      const change = changes[index] as Change;
      const cells = changeCells(change);
      return chosen.map(([, cell]) => cell(change, cells));
    },
  };
}

function keyName(change: Change): string {
  return change.kind === 'add' ? keyNameCell(change) : '–';
}

function soonTable({ leavingSoon }: Plan): Table[] {
  if (leavingSoon.length === 0) return [];
  const row = (index: number): string[] => {
    const leaver = leavingSoon[index];
    return leaver === undefined ? [] : [code(leaver.email), code(leaver.expires), String(leaver.line)];
  };
  return [
    {
      heading: `### Leaving within 30 days: ${leavingSoon.length}`,
      intro: '',
      header: ['User', 'Last day', 'Line'],
      count: leavingSoon.length,
      row,
      fold: 'closed',
    },
  ];
}

const UNREVIEWED = {
  skip: 'a change that is not in this plan is skipped then, and listed.',
  apply: 'changes that are not in this plan are applied too.',
  fail: 'a change that is not in this plan makes the run fail before anything is written.',
};

const WAYS_OUT = [
  'Two ways out:',
  '- make the proxy match the file: run by hand (`workflow_dispatch`) the workflow that applies the file;',
  '- make the file match the proxy: run the command `export` and open a pull request with what it writes.',
].join('\n');

function footer(plan: Plan, { mode, unreviewed }: PlanMarkdownOptions): string[] {
  if (plan.changes.length === 0) return [];
  if (mode === 'drift') return [WAYS_OUT, 'Nothing was written.'];
  if (mode === 'not-applied') return ['Nothing was written.'];
  if (mode === 'dry-run') return ['This was a dry run: nothing was written.'];
  if (isStopped(plan)) return ['**On merge** nothing is applied as long as the plan breaks a limit.'];
  return [`**On merge** the plan is made afresh and applied; ${UNREVIEWED[unreviewed]}`];
}
