import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { Reply } from './context.ts';

/** A request as faults and observers see it. */
export interface SeenRequest {
  readonly method: string;
  /** The route's pattern; the path where no route matched. */
  readonly route: string;
  /** Without root path and query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Parsed JSON; `undefined` without a body. */
  readonly body: unknown;
  /** From 0, over all requests. */
  readonly index: number;
  /** From 0, over the writes (all but GET); `null` for a read. */
  readonly writeIndex: number | null;
}

export interface Fault {
  /** Whether the request takes effect first. */
  readonly when: 'before' | 'after';
  /**
   * `reset`: the connection is reset without an answer. `cut`: it ends in the middle of the answer. `timeout`: no
   * answer ever. `status`: `status`, `headers` and `body` instead of the answer. `html`: a gateway's page, status 502
   * unless given. `slow`: the true answer, `delayMs` later.
   */
  readonly kind: 'reset' | 'cut' | 'timeout' | 'status' | 'html' | 'slow';
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Milliseconds, 1,000 unless given. */
  readonly delayMs?: number;
}

/** Plays a fault around the effect of a request; the answer that is left to send, `null` where there is none. */
export async function play(fault: Fault, response: ServerResponse, effect: () => Reply): Promise<Reply | null> {
  const { kind, when } = fault;
  if (kind === 'slow' && when === 'before') await wait(fault.delayMs ?? 1000);
  const answer = when === 'after' || kind === 'slow' ? effect() : null;
  if (kind === 'slow' && when === 'after') await wait(fault.delayMs ?? 1000);
  if (kind === 'slow') return answer;
  if (kind === 'timeout') return null;
  if (kind === 'status') return new Reply(fault.status ?? 500, fault.body ?? { detail: 'fault' }, fault.headers ?? {});
  if (kind === 'html') return gatewayPage(fault);
  if (kind === 'cut') await sendHalf(response, answer);
  response.socket?.resetAndDestroy();
  return null;
}

function gatewayPage({ status = 502, body, headers }: Fault): Reply {
  const page = `<html><body><h1>${status} Bad Gateway</h1></body></html>`;
  return new Reply(status, body ?? page, { 'content-type': 'text/html', ...headers });
}

async function sendHalf(response: ServerResponse, answer: Reply | null): Promise<void> {
  const text = JSON.stringify(answer?.body ?? { detail: 'an answer that was to be longer' });
  response.writeHead(answer?.status ?? 200, { 'content-type': 'application/json', 'content-length': text.length });
  await new Promise<void>((done) => response.write(text.slice(0, Math.floor(text.length / 2)), () => done()));
}
