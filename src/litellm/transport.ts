import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import fetch from 'node-fetch';

/** One HTTP exchange as it is sent. */
export interface Exchange {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
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

  constructor(kind: TransportError['kind'], code: string) {
    super(code);
    this.kind = kind;
    this.code = code;
  }
}

export type Transport = (exchange: Exchange) => Promise<Answer>;

/** Shorter than the 5 seconds after which uvicorn closes an idle connection: a write must not run into that. */
const IDLE_MS = 4000;

/** Sends over connections that are kept alive, follows no redirect, and reads the whole body within the time limit. */
export function createTransport(): Transport {
  const options = { keepAlive: true, timeout: IDLE_MS };
  const http = new HttpAgent(options);
  const https = new HttpsAgent(options);
  return async ({ method, url, headers, body, timeoutMs }) => {
    const aborter = new AbortController();
    const timer = setTimeout(() => aborter.abort(), timeoutMs);
    try {
      const response = await fetch(url, {
        method,
        headers,
        redirect: 'manual',
        signal: aborter.signal,
        agent: url.protocol === 'https:' ? https : http,
        ...(body === undefined ? {} : { body }),
      });
      return {
        status: response.status,
        location: response.headers.get('location'),
        retryAfter: response.headers.get('retry-after'),
        text: await response.text(),
      };
    } catch (error) {
      throw aborter.signal.aborted
        ? new TransportError('timeout', `no answer in ${timeoutMs / 1000} s`)
        : broken(error);
    } finally {
      clearTimeout(timer);
    }
  };
}

const UNREACHABLE = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EAI_AGAIN']);

/** The original error is dropped on purpose: its message holds the whole address, emails in the query included. */
function broken(error: unknown): TransportError {
  const { code, erroredSysCall } = error as { code?: string; erroredSysCall?: string };
  if (code === undefined) return new TransportError('broken', 'connection broken');
  if (code === 'ENOTFOUND') return new TransportError('host', code);
  if (/CERT|SELF_SIGNED|VERIFY_LEAF|ERR_TLS|ERR_SSL|EPROTO/.test(code)) return new TransportError('certificate', code);
  const neverMade = UNREACHABLE.has(code) || erroredSysCall === 'connect';
  return new TransportError(neverMade ? 'unreachable' : 'broken', code);
}
