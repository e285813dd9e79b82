import {
  IncompleteInventoryError,
  ProxyError,
  ProxyResponseError,
  ProxyTooOldError,
  UnexpectedShapeError,
} from './errors.ts';
import { type Http, routeOf } from './http.ts';
import { parsed } from './parse.ts';
import { readiness } from './schemas.ts';

const BULK_ROUTES = {
  create: '/management/v1/users/bulk',
  delete: '/management/v1/users/bulk_delete',
  leave: '/management/v1/teams/-/members/bulk_delete',
} as const;

export type BulkRoute = keyof typeof BULK_ROUTES;

const OLDEST = [1, 75] as const;

/** What this proxy can do, each found out once, when it is first needed. */
export class Capabilities {
  readonly #http: Http;
  readonly #known = new Map<string, Promise<boolean>>();

  constructor(http: Http) {
    this.#http = http;
  }

  /**
   * Whether the proxy has a bulk route. Asked with GET, which can write nothing: 405 where the route is there for POST,
   * 404 where it is not (1.75).
   */
  bulk(route: BulkRoute): Promise<boolean> {
    return this.#once(route, () => this.#hasRoute(BULK_ROUTES[route]));
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
   * Refuses proxies before 1.75. Only old ones name their version in `/health/readiness`; where that page is closed,
   * the bulk routes prove a new one. Where they prove nothing, what that page answered says more.
   * @throws ProxyTooOldError
   */
  async checkVersion(): Promise<void> {
    const call = { method: 'GET', path: '/health/readiness' } as const;
    let version: string | null | undefined;
    try {
      version = parsed(await this.#http.send(call), readiness, routeOf(call), false).litellm_version;
    } catch (error) {
      const mayBeClosed = error instanceof ProxyError && error.status !== null;
      if (mayBeClosed && (await this.bulk('create').catch(() => false))) return;
      throw error;
    }
    if (version === null || version === undefined || !tooOld(version)) return;
    throw new ProxyTooOldError(
      `The proxy is LiteLLM ${version}; 1.75 or newer is needed: update the proxy. Nothing was written.`,
      routeOf(call),
      200,
    );
  }

  /**
   * Reads; where the proxy is too old for that, says so in place of what it answered: 1.55 knows neither
   * `/v2/team/list` (404) nor the sorting of `/key/list` (400), and lists users in no order.
   * @throws ProxyTooOldError, and what `read` throws
   */
  async explained<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (!mayComeOfAge(error)) throw error;
      const found = await this.checkVersion().catch((reason: unknown) => reason);
      throw found instanceof ProxyTooOldError ? found : error;
    }
  }

  async #hasRoute(path: string): Promise<boolean> {
    const call = { method: 'GET', path } as const;
    const { status } = await this.#http.ask(call);
    if (status === 405) return true;
    if (status === 404) return false;
    throw new ProxyResponseError(
      `${routeOf(call)} answered ${status}, where a proxy answers 405 or 404: does a gateway in front of it hold back this path?`,
      routeOf(call),
      status,
    );
  }

  async #isPage(path: string): Promise<boolean> {
    const { status } = await this.#http.ask({ method: 'GET', path, withKey: false });
    return status === 200;
  }

  #once(name: string, ask: () => Promise<boolean>): Promise<boolean> {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const asked = ask();
    this.#known.set(name, asked);
    asked.catch(() => this.#known.delete(name));
    return asked;
  }
}

/** A request that the proxy did not understand, or an answer that makes no sense. */
function mayComeOfAge(error: unknown): boolean {
  if (error instanceof ProxyResponseError) return error.status === 400 || error.status === 404 || error.status === 422;
  return error instanceof IncompleteInventoryError || error instanceof UnexpectedShapeError;
}

function tooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  if (Number.isNaN(major) || Number.isNaN(minor)) return false;
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}
