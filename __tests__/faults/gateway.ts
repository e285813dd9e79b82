import { createServer, request as forward, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** What goes wrong with one request on its way to the proxy or back. */
export type Fault =
  /** Nobody listens from now on, for `ms`; the request itself is let through. */
  | { readonly kind: 'refused'; readonly ms: number }
  /** The connection is reset, `before` the proxy saw the request or `after` it acted. */
  | { readonly kind: 'reset'; readonly when: When }
  /** As `reset`, and nobody listens for `ms`: the proxy is restarted. */
  | { readonly kind: 'restart'; readonly when: When; readonly ms: number }
  /** The proxy acted; half of its answer arrives, then the connection ends. */
  | { readonly kind: 'cut' }
  /** No answer, ever. */
  | { readonly kind: 'silent'; readonly when: When }
  /** The request reaches the proxy `ms` later, whether anybody still waits or not. */
  | { readonly kind: 'late'; readonly ms: number }
  /** The answer takes `ms` to trickle in. */
  | { readonly kind: 'drip'; readonly ms: number }
  /** A gateway's own answer instead of the proxy's. */
  | {
      readonly kind: 'status';
      readonly when: When;
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: string;
    };
type When = 'before' | 'after';

export interface Passing {
  readonly method: string;
  readonly path: string;
  /** From 0, over all requests. */
  readonly index: number;
  /** From 0, over the writes; `null` for a read. */
  readonly writeIndex: number | null;
}

export interface GatewayHooks {
  /** The fault of this request, if any. */
  readonly fault?: (request: Passing) => Fault | null;
  /** Awaited before a request goes on to the proxy. */
  readonly before?: (request: Passing) => void | Promise<void>;
  /** Awaited when the proxy has acted, before its answer goes back. */
  readonly after?: (request: Passing) => void | Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** An HTTP gateway in front of a proxy, any proxy, that fails where it is told to. */
export class Gateway {
  #server: Server | null = null;
  #port = 0;
  readonly #target: URL;
  readonly #hooks: GatewayHooks;
  readonly #underWay = new Set<Promise<void>>();
  #requests = 0;
  #writes = 0;
  #dark: Promise<void> = Promise.resolve();

  private constructor(target: string, hooks: GatewayHooks) {
    this.#target = new URL(target);
    this.#hooks = hooks;
  }

  static async open(target: string, hooks: GatewayHooks = {}): Promise<Gateway> {
    const gateway = new Gateway(target, hooks);
    await gateway.#listen();
    return gateway;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get requests(): number {
    return this.#requests;
  }

  get writes(): number {
    return this.#writes;
  }

  /** Resolves when whatever was to reach the proxy late has reached it, and somebody listens again. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    await this.#dark;
  }

  async close(): Promise<void> {
    await this.settled();
    await this.#stop();
  }

  async #listen(): Promise<void> {
    const server = createServer((request, response) => {
      const passing = this.#pass(request, response)
        .catch(() => void response.destroy())
        .finally(() => this.#underWay.delete(passing));
      this.#underWay.add(passing);
    });
    await new Promise<void>((done, failed) => {
      server.once('error', failed);
      server.listen(this.#port, '127.0.0.1', done);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async #stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise<void>((done) => server.close(() => done()));
    server.closeAllConnections();
    await closed;
  }

  #goDark(ms: number): void {
    this.#dark = this.#dark.then(async () => {
      await this.#stop();
      await wait(ms);
      await this.#listen();
    });
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bytesOf(request);
    const method = request.method ?? 'GET';
    const path = new URL(request.url ?? '/', 'http://gateway').pathname;
    const writeIndex = method === 'GET' ? null : this.#writes++;
    const passing = { method, path, index: this.#requests++, writeIndex };
    await this.#hooks.before?.(passing);
    const fault = this.#hooks.fault?.(passing) ?? null;
    const act = async (): Promise<Answer> => {
      const answer = await this.#forward(request, body);
      await this.#hooks.after?.(passing);
      return answer;
    };
    await this.#play(fault, response, act);
  }

  async #play(fault: Fault | null, response: ServerResponse, act: () => Promise<Answer>): Promise<void> {
    if (fault === null) return send(response, await act());
    if (fault.kind === 'late') await wait(fault.ms);
    const acts = !('when' in fault) || fault.when === 'after';
    const answer = acts ? await act() : null;
    switch (fault.kind) {
      case 'silent':
        return;
      case 'reset':
      case 'restart':
        response.socket?.resetAndDestroy();
        if (fault.kind === 'restart') this.#goDark(fault.ms);
        return;
      case 'status':
        return send(response, { status: fault.status, headers: fault.headers ?? {}, body: Buffer.from(fault.body) });
      case 'cut':
        return cut(response, answer as Answer);
      case 'drip':
        return drip(response, answer as Answer, fault.ms);
      case 'late':
        return send(response, answer as Answer);
      case 'refused':
        response.once('finish', () => setImmediate(() => this.#goDark(fault.ms)));
        return send(response, answer as Answer);
    }
  }

  #forward({ method, url, headers }: IncomingMessage, body: Buffer): Promise<Answer> {
    return new Promise((done, failed) => {
      const { hostname, port } = this.#target;
      const outgoing = forward({ hostname, port, method, path: url, headers: { ...headers, connection: 'close' } });
      outgoing.once('error', failed);
      outgoing.once('response', (incoming) => {
        bytesOf(incoming).then(
          (bytes) => done({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: bytes }),
          failed,
        );
      });
      outgoing.end(body);
    });
  }
}

async function bytesOf(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function head(response: ServerResponse, { status, headers, body }: Answer): void {
  const { connection: _, 'transfer-encoding': __, ...rest } = headers;
  response.writeHead(status, { ...rest, 'content-length': body.length });
}

function send(response: ServerResponse, answer: Answer): void {
  head(response, answer);
  response.end(answer.body);
}

async function cut(response: ServerResponse, answer: Answer): Promise<void> {
  head(response, answer);
  const half = answer.body.subarray(0, Math.floor(answer.body.length / 2));
  await new Promise<void>((done) => response.write(half, () => done()));
  response.socket?.destroy();
}

const DROPS = 10;

async function drip(response: ServerResponse, answer: Answer, ms: number): Promise<void> {
  head(response, answer);
  const size = Math.ceil(answer.body.length / DROPS);
  for (let at = 0; at < answer.body.length && !response.destroyed; at += size) {
    response.write(answer.body.subarray(at, at + size));
    await wait(ms / DROPS);
  }
  response.end();
}
