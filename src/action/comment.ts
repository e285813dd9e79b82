import { resolve } from 'node:path';
import { isApplied, isStopped, type Plan } from '../core/plan.ts';
import {
  approvalDigest,
  type Digest,
  driftMarker,
  type Marker,
  markerFor,
  markerText,
  parseMarker,
  planDigests,
  readMarker,
  replaceMarker,
  targetHash,
} from '../core/review.ts';
import { Secret } from '../core/secret.ts';
import { type Approvals, appliedBy, findApprovals, type ReviewedPull, shownButGone } from '../github/approvals.ts';
import { findAuthor, isBy } from '../github/author.ts';
import { type GitHubClient, messageOf } from '../github/client.ts';
import {
  findComments,
  type IssueComment,
  updateComment,
  writeDriftIssue,
  writeStickyComment,
} from '../github/comments.ts';
import { type RunEvent, readEvent, redactEmails } from '../github/event.ts';
import type { InputName } from '../inputs.ts';
import { failureMarkdown } from '../render/documents.ts';
import { prose } from '../render/escape.ts';
import { plural } from '../render/labels.ts';
import { redactText } from '../render/redact.ts';
import { clientFor, type Job, pathInRepository } from './job.ts';
import { redactedWithoutHost, TITLE } from './labels.ts';

/** Renders a comment's text, its marker not included, in at most `limit` characters. */
export type Body = (limit: number) => string;

/** The digests that a comment on this plan approves once it is merged: none where the plan breaks a limit. */
export function planMarker(plan: Plan, target: string): Marker {
  return markerFor(target, isStopped(plan) ? [] : planDigests(target, plan));
}

/** The marker of a comment that approves nothing. */
export function emptyMarker(target: string): Marker {
  return markerFor(target, []);
}

/**
 * Writes the sticky comment of an open pull request. A comment that cannot be written is a warning.
 * @returns its address, or a blank
 */
export async function commentOnPull(job: Job, marker: Marker, body: Body): Promise<string> {
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
      create: true,
      onlyAtHead: pull.headSha,
    });
    if (outcome.written) return outcome.url;
    log.warning(outcome.hint);
  } catch (error) {
    log.warning(`The comment was not written: ${messageOf(error)}`);
  }
  return '';
}

/** What a run did, for the comments that approved it. */
export interface AppliedPlan {
  readonly plan: Plan;
  /** Indexes of the changes that were carried out. */
  readonly done: ReadonlySet<number>;
  readonly body: Body;
}

/**
 * Turns the comments of the pull requests that this push merged into the result, and takes out of all comments used
 * what they need not approve any more. What another pull request's run has applied is said in either comment.
 * @returns the address of the comment that holds the result, or a blank
 */
export async function commentResult(job: Job, approvals: Approvals, applied: AppliedPlan): Promise<string> {
  if (approvals.kind === 'everything') return '';
  const digests = digestsOf(applied, job.targetHash);
  let address = '';
  for (const pull of approvals.pullRequests) {
    const url = await updateMergedComment(job, pull, { ...applied, ...digests, pullRequests: approvals.pullRequests });
    if (pull.mergedByThisPush && address === '') address = url;
  }
  return address;
}

interface Digests {
  /** Still to be applied: a later run may find their approval here. */
  readonly open: ReadonlySet<Digest>;
  readonly applied: ReadonlySet<Digest>;
  /** Of the whole plan. */
  readonly planned: ReadonlySet<Digest>;
}

function digestsOf({ plan, done }: AppliedPlan, target: string): Digests {
  const open = new Set<Digest>();
  const applied = new Set<Digest>();
  for (const [index, change] of plan.changes.entries()) {
    const isDone = isApplied(change) && done.has(index);
    (isDone ? applied : open).add(approvalDigest(target, change));
  }
  return { open, applied, planned: new Set([...open, ...applied]) };
}

type MergedChanges = Digests & { readonly body: Body; readonly pullRequests: readonly ReviewedPull[] };

