import { setTimeout as wait } from 'node:timers/promises';
import { type Author, isBy } from './author.ts';
import type { GitHubClient } from './client.ts';
import { LookupFailedError, lookup } from './client.ts';
import { findComments, type IssueComment } from './comments.ts';
import type { Push, RunEvent } from './event.ts';
import { getPull, isMergedInto, mergedPulls, openPulls, type Pull, pullsOfCommit } from './pulls.ts';

/** What a comment's marker says was shown there. */
export interface ShownChanges {
  /** Names one of several proxies or files. */
  readonly target: string;
  /** One per planned change. */
  readonly digests: readonly string[];
  /** Of all changes together, where there were too many to list; else `null`. */
  readonly whole: string | null;
  /** Of those that were applied since. */
  readonly applied: readonly string[];
}

export interface ApprovalComment extends ShownChanges {
  readonly id: number;
  readonly url: string;
  readonly body: string;
}

/** Why a pull request approves nothing at all. */
export type Lack =
  | { readonly kind: 'no comment' }
  /** Anybody may write our marker into a comment of their own; only ours counts. */
  | { readonly kind: 'another author'; readonly login: string }
  | { readonly kind: 'another target' }
  | { readonly kind: 'merged before the plan was there' };

export interface ReviewedPull {
  readonly number: number;
  /** Empty where the account is deleted. */
  readonly author: string;
  readonly mergedByThisPush: boolean;
  /** Ours, the newest; `null`: the pull request has none. */
  readonly comment: ApprovalComment | null;
  /** `null`: the comment approves what it showed. */
  readonly lack: Lack | null;
}

export type Approvals =
  | { readonly kind: 'everything' }
  | {
      readonly kind: 'reviewed';
      readonly approved: ReadonlySet<string>;
      readonly wholes: ReadonlySet<string>;
      /** Those that were read: what this push merged first, then newest merge first. */
      readonly pullRequests: readonly ReviewedPull[];
      /** Whose comments count. */
      readonly author: string;
    };

export interface ApprovalSearch {
  readonly client: GitHubClient;
  readonly event: RunEvent;
  /** The branch that is applied. */
  readonly branch: string;
  /** For each change that is to be applied the digests that approve it, any one of them. */
  readonly wanted: readonly (readonly string[])[];
  /** Digests of everything in the plan: what else a comment of this push showed is not to be done any more. */
  readonly planned: ReadonlySet<string>;
  /** Digest of all of them together; `null`: not used. */
  readonly wantedWhole: string | null;
  readonly author: Author;
  readonly target: string;
  /** `null`: not a comment of this program. */
  readonly readMarker: (body: string) => ShownChanges | null;
  /** Ends waiting for the forge. */
  readonly signal?: AbortSignal;
  /** Open pull requests whose head is in the push are read like merged ones: for telling, never for applying. */
  readonly alsoOpen?: boolean;
  /** How long to wait for a pull request to show as merged, pause by pause. */
  readonly pausesMs?: readonly number[];
  readonly sleep?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<unknown>;
}

const MOST_PULLS = 30;
/** A push of more commits without a pull request among the newest merges: too many questions for one run. */
const MOST_COMMITS = 250;
const MOST_MENTIONS = 50;
const AT_ONCE = 8;
/** Two minutes: what the forge may need to show a pull request as merged whose commits have arrived already. */
const PAUSES_MS = [2_000, 3_000, 5_000, 10_000, 20_000, 20_000, 20_000, 20_000, 20_000];

/**
 * Which changes were shown by a comment of ours on a pull request that is merged into this branch.
 * A push without any pull request and `workflow_dispatch` were decided by a person with write access: everything.
 * A pull request that still shows as open, though its head is in the push, is asked for again for two minutes.
 * @throws LookupFailedError on any failure: "could not find out" is never "no pull request"
 */
export function findApprovals(search: ApprovalSearch): Promise<Approvals> {
  return lookup('find out which changes were reviewed', 'pull-requests: read', async () => {
    const { event } = search;
    if (event.name === 'workflow_dispatch') return { kind: 'everything' };
    if (event.push === null) return readComments(search, inReadingOrder([], await newestMerges(search)));
    const { merged, newest } = await pullsOfPush(search, event.push);
    return merged.length === 0 ? { kind: 'everything' } : readComments(search, inReadingOrder(merged, newest));
  });
}

