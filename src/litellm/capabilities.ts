import type { ProxyFacts } from '../core/inventory.ts';
import type { Log } from '../core/log.ts';
import {
  IncompleteInventoryError,
  ProxyError,
  ProxyResponseError,
  ProxyTooOldError,
  UnexpectedShapeError,
} from './errors.ts';
import { type Http, routeOf } from './http.ts';
import { openApi, parsed, readiness } from './schemas.ts';

const BULK_ROUTES = {
  create: '/management/v1/users/bulk',
  delete: '/management/v1/users/bulk_delete',
  leave: '/management/v1/teams/-/members/bulk_delete',
} as const;

export type BulkRoute = keyof typeof BULK_ROUTES;

type Version = readonly [major: number, minor: number];

const OLDEST: Version = [1, 75];

/** What this proxy can do, each found out once, when it is first needed. */
export class Capabilities {
  readonly #http: Http;
  readonly #log: Log;
  readonly #known = new Map<string, Promise<unknown>>();
  #heldBack: string | null = null;
  #isTold = false;

  constructor(http: Http, log: Log) {
    this.#http = http;
    this.#log = log;
  }

  /**
   * Whether the proxy has a bulk route. Asked with GET, which can write nothing: 405 where the route is there for POST,
   * 404 where it is not (below 1.103).
   */
  bulk(route: BulkRoute): Promise<boolean> {
    return this.#isThere(route).finally(() => this.tellOfGateway());
  }

