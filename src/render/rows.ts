import type { Failed, Outcome, Skipped } from '../core/outcome.ts';
import { type Change, isStopped, type Plan } from '../core/plan.ts';
import { type Problem, placeOf } from '../core/problem.ts';
import type { RowPlan } from '../core/row-plan.ts';
import { code, plain } from './escape.ts';
import { type DocumentOptions, fitDocument, type Table } from './fit.ts';
import { plural, untouched } from './labels.ts';
import { breachAlert, costs, heading, planTables } from './plan-markdown.ts';
import { administratorBlocks, breachLines, changeLine, LONG, messageLines, notApplied } from './plan-text.ts';
import { redactOutcomes, redactPlan, redactProblems } from './redact.ts';
import { reasonTable } from './result.ts';

/** A plan for single rows as its renderers want it, perhaps with all emails masked. */
export interface RowPlanView {
  readonly action: 'ADDED' | 'DELETED';
  readonly plan: Plan;
  /** Rows that are not carried out. */
  readonly left: readonly (Failed | Skipped)[];
  /** What is wrong with rows. */
  readonly problems: readonly Problem[];
}

export function rowPlanView({ plan, entries, action, problems }: RowPlan, redacts: boolean): RowPlanView {
  const left = entries.flatMap((entry) => ('left' in entry ? entry.left : []));
  if (!redacts) return { action, plan, left, problems };
  return { action, plan: redactPlan(plan), left: redactOutcomes(left), problems: redactProblems(problems) };
}

/** How many users get nothing but a fresh link. */
export function linkCount({ changes }: Plan): number {
  return changes.filter(({ kind }) => kind === 'invite').length;
}

/** What `add`, `delete` or `onboard` is about to do, for log and terminal. Ends with a line break. */
export function rowPlanText(
  view: RowPlanView,
  { applying, csvFile }: { readonly applying: boolean; readonly csvFile: string },
): string {
  const { plan, left, problems } = view;
  const linesOf = (kind: Change['kind']): string[] =>
    plan.changes.filter((change) => change.kind === kind).map((change) => `${changeLine(change)}${notApplied(change)}`);
  const blocks = [
    `Plan for ${plain(csvFile)}:\n${counts(view).join('\n')}`,
    textHeading(applying && !isStopped(plan), plan.changes.length > 0),
    ...administratorBlocks(plan),
    block('Users to ADD:', linesOf('add')),
    block('Users to DELETE:', linesOf('delete')),
    block('Existing users who get a FRESH LINK:', linesOf('invite')),
    block('Rows SKIPPED:', left.filter((row) => row.status === 'SKIPPED').map(leftLine)),
    block(
      'Rows with ERRORS:',
      problems.map((problem) => `! ${problemLine(csvFile, problem)}`),
    ),
    messageLines('Warnings:', plan.warnings),
    messageLines('Notes:', plan.notes),
    untouched(plan).join('\n'),
    breachLines(plan),
    plan.changes.length + left.length > LONG
      ? `Plan: ${counts(view)
          .map((line) => line.trim())
          .join(', ')}.`
      : '',
  ];
  return `${blocks.filter((text) => text !== '').join('\n\n')}\n`;
}

function counts({ action, plan, left }: RowPlanView): string[] {
  const count = (status: Outcome['status']): number => left.filter((row) => row.status === status).length;
  const links = linkCount(plan);
  return [
    `  Users to ${action === 'ADDED' ? 'add' : 'delete'}: ${plan.changes.length - links}`,
    ...(links > 0 ? [`  Fresh links: ${links}`] : []),
    `  Rows skipped: ${count('SKIPPED')}`,
    `  Rows with errors: ${count('FAILED')}`,
  ];
}

function textHeading(applying: boolean, some: boolean): string {
  if (!some) return 'Nothing to do.';
  return applying ? 'Changes to be made:' : 'DRY RUN - Changes that would be made:';
}

function leftLine({ email, reason }: Outcome): string {
  return `! ${email === '' ? '(no email)' : plain(email)}: ${plain(reason)}`;
}

/** `user_list.csv:3:2: role of may@example.com: …` */
export function problemLine(csvFile: string, problem: Problem): string {
  const { line, column, message } = problem;
  const position = [csvFile, line, column].filter((part) => part !== null).join(':');
  return [position, placeOf(problem), message].flatMap((part) => (part === '' ? [] : plain(part))).join(': ');
}

function block(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [`  ${title}`, ...lines.map((line) => `    ${line}`)].join('\n');
}

/** What `add`, `delete` or `onboard` would do, for the job summary: errors first, then what is skipped and done. */
export function rowPlanMarkdown(view: RowPlanView, options: DocumentOptions): string {
  const { plan } = view;
  return fitDocument(
    {
      head: [heading(options), headline(view, options), ...breachAlert(plan), ...costs(plan)],
      notes: [...plan.warnings, ...plan.notes],
      tables: [...leftTables(view), ...planTables(plan.changes)].filter(({ count }) => count > 0),
      foot: [...untouched(plan), 'This was a dry run: nothing was written.'],
      rest: options.rest,
    },
    options.limit,
  );
}

function headline({ action, plan, left }: RowPlanView, { csvFile }: DocumentOptions): string {
  const links = linkCount(plan);
  const failed = left.filter(({ status }) => status === 'FAILED').length;
  const parts = [`**${plan.changes.length - links} to ${action === 'ADDED' ? 'add' : 'delete'}**`];
  if (links > 0) parts.push(`${plural(links, 'fresh link')} for existing users`);
  parts.push(`${left.length - failed} skipped`);
  if (failed > 0) parts.push(`**${failed} with errors**`);
  return `${parts.join(', ')}, from ${code(csvFile)}.`;
}

function leftTables({ left }: RowPlanView): Table[] {
  const failed = left.filter(({ status }) => status === 'FAILED');
  const skipped = left.filter(({ status }) => status === 'SKIPPED');
  return [
    reasonTable(`### ❌ Rows with errors: ${failed.length}`, failed),
    reasonTable(`### Skipped: ${skipped.length}`, skipped),
  ];
}
