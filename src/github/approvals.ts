import { type Author, isBy } from './author.ts';
import type { GitHubClient } from './client.ts';
import { findComments } from './comments.ts';
import { LookupFailedError, lookup } from './errors.ts';
import type { Push, RunEvent } from './event.ts';
import { getPull, isMergedInto, mergedPulls, type Pull, pullsOfCommit } from './pulls.ts';

/** What a comment's marker says was shown there. */
export interface Shown {
  /** One per planned change. */
  readonly digests: readonly string[];
  /** Of all changes together, where there were too many to list; else `null`. */
  readonly whole: string | null;
}

export interface ApprovalComment extends Shown {
  readonly id: number;
  readonly url: string;
  readonly body: string;
}

export interface ReviewedPull {
  readonly number: number;
  readonly url: string;
  readonly mergedByThisPush: boolean;
  /** Ours, the newest; `null`: the pull request has none. */
  readonly comment: ApprovalComment | null;
}

export type Approvals =
  | { readonly kind: 'everything'; readonly because: 'no pull request' | 'workflow_dispatch' }
  | {
      readonly kind: 'reviewed';
      readonly approved: ReadonlySet<string>;
      readonly wholes: ReadonlySet<string>;
      /** Those that were read: what this push merged first, then newest merge first. */
      readonly pullRequests: readonly ReviewedPull[];
    };

export interface ApprovalSearch {
  readonly client: GitHubClient;
  readonly event: RunEvent;
  /** The branch that is applied. */
  readonly branch: string;
  /** Digests of the changes that are to be applied. */
  readonly wanted: ReadonlySet<string>;
  /** Digest of all of them together; `null`: not used. */
  readonly wantedWhole: string | null;
  readonly author: Author;
  /** `null`: not a comment of ours for this target. */
  readonly parseMarker: (body: string) => Shown | null;
}

const MOST_PULLS = 30;
/** A push of more commits without a pull request among the newest merges: too many questions for one run. */
const MOST_COMMITS = 250;
const MOST_MENTIONS = 20;
const AT_ONCE = 8;

/**
 * Which changes were shown by a comment of ours on a pull request that is merged into this branch.
 * A push without any pull request and `workflow_dispatch` were decided by a person with write access: everything.
 * @throws LookupFailedError on any failure: "could not find out" is never "no pull request"
 */
export function findApprovals(search: ApprovalSearch): Promise<Approvals> {
  return lookup('find out which changes were reviewed', 'pull-requests: read', async () => {
    const { event } = search;
    if (event.name === 'workflow_dispatch') return { kind: 'everything', because: 'workflow_dispatch' };
    const newest = await newestMerges(search);
    const ofPush = event.push === null ? null : await pullsOfPush(search, event.push, newest);
    if (ofPush !== null && ofPush.length === 0) return { kind: 'everything', because: 'no pull request' };
    return readComments(search, inReadingOrder(search, ofPush ?? [], newest));
  });
}

async function newestMerges({ client, event, branch }: ApprovalSearch): Promise<Pull[]> {
  const found: Pull[] = [];
  for await (const pull of mergedPulls(client, event.repository, branch)) {
    if (found.push(pull) === MOST_PULLS) break;
  }
  return found;
}

/**
 * The pull requests that a push's commits are part of, merged or not. Three sources, the cheapest first: the newest
 * merges (the merge commit stands there at once), the forge's own relation of commits to pull requests (which GitHub
 * fills with a delay), and the number in the message of a merge or squash commit.
 */
async function pullsOfPush(search: ApprovalSearch, push: Push, newest: readonly Pull[]): Promise<Pull[]> {
  const commits = new Set(push.commits);
  const broughtBy = (pull: Pull) => commits.has(pull.merge_commit_sha ?? '') || commits.has(pull.head.sha);
  const listed = newest.filter(broughtBy);
  if (listed.length > 0) return listed;
  const related = await pullsOfCommits(search, push);
  if (related.length > 0) return related;
  return (await mentionedPulls(search, push)).filter((pull) => pull.merged_at !== null && broughtBy(pull));
}

