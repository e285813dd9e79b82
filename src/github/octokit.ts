import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import type { getOctokit } from '@actions/github';
import type { RequestInit } from 'node-fetch';
import type { Secret } from '../core/secret.ts';
import { type Forge, forgeOf, type GitHubClient, GitHubError, type Query } from './client.ts';

type Octokit = ReturnType<typeof getOctokit>;
type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

interface ForgeAnswer {
  readonly data: unknown;
  readonly headers: FailedCall['headers'];
}

export interface GitHubClientOptions {
  readonly token: Secret;
  /** `GITHUB_API_URL`. */
  readonly apiUrl: string;
  /** `GITHUB_GRAPHQL_URL`; `null` where it is empty (Gitea has none). */
  readonly graphqlUrl: string | null;
  /** Of this program, for the user agent. */
  readonly version: string;
  readonly retries?: number;
  /** Of one attempt. */
  readonly timeoutMs?: number;
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
}

/** More pages than any pull request has comments: a server that always names a next page must end somewhere. */
const MOST_PAGES = 1000;
/** An idle connection is not kept longer: somebody on the way may have forgotten it. */
const IDLE_MS = 4000;

/**
 * A client on the toolkit's octokit, which is loaded with the first call. It sends through `proxy-agent`, as requests to
 * LiteLLM do, so that `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` mean the same on both ways; hence node-fetch, which takes
 * an agent. (The toolkit's own fetch reads `NO_PROXY` otherwise, and tunnels plain `http://` where most forward proxies
 * refuse that.)
 */
export function createGitHubClient(options: GitHubClientOptions): GitHubClient {
  return new OctokitClient(options);
}

class OctokitClient implements GitHubClient {
  readonly forge: Forge;
  readonly #options: Required<GitHubClientOptions>;
  #connection: Promise<Connection> | null = null;

  constructor(options: GitHubClientOptions) {
    this.#options = { retries: 3, timeoutMs: 30_000, sleep: wait, ...options };
    this.forge = forgeOf(options.apiUrl);
  }

