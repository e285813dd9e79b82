import type { ZodType } from 'zod';
import { backoff, pause, Semaphore } from '../concurrency.ts';
import { StoppedError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Secret } from '../core/secret.ts';
import {
  LostWriteError,
  lostReason,
  ProxyUnreachableError,
  RedirectedWriteError,
  redirectedRead,
  refusal,
  unreachable,
} from './errors.ts';
import { parsed } from './schemas.ts';
import { type Answer, BaseUrl, createTransport, type Exchange, type Transport, TransportError } from './transport.ts';

export interface HttpOptions {
  /** May carry a root path. */
  readonly baseUrl: string;
  readonly masterKey: Secret;
  /** For a request that is not a bulk one; those get more time by their rows. */
  readonly timeoutSeconds: number;
  /** Tries after the first one. */
  readonly retries: number;
  /** Requests under way at most. */
  readonly concurrency: number;
  readonly log: Log;
  readonly userAgent?: string;
  /** Header that carries `Bearer KEY` (LiteLLM's `litellm_key_header_name`); else `Authorization`. */
  readonly keyHeader?: string;
  /** Of a gateway in front of the proxy: sent with every request, to base-url's origin alone. */
  readonly extraHeaders?: readonly { readonly name: string; readonly value: Secret }[];
  /**
   * Told to stop: every wait ends at once and nothing new is sent but look-ups of what a write has done, each once.
   * Requests under way are left to finish, or the effect of a write would be lost.
   */
  readonly signal?: AbortSignal;
  /** Told how far the reading of all users is; `null`: their number is not known yet. */
  readonly onRead?: (done: number, total: number | null) => void;
}

/** What reaches outside; tests put their own in. */
export interface Effects {
  readonly transport: Transport;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  readonly now: () => number;
  readonly random: () => number;
}

export interface Call {
  readonly method: 'GET' | 'POST';
  /** Encoded path below base-url, begins with a slash. */
  readonly path: string;
  /** As messages show it, where the path holds an id: `/management/v1/teams/{team_id}/members/bulk_delete`. */
  readonly shownPath?: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: unknown;
  /** Rows of a bulk call: they stretch the time limit. */
  readonly rows?: number;
  /**
   * Keeps the proxy as busy as several requests, and takes three quarters of the places. (While 1.106 creates 500 users,
   * seven invitations at a time cost it a tenth more processor time than two do.)
   */
  readonly isHeavy?: boolean;
  /** A write that does no harm when it is made twice is repeated like a read; `false`: a read that has a substitute. */
  readonly repeatable?: boolean;
  /** `false`: sent without the key. */
  readonly withKey?: boolean;
  /** On a connection that serves nothing else. */
  readonly ownConnection?: boolean;
  /** A read that tells what a write has done: sent even where the run was stopped, without waiting for anything. */
  readonly lookUp?: boolean;
}

const MOST_REDIRECTS = 5;
const FIRST_MS = 500;
const LONGEST_MS = 20_000;
/** A `Retry-After` beyond this is not waited for. */
const LONGEST_ASKED_MS = 120_000;
const SHORTEST_SECRET = 6;
/** After this long without an answer the proxy is given up: otherwise thousands of users would each time out. */
const LONGEST_SILENCE_MS = 180_000;

/** Requests to one proxy: bounded in number, retried where that is safe, their failures as typed errors. */
export class Http {
  readonly baseUrl: BaseUrl;
  readonly concurrency: number;
  readonly #options: HttpOptions;
  readonly #effects: Effects;
  readonly #slots: Semaphore;
  #requests = 0;
  /** When the first request failed of those that nobody has answered since, by the clock of `now`. */
  #silentSince: number | null = null;

