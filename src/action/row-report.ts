import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { RowPlan } from '../core/row-plan.ts';
import type { RowsResult } from '../host/port.ts';
import { outcomeCounts } from '../render/labels.ts';
import { resultMarkdown, rowPlanMarkdown } from '../render/markdown.ts';
import { planJson } from '../render/plan-json.ts';
import { resultText } from '../render/result-text.ts';
import { rowPlanText, rowPlanView } from '../render/rows-text.ts';
import { besides, PLAN_FILE, uploadResults } from './artifacts.ts';
import { resultLinks } from './documents.ts';
import type { Job } from './job.ts';
import { artifactOf, named, shownOutcomes, shownText, TITLE } from './labels.ts';
import type { Outputs } from './outputs.ts';
import { appendSummary } from './summary.ts';

/** Shows what `add`, `delete` or `onboard` is about to do: log, and job summary where nothing follows. */
export async function showRows(job: Job, rowPlan: RowPlan, applying: boolean): Promise<Partial<Outputs>> {
  const view = rowPlanView(rowPlan, job.redacts);
  job.log.info(rowPlanText(view, { applying, csvFile: job.inputs.csvFile }));
  const planFile = besides(job, PLAN_FILE);
  await writeFile(planFile, planJson(view.plan, named(job)));
  const open = view.plan.changes.filter((change) => change.withheld === null).length + view.invited.length;
  const changes = { 'has-changes': open > 0, 'plan-file': planFile };
  if (applying) return changes;
  await appendSummary(
    job.env,
    (limit) => rowPlanMarkdown(view, { title: TITLE, ...named(job), limit, rest: 'the log' }),
    job.log,
  );
  const { changes: planned } = view.plan;
  const skipped = view.left.filter((row) => row.status === 'SKIPPED').length;
  return {
    ...changes,
    added: planned.filter((change) => change.kind === 'add').length,
    deleted: planned.filter((change) => change.kind === 'delete').length,
    unchanged: view.invited.length,
    failed: view.left.length - skipped,
    skipped: skipped + planned.filter((change) => change.withheld !== null).length,
  };
}

/**
 * Tells what became of the rows: log, job summary, outputs, and the artifact of all files without secrets.
 * @returns an upload that failed beside the outputs: everything else is written first
 */
export async function reportRows(
  job: Job,
  { outcomes, notes, files, secretFiles }: RowsResult,
  onboardingUrl: string,
): Promise<{ outputs: Partial<Outputs>; failure: Error | null }> {
  const told = shownOutcomes(job, outcomes);
  job.log.info(resultText(told, 'Result:'));
  const open = files.filter((file) => !secretFiles.includes(file));
  const { url, failure } = await uploadResults(job, [...open, besides(job, PLAN_FILE)].filter(existsSync));
  const options = {
    title: TITLE,
    ...named(job),
    notes: notes.map((note) => shownText(job, note)),
    links: resultLinks(job, onboardingUrl, url),
    rest: artifactOf(job),
  };
  await appendSummary(job.env, (limit) => resultMarkdown(null, told, { ...options, limit }), job.log);
  return { outputs: { ...outcomeCounts(outcomes), 'result-file': files[0] ?? '', 'artifact-url': url }, failure };
}
