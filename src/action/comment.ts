import type { Outcome } from '../core/outcome.ts';
import { isApplied, type Plan } from '../core/plan.ts';
import {
  changeDigest,
  type Marker,
  markerFor,
  markerText,
  parseMarker,
  planDigests,
  replaceMarker,
} from '../core/review.ts';
import type { Approvals, ReviewedPull } from '../github/approvals.ts';
import { findAuthor, isBy } from '../github/author.ts';
import { updateComment, writeStickyComment } from '../github/comments.ts';
import type { Job } from './job.ts';

/** Renders a comment's text, its marker not included, in at most `limit` bytes. */
export type Body = (limit: number) => string;

/** The digests that a comment on this plan approves once it is merged: none where the plan breaks a limit. */
export function planMarker(plan: Plan, targetHash: string): Marker {
  return markerFor(targetHash, plan.breaches.length > 0 ? [] : planDigests(targetHash, plan));
}

/** The marker of a comment that approves nothing. */
export function emptyMarker(targetHash: string): Marker {
  return markerFor(targetHash, []);
}

/**
 * Writes the sticky comment of an open pull request. A comment that cannot be written is a warning.
 * @returns its address, or a blank
 */
export async function commentOnPull(job: Job, marker: Marker, body: Body, create: boolean): Promise<string> {
  const { client, event, log, targetHash } = job;
  const pull = event.pullRequest;
  if (client === null || pull === null) return '';
  try {
    const author = await findAuthor(client);
    const outcome = await writeStickyComment({
      client,
      repository: event.repository,
      number: pull.number,
      isOurs: (comment) => isBy(author, comment.user) && parseMarker(comment.body, targetHash) !== null,
      render: withMarker(marker, body),
      create,
      onlyAtHead: pull.headSha,
    });
    if (outcome.written) return outcome.url;
    if (outcome.why === 'not needed') log.debug(outcome.hint);
    else log.warning(outcome.hint);
  } catch (error) {
    log.warning(`The comment was not written: ${error instanceof Error ? error.message : error}`);
  }
  return '';
}

/**
 * Turns the comments of the pull requests that this push merged into the result, and takes out of all comments used
 * what they need not approve any more.
 * @returns the address of the comment that holds the result, or a blank
 */
export async function commentResult(
  job: Job,
  approvals: Approvals,
  { plan, outcomes, body }: { plan: Plan; outcomes: readonly Outcome[]; body: Body },
): Promise<string> {
  if (approvals.kind === 'everything') return '';
  const open = openDigests(plan, outcomes, job.targetHash);
  let address = '';
  for (const pull of approvals.pullRequests) {
    const url = await settleComment(job, pull, open, body);
    if (pull.mergedByThisPush && address === '') address = url;
  }
  return address;
}

async function settleComment(job: Job, pull: ReviewedPull, open: ReadonlySet<string>, body: Body): Promise<string> {
  const { comment } = pull;
  if (comment === null || job.client === null) return '';
  const marker: Marker = {
    target: job.targetHash,
    digests: comment.digests.filter((digest) => open.has(digest)),
    whole: open.size === 0 ? null : comment.whole,
  };
  const isUnchanged = marker.digests.length === comment.digests.length && marker.whole === comment.whole;
  if (!pull.mergedByThisPush && isUnchanged) return comment.url;
  const render = pull.mergedByThisPush ? withMarker(marker, body) : () => replaceMarker(comment.body, marker);
  const outcome = await updateComment(job.client, job.event.repository, comment.id, render);
  if (outcome.written) return outcome.url;
  job.log.warning(`Pull request #${pull.number}: ${outcome.hint}`);
  return comment.url;
}

/** Changes of this plan that are still to be done: a later run may take their approval from where it stands. */
function openDigests(plan: Plan, outcomes: readonly Outcome[], targetHash: string): Set<string> {
  const done = new Set(outcomes.flatMap(({ status, index }) => (status === 'SUCCESS' && index !== null ? index : [])));
  const open = plan.changes.filter((change, index) => !isApplied(change) || !done.has(index));
  return new Set(open.map((change) => changeDigest(targetHash, change)));
}

function withMarker(marker: Marker, body: Body): Body {
  const text = markerText(marker);
  return (limit) => `${text}\n${body(limit - text.length - 1)}`;
}
