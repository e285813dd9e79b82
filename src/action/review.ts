import { readFile } from 'node:fs/promises';
import type { Plan } from '../core/plan.ts';
import { parseMarker, planDigests, unreviewed, wholeDigest, withholdUnreviewed } from '../core/review.ts';
import { type Approvals, findApprovals } from '../github/approvals.ts';
import { findAuthor } from '../github/author.ts';
import type { GitHubClient } from '../github/client.ts';
import { isSuperseded } from '../github/superseded.ts';

import { plural } from '../render/labels.ts';
import type { Job } from './job.ts';

const EVERYTHING: Approvals = { kind: 'everything', because: 'workflow_dispatch' };
const RUN_BY_HAND = 'Look at the plan, and run the workflow by `workflow_dispatch` to apply all of it.';

/** Whether a plan may be applied. */
export type Verdict =
  | { readonly kind: 'go' }
  /** Nothing is written, and that is well: the run ends green. */
  | { readonly kind: 'superseded' }
  | { readonly kind: 'refused'; readonly reason: string };

/** What the review lets through, and what the lookup found for the result to be written to. */
export interface Approval {
  readonly verdict: Verdict;
  /** The plan with what nobody reviewed withheld, as far as that was looked up: for showing. */
  readonly reviewed: Plan;
  readonly approvals: Approvals;
}

/**
 * Finds out what of a plan was shown on merged pull requests, and withholds the rest.
 * @throws LookupFailedError: "could not find out" is never "everything was reviewed"
 */
export async function approve(plan: Plan, job: Job): Promise<Approval> {
  if (job.client === null) return { verdict: reviewBlind(job), reviewed: plan, approvals: EVERYTHING };
  if (await supersededNow(job)) return { verdict: { kind: 'superseded' }, reviewed: plan, approvals: EVERYTHING };
  const approvals = await lookUp(plan, job, job.client);
  const reviewed = withheld(plan, approvals, job);
  return { verdict: judge(reviewed, job), reviewed, approvals };
}

/** Whether the head of the branch has another file by now; never where nothing may be asked. */
export async function supersededNow(job: Job): Promise<boolean> {
  const { client, event, repositoryPath, inputs } = job;
  if (client === null || event.branch === null || repositoryPath === null) return false;
  const content = await readFile(inputs.csvPath);
  return isSuperseded({ client, event, branch: event.branch, path: repositoryPath, content });
}

function reviewBlind({ inputs, event }: Job): Verdict {
  if (event.name === 'workflow_dispatch' || inputs.unreviewedChanges === 'apply') return { kind: 'go' };
  const why = inputs.comment ? 'no `github-token` was given' : '`comment` is `false`';
  return {
    kind: 'refused',
    reason: `What was reviewed cannot be looked up, because ${why}, and \`unreviewed-changes\` is \`${inputs.unreviewedChanges}\`. Nothing was written. Give the token, or set \`unreviewed-changes: apply\`, or run the workflow by \`workflow_dispatch\`.`,
  };
}

async function lookUp(plan: Plan, job: Job, client: GitHubClient): Promise<Approvals> {
  const { event, inputs } = job;
  if (event.name === 'workflow_dispatch') return EVERYTHING;
  const digests = planDigests(job.targetHash, plan);
  try {
    return await findApprovals({
      client,
      event,
      branch: event.branch ?? event.defaultBranch ?? '',
      wanted: new Set(digests),
      wantedWhole: digests.length === 0 ? null : wholeDigest(digests),
      author: await findAuthor(client),
      parseMarker: (body) => parseMarker(body, job.targetHash),
    });
  } catch (error) {
    if (inputs.unreviewedChanges !== 'apply') throw error;
    job.log.warning(`${messageOf(error)} \`unreviewed-changes\` is \`apply\`: the run goes on without.`);
    return EVERYTHING;
  }
}

function withheld(plan: Plan, approvals: Approvals, { inputs, targetHash }: Job): Plan {
  if (approvals.kind === 'everything' || inputs.unreviewedChanges === 'apply') return plan;
  return withholdUnreviewed(plan, targetHash, approvals, inputs);
}

function judge(reviewed: Plan, { inputs, log }: Job): Verdict {
  const left = unreviewed(reviewed);
  if (left.length === 0) return { kind: 'go' };
  const told = `${plural(left.length, 'change')} of this plan ${left.length === 1 ? 'was' : 'were'} not reviewed: no comment on a merged pull request showed ${left.length === 1 ? 'it' : 'them'}.`;
  if (inputs.unreviewedChanges === 'fail')
    return { kind: 'refused', reason: `${told} Nothing was written. ${RUN_BY_HAND}` };
  log.warning(`${told} ${left.length === 1 ? 'It is' : 'They are'} skipped. ${RUN_BY_HAND}`);
  return { kind: 'go' };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
