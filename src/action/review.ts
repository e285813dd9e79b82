import { readFile } from 'node:fs/promises';
import { readUserList, type UserRow } from '../core/desired.ts';
import { earlierChanges } from '../core/diff.ts';
import type { Plan } from '../core/plan.ts';
import {
  type Additions,
  changeDigest,
  planDigests,
  readMarker,
  unreviewed,
  wantedDigests,
  wholeDigest,
  withholdUnreviewed,
} from '../core/review.ts';
import { type ApprovalComment, type Approvals, findApprovals, type ReviewedPull } from '../github/approvals.ts';
import { findAuthor } from '../github/author.ts';
import type { GitHubClient } from '../github/client.ts';
import { messageOf } from '../github/client.ts';
import { isSuperseded, readFileAt } from '../github/repository-file.ts';
import { plural } from '../render/labels.ts';
import type { Job } from './job.ts';

const EVERYTHING: Approvals = { kind: 'everything' };
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
  /** Why changes count as not reviewed, as a part of a sentence; a blank where all were. */
  readonly whyNot: string;
}

export interface ApprovalOptions {
  /** See `additionsFor`. */
  readonly additions: Additions;
  /** Ends waiting for the forge. */
  readonly signal: AbortSignal;
}

/**
 * Finds out what of a plan was shown on merged pull requests, and withholds the rest.
 * @throws LookupFailedError: "could not find out" is never "everything was reviewed"
 */
export async function approve(plan: Plan, job: Job, options: ApprovalOptions): Promise<Approval> {
  const unseen = { reviewed: plan, approvals: EVERYTHING, whyNot: '' };
  if (job.client === null) return { verdict: reviewBlind(job), ...unseen };
  if (await supersededNow(job)) return { verdict: { kind: 'superseded' }, ...unseen };
  const approvals = await lookUp(plan, job, { ...options, client: job.client });
  const reviewed = withheld(plan, approvals, job, options.additions);
  const whyNot = unreviewed(reviewed).length === 0 ? '' : whyNotReviewed(approvals);
  return { verdict: judge(reviewed, whyNot, job), reviewed, approvals, whyNot };
}

/** Whether the head of the branch has another file by now; never where nothing may be asked. */
export async function supersededNow(job: Job): Promise<boolean> {
  const { client, event, repositoryPath, inputs } = job;
  if (client === null || event.branch === null || repositoryPath === null) return false;
  const content = await readFile(inputs.csvPath);
  return isSuperseded({ client, event, branch: event.branch, path: repositoryPath, content });
}

/**
 * Indices of the changes that were due before the pull request, by the file at its base; `null` where that cannot be
 * read, or where there is no pull request. A file that is new with the pull request has no rows before it.
 */
export async function changesBefore(
  job: Job,
  plan: Plan,
  rows: readonly UserRow[],
): Promise<ReadonlySet<number> | 'unreadable' | null> {
  const { client, event, repositoryPath } = job;
  if (client === null || event.pullRequest === null || repositoryPath === null) return null;
  const { baseSha } = event.pullRequest;
  const content = await readFileAt({ client, repository: event.repository, path: repositoryPath, ref: baseSha });
  if (content === 'unreadable') return content;
  const base = content === null ? { rows: [], readable: true } : readUserList(content);
  return base.readable ? earlierChanges(plan, base.rows, rows) : 'unreadable';
}

function reviewBlind({ inputs, event }: Job): Verdict {
  if (event.name === 'workflow_dispatch' || inputs.unreviewedChanges === 'apply') return { kind: 'go' };
  const why = inputs.comment ? 'no `github-token` was given' : '`comment` is `false`';
  return {
    kind: 'refused',
    reason: `What was reviewed cannot be looked up, because ${why}, and \`unreviewed-changes\` is \`${inputs.unreviewedChanges}\`. Nothing was written. Give the token, or set \`unreviewed-changes: apply\`, or run the workflow by \`workflow_dispatch\`.`,
  };
}

async function lookUp(
  plan: Plan,
  job: Job,
  { client, additions, signal }: ApprovalOptions & { client: GitHubClient },
): Promise<Approvals> {
  const { event, inputs, targetHash } = job;
  if (event.name === 'workflow_dispatch') return EVERYTHING;
  const digests = planDigests(targetHash, plan);
  const wanted = wantedDigests(targetHash, plan, additions);
  try {
    return await findApprovals({
      client,
      event,
      branch: event.branch ?? event.defaultBranch ?? '',
      wanted,
      planned: new Set([...wanted.flat(), ...plan.changes.map((change) => changeDigest(targetHash, change))]),
      wantedWhole: digests.length === 0 ? null : wholeDigest(digests),
      author: await findAuthor(client),
      target: targetHash,
      readMarker,
      signal,
    });
  } catch (error) {
    if (inputs.unreviewedChanges !== 'apply') throw error;
    job.log.warning(`${messageOf(error)} \`unreviewed-changes\` is \`apply\`: the run goes on without.`);
    return EVERYTHING;
  }
}

function withheld(plan: Plan, approvals: Approvals, { inputs, targetHash }: Job, additions: Additions): Plan {
  if (approvals.kind === 'everything' || inputs.unreviewedChanges === 'apply') return plan;
  return withholdUnreviewed(plan, targetHash, approvals, { limits: inputs, additions });
}

function judge(reviewed: Plan, whyNot: string, { inputs, log }: Job): Verdict {
  const left = unreviewed(reviewed);
  if (left.length === 0) return { kind: 'go' };
  const told = `${plural(left.length, 'change')} of this plan ${left.length === 1 ? 'was' : 'were'} not reviewed: ${whyNot}.`;
  if (inputs.unreviewedChanges === 'fail')
    return { kind: 'refused', reason: `${told} Nothing was written. ${RUN_BY_HAND}` };
  log.warning(`${told} ${left.length === 1 ? 'It is' : 'They are'} skipped. ${RUN_BY_HAND}`);
  return { kind: 'go' };
}

/** Why what was looked up approves some changes not, as a part of a sentence. */
export function whyNotReviewed(approvals: Approvals): string {
  if (approvals.kind === 'everything') return '';
  const own = approvals.pullRequests.filter((pull) => pull.mergedByThisPush);
  if (own.length > 0) return own.map((pull) => lackOf(pull, approvals.author)).join('; ');
  const count = approvals.pullRequests.length;
  if (count === 0) return 'no pull request was merged into this branch';
  return `no comment on the last ${plural(count, 'merged pull request')} showed such a change`;
}

function lackOf({ number, lack, comment }: ReviewedPull, author: string): string {
  switch (lack?.kind) {
    case 'no comment':
      return `pull request #${number} has no comment with a plan`;
    case 'another author':
      return `the plan on pull request #${number} was commented by \`${lack.login}\`, and only comments by \`${author}\` count: both jobs need the same kind of \`github-token\``;
    case 'another target':
      return `the plan on pull request #${number} is about another file, proxy or \`target\``;
    case 'merged before the plan was there':
      return `pull request #${number} was merged before its plan was there`;
    case undefined:
      if (comment !== null && showedNothing(comment)) {
        return `the comment on pull request #${number} approves nothing (no changes, or a plan that could not be applied)`;
      }
      return `the plan on pull request #${number} showed other changes (the proxy has changed since, or the two jobs have other inputs)`;
  }
}

function showedNothing({ digests, whole, applied }: ApprovalComment): boolean {
  return digests.length === 0 && whole === null && applied.length === 0;
}