async function updateMergedComment(job: Job, pull: ReviewedPull, merged: MergedChanges): Promise<string> {
  const { comment, mergedByThisPush } = pull;
  const { open, applied, body } = merged;
  if (comment === null || job.client === null) return '';
  const appliedNow = comment.digests.filter((digest) => applied.has(digest));
  const marker: Marker = {
    target: job.targetHash,
    digests: comment.digests.filter((digest) => open.has(digest)),
    whole: open.size === 0 ? null : comment.whole,
    applied: [...new Set([...comment.applied, ...appliedNow])],
  };
  const isUnchanged = marker.digests.length === comment.digests.length && marker.whole === comment.whole;
  if (!mergedByThisPush && isUnchanged) return comment.url;
  const notices = mergedByThisPush ? goneNotices(merged) : appliedNotices(job, appliedNow, merged.pullRequests);
  const render = mergedByThisPush
    ? (limit: number) => withNotices(withMarker(marker, body)(limit), notices)
    : () => withNotices(replaceMarker(comment.body, marker), notices);
  const outcome = await updateComment(job.client, job.event.repository, comment.id, render);
  if (outcome.written) return outcome.url;
  job.log.warning(`Pull request #${pull.number}: ${outcome.hint}`);
  return comment.url;
}

/** For the result: what was shown here is not in the plan any more, as an earlier run has applied it. */
function goneNotices({ pullRequests, planned }: MergedChanges): string[] {
  const counts = new Map<number, number>();
  for (const digest of shownButGone(pullRequests, planned)) {
    const number = appliedBy(pullRequests, digest);
    if (number !== null) counts.set(number, (counts.get(number) ?? 0) + 1);
  }
  return [...counts].map(([number, count]) => `${shownChanges(count)} applied by #${number}.`);
}

