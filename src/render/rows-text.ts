import type { Failed, Outcome, Skipped } from '../core/outcome.ts';
import { type InviteChange, isStopped, type Plan } from '../core/plan.ts';
import type { RowPlan } from '../core/row-plan.ts';
import { plain } from './plain.ts';
import { addLine, breachLines, deleteLine, inviteLine, notApplied, untouchedLine } from './plan-text.ts';
import { redactOutcomes, redactPlan } from './redact.ts';

/** A plan for single rows as its renderers want it, perhaps with all emails masked. */
export interface RowPlanView {
  readonly action: 'ADDED' | 'DELETED';
  readonly plan: Plan;
  readonly invited: readonly InviteChange[];
  /** Rows that are not carried out. */
  readonly left: readonly (Failed | Skipped)[];
}

export function rowPlanView({ plan, entries, action }: RowPlan, redacts: boolean): RowPlanView {
  const left = entries.flatMap((entry) => ('left' in entry ? entry.left : []));
  const shown = redacts ? redactPlan(plan) : plan;
  const invited = shown.changes.filter((change) => change.kind === 'invite');
  return { action, plan: shown, invited, left: redacts ? redactOutcomes(left) : left };
}

/** What `add`, `delete` or `onboard` is about to do, for log and terminal. Ends with a line break. */
export function rowPlanText(
  view: RowPlanView,
  { applying, csvFile }: { readonly applying: boolean; readonly csvFile: string },
): string {
  const { plan, invited, left } = view;
  const adds = plan.changes.flatMap((change) =>
    change.kind === 'add' ? `${addLine(change)}${notApplied(change)}` : [],
  );
  const deletes = plan.changes.flatMap((change) =>
    change.kind === 'delete' ? `${deleteLine(change)}${notApplied(change)}` : [],
  );
  const links = [
    ...plan.changes.flatMap((change) => (change.kind === 'invite' ? `${inviteLine(change)}${notApplied(change)}` : [])),
    ...invited.map(inviteLine),
  ];
  const blocks = [
    `Plan for ${plain(csvFile)}:\n${counts(view).join('\n')}`,
    heading(applying && !isStopped(plan), adds.length + deletes.length + links.length > 0),
    block('Users to ADD:', adds),
    block('Users to DELETE:', deletes),
    block('Existing users who get a FRESH LINK:', links),
    block('Rows SKIPPED:', left.filter((row) => row.status === 'SKIPPED').map(leftLine)),
    block('Rows with ERRORS:', left.filter((row) => row.status === 'FAILED').map(leftLine)),
    untouchedLine(plan),
    breachLines(plan),
  ];
  return `${blocks.filter((text) => text !== '').join('\n\n')}\n`;
}

function counts({ action, plan, invited, left }: RowPlanView): string[] {
  const count = (status: Outcome['status']): number => left.filter((row) => row.status === status).length;
  return [
    `  Users to ${action === 'ADDED' ? 'add' : 'delete'}: ${plan.changes.length - invited.length}`,
    ...(invited.length > 0 ? [`  Fresh links: ${invited.length}`] : []),
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
