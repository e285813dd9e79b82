import { z } from 'zod';
import { type Author, isBy } from './author.ts';
import { type GitHubClient, type Repository, repositoryPath } from './client.ts';
import { shrinking } from './comments.ts';
import { GitHubError, messageOf, RATE_LIMITED } from './errors.ts';

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
