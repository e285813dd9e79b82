import type { Plan } from '../core/plan.ts';
import type { Failure, RunResult } from '../host/port.ts';
import { failureMarkdown, planMarkdown, problemsMarkdown, resultMarkdown } from '../render/markdown.ts';
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

const NOT_REVIEWED =
  'Some changes were not applied, because no comment on a merged pull request showed them. Run the workflow by workflow_dispatch to apply all.';

/** @param rest where a reader finds what the limit leaves out */
export function planBody(job: Job, plan: Plan, rest: string): Body {
  const { event, inputs, mode } = job;
  const planned = event.pullRequest === null ? 'dry-run' : 'plan';
  return (limit) =>
    planMarkdown(redactedPlan(job, plan), {
      title: TITLE,
      ...fileAndTarget(job),
      mode: mode.kind === 'apply' ? 'not-applied' : planned,
      unreviewed: inputs.unreviewedChanges,
      limit,
      notes: [],
      rest,
    });
}

/** @param rest where a reader finds what the limit leaves out */
export function resultBody(
  job: Job,
  { plan, outcomes, notes, secretsUrl }: RunResult<unknown>,
  artifactUrl: string,
  rest: string,
): Body {
  const ofFile = plan?.kind === 'file' ? plan.plan : null;
  const isPartlyReviewed = ofFile?.changes.some((change) => change.withheld === 'not reviewed') === true;
  return (limit) =>
    resultMarkdown(ofFile, redactedOutcomes(job, outcomes), {
      title: TITLE,
      ...fileAndTarget(job),
      limit,
      notes: [...(isPartlyReviewed ? [NOT_REVIEWED] : []), ...notes.map((note) => redactedText(job, note))],
      links: resultLinks(job, secretsUrl, artifactUrl),
      rest,
    });
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
  if (failure.kind === 'error') return () => failureMarkdown(redactedWithoutHost(job, failure.message), options);
  const problems = redactedProblems(job, failure.problems);
  return (limit) => problemsMarkdown(problems, { ...options, limit, rest: 'the log' });
}
