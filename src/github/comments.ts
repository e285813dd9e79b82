import { z } from 'zod';
import { type Author, isBy } from './author.ts';
import { type GitHubClient, GitHubError, messageOf, RATE_LIMITED, type Repository, repositoryPath } from './client.ts';

const Comment = z.object({
  id: z.number(),
  body: z.string().nullish(),
  html_url: z.string(),
  created_at: z.string().nullish(),
  user: z.object({ login: z.string() }).nullish(),
});

export interface IssueComment {
  readonly id: number;
  readonly url: string;
  readonly body: string;
  /** ISO 8601; empty where the forge does not say. */
  readonly createdAt: string;
  /** `null`: a deleted account. */
  readonly user: { readonly login: string } | null;
}

export type NotWritten = 'no permission' | 'locked' | 'too long' | 'not the head' | 'closed' | 'not needed' | 'failed';

export type CommentOutcome =
  | { readonly written: true; readonly url: string }
  | {
      readonly written: false;
      readonly why: NotWritten;
      /** A whole sentence for the log: what happened and what to do. */
      readonly hint: string;
    };

export interface StickyComment {
  readonly client: GitHubClient;
  readonly repository: Repository;
  /** Of the pull request. */
  readonly number: number;
  /** By marker *and* author: anybody may write our marker into a comment of their own. */
  readonly isOurs: (comment: IssueComment) => boolean;
  /** The body in at most `limit` characters. Called again with a smaller limit where the forge finds it too long. */
  readonly render: (limit: number) => string;
  /** Whether a comment is made where there is none yet. */
  readonly create: boolean;
  /** Leaves the comment alone unless this is the head of the open pull request; `null`: writes in any case. */
  readonly onlyAtHead: string | null;
}

/** GitHub refuses more than 65,536 characters with 422 "Body is too long". The rest is for forges that take less. */
const LIMITS = [65_536, 60_000, 40_000, 20_000, 8_000] as const;

/**
 * Writes the one comment of this target on a pull request: updates ours, or makes it. Never throws: a comment that
 * cannot be written must not fail the run. Where two runs at once made one each, the newest is kept up to date and
 * the others, whose text is outdated, are deleted.
 */
export async function writeStickyComment(sticky: StickyComment): Promise<CommentOutcome> {
  try {
    const untouchable = await reasonToLeaveAlone(sticky);
    if (untouchable !== null) return untouchable;
    const [newest, ...outdated] = await findComments(sticky.client, sticky.repository, sticky.number, sticky.isOurs);
    if (newest === undefined) return sticky.create ? await create(sticky) : notWritten('not needed', 'No comment yet.');
    const outcome = await updateComment(sticky.client, sticky.repository, newest.id, sticky.render);
    if (outcome.written) await Promise.allSettled(outdated.map((comment) => remove(sticky, comment.id)));
    return outcome;
  } catch (error) {
    return refused(error);
  }
}

/**
 * The comments that are ours, newest first, from all pages.
 * @throws GitHubError, and ZodError where the forge's answer is no list of comments
 */
export async function findComments(
  client: GitHubClient,
  repository: Repository,
  number: number,
  isOurs: (comment: IssueComment) => boolean,
): Promise<IssueComment[]> {
  const found: IssueComment[] = [];
  for await (const page of client.pages(`${repositoryPath(repository)}/issues/${number}/comments`, { per_page: 100 })) {
    found.push(...page.map(readComment).filter(isOurs));
  }
  return found.sort((a, b) => b.id - a.id);
}

/** Replaces the body of a comment. Never throws. */
export async function updateComment(
  client: GitHubClient,
  repository: Repository,
  id: number,
  render: (limit: number) => string,
): Promise<CommentOutcome> {
  const path = `${repositoryPath(repository)}/issues/comments/${id}`;
  return outcomeOf(() => shrinking(render, (body) => client.patch(path, { body })));
}

async function outcomeOf(write: () => Promise<unknown>): Promise<CommentOutcome> {
  try {
    return { written: true, url: readComment(await write()).url };
  } catch (error) {
    return refused(error);
  }
}