/** For the comment of an older pull request: a later run has applied what was left to do of it. */
function appliedNotices({ event }: Job, applied: readonly Digest[], pullRequests: readonly ReviewedPull[]): string[] {
  if (applied.length === 0) return [];
  const by = pullRequests.find((pull) => pull.mergedByThisPush);
  return [`${shownChanges(applied.length)} applied by ${by ? `#${by.number}, ` : ''}[a later run](${event.runUrl}).`];
}

function shownChanges(count: number): string {
  return `${plural(count, 'change')} shown here ${count === 1 ? 'was' : 'were'}`;
}

/**
 * Says in the comments of the pull requests of this push, merged or still open, that nothing was applied, and why. What they approve
 * stays approved: the job may run again.
 * @param approvals as far as they are known already; `null`: looked up here
 */
export async function commentNotApplied(job: Job, approvals: Approvals | null, reason: string): Promise<void> {
  const { client, event, log } = job;
  if (client === null || event.push === null) return;
  try {
    const known = approvals ?? (await commentsOfPush(job, client));
    if (known.kind === 'everything') return;
    const notice = `**Not applied:** ${prose(redactedWithoutHost(job, reason).slice(0, LONGEST_REASON))} [Run](${event.runUrl})`;
    for (const { comment, mergedByThisPush } of known.pullRequests) {
      if (comment === null || !mergedByThisPush) continue;
      const render = () => withNotices(comment.body, [notice]);
      const outcome = await updateComment(client, event.repository, comment.id, render);
      if (!outcome.written) log.warning(outcome.hint);
    }
  } catch (error) {
    log.debug(`No comment says that nothing was applied: ${messageOf(error)}`);
  }
}

async function commentsOfPush({ event, targetHash }: Job, client: NonNullable<Job['client']>): Promise<Approvals> {
  return findApprovals({
    client,
    event,
    branch: event.branch ?? '',
    wanted: [],
    planned: new Set(),
    wantedWhole: null,
    author: await findAuthor(client),
    target: targetHash,
    readMarker,
    alsoOpen: true,
    pausesMs: [],
  });
}

/** Longest reason in a notice: with the words around it, it must fit into `NOTICE_ROOM`. */
const LONGEST_REASON = 400;
/** Every comment leaves that many characters to the notices that a later run may put into it. */
const NOTICE_ROOM = 1_500;
const NOTICES = /<!-- notice -->\n(?:> .*\n)+\n/;

/**
 * The body with these notices below its title, in place of earlier ones. A comment that somebody edited on the forge's
 * page has CRLF line ends.
 */
function withNotices(body: string, notices: readonly string[]): string {
  const bare = body.replaceAll('\r\n', '\n').replace(NOTICES, '');
  if (notices.length === 0) return bare;
  const block = `<!-- notice -->\n${notices.map((notice) => `> ${notice}`).join('\n> \n')}\n\n`;
  return bare.replace(/\n\n/, (gap) => gap + block);
}

/** The body below its marker. */
function withMarker(marker: Marker, body: Body): Body {
  const text = markerText(marker);
  return (limit) => `${text}\n${body(limit - text.length - 1 - NOTICE_ROOM)}`;
}

/** Whether a run only plans, of its own accord, on the default branch: what it finds is drift. */
export function mayReportDrift({ event, mode }: Pick<Job, 'event' | 'mode'>): boolean {
  const isByItself = event.name === 'schedule' || event.name === 'workflow_dispatch';
  return mode.kind === 'plan' && isByItself && event.branch !== null && event.branch === event.defaultBranch;
}

/**
 * Keeps the issue about drift: opened and updated with the plan, closed where there is none. A failure is a warning.
 * @param body `null`: proxy and file match
 * @returns the issue's address, or a blank
 */
export async function reportDrift(job: Job, body: Body | null): Promise<string> {
  const { client, event, inputs, log, targetHash } = job;
  if (client === null) return '';
  try {
    const outcome = await writeDriftIssue({
      client,
      repository: event.repository,
      author: await findAuthor(client),
      marker: driftMarker(targetHash),
      title: `${TITLE}: the proxy and ${inputs.csvFile} differ${inputs.target === '' ? '' : ` (${inputs.target})`}`,
      render: body,
      closing: `The proxy and the file match again. [Run](${event.runUrl})`,
    });
    if (outcome.kind === 'not written') log.warning(outcome.hint);
    return 'url' in outcome ? outcome.url : '';
  } catch (error) {
    log.warning(`The issue about drift was not written: ${messageOf(error)}`);
    return '';
  }
}

/**
 * Replaces the comment of a pull request whose run cannot even begin, because its inputs are wrong: the plan that
 * stands there is outdated, and approves nothing any more. Without a comment there is nothing to replace. Never throws.
 */
export async function commentInputError(env: NodeJS.ProcessEnv, message: string): Promise<void> {
  try {
    const event = await readEvent(env);
    const client = clientOf(env, event);
    if (client === null || event.pullRequest === null) return;
    const { number, headSha } = event.pullRequest;
    const author = await findAuthor(client);
    const isByUs = ({ user, body }: IssueComment): boolean => isBy(author, user) && readMarker(body) !== null;
    const ours = await findComments(client, event.repository, number, isByUs);
    const target = await targetOf(env, ours);
    await writeStickyComment({
      client,
      repository: event.repository,
      number,
      isOurs: (comment) => isByUs(comment) && parseMarker(comment.body, target) !== null,
      render: withMarker(emptyMarker(target), () => text(env, event, message)),
      create: false,
      onlyAtHead: headSha,
    });
  } catch {
    // The run fails with the message itself, which matters more than the outdated comment.
  }
}

/** An input as it is given: nothing is known of it yet. */
function input(env: NodeJS.ProcessEnv, name: InputName): string {
  return env[`INPUT_${name.toUpperCase()}`]?.trim() ?? '';
}

/** For a run that is refused altogether (`pull_request_target`), nothing is asked of anybody. */
function clientOf(env: NodeJS.ProcessEnv, event: RunEvent): GitHubClient | null {
  const token = input(env, 'github-token');
  if (event.name === 'pull_request_target' || !['', 'sync'].includes(input(env, 'command'))) return null;
  const githubToken = token === '' ? null : new Secret(token);
  return clientFor({ command: 'sync', githubToken, comment: input(env, 'comment') !== 'false' }, env);
}

/**
 * Without a `base-url` (perhaps the missing input) the target is unknown: then it is ours only if it is the sole
 * comment.
 */
async function targetOf(env: NodeJS.ProcessEnv, ours: readonly IssueComment[]): Promise<string> {
  const workspace = env.GITHUB_WORKSPACE || process.cwd();
  const csvPath = resolve(workspace, input(env, 'csv-file') || 'user_list.csv');
  const target = input(env, 'target');
  const baseUrl = input(env, 'base-url') || env.LITELLM_BASE_URL || '';
  const hash = targetHash({ target, csvPath: (await pathInRepository(csvPath, workspace)) ?? csvPath, baseUrl });
  const [only, ...others] = new Set(ours.flatMap(({ body }) => readMarker(body)?.target ?? []));
  const isKnown = target !== '' || URL.canParse(baseUrl);
  return isKnown || only === undefined || others.length > 0 ? hash : only;
}

function text(env: NodeJS.ProcessEnv, event: RunEvent, message: string): string {
  const setting = (['true', 'false'] as const).find((value) => value === input(env, 'redact-emails')) ?? 'auto';
  const shown = redactEmails(setting, event.visibility) ? redactText(message) : message;
  const links = [{ label: 'Run', url: event.runUrl }];
  return failureMarkdown(shown, { title: TITLE, target: input(env, 'target') || null, links });
}
