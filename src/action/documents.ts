import type { Plan } from '../core/plan.ts';
import type { Failure, SyncResult } from '../host/port.ts';
import { failureMarkdown, planMarkdown, problemsMarkdown, resultMarkdown } from '../render/markdown.ts';
import type { Body } from './comment.ts';
import type { Job } from './job.ts';
import { named, shownOutcomes, shownPlan, shownProblems, shownWithoutHost, TITLE } from './labels.ts';
import type { Outputs } from './outputs.ts';

const NOT_REVIEWED =
  'Some changes were not applied, because no comment on a merged pull request showed them. Run the workflow by workflow_dispatch to apply all.';

/** @param rest where a reader finds what the limit leaves out */
export function planBody(job: Job, plan: Plan, rest: string): Body {
  const { event, inputs, mode } = job;
  const planned = event.pullRequest === null ? 'dry-run' : 'plan';
  return (limit) =>
    planMarkdown(shownPlan(job, plan), {
      title: TITLE,
      ...named(job),
      mode: mode.kind === 'apply' ? 'not-applied' : planned,
      unreviewed: inputs.unreviewedChanges,
      limit,
      notes: [],
      rest,
    });
}

/** @param rest where a reader finds what the limit leaves out */
export function resultBody(job: Job, { plan, outcomes }: SyncResult, outputs: Outputs, rest: string): Body {
  const links = resultLinks(job, outputs['onboarding-artifact-url'], outputs['artifact-url']);
  return (limit) =>
    resultMarkdown(plan, shownOutcomes(job, outcomes), {
      title: TITLE,
      ...named(job),
      limit,
      notes: plan?.changes.some((change) => change.withheld === 'not reviewed') ? [NOT_REVIEWED] : [],
      links,
      rest,
    });
}

/** Where a run left its files; a blank address is left out. */
export function resultLinks(
  { event }: Job,
  onboardingUrl: string,
  resultsUrl: string,
): { label: string; url: string }[] {
  const links = [
    { label: 'Onboarding links', url: onboardingUrl },
    { label: 'Results', url: resultsUrl },
    { label: 'Run', url: event.runUrl },
  ];
  return links.filter((link) => link.url !== '');
}

/** Why there is no plan. */
export function failureBody(job: Job, failure: Failure): Body {
  const options = { title: TITLE, ...named(job) };
  if (failure.kind === 'error') return () => failureMarkdown(shownWithoutHost(job, failure.message), options);
  const problems = shownProblems(job, failure.problems);
  return (limit) => problemsMarkdown(problems, { ...options, limit, rest: 'the log' });
}
