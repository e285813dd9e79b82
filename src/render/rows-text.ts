import type { Failed, Outcome, Skipped } from '../core/outcome.ts';
import { type Change, isStopped, type Plan } from '../core/plan.ts';
import type { RowPlan } from '../core/row-plan.ts';
import { plain } from './plain.ts';
import { breachLines, changeLine, notApplied, untouchedLine } from './plan-text.ts';
import { redactOutcomes, redactPlan } from './redact.ts';

/** A plan for single rows as its renderers want it, perhaps with all emails masked. */
export interface RowPlanView {
  readonly action: 'ADDED' | 'DELETED';
  readonly plan: Plan;
  /** Rows that are not carried out. */
  readonly left: readonly (Failed | Skipped)[];
}

export function rowPlanView({ plan, entries, action }: RowPlan, redacts: boolean): RowPlanView {
  const left = entries.flatMap((entry) => ('left' in entry ? entry.left : []));
  return { action, plan: redacts ? redactPlan(plan) : plan, left: redacts ? redactOutcomes(left) : left };
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
  const { plan, left } = view;
  const linesOf = (kind: Change['kind']): string[] =>
    plan.changes.filter((change) => change.kind === kind).map((change) => `${changeLine(change)}${notApplied(change)}`);
  const blocks = [
    `Plan for ${plain(csvFile)}:\n${counts(view).join('\n')}`,
    heading(applying && !isStopped(plan), plan.changes.length > 0),
    block('Users to ADD:', linesOf('add')),
    block('Users to DELETE:', linesOf('delete')),
    block('Existing users who get a FRESH LINK:', linesOf('invite')),
    block('Rows SKIPPED:', left.filter((row) => row.status === 'SKIPPED').map(leftLine)),
    block('Rows with ERRORS:', left.filter((row) => row.status === 'FAILED').map(leftLine)),
    untouchedLine(plan),
    breachLines(plan),
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

function heading(applying: boolean, some: boolean): string {
  if (!some) return 'Nothing to do.';
  return applying ? 'Changes to be made:' : 'DRY RUN - Changes that would be made:';
}

function leftLine({ email, reason }: Outcome): string {
  return `! ${email === '' ? '(no email)' : plain(email)}: ${plain(reason)}`;
}

function block(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [`  ${title}`, ...lines.map((line) => `    ${line}`)].join('\n');
}
