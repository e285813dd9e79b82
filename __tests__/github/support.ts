import { fileURLToPath } from 'node:url';
import { Secret } from '../../src/core/secret.ts';
import type { GitHubClient } from '../../src/github/client.ts';
import type { RunEvent } from '../../src/github/event.ts';
import { createGitHubClient, type GitHubClientOptions } from '../../src/github/octokit.ts';

export const API = 'https://api.github.example';
export const REPOSITORY = { owner: 'acme', name: 'users' };

export interface Waits {
  readonly client: GitHubClient;
  /** Milliseconds that the client would have waited. */
  readonly waits: number[];
}

export function createClient(options: Partial<GitHubClientOptions> = {}): Waits {
  const waits: number[] = [];
  const client = createGitHubClient({
    token: new Secret('ghs_token-of-the-job'),
    apiUrl: API,
    graphqlUrl: `${API}/graphql`,
    version: '1.2.3',
    sleep: async (milliseconds) => waits.push(milliseconds),
    ...options,
  });
  return { client, waits };
}

export function eventFile(name: string): string {
  return fileURLToPath(new URL(`../fixtures/events/${name}.json`, import.meta.url));
}

export const sha = (character: string) => character.repeat(40);

export function createEvent(overrides: Partial<RunEvent> = {}): RunEvent {
  return {
    name: 'push',
    repository: REPOSITORY,
    defaultBranch: 'main',
    branch: 'main',
    sha: sha('e'),
    visibility: 'private',
    pullRequest: null,
    push: { after: sha('e'), commits: [sha('a'), sha('e')], mentioned: [[7]] },
    runUrl: 'https://github.example/acme/users/actions/runs/1',
    actor: 'ann-admin',
    ...overrides,
  };
}

/** A comment as GitHub's REST API shows it. */
export function apiComment(id: number, body: string, login = 'github-actions[bot]', type = 'Bot') {
  return {
    url: `${API}/repos/acme/users/issues/comments/${id}`,
    html_url: `https://github.example/acme/users/pull/7#issuecomment-${id}`,
    issue_url: `${API}/repos/acme/users/issues/7`,
    id,
    node_id: `IC_${id}`,
    user: { login, id: 41898282, node_id: 'U_1', type, site_admin: false },
    created_at: '2026-10-31T09:00:00Z',
    updated_at: '2026-10-31T09:00:00Z',
    body,
    author_association: 'CONTRIBUTOR',
    reactions: { total_count: 0 },
    performed_via_github_app: null,
  };
}

/** An issue as GitHub's lists show it. */
export function apiIssue(number: number, body: string, login = 'github-actions[bot]') {
  return {
    number,
    html_url: `https://github.example/acme/users/issues/${number}`,
    state: 'open',
    title: `Issue ${number}`,
    user: { login, id: 41898282, type: 'Bot' },
    body,
  };
}

interface PullOverrides {
  readonly mergedAt?: string | null;
  readonly updatedAt?: string;
  readonly mergeCommit?: string;
  readonly head?: string;
  readonly headRef?: string;
  readonly base?: string;
}

/** A pull request as GitHub's lists show it. */
export function apiPull(number: number, overrides: PullOverrides = {}) {
  const mergedAt = overrides.mergedAt === undefined ? '2026-11-20T10:00:00Z' : overrides.mergedAt;
  const repo = { id: 3301, full_name: 'acme/users', private: true };
  return {
    url: `${API}/repos/acme/users/pulls/${number}`,
    id: 5000 + number,
    html_url: `https://github.example/acme/users/pull/${number}`,
    number,
    state: mergedAt === null ? 'open' : 'closed',
    title: `Change ${number}`,
    user: { login: 'bob-builder', id: 1102, type: 'User' },
    created_at: '2026-11-01T00:00:00Z',
    updated_at: overrides.updatedAt ?? mergedAt ?? '2026-11-20T11:00:00Z',
    merged_at: mergedAt,
    merge_commit_sha: overrides.mergeCommit ?? null,
    head: { label: 'acme:x', ref: overrides.headRef ?? `change-${number}`, sha: overrides.head ?? sha('1'), repo },
    base: { label: 'acme:main', ref: overrides.base ?? 'main', sha: sha('0'), repo },
    draft: false,
  };
}

/** GitHub's answer to a token that lacks a permission. */
export const NOT_ACCESSIBLE = {
  message: 'Resource not accessible by integration',
  documentation_url: 'https://docs.github.com/rest/issues/comments#create-an-issue-comment',
  status: '403',
};

export const NOT_FOUND = { message: 'Not Found', documentation_url: 'https://docs.github.com/rest', status: '404' };

/** GitHub's answer to a comment of more than 65,536 characters. */
export const TOO_LONG = {
  message: 'Validation Failed',
  errors: [
    {
      resource: 'IssueComment',
      code: 'unprocessable',
      field: 'data',
      message: 'Body is too long (maximum is 65536 characters)',
    },
  ],
  documentation_url: 'https://docs.github.com/rest/issues/comments#create-an-issue-comment',
  status: '422',
};

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
