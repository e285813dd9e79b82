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
