import type { Outcome } from '../core/outcome.ts';
import type { Change, Plan } from '../core/plan.ts';
import type { Problem } from '../core/problem.ts';
import { redactOutcomes, redactPlan, redactProblems, redactText } from '../render/redact.ts';
import { artifactServiceMissing } from './artifact-service.ts';
import type { Job } from './job.ts';

/** What readers of a job may see: with every email masked where the repository asks for that. */
type Redacts = Pick<Job, 'redacts'>;

export function redactedText({ redacts }: Redacts, text: string): string {
  return redacts ? redactText(text) : text;
}

/**
 * For places where the runner masks nothing, such as a comment: without the proxy's host, too, which may be kept as a
 * secret.
 */
export function redactedWithoutHost(job: Redacts & Pick<Job, 'inputs'>, text: string): string {
  if (!job.redacts) return text;
  const { baseUrl } = job.inputs;
  return baseUrl === '' ? redactedText(job, text) : redactedText(job, text).replaceAll(new URL(baseUrl).host, '…');
}

export function redactedPlan({ redacts }: Redacts, plan: Plan): Plan {
  return redacts ? redactPlan(plan) : plan;
}

/** @param changes of the plan, unmasked: their lines and ids tell masked outcomes apart */
export function redactedOutcomes(
  { redacts }: Redacts,
  outcomes: readonly Outcome[],
  changes: readonly Change[] = [],
): readonly Outcome[] {
  return redacts ? redactOutcomes(outcomes, changes) : outcomes;
}

export function redactedProblems(job: Redacts, problems: readonly Problem[]): readonly Problem[] {
  return job.redacts ? redactProblems(problems) : problems;
}

export const TITLE = 'LiteLLM User Sync';
/** Where a reader finds what a comment had to leave out. */
export const SUMMARY = 'the job summary';
/** The artifact of everything that holds no secrets. */
export const RESULTS = 'user-sync-results';

/** As `SUMMARY`, for the summary itself. */
export function artifactOf({ inputs, env }: Job): string {
  const isMade = inputs.artifacts && artifactServiceMissing(env) === null;
  return isMade ? `the artifact ${artifactName(RESULTS, inputs.target)}` : 'the result files';
}

/** An artifact's name: where there are several proxies, each has its own. */
export function artifactName(name: string, target: string): string {
  return target === '' ? name : `${name}-${target}`;
}

/** The file and, where there are several, the proxy that a text is about. */
export function fileAndTarget({ inputs }: Job): { csvFile: string; target: string | null } {
  return { csvFile: inputs.csvFile, target: inputs.target === '' ? null : inputs.target };
}
