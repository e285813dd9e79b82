import type { Outcome } from '../core/outcome.ts';
import type { Plan } from '../core/plan.ts';
import { code, link, prose } from './escape.ts';
import { type DocumentOptions, fitDocument, type Table } from './fit.ts';
import { NO_ROLE, NO_TEAM, outcomeCounts } from './labels.ts';
import { heading, untouched } from './plan-markdown.ts';

export interface ResultMarkdownOptions extends DocumentOptions {
  /** Messages to the reader, plain text; they may hold values. */
  readonly notes: readonly string[];
  /** Artifacts and the run. Never an onboarding link. */
  readonly links: readonly { readonly label: string; readonly url: string }[];
}

/**
 * What became of a plan, for comment and job summary: counts, links, then failures, skipped changes, and what was
 * done. `plan` adds who was never touched; commands without one give `null`.
 */
export function resultMarkdown(
  plan: Pick<Plan, 'unmanaged'> | null,
  outcomes: readonly Outcome[],
  options: ResultMarkdownOptions,
): string {
  const links = options.links.map(({ label, url }) => link(label, url)).join(' · ');
  return fitDocument(
    {
      head: [heading(options), headline(outcomes, options), ...(links === '' ? [] : [links])],
      notes: options.notes,
      tables: tables(outcomes),
      foot: plan === null ? [] : untouched(plan),
      rest: options.rest,
    },
    options.limit,
  );
}

function headline(outcomes: readonly Outcome[], { csvFile }: ResultMarkdownOptions): string {
  const counts = outcomeCounts(outcomes);
  const done = (['added', 'deleted', 'updated'] as const).filter((kind) => counts[kind] > 0);
  const words = done.length === 0 ? 'Nothing changed' : done.map((kind) => `${counts[kind]} ${kind}`).join(', ');
  const parts = [`**${words}**`, `${counts.unchanged} unchanged`];
  if (counts.failed > 0) parts.push(`**${counts.failed} failed**`);
  if (counts.skipped > 0) parts.push(`**${counts.skipped} not applied**`);
  return `${parts.join(', ')}, from ${code(csvFile)}.`;
}

function tables(outcomes: readonly Outcome[]): Table[] {
  const failed = outcomes.filter(({ status }) => status === 'FAILED');
  const skipped = outcomes.filter(({ status }) => status === 'SKIPPED');
  const done = (wanted: Outcome['action']) =>
    outcomes.filter(({ status, action }) => status === 'SUCCESS' && action === wanted);
  return [
    reasonTable(`### ❌ Failed: ${failed.length}`, failed),
    reasonTable(`### Not applied: ${skipped.length}`, skipped),
    userTable('Deleted', done('DELETED')),
    userTable('Updated', done('UPDATED')),
    userTable('Added', done('ADDED')),
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
  UPDATED: 'update',
  UNCHANGED: 'none',
  DEACTIVATED: 'deactivate',
  REACTIVATED: 'reactivate',
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
