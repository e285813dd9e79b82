import type { Change, DeleteChange, Plan } from '../core/plan.ts';
import { type ChangeCells, changeCells, hasCost, keyNameCell } from './cells.ts';
import { code, prose } from './escape.ts';
import { type DocumentOptions, fitDocument, type Table } from './fit.ts';
import { adminChange, list, money, planCounts, plural, unmanagedWords, withheldCounts } from './labels.ts';

export interface PlanMarkdownOptions extends DocumentOptions {
  /** `plan`: in a pull request, merging applies it; `dry-run`: nothing follows; `not-applied`: this run was to apply it, and may not. */
  readonly mode: 'plan' | 'dry-run' | 'not-applied';
  /** Of `mode: 'plan'`: what happens on merge to a change that no comment showed. */
  readonly unreviewed: 'skip' | 'apply' | 'fail';
  /** Messages to the reader, plain text; they may hold values. */
  readonly notes: readonly string[];
}

/**
 * The plan for comment and job summary: counts and costs, then administrators, deletes, updates, adds, each change in
 * exactly one table. Long plans are cut on whole rows, from the end.
 */
export function planMarkdown(plan: Plan, options: PlanMarkdownOptions): string {
  return fitDocument(
    {
      head: [heading(options), headline(plan, options), ...breachAlert(plan), ...costs(plan)],
      notes: options.notes,
      tables: planTables(plan),
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

function headline(plan: Plan, { csvFile }: PlanMarkdownOptions): string {
  const counts = planCounts(plan);
  if (plan.changes.length === 0) {
    return `**No changes.** The proxy matches ${code(csvFile)}, ${plural(counts.unchanged, 'user')} unchanged.`;
  }
  const kinds = (['add', 'delete', 'update'] as const).filter((kind) => counts[kind] > 0);
  const changes = kinds.map((kind) => `${counts[kind]} to ${kind}`).join(', ');
  return `**${changes}**, ${counts.unchanged} unchanged, to match ${code(csvFile)}.`;
}

/** The breached limits as an alert, if there are any. */
export function breachAlert({ breaches }: Plan): string[] {
  if (breaches.length === 0) return [];
  const lines = breaches.map(({ message }) => `> ${prose(message)}`);
  return [`> [!CAUTION]\n> **Nothing of this plan can be applied.**\n>\n${lines.join('\n>\n')}`];
}

/** What is lost if the plan is applied, and what is not applied. One line each: two `$` in one make a formula. */
export function costs(plan: Plan): string[] {
  const applied = plan.changes.filter(({ withheld }) => withheld === null);
  const deletes = applied.filter((change): change is DeleteChange => change.kind === 'delete');
  const keys = deletes.reduce((sum, { keyCount }) => sum + keyCount, 0);
  const spend = deletes.reduce((sum, change) => sum + change.spend, 0);
  const left = applied.flatMap((change) => (change.kind === 'update' && change.teamKeysDeleted ? change.teamKeys : []));
  const lines: string[] = [];
  if (keys > 0 || spend > 0) {
    lines.push(`- Deleting users also deletes **${plural(keys, 'key')}** and the record of **${money(spend)}** spend.`);
  }
  if (left.length > 0) lines.push(`- Leaving teams deletes **${plural(left.length, 'key')}** of those teams.`);
  for (const [reason, count] of withheldCounts(plan)) lines.push(`- ${count} **not applied**: ${prose(reason)}.`);
  return lines.length === 0 ? [] : [lines.join('\n')];
}

/** Administrators, deletes, updates, adds: each change in exactly one table. */
export function planTables(plan: Plan): Table[] {
  const admins = plan.changes.filter((change) => adminChange(change) !== null);
  const others = plan.changes.filter((change) => adminChange(change) === null);
  return [
    adminTable(admins),
    kindTable('Delete', 'delete', others, admins, 'open'),
    kindTable('Update', 'update', others, admins, 'closed'),
    kindTable('Add', 'add', others, admins, 'closed'),
  ].filter(({ count }) => count > 0);
}

function adminTable(changes: readonly Change[]): Table {
  const gained = changes.filter((change) => adminChange(change) === 'gained');
  const sorted = [...gained, ...changes.filter((change) => adminChange(change) === 'lost')];
  const counts = [
    ...(gained.length > 0 ? [`${gained.length} gained`] : []),
    ...(sorted.length > gained.length ? [`${sorted.length - gained.length} lost`] : []),
  ];
  const warning = '> [!WARNING]\n> An administrator may read and change every user, team and key of the proxy.';
  return {
    heading: `### ⚠️ Administrators: ${list(counts)}`,
    intro: gained.length > 0 ? warning : '',
    fold: 'never',
    ...columns(sorted, [['Change', (change) => change.kind]]),
  };
}

function kindTable(
  word: string,
  kind: Change['kind'],
  others: readonly Change[],
  admins: readonly Change[],
  fold: Table['fold'],
): Table {
  const changes = others.filter((change) => change.kind === kind);
  const above = admins.filter((change) => change.kind === kind).length;
  return {
    heading: `### ${word} ${plural(changes.length, 'user')}`,
    intro: above === 0 ? '' : `${above} more under Administrators.`,
    fold,
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
    ...some((change) => change.kind === 'add' && change.keyName !== null, ['Key name', keyName]),
    ...some(hasCost, ['Cost', (_, { cost }) => cost]),
    ...some(({ withheld }) => withheld !== null, ['Applied', (_, { applied }) => applied]),
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

/** A line on the users that are not managed, if there are any. */
export function untouched({ unmanaged }: Pick<Plan, 'unmanaged'>): string[] {
  const words = unmanagedWords(unmanaged);
  return words === '' ? [] : [`Users never touched: ${words}.`];
}

const UNREVIEWED = {
  skip: 'a change that is not in this plan is skipped then, and listed.',
  apply: 'changes that are not in this plan are applied too.',
  fail: 'a change that is not in this plan makes the run fail before anything is written.',
};

function footer(plan: Plan, { mode, unreviewed }: PlanMarkdownOptions): string[] {
  if (plan.changes.length === 0) return [];
  if (mode === 'not-applied') return ['Nothing was written.'];
  if (mode === 'dry-run') return ['This was a dry run: nothing was written.'];
  if (plan.breaches.length > 0) return ['**On merge** nothing is applied as long as the plan breaks a limit.'];
  return [`**On merge** the plan is made afresh and applied; ${UNREVIEWED[unreviewed]}`];
}
