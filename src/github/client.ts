import { ZodError } from 'zod';
import { messageOf as messageOfAny } from '../core/errors.ts';

export interface Repository {
  readonly owner: string;
  readonly name: string;
}

export type Forge = 'github' | 'gitea';

/** Gitea serves its API below `/api/v1`, GitHub at the root of a host or (Enterprise Server) below `/api/v3`. */
export function forgeOf(apiUrl: string): Forge {
  return /\/api\/v1\/?$/.test(apiUrl) ? 'gitea' : 'github';
}

export type Query = Readonly<Record<string, string | number>>;

/**
 * What the modules of this folder need of a forge's REST API. Paths begin with `/` and follow `GITHUB_API_URL`.
 * Answers are `unknown`: whoever asks reads them with a schema. Every method throws `GitHubError`.
 */
export interface GitHubClient {
  /** Gitea speaks a dialect: other routes, other answers to a missing permission. */
  readonly forge: Forge;
  get(path: string, query?: Query): Promise<unknown>;
  /** All pages of a list, following `Link: rel="next"`; fetched as they are consumed. */
  pages(path: string, query?: Query): AsyncIterable<readonly unknown[]>;
  post(path: string, body: object): Promise<unknown>;
  patch(path: string, body: object): Promise<unknown>;
  delete(path: string): Promise<void>;
  /** The answer's JSON (`data`, `errors`). `null` where the forge has no GraphQL. */
  graphql(query: string): Promise<unknown>;
}

export function repositoryPath(repository: Repository): string {
  return `/repos/${encodeURIComponent(repository.owner)}/${encodeURIComponent(repository.name)}`;
}

/** A call to the forge that failed. Holds the forge's own words, never a header or the body that was sent. */
export class GitHubError extends Error {
  override readonly name = 'GitHubError';
  /** HTTP status; `null`: no answer came (network, timeout), the call may or may not have taken effect. */
  readonly status: number | null;
  /** What the forge said, without route and status; may be empty. */
  readonly reason: string;

  constructor(call: string, status: number | null, reason: string) {
    super(`${call}: ${[status ?? 'no answer', reason].filter(String).join(' ')}`);
    this.status = status;
    this.reason = reason;
  }

  /** Whether too much was asked, by this token or from this address: a permission would not help. */
  get isRateLimit(): boolean {
    return this.status === 429 || (this.status === 403 && /rate limit|abuse detection/i.test(this.reason));
  }
}

/** The way out of a used-up rate limit. */
export const RATE_LIMITED =
  'The rate limit of the token is used up: run this job again later (GitHub resets it every hour).';

/** Something that must be known before anything is written could not be found out. Never means "there is none". */
export class LookupFailedError extends Error {
  override readonly name = 'LookupFailedError';
}

/** The event that started this run cannot be read. */
export class EventError extends Error {
  override readonly name = 'EventError';
}

/** An artifact could not be uploaded, also not when tried again. */
export class ArtifactUploadError extends Error {
  override readonly name = 'ArtifactUploadError';
}

/** One line. Of an answer that no schema fits, where it does not; never its values. */
export function messageOf(error: unknown): string {
  if (error instanceof ZodError) {
    const places = error.issues.map(({ path, message }) => `${path.join('.') || 'all of it'}: ${message}`);
    return `the answer has an unknown shape (${places.slice(0, 3).join('; ')})`;
  }
  return messageOfAny(error);
}

/**
 * Runs a look-up; any failure becomes a {@link LookupFailedError} that says what was looked for.
 * @param intent completes "Failed to …"
 * @param permission the `permissions:` entry that a refusal usually lacks
 */
export async function lookup<T>(intent: string, permission: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof LookupFailedError) throw error;
    const hint = error instanceof GitHubError ? hintOf(error, permission) : '';
    throw new LookupFailedError(`Failed to ${intent}: ${messageOf(error)}.${hint}`, { cause: error });
  }
}

function hintOf(error: GitHubError, permission: string): string {
  if (error.isRateLimit) return ` ${RATE_LIMITED}`;
  return error.status === 403 || error.status === 404 ? ` Does the job have \`permissions: ${permission}\`?` : '';
}