async function create(sticky: StickyComment): Promise<CommentOutcome> {
  const { client, repository, number, isOurs, render } = sticky;
  const path = `${repositoryPath(repository)}/issues/${number}/comments`;
  const post = async (body: string): Promise<unknown> => {
    try {
      return await client.post(path, { body });
    } catch (error) {
      if (!(error instanceof GitHubError) || !(error.status === null || error.status >= 500)) throw error;
      // The answer was lost, not necessarily the comment: a second one beside it would confuse the reader.
      const [made] = await findComments(client, repository, number, isOurs);
      if (made !== undefined) return client.patch(`${repositoryPath(repository)}/issues/comments/${made.id}`, { body });
      return client.post(path, { body });
    }
  };
  return outcomeOf(() => shrinking(render, post));
}

/**
 * Writes a body, with less and less room where the forge finds it too long.
 * @throws GitHubError, also of a body that was too long in the end
 */
async function shrinking(
  render: (limit: number) => string,
  write: (body: string) => Promise<unknown>,
  limits: readonly number[] = LIMITS,
): Promise<unknown> {
  const [limit = 0, ...smaller] = limits;
  try {
    return await write(render(limit));
  } catch (error) {
    if (!isTooLong(error) || smaller.length === 0) throw error;
    return shrinking(render, write, smaller);
  }
}

async function remove({ client, repository }: StickyComment, id: number): Promise<void> {
  await client.delete(`${repositoryPath(repository)}/issues/comments/${id}`);
}

const Head = z.object({
  state: z.string(),
  merged_at: z.string().nullish(),
  head: z.object({ sha: z.string() }),
});

async function reasonToLeaveAlone(sticky: StickyComment): Promise<CommentOutcome | null> {
  if (sticky.onlyAtHead === null) return null;
  const pull = Head.parse(await sticky.client.get(`${repositoryPath(sticky.repository)}/pulls/${sticky.number}`));
  if (pull.merged_at) {
    return notWritten(
      'closed',
      `Pull request #${sticky.number} is merged already: its comment is left as it is, and what no comment showed before the merge counts as not reviewed.`,
    );
  }
  if (pull.state !== 'open') {
    return notWritten('closed', `Pull request #${sticky.number} is closed: its comment is left as it is.`);
  }
  if (pull.head.sha === sticky.onlyAtHead) return null;
  return notWritten(
    'not the head',
    `This run is about ${sticky.onlyAtHead.slice(0, 7)}, but pull request #${sticky.number} is at ${pull.head.sha.slice(0, 7)} by now: ` +
      'its comment is left to the newer run.',
  );
}

function readComment(value: unknown): IssueComment {
  const { id, html_url, body, created_at, user } = Comment.parse(value);
  return { id, url: html_url, body: body ?? '', createdAt: created_at ?? '', user: user ?? null };
}

function isTooLong(error: unknown): boolean {
  return error instanceof GitHubError && error.status === 422 && /too long/i.test(error.reason);
}

/** Gitea answers 404 to a missing permission, GitHub 403 "Resource not accessible by integration". */
function refused(error: unknown): CommentOutcome {
  const status = error instanceof GitHubError ? error.status : null;
  if (isTooLong(error)) {
    return notWritten('too long', 'The comment was refused as too long, even shortened; see the job summary.');
  }
  if (status === 403 && /issue is locked/i.test(messageOf(error))) {
    return notWritten('locked', 'The conversation of the pull request is locked: no comment was written.');
  }
  if (error instanceof GitHubError && error.isRateLimit) {
    return notWritten('failed', `The comment could not be written (${messageOf(error)}). ${RATE_LIMITED}`);
  }
  if (status === 401 || status === 403 || status === 404) {
    return notWritten(
      'no permission',
      `The comment could not be written (${messageOf(error)}). The job needs \`permissions: pull-requests: write\`; ` +
        'for a pull request from a fork or by Dependabot the token is read-only whatever the workflow asks for.',
    );
  }
  return notWritten('failed', `The comment could not be written: ${messageOf(error)}.`);
}

function notWritten(why: NotWritten, hint: string): CommentOutcome {
  return { written: false, why, hint };
}

