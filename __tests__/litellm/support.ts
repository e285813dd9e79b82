import { readFileSync } from 'node:fs';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import type { Log } from '../../src/core/log.ts';
import { Secret } from '../../src/core/secret.ts';
import { connect, type ProxyClient, type ProxyOptions } from '../../src/litellm/client.ts';
import type { Effects } from '../../src/litellm/http.ts';

export const MASTER_KEY = 'sk-test-master-key-0001';

export interface Received {
  readonly method: string;
  /** Below the server's root, with query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** What the server answers: JSON, or anything by hand. */
export type Reply =
  | { readonly status?: number; readonly json: unknown; readonly headers?: Record<string, string> }
  | { readonly status?: number; readonly text: string; readonly headers?: Record<string, string> }
  | ((response: ServerResponse) => void);

export interface FakeProxy {
  readonly url: string;
  readonly received: Received[];
  /** Requests as `GET /user/list`, without query. */
  routes(): string[];
}

const open: Server[] = [];

afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A local server that answers as told and remembers what it was asked. */
export async function fakeProxy(
  answer: (request: Received, index: number) => Reply | Promise<Reply>,
): Promise<FakeProxy> {
  const received: Received[] = [];
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const entry: Received = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
    received.push(entry);
    send(response, await answer(entry, received.length - 1));
  };
  const server = createServer((request, response) => void respond(request, response));
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, received, routes: () => received.map(({ method, path }) => `${method} ${path.split('?')[0]}`) };
}

function send(response: ServerResponse, reply: Reply): void {
  if (typeof reply === 'function') {
    reply(response);
    return;
  }
  const [type, body] = 'json' in reply ? ['application/json', JSON.stringify(reply.json)] : ['text/plain', reply.text];
  response.writeHead(reply.status ?? 200, { 'content-type': type, ...reply.headers });
  response.end(body);
}

export interface TestLog extends Log {
  readonly lines: string[];
}

function testLog(): TestLog {
  const lines: string[] = [];
  const keep = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  return { lines, debug: keep('debug'), info: keep('info'), warning: keep('warning'), error: keep('error') };
}

/** A client that never sleeps: what it would have slept stands in `slept`. */
export function client(
  baseUrl: string,
  options: Partial<ProxyOptions> = {},
  effects: Partial<Effects> = {},
): { proxy: ProxyClient; slept: number[]; log: TestLog; secrets: string[] } {
  const slept: number[] = [];
  const secrets: string[] = [];
  const log = testLog();
  const proxy = connect(
    {
      baseUrl,
      masterKey: new Secret(MASTER_KEY),
      timeoutSeconds: 5,
      retries: 2,
      concurrency: 4,
      log,
      onSecret: (value) => void secrets.push(value),
      ...options,
    },
    { sleep: async (milliseconds) => void slept.push(milliseconds), random: () => 0, ...effects },
  );
  return { proxy, slept, log, secrets };
}

/** The error that `call` rejects with. */
export async function failure(call: Promise<unknown>): Promise<Error> {
  try {
    await call;
  } catch (error) {
    return error as Error;
  }
  throw new Error('did not fail');
}

export interface Recorded {
  readonly status: number;
  readonly body: unknown;
}

/** An answer as a real proxy gave it. @param name `1.106/015-user-new-same-email` */
export function recorded(name: string): Recorded {
  const file = new URL(`../fixtures/proxy/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { response: Recorded }).response;
}

export function userJson(id: string, extra: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    user_id: id,
    user_email: `${id}@example.com`,
    user_role: 'internal_user',
    teams: [],
    key_count: 0,
    spend: 0,
    ...extra,
  };
}
