import type { Outcome } from '../core/outcome.ts';
import { outcomeCounts } from './labels.ts';
import { plain } from './plain.ts';

/** What became of a plan, for log and terminal: counts, then a line for each user who failed or was left out. */
export function resultText(outcomes: readonly Outcome[], title = 'Synchronization Result:'): string {
  const counts = outcomeCounts(outcomes);
  const lines = outcomes
    .filter((outcome) => outcome.status !== 'SUCCESS' && outcome.action !== 'UNCHANGED')
    .map(({ action, email, status, reason }) => `    ${status} ${action} ${plain(email)}: ${plain(reason)}`);
  return [
    title,
    `  Users added: ${counts.added}`,
    `  Users deleted: ${counts.deleted}`,
    ...(counts.deactivated > 0 ? [`  Users deactivated: ${counts.deactivated}`] : []),
    `  Users updated: ${counts.updated}`,
    ...(counts.reactivated > 0 ? [`  Users reactivated: ${counts.reactivated}`] : []),
    `  Users unchanged: ${counts.unchanged}`,
    `  Failed: ${counts.failed}`,
    `  Skipped: ${counts.skipped}`,
    ...lines,
    '',
  ].join('\n');
}