const Issue = z.object({
  number: z.number(),
  html_url: z.string(),
  body: z.string().nullish(),
  user: z.object({ login: z.string() }).nullish(),
  /** GitHub lists pull requests among issues. */
  pull_request: z.unknown().optional(),
});
type Issue = z.infer<typeof Issue>;

/** The one issue of a target that says how proxy and file differ. */
export interface DriftIssue {
  readonly client: GitHubClient;
  readonly repository: Repository;
  readonly author: Author;
  /** First line of the body. An issue is ours by it *and* by its author. */
  readonly marker: string;
  readonly title: string;
  /** The text below the marker in at most `limit` characters; `null`: there is no drift. */
  readonly render: ((limit: number) => string) | null;
  /** The comment that the issue is closed with. */
  readonly closing: string;
}

export type IssueOutcome =
  | { readonly kind: 'opened' | 'updated' | 'closed'; readonly url: string }
  /** No drift, and no open issue. */
  | { readonly kind: 'nothing' }
  /** `hint`: a whole sentence for the log. */
  | { readonly kind: 'not written'; readonly hint: string };

/**
 * Opens the issue where there is drift, updates it in place, and closes it once there is none. Never throws: an issue
 * that cannot be written is worth a warning. Where two runs at once opened one each, the older is kept.
 */
export async function writeDriftIssue(issue: DriftIssue): Promise<IssueOutcome> {
  try {
    const [oldest, ...others] = await openIssues(issue);
    if (issue.render === null) {
      for (const one of [oldest, ...others]) if (one !== undefined) await close(issue, one.number, issue.closing);
      return oldest === undefined ? { kind: 'nothing' } : { kind: 'closed', url: oldest.html_url };
    }
    const url = await write(issue, issue.render, oldest?.number ?? null);
    for (const other of others) await close(issue, other.number, `See #${oldest?.number}.`);
    return { kind: oldest === undefined ? 'opened' : 'updated', url };
  } catch (error) {
    return { kind: 'not written', hint: hintOf(error) };
  }
}

/** Those of this target, oldest first. */
async function openIssues({ client, repository, author, marker }: DriftIssue): Promise<Issue[]> {
  const query =
    client.forge === 'gitea' ? { state: 'open', type: 'issues', limit: 50 } : { state: 'open', per_page: 100 };
  const found: Issue[] = [];
  for await (const page of client.pages(`${repositoryPath(repository)}/issues`, query)) {
    found.push(...z.array(Issue).parse(page));
  }
  const isOurs = ({ body, user, pull_request }: Issue): boolean =>
    !pull_request && isBy(author, user) && (body ?? '').startsWith(marker);
  return found.filter(isOurs).sort((a, b) => a.number - b.number);
}

async function write(
  { client, repository, marker, title }: DriftIssue,
  render: (limit: number) => string,
  number: number | null,
): Promise<string> {
  const path = `${repositoryPath(repository)}/issues`;
  const answer = await shrinking(
    (limit) => `${marker}\n${render(limit - marker.length - 1)}`,
    (body) => (number === null ? client.post(path, { title, body }) : client.patch(`${path}/${number}`, { body })),
  );
  return Issue.parse(answer).html_url;
}

async function close({ client, repository }: DriftIssue, number: number, word: string): Promise<void> {
  const path = `${repositoryPath(repository)}/issues/${number}`;
  await client.post(`${path}/comments`, { body: word });
  await client.patch(path, { state: 'closed' });
}

/** GitHub answers 403 to a missing permission and 410 where issues are switched off, Gitea 404 to both. */
function hintOf(error: unknown): string {
  const status = error instanceof GitHubError ? error.status : null;
  const reason = `The issue about drift could not be written: ${messageOf(error)}.`;
  if (status === 410) return `${reason} Switch issues on in the repository's settings, or leave \`drift-issue\` out.`;
  if (error instanceof GitHubError && error.isRateLimit) return `${reason} ${RATE_LIMITED}`;
  if (status === 401 || status === 403 || status === 404)
    return `${reason} The job needs \`permissions: issues: write\`.`;
  return reason;
}
