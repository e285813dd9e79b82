import type { Outcome } from '../core/outcome.ts';
import type { Plan } from '../core/plan-types.ts';
import type { Problem } from '../core/problem.ts';
import { redactOutcomes, redactPlan, redactText } from '../render/redact.ts';
import type { Job } from './job.ts';

/** What readers of a job may see: with every email masked where the repository asks for that. */
type Redacts = Pick<Job, 'redacts'>;

export function shownText({ redacts }: Redacts, text: string): string {
  return redacts ? redactText(text) : text;
}

/**
 * For places where the runner masks nothing, such as a comment: without the proxy's host, too, which may be kept as a
 * secret.
 */
export function shownWithoutHost(job: Redacts & Pick<Job, 'inputs'>, text: string): string {
  const { host } = new URL(job.inputs.baseUrl);
  return job.redacts ? shownText(job, text).replaceAll(host, '…') : text;
}

export function shownPlan({ redacts }: Redacts, plan: Plan): Plan {
  return redacts ? redactPlan(plan) : plan;
}

export function shownOutcomes({ redacts }: Redacts, outcomes: readonly Outcome[]): readonly Outcome[] {
  return redacts ? redactOutcomes(outcomes) : outcomes;
}

export function shownProblems(job: Redacts, problems: readonly Problem[]): readonly Problem[] {
  return problems.map((problem) => ({ ...problem, message: shownText(job, problem.message) }));
}
