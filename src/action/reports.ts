import { writeFile } from 'node:fs/promises';
import type { RowPlan } from '../core/row-plan.ts';
import type { Shown } from '../host/port.ts';
import { documentMarkdown } from '../render/documents.ts';
import { plain } from '../render/escape.ts';
import { plural } from '../render/labels.ts';
import { linkCount, rowPlanMarkdown, rowPlanText, rowPlanView } from '../render/rows.ts';
import { outputPath, uploadResults } from './artifacts.ts';
import type { Job } from './job.ts';
import { artifactOf, fileAndTarget, redactedText, TITLE } from './labels.ts';
import type { Outputs } from './outputs.ts';
import { appendSummary } from './outputs.ts';

/** Shows a list of users: stdout, job summary, file and artifact. */
export async function showListing(
  job: Job,
  { text, fileName, columns, count, row }: Extract<Shown, { kind: 'list' }>,
): Promise<Partial<Outputs>> {
  process.stdout.write(text);
  const file = outputPath(job, fileName);
  await writeFile(file, text);
  const { target } = fileAndTarget(job);
  const head = `**${plural(count, 'user')}**`;
  const table = { header: columns, count, row };
  const summary = (limit: number) =>
    documentMarkdown({ title: TITLE, target, head, notes: [], table, limit, rest: artifactOf(job) });
  await appendSummary(job.env, summary, job.log);
  return { 'result-file': file, 'artifact-url': await keep(job, file) };
}

/** Tells of the file that `export` wrote; it is an artifact too, unless it holds emails that readers must not see. */
export async function showExport(
  job: Job,
  { path, users, changed, notes, warnings }: Extract<Shown, { kind: 'export' }>,
): Promise<Partial<Outputs>> {
  for (const warning of warnings) job.log.warning(plain(warning));
  for (const note of notes) job.log.info(plain(note));
  const shown = [...warnings, ...notes].map((note) => redactedText(job, note));
  const { target } = fileAndTarget(job);
  const head = `**${plural(users, 'user')}** exported.`;
  await appendSummary(
    job.env,
    (limit) => documentMarkdown({ title: TITLE, target, head, notes: shown, table: null, limit, rest: 'the log' }),
    job.log,
  );
  const url = path === null || job.redacts ? '' : await keep(job, path);
  return { 'has-changes': changed, 'result-file': path ?? '', 'artifact-url': url };
}

async function keep(job: Job, file: string): Promise<string> {
  const { url, failure } = await uploadResults(job, [file]);
  if (failure !== null) throw failure;
  return url;
}

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