async function newestMerges({ client, event, branch }: ApprovalSearch): Promise<Pull[]> {
  const found: Pull[] = [];
  for await (const pull of mergedPulls(client, event.repository, branch)) {
    if (found.push(pull) === MOST_PULLS) break;
  }
  return found;
}

interface Found {
  /** Pull requests whose merge brought commits of this push. */
  readonly merged: readonly Pull[];
  /** Those that should be merged, but do not show as merged yet. */
  readonly pending: readonly Pull[];
  /** The newest merges, whatever brought them. */
  readonly newest: readonly Pull[];
  /** Whether a pull request, once it shows as merged, was merged by this push. */
  readonly belongs: (pull: Pull) => boolean;
}

/**
 * Asks until nothing is pending; of a tag only once, as no merge brings one. What is found by then counts; nothing found,
 * and something pending, is a failure.
 */
async function pullsOfPush(search: ApprovalSearch, push: Push): Promise<Pick<Found, 'merged' | 'newest'>> {
  const { client, event, branch, signal, pausesMs = PAUSES_MS } = search;
  const sleep = search.sleep ?? ((milliseconds) => wait(milliseconds, undefined, { signal }));
  let { merged, pending, newest, belongs } = await findPulls(search, push);
  const isTag = event.branch === null;
  for (const pause of isTag ? [] : pausesMs) {
    if (pending.length === 0) break;
    await sleep(pause, signal);
    const again = await Promise.all(pending.map(({ number }) => getPull(client, event.repository, number)));
    merged = distinct([...merged, ...again.filter((pull) => isMergedInto(pull, branch) && belongs(pull))]);
    pending = again.filter((pull) => pull.state === 'open');
  }
  if (merged.length > 0 || pending.length === 0) return { merged, newest };
  if (search.alsoOpen === true) return { merged: pending, newest };
  const one = pending.length === 1;
  throw new LookupFailedError(
    `Failed to find out which changes were reviewed: pull request ${pending.map(({ number }) => `#${number}`).join(', ')} ` +
      `${one ? 'belongs' : 'belong'} to this push, but ${one ? 'is' : 'are'} still open${isTag ? '' : ' after two minutes'}. Nothing was ` +
      `written. Run this job again once ${one ? 'it shows' : 'they show'} as merged, or look at the plan and run the ` +
      "workflow by 'workflow_dispatch'.",
  );
}

/**
 * The pull requests of this branch that a push's commits are part of. Open ones are listed first: one that is merged
 * in between is in the second list. Sources, the cheapest first: the newest merges (the merge commit stands there at
 * once), the forge's own relation of commits to pull requests (which GitHub fills with a delay), and the numbers in
 * the first lines of merge and squash commits.
 */
async function findPulls(search: ApprovalSearch, push: Push): Promise<Found> {
  const { client, event, branch } = search;
  const commits = new Set(push.commits);
  const broughtBy = (pull: Pull) => commits.has(pull.merge_commit_sha ?? '') || commits.has(pull.head.sha);
  const arrived = (await openPulls(client, event.repository, branch)).filter(({ head }) => commits.has(head.sha));
  const newest = await newestMerges(search);
  const listed = newest.filter(broughtBy);
  const related = listed.length > 0 ? [] : await pullsOfCommits(search, push);
  const certain = distinct([...listed, ...related.filter((pull) => isMergedInto(pull, branch))]);
  const mentioned = await mentionedPulls(search, push, certain);
  const isRelated = (pull: Pull) => related.some(({ number }) => number === pull.number);
  const candidates = distinct([...arrived, ...related, ...mentioned]).filter((pull) => pull.base.ref === branch);
  return {
    merged: distinct([...certain, ...mentioned.filter((pull) => isMergedInto(pull, branch) && broughtBy(pull))]),
    pending: candidates.filter((pull) => pull.state === 'open'),
    newest,
    belongs: (pull) => broughtBy(pull) || isRelated(pull),
  };
}