async function pullsOfCommits({ client, event, branch }: ApprovalSearch, push: Push): Promise<Pull[]> {
  const commits = [push.after, ...push.commits.filter((sha) => sha !== push.after)];
  if (commits.length > MOST_COMMITS) {
    throw new LookupFailedError(
      `Failed to find out which changes were reviewed: the push has ${commits.length} commits, more than ${MOST_COMMITS}. ` +
        "Look at the plan and run the workflow by 'workflow_dispatch'.",
    );
  }
  for (let start = 0; start < commits.length; start += AT_ONCE) {
    const part = commits.slice(start, start + AT_ONCE);
    const found = (await Promise.all(part.map((sha) => pullsOfCommit(client, event.repository, sha)))).flat();
    const relevant = distinct(found).filter((pull) => !isFromBranch(pull, event, branch));
    // The relation may still show a pull request as open that is merged by now.
    if (relevant.length > 0) {
      return Promise.all(relevant.map((pull) => getPull(client, event.repository, pull.number)));
    }
  }
  return [];
}

/** A pull request *from* the branch (a back-merge) has all its commits, but none came by it. */
function isFromBranch(pull: Pull, { repository }: RunEvent, branch: string): boolean {
  return pull.head.ref === branch && pull.head.repo?.full_name === `${repository.owner}/${repository.name}`;
}

async function mentionedPulls({ client, event }: ApprovalSearch, push: Push): Promise<Pull[]> {
  const numbers = push.mentioned.slice(0, MOST_MENTIONS);
  const found = await Promise.all(numbers.map((number) => pullOrIssue(client, event, number)));
  return found.filter((pull) => pull !== null);
}

/** `#12` may be an issue, or nothing at all: both answer 404, and both are "not this one". */
async function pullOrIssue(client: GitHubClient, event: RunEvent, number: number): Promise<Pull | null> {
  try {
    return await getPull(client, event.repository, number);
  } catch (error) {
    if ((error as { status?: unknown }).status === 404) return null;
    throw error;
  }
}

interface Candidate {
  readonly pull: Pull;
  readonly mergedByThisPush: boolean;
}

function inReadingOrder({ branch }: ApprovalSearch, ofPush: readonly Pull[], newest: readonly Pull[]): Candidate[] {
  const own = ofPush.filter((pull) => isMergedInto(pull, branch));
  return distinct([...own, ...newest])
    .slice(0, MOST_PULLS)
    .map((pull) => ({ pull, mergedByThisPush: own.some(({ number }) => number === pull.number) }));
}

async function readComments(search: ApprovalSearch, candidates: readonly Candidate[]): Promise<Approvals> {
  const approved = new Set<string>();
  const wholes = new Set<string>();
  const pullRequests: ReviewedPull[] = [];
  for (const { pull, mergedByThisPush } of candidates) {
    if (!mergedByThisPush && isCovered(search, approved, wholes)) break;
    const comment = await commentOf(search, pull.number);
    for (const digest of comment?.digests ?? []) approved.add(digest);
    if (comment?.whole != null) wholes.add(comment.whole);
    pullRequests.push({ number: pull.number, url: pull.html_url, mergedByThisPush, comment });
  }
  return { kind: 'reviewed', approved, wholes, pullRequests };
}

function isCovered(
  { wanted, wantedWhole }: ApprovalSearch,
  approved: ReadonlySet<string>,
  wholes: ReadonlySet<string>,
): boolean {
  return [...wanted].every((digest) => approved.has(digest)) || (wantedWhole !== null && wholes.has(wantedWhole));
}

/** The newest comment alone: an older one of ours is a leftover of two runs at once, with an outdated plan. */
async function commentOf(search: ApprovalSearch, number: number): Promise<ApprovalComment | null> {
  const { client, event, author, parseMarker } = search;
  const isOurs = (comment: { user: { login: string } | null; body: string }) =>
    isBy(author, comment.user) && parseMarker(comment.body) !== null;
  const [comment] = await findComments(client, event.repository, number, isOurs);
  const shown = comment && parseMarker(comment.body);
  return shown ? { id: comment.id, url: comment.url, body: comment.body, ...shown } : null;
}

function distinct(pulls: readonly Pull[]): Pull[] {
  return [...new Map(pulls.toReversed().map((pull) => [pull.number, pull])).values()].toReversed();
}
