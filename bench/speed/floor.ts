import { Agent, request } from 'node:http';

/** A plain load generator of one proxy: nothing is read but the status, nothing is checked. */
export class Load {
  readonly #baseUrl: URL;
  readonly #key: string;
  readonly #agent = new Agent({ keepAlive: true });
  #bulk: Promise<boolean> | null = null;

  constructor(baseUrl: string, key: string) {
    this.#baseUrl = new URL(baseUrl);
    this.#key = key;
  }

  get(path: string): Promise<string> {
    return this.#send('GET', path);
  }

  post(path: string, body: unknown): Promise<string> {
    return this.#send('POST', path, JSON.stringify(body));
  }

  /** Whether the proxy has the bulk routes of 1.103. */
  hasBulk(): Promise<boolean> {
    this.#bulk ??= this.#send('GET', '/management/v1/users/bulk').then(
      () => false,
      (error: Error) => error.message.includes('answered 405'),
    );
    return this.#bulk;
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(method: string, path: string, body?: string): Promise<string> {
    const { hostname, port } = this.#baseUrl;
    const headers = { authorization: `Bearer ${this.#key}`, 'content-type': 'application/json' };
    return new Promise((done, failed) => {
      const outgoing = request({ hostname, port, method, path, headers, agent: this.#agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', failed);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          if (response.statusCode === 200) done(text);
          else failed(new Error(`${method} ${path} answered ${response.statusCode}: ${text.slice(0, 300)}`));
        });
      });
      outgoing.on('error', failed);
      outgoing.end(body);
    });
  }
}

/** Calls for every item, `width` under way at any time. Milliseconds. */
export async function fire<T>(
  items: readonly T[],
  width: number,
  call: (item: T) => Promise<unknown>,
): Promise<number> {
  const begin = performance.now();
  let next = 0;
  const work = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await call(item);
  };
  await Promise.all(Array.from({ length: width }, work));
  return performance.now() - begin;
}
