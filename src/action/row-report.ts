import type { RowPlan } from '../core/row-plan.ts';
import { rowPlanMarkdown } from '../render/markdown.ts';
import { linkCount, rowPlanText, rowPlanView } from '../render/rows-text.ts';
import type { Job } from './job.ts';
import { fileAndTarget, TITLE } from './labels.ts';
import type { Outputs } from './outputs.ts';
import { appendSummary } from './summary.ts';

/** Shows what `add`, `delete` or `onboard` is about to do, in the log. */
export function logRows(job: Job, rows: RowPlan, applying: boolean): void {
  job.log.info(rowPlanText(rowPlanView(rows, job.redacts), { applying, csvFile: job.inputs.csvFile }));
}

/** Shows what `add`, `delete` or `onboard` would do, where nothing follows: job summary and counts. */
export async function summarizeRows(job: Job, rows: RowPlan): Promise<Partial<Outputs>> {
  const view = rowPlanView(rows, job.redacts);
  await appendSummary(
    job.env,
    (limit) => rowPlanMarkdown(view, { title: TITLE, ...fileAndTarget(job), limit, rest: 'the log' }),
    job.log,
  );
  const { changes } = view.plan;
  const skipped = view.left.filter((row) => row.status === 'SKIPPED').length;
  return {
    added: changes.filter((change) => change.kind === 'add').length,
    deleted: changes.filter((change) => change.kind === 'delete').length,
    unchanged: linkCount(view.plan),
    failed: view.left.length - skipped,
    skipped: skipped + changes.filter((change) => change.withheld !== null).length,
  };
}