  /** Warns, once, where a gateway holds bulk routes back: not before something else was read, or all is refused alike. */
  tellOfGateway(): void {
    if (this.#heldBack !== null && !this.#isTold) this.#log.warning(this.#heldBack);
    this.#isTold ||= this.#heldBack !== null;
  }

  /** Whether the proxy is 1.103 or newer, as far as its routes show that; of a gateway nothing is told yet. */
  async isBulk(): Promise<boolean> {
    try {
      return await this.#isThere('create');
    } catch (error) {
      if (error instanceof ProxyResponseError) return false;
      throw error;
    }
  }

  /**
   * What differs between versions and no route shows. Which versions: 1.75, 1.82, 1.90, 1.106 and 1.110 were tried; in
   * between, the source of 1.81 (leaving a team deletes keys) and of 1.103 (rates are not cleared yet) says more, and
   * where nothing does, the older one's ways are assumed.
   */
  facts(): Promise<ProxyFacts> {
    return this.#once('facts', async () => {
      const version = await this.#version();
      const known = numbers(version ?? '');
      const from = (...least: Version): boolean => known !== null && isAtLeast(known, least);
      return {
        version,
        leavingDeletesKeys: known === null || from(1, 81),
        enforcesDeactivation: from(1, 90),
        clearsBudget: from(1, 82),
        clearsDurationAndRates: from(1, 106),
        defaultBudget: 'unknown',
      };
    });
  }

  /**
   * Whether `/team/bulk_member_add` adds the team to the user's record before it finds that the roster cannot be added
   * to: so below 1.103, but not on 1.75, which does not compare emails.
   */
  async writesHalfMemberships(): Promise<boolean> {
    if (await this.bulk('leave')) return false;
    const version = numbers((await this.facts()).version ?? '');
    return version === null || version[0] > 1 || version[1] > 75;
  }

  /** Whether `GET /ui/onboarding` answers 200; anything else counts as no, since the older link opens everywhere. */
  onboardingPage(): Promise<boolean> {
    return this.#once('onboarding', async () => {
      try {
        // With the slash, or the proxy redirects there, behind a TLS gateway to an address of another scheme.
        return await this.#isPage('/ui/onboarding/');
      } catch (error) {
        if (error instanceof ProxyError) return false;
        throw error;
      }
    });
  }

  /**
   * Refuses proxies before 1.75. Bulk routes prove enough; so do, where the page of the proxy's health, which names the
   * version of old ones, is closed, routes that came with 1.75; where they prove nothing, what that page answered says more.
   * @throws ProxyTooOldError
   */
  async checkVersion(): Promise<void> {
    if (await this.isBulk()) return;
    let version: string | null;
    try {
      version = await this.#namedVersion();
    } catch (error) {
      const mayBeClosed = error instanceof ProxyError && error.status !== null;
      if (mayBeClosed && (await this.#provesAge().catch(() => false))) return;
      throw error;
    }
    const known = numbers(version ?? '');
    if (known === null || isAtLeast(known, OLDEST)) return;
    throw new ProxyTooOldError(
      `The proxy is LiteLLM ${version}; 1.75 or newer is needed: update the proxy. Nothing was written.`,
      routeOf(READINESS),
      200,
    );
  }

  /**
   * Reads; where the proxy is too old for that, says so in place of what it answered: 1.55 knows neither
   * `/v2/team/list` (404) nor the sorting of `/key/list` (400), and lists users in no order.
   * @throws ProxyTooOldError, and what `read` throws
   */
  async withVersionHint<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (!maybeTooOld(error)) throw error;
      const found = await this.checkVersion().catch((reason: unknown) => reason);
      throw found instanceof ProxyTooOldError ? found : error;
    }
  }

  #isThere(route: BulkRoute): Promise<boolean> {
    return this.#once(route, () => this.#ask(route));
  }

  /** A gateway that holds the route back leaves the classic ones: those do. */
  async #ask(route: BulkRoute): Promise<boolean> {
    const call = { method: 'GET', path: BULK_ROUTES[route] } as const;
    const { status } = await this.#http.request(call);
    if (status === 405 || status === 404) return status === 405;
    if (status === 401 || status === 403) {
      this.#heldBack = `${routeOf(call)} answered ${status}, where a proxy answers 405 or 404: a gateway in front of it seems to hold back /management/v1. The slower classic routes are used.`;
      return false;
    }
    throw new ProxyResponseError(
      `${routeOf(call)} answered ${status}, where a proxy answers 405 or 404: does a gateway in front of it hold back this path?`,
      routeOf(call),
      status,
    );
  }

  /** By a route that 1.75 has and 1.55 has not. */
  async #provesAge(): Promise<boolean> {
    const bulkAdd = await this.#http.request({ method: 'GET', path: '/team/bulk_member_add' });
    if (bulkAdd.status === 405) return true;
    const teams = await this.#http.request({ method: 'GET', path: '/v2/team/list', query: { page: 1, page_size: 1 } });
    return teams.status === 200;
  }

  /** As `/health/readiness` names it: old proxies do. */
  #namedVersion(): Promise<string | null> {
    return this.#once('readiness', async () => {
      const answer = await this.#http.requestOk(READINESS);
      return parsed(answer, readiness, routeOf(READINESS), false).litellm_version;
    });
  }

  /**
   * `null` where no page is open or names it. Old proxies' health does (never those with bulk routes); from 1.90 on its
   * details, where the key that we use may read them; the description of the API everywhere, but that is 2 MB, for which
   * the proxy lets everybody else wait.
   */
  async #version(): Promise<string | null> {
    const named = (await this.isBulk()) ? null : await this.#namedVersion().catch(closedOnly);
    if (named !== null) return named;
    const details = await this.#http.requestJson(DETAILS, readiness).catch(closedOnly);
    if (details !== null && details.litellm_version !== null) return details.litellm_version;
    const description = await this.#http
      .requestJson({ method: 'GET', path: '/openapi.json' }, openApi)
      .catch(closedOnly);
    return description?.info.version ?? null;
  }

  async #isPage(path: string): Promise<boolean> {
    const { status } = await this.#http.request({ method: 'GET', path, withKey: false });
    return status === 200;
  }

  #once<T>(name: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#known.get(name);
    if (known !== undefined) return known as Promise<T>;
    const asked = ask();
    this.#known.set(name, asked);
    asked.catch(() => this.#known.delete(name));
    return asked;
  }
}

/** A request that the proxy did not understand, or an answer that makes no sense. */
function maybeTooOld(error: unknown): boolean {
  if (error instanceof ProxyResponseError) return error.status === 400 || error.status === 404 || error.status === 422;
  return error instanceof IncompleteInventoryError || error instanceof UnexpectedShapeError;
}

const READINESS = { method: 'GET', path: '/health/readiness' } as const;
const DETAILS = { method: 'GET', path: '/health/readiness/details' } as const;

/** A page that is closed or not the proxy's says nothing; a proxy that cannot be reached, or is broken, is no answer. */
function closedOnly(error: unknown): null {
  if (error instanceof ProxyError && error.status !== null && error.status < 500) return null;
  throw error;
}

/** `null` where the text is no version: `main`. */
function numbers(version: string): Version | null {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return major === undefined || minor === undefined ? null : [Number(major), Number(minor)];
}

function isAtLeast([major, minor]: Version, [leastMajor, leastMinor]: Version): boolean {
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}
