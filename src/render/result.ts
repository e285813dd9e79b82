import type { Outcome } from '../core/outcome.ts';
import type { Change, Plan } from '../core/plan.ts';
import { code, link, plain, prose } from './escape.ts';
import { type DocumentOptions, fitDocument, type Table } from './fit.ts';
import { NO_ROLE, NO_TEAM, outcomeCounts, untouched } from './labels.ts';
import { doneTables, heading } from './plan-markdown.ts';

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

export interface ResultMarkdownOptions extends DocumentOptions {
  /** Messages to the reader, plain text; they may hold values. */
  readonly notes: readonly string[];
  /** Artifacts and the run. Never an onboarding link. */
  readonly links: readonly { readonly label: string; readonly url: string }[];
  /** The day after which onboarding links no longer open, `YYYY-MM-DD`; `null`: none were made. */
  readonly linksExpire: string | null;
}

type PlanOfResult = Pick<Plan, 'changes' | 'unmanaged' | 'deactivated'>;

/**
 * What became of a plan, for comment and job summary: counts, links, then failures, skipped changes, and what was
 * done. `plan` adds who was never touched, and shows what was done as from → to; commands without one give `null`.
 */
export function resultMarkdown(
  plan: PlanOfResult | null,
  outcomes: readonly Outcome[],
  options: ResultMarkdownOptions,
): string {
  const links = options.links.map(({ label, url }) => link(label, url)).join(' · ');
  return fitDocument(
    {
      head: [
        heading(options),
        headline(outcomes, options),
        ...(links === '' ? [] : [links]),
        ...(options.linksExpire === null ? [] : [`Onboarding links open until ${code(options.linksExpire)}.`]),
      ],
      notes: options.notes,
      tables: tables(plan?.changes ?? [], outcomes),
      foot: plan === null ? [] : untouched(plan),
      rest: options.rest,
    },
    options.limit,
  );
}

function headline(outcomes: readonly Outcome[], { csvFile }: ResultMarkdownOptions): string {
  const counts = outcomeCounts(outcomes);
  const kinds = ['added', 'deleted', 'deactivated', 'updated', 'reactivated'] as const;
  const done = kinds.filter((kind) => counts[kind] > 0);
  const words = done.length === 0 ? 'Nothing changed' : done.map((kind) => `${counts[kind]} ${kind}`).join(', ');
  const parts = [`**${words}**`, `${counts.unchanged} unchanged`];
  if (counts.failed > 0) parts.push(`**${counts.failed} failed**`);
  if (counts.skipped > 0) parts.push(`**${counts.skipped} not applied**`);
  return `${parts.join(', ')}, from ${code(csvFile)}.`;
}

function tables(changes: readonly Change[], outcomes: readonly Outcome[]): Table[] {
  const failed = outcomes.filter(({ status }) => status === 'FAILED');
  const skipped = outcomes.filter(({ status }) => status === 'SKIPPED');
  const done = outcomes.filter(({ status }) => status === 'SUCCESS');
  const planned = done.map((outcome) => changes[outcome.index ?? -1]);
  const others = (wanted: Outcome['action']) =>
    done.filter(({ action }, index) => action === wanted && planned[index] === undefined);
  return [
    reasonTable(`### ❌ Failed: ${failed.length}`, failed),
    reasonTable(`### Not applied: ${skipped.length}`, skipped),
    ...doneTables(planned.flatMap((change) => (change === undefined ? [] : { ...change, withheld: null }))),
    userTable('Deleted', others('DELETED')),
    userTable('Deactivated', others('DEACTIVATED')),
    userTable('Updated', others('UPDATED')),
    userTable('Reactivated', others('REACTIVATED')),
    userTable('Added', others('ADDED')),
  ].filter(({ count }) => count > 0);
}

/** Rows with the reason why they failed or were left out. */
export function reasonTable(title: string, outcomes: readonly Outcome[]): Table {
  return {
    heading: title,
    intro: '',
    header: ['Change', 'User', 'Reason'],
    count: outcomes.length,
    row: (index) => {
      const { action, email, reason } = outcomes[index] as Outcome;
      return [VERB[action], code(email), prose(reason)];
    },
    fold: 'open',
  };
}

const VERB = {
  ADDED: 'add',
  DELETED: 'delete',
  DEACTIVATED: 'deactivate',
  UPDATED: 'update',
  REACTIVATED: 'reactivate',
  UNCHANGED: 'none',
} as const;

function userTable(word: string, outcomes: readonly Outcome[]): Table {
  return {
    heading: `### ${word}: ${outcomes.length}`,
    intro: '',
    header: ['User', 'Role', 'Teams'],
    count: outcomes.length,
    row: (index) => {
      const { email, role, teamName } = outcomes[index] as Outcome;
      return [code(email), role === '' ? NO_ROLE : code(role), teamName === '' ? NO_TEAM : code(teamName)];
    },
    fold: 'closed',
  };
}
