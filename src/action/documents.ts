import type { Plan } from '../core/plan.ts';
import type { Failure, RunResult } from '../host/port.ts';
import { failureMarkdown, problemsMarkdown } from '../render/documents.ts';
import { type PlanMarkdownOptions, planMarkdown } from '../render/plan-markdown.ts';
import { resultMarkdown } from '../render/result.ts';
import type { Body } from './comment.ts';
import type { Job } from './job.ts';
import {
  fileAndTarget,
  redactedOutcomes,
  redactedPlan,
  redactedProblems,
  redactedText,
  redactedWithoutHost,
  TITLE,
} from './labels.ts';

/** What a plan's document says beside the plan itself. */
export interface PlanContext {
  /** See {@link PlanMarkdownOptions}. */
  readonly obstacle: string | null;
  /** Indices of the changes that were due before the pull request; `unreadable`: they could not be told apart. */
  readonly earlier: ReadonlySet<number> | 'unreadable' | null;
  readonly isDrift: boolean;
}

export const NO_CONTEXT: PlanContext = { obstacle: null, earlier: null, isDrift: false };

/** @param rest where a reader finds what the limit leaves out */
export function planBody(job: Job, plan: Plan, { obstacle, earlier, isDrift }: PlanContext, rest: string): Body {
  const { inputs } = job;
  return (limit) =>
    planMarkdown(redactedPlan(job, plan), {
      title: TITLE,
      ...fileAndTarget(job),
      mode: isDrift ? 'drift' : planMode(job),
      unreviewed: inputs.unreviewedChanges,
      obstacle: obstacle && redactedText(job, obstacle),
      earlier: earlier === 'unreadable' ? null : earlier,
      limit,
      notes: earlier === 'unreadable' ? [NOT_TOLD_APART] : [],
      rest,
    });
}

const NOT_TOLD_APART =
  'The file at the base of this pull request could not be read: what was already different before it is not told apart.';

function planMode({ event, mode }: Job): PlanMarkdownOptions['mode'] {
  if (mode.kind === 'apply') return 'not-applied';
  return event.pullRequest === null ? 'dry-run' : 'plan';
}

/** @param rest where a reader finds what the limit leaves out */
export function resultBody(
  job: Job,
  { plan, outcomes, notes, secretsUrl }: RunResult<unknown>,
  { artifactUrl, whyNot, linksExpire }: ResultContext,
  rest: string,
): Body {
  const ofFile = plan?.kind === 'file' ? plan.plan : null;
  const told = [...(whyNot === '' ? [] : [notReviewed(whyNot)]), ...notes.map((note) => redactedText(job, note))];
  return (limit) =>
    resultMarkdown(ofFile && redactedPlan(job, ofFile), redactedOutcomes(job, outcomes, ofFile?.changes), {
      title: TITLE,
      ...fileAndTarget(job),
      limit,
      notes: told,
      links: resultLinks(job, secretsUrl, artifactUrl),
      linksExpire,
      rest,
    });
}

/** What a result's document says beside the result itself. */
export interface ResultContext {
  readonly artifactUrl: string;
  /** Why changes count as not reviewed, as a part of a sentence; a blank where all were. */
  readonly whyNot: string;
  /** See {@link ResultMarkdownOptions}. */
  readonly linksExpire: string | null;
}

function notReviewed(whyNot: string): string {
  return `Some changes were not reviewed: ${whyNot}. Run the workflow by workflow_dispatch to apply all.`;
}

/** Where a run left its files; a blank address is left out. */
function resultLinks({ event }: Job, onboardingUrl: string, resultsUrl: string): { label: string; url: string }[] {
  const links = [
    { label: 'Onboarding links', url: onboardingUrl },
    { label: 'Results', url: resultsUrl },
    { label: 'Run', url: event.runUrl },
  ];
  return links.filter((link) => link.url !== '');
}

/** Why there is no plan. */
export function failureBody(job: Job, failure: Failure): Body {
  const options = { title: TITLE, ...fileAndTarget(job) };
  if (failure.kind === 'error')
    return () =>
      failureMarkdown(redactedWithoutHost(job, failure.message), { ...options, links: resultLinks(job, '', '') });
  const problems = redactedProblems(job, failure.problems);
  return (limit) => problemsMarkdown(problems, { ...options, limit, rest: 'the log' });
}