  async get(path: string, query: Query = {}): Promise<unknown> {
    return (await this.#call('GET', withQuery(path, query))).data;
  }

  async *pages(path: string, query: Query = {}): AsyncIterable<readonly unknown[]> {
    let next: string | null = withQuery(path, query);
    for (let page = 0; next !== null; page++) {
      if (page === MOST_PAGES) throw new GitHubError(`GET ${path}`, 200, 'names a next page without end');
      const { data, headers }: ForgeAnswer = await this.#call('GET', next);
      if (!Array.isArray(data)) throw new GitHubError(`GET ${path}`, 200, 'with something that is not a list');
      yield data;
      next = nextPage(path, headers.link);
    }
  }

  async post(path: string, body: object): Promise<unknown> {
    return (await this.#call('POST', path, body)).data;
  }

  async patch(path: string, body: object): Promise<unknown> {
    return (await this.#call('PATCH', path, body)).data;
  }

  async delete(path: string): Promise<void> {
    await this.#call('DELETE', path);
  }

  async graphql(query: string): Promise<unknown> {
    if (this.#options.graphqlUrl === null) return null;
    return (await this.#call('POST', this.#options.graphqlUrl, { query }, true)).data;
  }

  async #call(method: Method, url: string, body?: object, safeToRepeat = method !== 'POST'): Promise<ForgeAnswer> {
    const { octokit } = await this.#connect();
    for (let attempt = 0; ; attempt++) {
      try {
        return await octokit.request({
          method,
          url,
          ...(body && { data: body }),
          request: { signal: AbortSignal.timeout(this.#options.timeoutMs) },
        });
      } catch (error) {
        const failure = readFailure(error, this.#options.timeoutMs);
        const delay = retryDelay(failure, safeToRepeat, attempt, Date.now(), Math.random());
        if (delay === null || attempt >= this.#options.retries) {
          const via = failure.status === null ? await this.#forwardProxy() : '';
          throw new GitHubError(`${method} ${url}`, failure.status, `${failure.reason}${via}`);
        }
        await this.#options.sleep(delay);
      }
    }
  }

  #connect(): Promise<Connection> {
    this.#connection ??= connect(this.#options);
    return this.#connection;
  }

  /** Words for a message, without the proxy's credentials; a blank where none was used. */
  async #forwardProxy(): Promise<string> {
    const proxy = (await this.#connect()).proxyFor(this.#options.apiUrl);
    return proxy === ''
      ? ''
      : ` (through the forward proxy ${URL.canParse(proxy) ? new URL(proxy).host : 'that is set'})`;
  }
}

interface Connection {
  readonly octokit: Octokit;
  /** Address of the forward proxy for a URL; a blank where there is none. */
  readonly proxyFor: (url: string) => string;
}

async function connect({ token, apiUrl, version }: GitHubClientOptions): Promise<Connection> {
  const [{ getOctokit }, { default: fetch }, { ProxyAgent }] = await Promise.all([
    import('@actions/github'),
    import('node-fetch'),
    import('proxy-agent'),
  ]);
  const direct = { keepAlive: true, timeout: IDLE_MS };
  // Not kept alive through a forward proxy: proxy-agent 8 sends the third plain request of a connection without the
  // address that the proxy needs.
  const agent = new ProxyAgent({ httpAgent: new HttpAgent(direct), httpsAgent: new HttpsAgent(direct) });
  const octokit = getOctokit(token.reveal(), {
    baseUrl: apiUrl.replace(/\/$/, ''),
    userAgent: `litellm-user-sync/${version}`,
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    request: { fetch: (url: string, init: RequestInit) => fetch(url, { ...init, agent }) },
  });
  return { octokit, proxyFor: agent.getProxyForUrl as (url: string) => string };
}

function withQuery(path: string, query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) search.set(name, String(value));
  return search.size > 0 ? `${path}?${search}` : path;
}

/**
 * Of the next page's address only the query is taken: behind a reverse proxy the forge names itself by another
 * address, and the token goes to `GITHUB_API_URL` alone.
 */
function nextPage(path: string, link: string | number | undefined): string | null {
  const address = /<([^<>]*)>\s*;[^<]*\brel="?next\b/.exec(String(link ?? ''))?.[1];
  if (address === undefined) return null;
  return `${path}${new URL(address, 'http://localhost').search}`;
}

function readFailure(error: unknown, timeoutMs: number): FailedCall {
  const response = (error as { response?: { status: number; headers: FailedCall['headers']; data: unknown } }).response;
  if (response === undefined) return { status: null, reason: networkReason(error, timeoutMs), headers: {} };
  return { status: response.status, reason: serverReason(response.data), headers: response.headers };
}

/** node-fetch puts the whole address in front of what happened; the call is named anyway. */
function networkReason(error: unknown, timeoutMs: number): string {
  const { name, message = '' } = error as { name?: string; message?: string };
  if (name === 'AbortError') return `in ${timeoutMs / 1000} s`;
  const reason = message.replace(/^request to \S+ failed, reason: /, '');
  return reason.replace(/\s+/g, ' ').trim();
}

function serverReason(data: unknown): string {
  if (typeof data === 'string') return data.replace(/\s+/g, ' ').trim().slice(0, 200);
  const { message = '', errors = [] } = (data ?? {}) as { message?: unknown; errors?: unknown };
  const details = Array.isArray(errors) ? errors.map((item) => item?.message ?? item?.code ?? item) : [];
  const texts = [message, ...details].filter((text) => typeof text === 'string' && text !== '');
  return texts.join(': ').slice(0, 500);
}

export interface FailedCall {
  /** `null`: no answer. */
  readonly status: number | null;
  readonly reason: string;
  /** Response headers, lower-case names. */
  readonly headers: Readonly<Record<string, string | number | undefined>>;
}

/** Longer than this nobody waits for a comment: the call fails instead. */
const LONGEST_WAIT_MS = 60_000;

/**
 * How long to wait before a failed call is made again, or `null`: not at all.
 * A rate limit has not executed the call, so anything may be repeated after it; a 5xx or a lost answer may have,
 * so only a call that is safe to repeat is.
 * Source: GitHub's "Best practices for using the REST API": secondary limits answer 403 or 429, with `retry-after`
 * or with `x-ratelimit-remaining: 0` and `x-ratelimit-reset` (UTC epoch seconds).
 * @param attempt 0 for the first failure
 * @param now epoch milliseconds
 * @param random 0…1, spreads the retries of parallel jobs
 */
function retryDelay(
  failure: FailedCall,
  safeToRepeat: boolean,
  attempt: number,
  now: number,
  random: number,
): number | null {
  const limited = isRateLimit(failure);
  const broken = failure.status === null || failure.status >= 500;
  if (!limited && !(broken && safeToRepeat)) return null;
  const delay = askedDelay(failure, now) ?? 1000 * 2 ** attempt * (0.5 + random / 2);
  return delay <= LONGEST_WAIT_MS ? delay : null;
}

function isRateLimit({ status, reason, headers }: FailedCall): boolean {
  if (status === 429) return true;
  if (status !== 403) return false;
  return (
    headers['retry-after'] !== undefined ||
    String(headers['x-ratelimit-remaining']) === '0' ||
    /rate limit/i.test(reason)
  );
}

function askedDelay({ headers }: FailedCall, now: number): number | null {
  const after = Number(headers['retry-after']);
  if (Number.isFinite(after) && after >= 0) return after * 1000;
  if (String(headers['x-ratelimit-remaining']) !== '0') return null;
  const reset = Number(headers['x-ratelimit-reset']);
  return Number.isFinite(reset) ? Math.max(0, reset * 1000 - now) : null;
}
