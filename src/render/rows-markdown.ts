import { code } from './escape.ts';
import { type DocumentOptions, fitDocument, type Table } from './fit.ts';
import { plural } from './labels.ts';
import { breachAlert, costs, heading, planTables, untouched } from './plan-markdown.ts';
import { reasonTable } from './result-markdown.ts';
import { linkCount, type RowPlanView } from './rows-text.ts';

/** What `add`, `delete` or `onboard` would do, for the job summary: errors first, then what is skipped and done. */
export function rowPlanMarkdown(view: RowPlanView, options: DocumentOptions): string {
  const { plan } = view;
  return fitDocument(
    {
      head: [heading(options), headline(view, options), ...breachAlert(plan), ...costs(plan)],
      notes: [],
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
