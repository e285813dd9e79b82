import { z } from 'zod';
import { type GitHubClient, GitHubError, type Repository, repositoryPath } from './client.ts';

const Pull = z.object({
  number: z.number(),
  state: z.string(),
  user: z.object({ login: z.string() }).nullish(),
  updated_at: z.iso.datetime({ offset: true }),
  merged_at: z.iso.datetime({ offset: true }).nullable(),
  merge_commit_sha: z.string().nullish(),
  head: z.object({ sha: z.string(), ref: z.string(), repo: z.object({ full_name: z.string() }).nullish() }),
  base: z.object({ ref: z.string() }),
});

export type Pull = z.infer<typeof Pull>;

/** @throws GitHubError, ZodError */
export async function getPull(client: GitHubClient, repository: Repository, number: number): Promise<Pull> {
  return Pull.parse(await client.get(`${repositoryPath(repository)}/pulls/${number}`));
}

/**
 * The pull requests that a commit is part of. GitHub's answer may lag behind a merge by seconds; Gitea knows only the
 * one whose merge made this commit.
 * @throws GitHubError, ZodError
 */
export async function pullsOfCommit(client: GitHubClient, repository: Repository, sha: string): Promise<Pull[]> {
  const commit = `${repositoryPath(repository)}/commits/${encodeURIComponent(sha)}`;
  if (client.forge === 'gitea') return pullOfGiteaCommit(client, `${commit}/pull`);
  const found: Pull[] = [];
  for await (const page of client.pages(`${commit}/pulls`, { per_page: 100 })) found.push(...z.array(Pull).parse(page));
  return found;
}

/** Gitea answers 404 to "no such pull request" as to a missing route or permission; only its words tell them apart. */
async function pullOfGiteaCommit(client: GitHubClient, path: string): Promise<Pull[]> {
  try {
    return [Pull.parse(await client.get(path))];
  } catch (error) {
    const none =
      error instanceof GitHubError && error.status === 404 && /pull request does not exist/i.test(error.reason);
    if (none) return [];
    throw error;
  }
}

/**
 * The pull requests that were merged into a branch, newest merge first. The forge sorts by the last update, which is
 * never before the merge: a page's pull requests are handed on once nothing newer can follow.
 * @throws GitHubError, ZodError
 */
export async function* mergedPulls(
  client: GitHubClient,
  repository: Repository,
  branch: string,
): AsyncGenerator<Pull, void, undefined> {
  const query = { state: 'closed', sort: 'updated', direction: 'desc', base: branch, per_page: 100 };
  const gitea = { state: 'closed', sort: 'recentupdate', base_branch: branch, limit: 50 };
  const path = `${repositoryPath(repository)}/pulls`;
  let held: Pull[] = [];
  for await (const page of client.pages(path, client.forge === 'gitea' ? gitea : query)) {
    const pulls = z.array(Pull).parse(page);
    held.push(...pulls.filter((pull) => isMergedInto(pull, branch)));
    held.sort((a, b) => mergeTime(b) - mergeTime(a));
    const oldestUpdate = Math.min(...pulls.map((pull) => Date.parse(pull.updated_at)));
    yield* held.filter((pull) => mergeTime(pull) >= oldestUpdate);
    held = held.filter((pull) => mergeTime(pull) < oldestUpdate);
  }
  yield* held;
}

/**
 * The open pull requests of a branch.
 * @throws GitHubError, ZodError
 */
export async function openPulls(client: GitHubClient, repository: Repository, branch: string): Promise<Pull[]> {
  const query = { state: 'open', base: branch, per_page: 100 };
  const gitea = { state: 'open', base_branch: branch, limit: 50 };
  const found: Pull[] = [];
  const pages = client.pages(`${repositoryPath(repository)}/pulls`, client.forge === 'gitea' ? gitea : query);
  for await (const page of pages) found.push(...z.array(Pull).parse(page));
  return found.filter((pull) => pull.state === 'open' && pull.base.ref === branch);
}

export function isMergedInto(pull: Pull, branch: string): boolean {
  return pull.merged_at !== null && pull.base.ref === branch;
}

function mergeTime(pull: Pull): number {
  return Date.parse(pull.merged_at ?? '');
}