  constructor(options: HttpOptions, effects: Partial<Effects> = {}) {
    this.baseUrl = new BaseUrl(options.baseUrl);
    this.concurrency = Math.max(1, options.concurrency);
    this.#options = options;
    this.#effects = {
      transport: createTransport(),
      sleep: pause,
      now: Date.now,
      random: Math.random,
      ...effects,
    };
    this.#slots = new Semaphore(this.concurrency);
  }

  /** Requests sent so far, repeated and redirected ones included. */
  get requestCount(): number {
    return this.#requests;
  }

  /** See {@link HttpOptions.onRead}. */
  get onRead(): HttpOptions['onRead'] {
    return this.#options.onRead;
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#effects.now();
  }

  /** The answer's body as `schema` reads it. @throws ProxyError, AnswerLostError */
  async requestJson<T>(call: Call, schema: ZodType<T>): Promise<T> {
    const answer = await this.requestOk(call);
    return parsed(answer, schema, routeOf(call), call.method === 'POST');
  }

  /** A successful answer. @throws ProxyError, AnswerLostError */
  async requestOk(call: Call): Promise<Answer> {
    const answer = await this.request(call);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw this.#failure(call, answer);
  }

  /**
   * Any answer but a redirect, after retries; for asking what the proxy has.
   * @throws ProxyError, AnswerLostError, StoppedError
   */
  async request(call: Call): Promise<Answer> {
    const signal = call.lookUp ? undefined : this.#options.signal;
    for (let attempt = 0; ; attempt++) {
      if (this.#isSilent()) throw this.#transportFailure(call, new TransportError('unreachable', SILENT));
      const outcome = await this.#slots.run(() => this.#try(call), signal, this.#places(call));
      this.#silentSince = isAnswered(outcome) ? null : (this.#silentSince ?? this.#effects.now());
      const wait = attempt < this.#options.retries && mayRepeat(call, outcome) ? this.#wait(attempt, outcome) : null;
      if (wait !== null && (await this.#mayGoOn(call, outcome, wait))) continue;
      if (outcome instanceof TransportError) throw this.#transportFailure(call, outcome);
      return outcome;
    }
  }

  /**
   * Waits, and says whether the call may be made again; not where the run was stopped.
   * @throws StoppedError where the call has had no effect
   */
  async #mayGoOn(call: Call, outcome: Answer | TransportError, wait: number): Promise<boolean> {
    const { signal, log } = this.#options;
    if (!signal?.aborted) {
      log.debug(`${routeOf(call)}: again in ${Math.round(wait)} ms`);
      await this.#effects.sleep(wait, signal);
    }
    if (!signal?.aborted) return true;
    if (call.lookUp || (call.method === 'POST' && mayHaveHadEffect(outcome))) return false;
    throw new StoppedError();
  }

  #places({ isHeavy = false }: Call): number {
    return isHeavy ? Math.ceil(this.concurrency * 0.75) : 1;
  }

  #isSilent(): boolean {
    return this.#silentSince !== null && this.#effects.now() - this.#silentSince > LONGEST_SILENCE_MS;
  }

  /** `null`: longer than anybody waits; the request fails at once with the proxy's answer. */
  #wait(attempt: number, outcome: Answer | TransportError): number | null {
    const retryAfter = outcome instanceof TransportError ? null : outcome.retryAfter;
    const asked = retryAfter === null ? null : askedWait(retryAfter, this.#effects.now());
    if (asked !== null) return asked > LONGEST_ASKED_MS ? null : asked;
    // A random half is taken off, so that many clients do not come back together.
    return backoff(attempt, FIRST_MS, LONGEST_MS) * (1 - this.#effects.random() / 2);
  }

  async #try(call: Call): Promise<Answer | TransportError> {
    try {
      return await this.#followed(call);
    } catch (error) {
      if (error instanceof TransportError) return error;
      throw error;
    }
  }

  /** Reads are followed within base-url's origin. */
  async #followed(call: Call): Promise<Answer> {
    let url = this.baseUrl.at(call.path, call.query);
    for (let hops = 0; ; hops++) {
      const answer = await this.#exchange(call, url);
      if (answer.status < 300 || answer.status >= 400 || answer.status === 304) return answer;
      const target = resolved(answer.location, url);
      if (call.method === 'POST') {
        throw new RedirectedWriteError(redirectMessage(call, answer, target), routeOf(call), answer.status);
      }
      if (target === null || target.origin !== this.baseUrl.origin || hops === MOST_REDIRECTS) {
        throw redirectedRead(routeOf(call), answer.status, shown(target), this.baseUrl);
      }
      url = target;
    }
  }

  async #exchange(call: Call, url: URL): Promise<Answer> {
    this.#requests++;
    const begin = this.#effects.now();
    const trace = (end: string): void =>
      this.#options.log.debug(`${routeOf(call)}${detail(call)}: ${end}, ${this.#effects.now() - begin} ms`);
    try {
      const answer = await this.#effects.transport(this.#outgoing(call, url));
      trace(`${answer.status}, ${answer.text.length} characters`);
      return answer;
    } catch (error) {
      if (error instanceof TransportError) trace(error.code);
      throw error;
    }
  }

  #outgoing(call: Call, url: URL): Exchange {
    const { masterKey, timeoutSeconds, userAgent, keyHeader = 'Authorization', extraHeaders = [] } = this.#options;
    const headers: Record<string, string> = { accept: 'application/json' };
    if (userAgent !== undefined) headers['user-agent'] = userAgent;
    for (const { name, value } of extraHeaders) headers[name.toLowerCase()] = value.reveal();
    if (call.withKey !== false) headers[keyHeader.toLowerCase()] = `Bearer ${masterKey.reveal()}`;
    if (call.body !== undefined) headers['content-type'] = 'application/json';
    return {
      method: call.method,
      url,
      headers,
      keepAlive: call.ownConnection !== true,
      body: call.body === undefined ? undefined : JSON.stringify(call.body),
      timeoutMs: timeoutSeconds * 1000 * (1 + (call.rows ?? 0) / 100),
    };
  }

  /** What a message of the proxy or of a gateway may repeat: a short header's value (`1`) is no secret, but a word. */
  get #secrets(): readonly string[] {
    const { masterKey, extraHeaders = [] } = this.#options;
    const values = extraHeaders.map(({ value }) => value.reveal()).filter((value) => value.length >= SHORTEST_SECRET);
    return [masterKey.reveal(), ...values];
  }

  #transportFailure(call: Call, error: TransportError): Error {
    const route = routeOf(call);
    const sent = error.kind === 'timeout' || error.kind === 'broken';
    if (call.method === 'POST' && sent) return new LostWriteError(lostReason(route, error.code), route, null);
    return new ProxyUnreachableError(unreachable(error, this.baseUrl), route, null);
  }

  #failure(call: Call, answer: Answer): Error {
    const route = routeOf(call);
    const error = refusal(route, answer, this.#secrets);
    if (call.method === 'POST' && answer.status >= 500) {
      return new LostWriteError(
        lostReason(route, error.proxyMessage ?? `status ${answer.status}`),
        route,
        answer.status,
      );
    }
    return error;
  }
}

