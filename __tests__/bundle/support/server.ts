import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface Answered {
  readonly status: number;
  /** Sent as JSON; a `Buffer` as it is; `undefined`: nothing. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface LocalServer {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  close(): Promise<void>;
}

/** Serves on a free port of this machine. */
async function serve(answer: (asked: Asked) => Answered): Promise<LocalServer> {
  const server = createServer((request, response) => void handle(request, response, answer));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => close(server) };
}

/** A service that is imitated on a port of its own. */
export abstract class LocalService {
  #server: LocalServer | null = null;

  async start(): Promise<void> {
    this.#server = await serve((asked) => this.answer(asked));
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  get origin(): string {
    return this.#server?.origin ?? '';
  }

  protected abstract answer(asked: Asked): Answered;
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (asked: Asked) => Answered,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
  const asked = { method: request.method ?? 'GET', url, headers: request.headers, body: Buffer.concat(chunks) };
  const { status, body, headers = {} } = answer(asked);
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const type = body === undefined || Buffer.isBuffer(body) ? {} : { 'content-type': 'application/json; charset=utf-8' };
  response.writeHead(status, { ...type, ...headers, 'content-length': bytes.length }).end(bytes);
}

function close(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
}
