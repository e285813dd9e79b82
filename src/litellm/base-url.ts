import { BlockList, isIP } from 'node:net';

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

/** Whether the host is this machine. */
export function isLocal(hostname: string): boolean {
  if (hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]') return true;
  return isIP(hostname) === 4 && hostname.startsWith('127.');
}

/** Names that no public DNS has: of clusters, of home and company networks (RFC 6761, 6762, 8375, 9476). */
const PRIVATE_NAMES = /\.(svc|svc\.cluster\.local|local|localhost|localdomain|internal|intranet|lan|home\.arpa)$/;
const PRIVATE_NETWORKS = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  PRIVATE_NETWORKS.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
] as const) {
  PRIVATE_NETWORKS.addSubnet(network, prefix, 'ipv6');
}

/**
 * Whether an onboarding link that begins with this address opens for nobody outside the network that the proxy is in:
 * private and local addresses, names of one label, names of a cluster. Then `public-url` is missing or wrong.
 */
export function isUnreachableForUsers(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const family = isIP(host);
  if (family !== 0) return PRIVATE_NETWORKS.check(host, family === 6 ? 'ipv6' : 'ipv4');
  return !host.includes('.') || PRIVATE_NAMES.test(host);
}