export function routeOf(call: Call): string {
  return `${call.method} ${call.shownPath ?? call.path}`;
}

/** Page numbers and counts; never a value that could be an email or an id. */
function detail({ query, rows }: Call): string {
  const page = query?.page === undefined ? '' : ` page ${query.page}`;
  return rows === undefined ? page : `${page} ${rows} rows`;
}

function mayRepeat(call: Call, outcome: Answer | TransportError): boolean {
  const idempotent = call.repeatable ?? call.method === 'GET';
  if (outcome instanceof TransportError) {
    if (outcome.kind === 'unreachable') return true;
    return idempotent && (outcome.kind === 'timeout' || outcome.kind === 'broken');
  }
  return outcome.status === 429 || (idempotent && outcome.status >= 500);
}

/** @param retryAfter Seconds or an HTTP date. @param now Milliseconds since 1970. */
function askedWait(retryAfter: string, now: number): number | null {
  const value = retryAfter.trim();
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

function mayHaveHadEffect(outcome: Answer | TransportError): boolean {
  return outcome instanceof TransportError ? outcome.kind !== 'unreachable' : outcome.status >= 500;
}

const SILENT = `no answer for ${LONGEST_SILENCE_MS / 60_000} minutes, given up`;

/** Whether the proxy itself spoke, and not a gateway in place of it. */
function isAnswered(outcome: Answer | TransportError): boolean {
  return !(outcome instanceof TransportError) && ![502, 503, 504].includes(outcome.status);
}

function resolved(location: string | null, from: URL): URL | null {
  return location !== null && URL.canParse(location, from.href) ? new URL(location, from) : null;
}

function shown(target: URL | null): string {
  return target === null ? 'nowhere' : `${target.origin}${target.pathname}`;
}

function redirectMessage(call: Call, answer: Answer, target: URL | null): string {
  return `${routeOf(call)} was redirected (${answer.status}) to ${shown(target)} and not followed, because the key goes to base-url alone: set base-url to the address that answers itself.`;
}
