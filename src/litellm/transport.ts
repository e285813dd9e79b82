import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { BlockList, isIP } from 'node:net';

/** One HTTP exchange as it is sent. */
export interface Exchange {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Whether the connection is kept for further requests, and one that was kept may be used. */
  readonly keepAlive: boolean;
  readonly timeoutMs: number;
}

export interface Answer {
  readonly status: number;
  readonly location: string | null;
  readonly retryAfter: string | null;
  readonly text: string;
}

/**
 * No complete answer came.
 * - `unreachable`: nothing was sent (refused, no route).
 * - `host`, `certificate`: nothing was sent, and trying again does not help.
 * - `timeout`, `broken`: it was sent, perhaps in part; whether it took effect is unknown.
 */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly kind: 'unreachable' | 'host' | 'certificate' | 'timeout' | 'broken';
  /** Node's code (`ECONNREFUSED`), or a word in place of it. */
  readonly code: string;
  /** `host:port` of the forward proxy that was used; `null`: none. */
  readonly via: string | null;

  constructor(kind: TransportError['kind'], code: string, via: string | null = null) {
    super(code);
    this.kind = kind;
    this.code = code;
    this.via = via;
  }
}

export type Transport = (exchange: Exchange) => Promise<Answer>;

/** Shorter than the 5 seconds after which uvicorn closes an idle connection: a write must not run into that. */
const IDLE_MS = 4000;

/**
 * Sends over connections that are kept alive, follows no redirect, and reads the whole body within the time limit; by
 * way of the forward proxy that `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name, in either letter case.
 */
export function createTransport(): Transport {
  const options = { keepAlive: true, timeout: IDLE_MS };
  const direct: Way = {
    kept: { 'http:': new HttpAgent(options), 'https:': new HttpsAgent(options) },
    single: { 'http:': new HttpAgent(), 'https:': new HttpsAgent() },
    via: () => null,
  };
  let forward: Promise<Way> | null = null;
  const way = (): Way | Promise<Way> => {
    if (!namesForwardProxy()) return direct;
    forward ??= forwardWay(direct, options);
    return forward;
  };
  return async ({ method, url, headers, body, keepAlive, timeoutMs }) => {
    const { kept, single, via } = await way();
    const agent = (keepAlive ? kept : single)[url.protocol as Protocol];
    try {
      return await exchanged(url, { method, headers, agent }, body, timeoutMs);
    } catch (error) {
      throw error instanceof Overdue
        ? new TransportError('timeout', `no answer in ${timeoutMs / 1000} s`, via(url))
        : broken(error, via(url));
    }
  };
}

class Overdue extends Error {}

/**
 * By Node's own `request`: for 1,000 pages of users, node-fetch took twice the processor time and 50 MB more memory
 * (measured with 3.3.2 on Node 24).
 */
function exchanged(url: URL, options: RequestOptions, body: string | undefined, timeoutMs: number): Promise<Answer> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  let timer: NodeJS.Timeout;
  const answer = new Promise<Answer>((resolve, reject) => {
    const outgoing = send(url, options, (response) => {
      const { statusCode = 0, headers } = response;
      const head = {
        status: statusCode,
        location: headers.location ?? null,
        retryAfter: headers['retry-after'] ?? null,
      };
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
      });
      response.once('end', () => resolve({ ...head, text: text.replace(/^\ufeff/, '') }));
      response.on('error', reject);
      // An answer that ended as it should is resolved by now.
      response.once('close', () => reject(new Error('The answer was cut.')));
    });
    outgoing.on('error', reject);
    timer = setTimeout(() => {
      // A request whose forward proxy keeps silent has no socket yet, and destroying it tells nobody.
      reject(new Overdue());
      outgoing.destroy();
    }, timeoutMs);
    outgoing.end(body);
  });
  return answer.finally(() => clearTimeout(timer));
}

type Protocol = 'http:' | 'https:';

type Agents = Readonly<Record<Protocol, HttpAgent>>;

interface Way {
  readonly kept: Agents;
  readonly single: Agents;
  /** `host:port` of the forward proxy for an address, `null`: none. */
  readonly via: (url: URL) => string | null;
}

function namesForwardProxy(): boolean {
  return ['https_proxy', 'http_proxy', 'all_proxy'].some(
    (name) => process.env[name] || process.env[name.toUpperCase()],
  );
}

type Connect = import('proxy-agent').ProxyAgent['connect'];

/** The package is loaded where a forward proxy is named and not before: a run without one starts faster. */
async function forwardWay(direct: Way, options: { keepAlive: boolean; timeout: number }): Promise<Way> {
  const { ProxyAgent } = await import('proxy-agent');
  /** https-proxy-agent overwrites the options of its agent, the idle time among them. */
  class Tunnels extends ProxyAgent {
    override async connect(...call: Parameters<Connect>): Promise<HttpAgent> {
      const agent: HttpAgent & { options?: object } = await super.connect(...call);
      return Object.assign(agent, { options: { ...agent.options, timeout: options.timeout } });
    }
  }
  const unproxied = ({ 'http:': httpAgent, 'https:': httpsAgent }: Agents) => ({ httpAgent, httpsAgent });
  const tunnels = new Tunnels({ ...options, ...unproxied(direct.kept) });
  // For plain http a connection serves one request: on a second one, http-proxy-agent leaves the host out of the address.
  const http = new ProxyAgent(unproxied(direct.kept));
  const single = new ProxyAgent(unproxied(direct.single));
  const proxyFor = tunnels.getProxyForUrl as (url: string) => string;
  const via = (url: URL): string | null => {
    const proxy = proxyFor(url.href);
    if (proxy === '') return null;
    return URL.canParse(proxy) ? new URL(proxy).host : 'of an address that cannot be read';
  };
  return { kept: { 'http:': http, 'https:': tunnels }, single: { 'http:': single, 'https:': single }, via };
}

const UNREACHABLE = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EAI_AGAIN']);

/** The original error is dropped on purpose: its message holds the whole address, emails in the query included. */
function broken(error: unknown, via: string | null): TransportError {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined) return new TransportError('broken', 'connection broken', via);
  if (code === 'ENOTFOUND' || code === 'ERR_INVALID_URL') return new TransportError('host', code, via);
  const certificate = /CERT|SELF_SIGNED|VERIFY_LEAF|ERR_TLS|ERR_SSL|EPROTO/.test(code);
  if (certificate) return new TransportError('certificate', code, via);
  const neverMade = UNREACHABLE.has(code) || syscall === 'connect';
  return new TransportError(neverMade ? 'unreachable' : 'broken', code, via);
}

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
