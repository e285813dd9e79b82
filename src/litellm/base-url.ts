import { isIP } from 'node:net';

/** Where the proxy's API begins; may carry a root path. */
export class BaseUrl {
  readonly origin: string;
  /** Without a slash at the end; empty without a root path. */
  readonly #root: string;

  /** @throws TypeError where it is not an http(s) address. */
  constructor(baseUrl: string) {
    const url = URL.canParse(baseUrl.trim()) ? new URL(baseUrl.trim()) : null;
    if (url === null || !/^https?:$/.test(url.protocol)) {
      throw new TypeError(
        `base-url '${baseUrl}' is not an address like https://litellm.example.com or http://host:4000`,
      );
    }
    if (url.username !== '' || url.password !== '') {
      throw new TypeError('base-url must not hold a user name or password: the proxy knows us by master-key alone');
    }
    this.origin = url.origin;
    this.#root = url.pathname.replace(/\/+$/, '');
  }

  toString(): string {
    return `${this.origin}${this.#root}`;
  }

  /** @param path Encoded, begins with a slash. */
  at(path: string, query: Readonly<Record<string, string | number>> = {}): URL {
    const url = new URL(`${this.origin}${this.#root}${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    return url;
  }

  /** Whether what is sent, the key included, can be read on the way. */
  get exposed(): boolean {
    const { protocol, hostname } = new URL(this.origin);
    return protocol === 'http:' && !isLocal(hostname);
  }
}

function isLocal(hostname: string): boolean {
  if (hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]') return true;
  return isIP(hostname) === 4 && hostname.startsWith('127.');
}