async function pullsOfCommits(search: ApprovalSearch, push: Push): Promise<Pull[]> {
  const { client, event, branch } = search;
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
    const relevant = distinct(found).filter((pull) => pull.base.ref === branch && !isFromBranch(pull, event, branch));
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

/** Of commits whose first line names none of the pull requests that are known to be merged by this push. */
async function mentionedPulls({ client, event }: ApprovalSearch, push: Push, merged: readonly Pull[]): Promise<Pull[]> {
  const known = new Set(merged.map(({ number }) => number));
  const lines = push.mentioned.filter((numbers) => !numbers.some((number) => known.has(number)));
  const numbers = [...new Set(lines.flat())].slice(0, MOST_MENTIONS);
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

function inReadingOrder(ofPush: readonly Pull[], newest: readonly Pull[]): Candidate[] {
  return distinct([...ofPush, ...newest])
    .slice(0, MOST_PULLS)
    .map((pull) => ({ pull, mergedByThisPush: ofPush.some(({ number }) => number === pull.number) }));
}

async function readComments(search: ApprovalSearch, candidates: readonly Candidate[]): Promise<Approvals> {
  const approved = new Set<string>();
  const wholes = new Set<string>();
  const pullRequests: ReviewedPull[] = [];
  for (const { pull, mergedByThisPush } of candidates) {
    const isEnough = isCovered(search, approved, wholes) && isExplained(search, pullRequests);
    if (!mergedByThisPush && isEnough) break;
    const { comment, lack } = await commentOf(search, pull);
    if (comment !== null && lack === null) {
      for (const digest of comment.digests) approved.add(digest);
      if (comment.whole !== null) wholes.add(comment.whole);
    }
    pullRequests.push({ number: pull.number, author: pull.user?.login ?? '', mergedByThisPush, comment, lack });
  }
  return { kind: 'reviewed', approved, wholes, pullRequests, author: search.author.login };
}

function isCovered(
  { wanted, wantedWhole }: ApprovalSearch,
  approved: ReadonlySet<string>,
  wholes: ReadonlySet<string>,
): boolean {
  const isApproved = (digests: readonly string[]) => digests.some((digest) => approved.has(digest));
  return wanted.every(isApproved) || (wantedWhole !== null && wholes.has(wantedWhole));
}

/** Whether it is known who applied what this push's comments showed and the plan has no more. */
function isExplained({ planned }: ApprovalSearch, pullRequests: readonly ReviewedPull[]): boolean {
  return shownButGone(pullRequests, planned).every((digest) => appliedBy(pullRequests, digest) !== null);
}

/** What the comments of this push's pull requests showed, and a fresh plan has no more. */
export function shownButGone(pullRequests: readonly ReviewedPull[], planned: ReadonlySet<string>): string[] {
  const own = pullRequests.filter((pull) => pull.mergedByThisPush).flatMap((pull) => pull.comment?.digests ?? []);
  return [...new Set(own)].filter((digest) => !planned.has(digest));
}

/** Number of the pull request whose run has applied a change; `null`: not known. */
export function appliedBy(pullRequests: readonly ReviewedPull[], digest: string): number | null {
  return pullRequests.find(({ comment }) => comment?.applied.includes(digest))?.number ?? null;
}

/** The newest comment alone: an older one of ours is a leftover of two runs at once, with an outdated plan. */
async function commentOf(search: ApprovalSearch, pull: Pull): Promise<Pick<ReviewedPull, 'comment' | 'lack'>> {
  const { client, event, author, target, readMarker } = search;
  const marked = await findComments(client, event.repository, pull.number, ({ body }) => readMarker(body) !== null);
  const ours = marked.filter(({ user }) => isBy(author, user));
  const isOfTarget = ({ body }: IssueComment) => readMarker(body)?.target === target;
  const comment = ours.find(isOfTarget);
  const shown = comment && readMarker(comment.body);
  if (shown) {
    const isLate = Date.parse(comment.createdAt) > Date.parse(pull.merged_at ?? '');
    return {
      comment: { id: comment.id, url: comment.url, body: comment.body, ...shown },
      lack: isLate ? { kind: 'merged before the plan was there' } : null,
    };
  }
  const stranger = marked.find((other) => isOfTarget(other) && !isBy(author, other.user))?.user;
  if (stranger) return { comment: null, lack: { kind: 'another author', login: stranger.login } };
  return { comment: null, lack: { kind: ours.length > 0 ? 'another target' : 'no comment' } };
}

/** Each once, at its first place. */
function distinct(pulls: readonly Pull[]): Pull[] {
  const byNumber = new Map<number, Pull>();
  for (const pull of pulls) if (!byNumber.has(pull.number)) byNumber.set(pull.number, pull);
  return [...byNumber.values()];
}
