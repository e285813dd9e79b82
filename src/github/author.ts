import { z } from 'zod';
import type { GitHubClient } from './client.ts';
import { GitHubError, lookup } from './client.ts';

/** Who our comments are by. */
export interface Author {
  readonly login: string;
}

const Viewer = z.object({ data: z.object({ viewer: z.object({ login: z.string().min(1) }) }) });
const User = z.object({ login: z.string().min(1) });

/** The author of a job token's comments. Gitea reserves its name (id -2), and on GitHub no person's name has brackets. */
const JOB_TOKEN_LOGIN = { github: 'github-actions[bot]', gitea: 'gitea-actions' } as const;

/**
 * Whose token we have: GraphQL's viewer, else `GET /user`, else the job token's bot.
 * A job token may not read `/user` on GitHub (403 "Resource not accessible by integration"); that it is refused
 * is an answer; that nothing came, or that too much was asked already, is not.
 * @throws LookupFailedError when neither could be asked, or the token itself is refused
 */
export function findAuthor(client: GitHubClient): Promise<Author> {
  return lookup('find out whose the github-token is', 'contents: read', async () => {
    const login = (await viewerLogin(client)) ?? (await userLogin(client)) ?? JOB_TOKEN_LOGIN[client.forge];
    return { login: canonical(client, login) };
  });
}

/** Whether a comment's author is us. Logins are compared as the forges do, in any letter case. */
export function isBy(author: Author, user: { readonly login: string } | null | undefined): boolean {
  return user?.login.toLowerCase() === author.login.toLowerCase();
}

/** GraphQL also names the job token's bot by its app's slug. A person may have that login: it never counts as us. */
function canonical(client: GitHubClient, login: string): string {
  return client.forge === 'github' && login.toLowerCase() === 'github-actions' ? JOB_TOKEN_LOGIN.github : login;
}

async function viewerLogin(client: GitHubClient): Promise<string | null> {
  const answer = await unlessRefused(() => client.graphql('query { viewer { login } }'));
  return Viewer.safeParse(answer).data?.data.viewer.login ?? null;
}

async function userLogin(client: GitHubClient): Promise<string | null> {
  const answer = await unlessRefused(() => client.get('/user'));
  return User.safeParse(answer).data?.login ?? null;
}

async function unlessRefused(ask: () => Promise<unknown>): Promise<unknown> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof GitHubError && isRefusal(error)) return null;
    throw error;
  }
}

/** A rate limit answers 403, too, and tells nothing about the token. */
function isRefusal({ status, reason }: GitHubError): boolean {
  return status === 404 || (status === 403 && !/rate limit/i.test(reason));
}
