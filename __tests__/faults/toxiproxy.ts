import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const MODULE = 'github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0';

/** What happens to a connection, at the level of TCP. */
export interface Toxic {
  readonly type: 'down' | 'reset_peer' | 'timeout' | 'limit_data' | 'latency' | 'slicer' | 'bandwidth' | 'slow_close';
  readonly stream: 'upstream' | 'downstream';
  readonly attributes: Readonly<Record<string, number>>;
}

/** Sizes in bytes, times in milliseconds, but the slicer's delay in microseconds and bandwidth in KB a second. */
export const TOXICS: Readonly<Record<string, Toxic>> = {
  down: { type: 'down', stream: 'downstream', attributes: {} },
  'reset by peer, answer': { type: 'reset_peer', stream: 'downstream', attributes: { timeout: 0 } },
  'reset by peer, request': { type: 'reset_peer', stream: 'upstream', attributes: { timeout: 0 } },
  'answers stop': { type: 'timeout', stream: 'downstream', attributes: { timeout: 0 } },
  'requests stop': { type: 'timeout', stream: 'upstream', attributes: { timeout: 0 } },
  'answer cut after 100 bytes': { type: 'limit_data', stream: 'downstream', attributes: { bytes: 100 } },
  'request cut after 100 bytes': { type: 'limit_data', stream: 'upstream', attributes: { bytes: 100 } },
  latency: { type: 'latency', stream: 'downstream', attributes: { latency: 700, jitter: 300 } },
  'slow drip': {
    type: 'slicer',
    stream: 'downstream',
    attributes: { average_size: 20, size_variation: 10, delay: 20_000 },
  },
  'narrow band': { type: 'bandwidth', stream: 'downstream', attributes: { rate: 1 } },
  'slow close': { type: 'slow_close', stream: 'downstream', attributes: { delay: 500 } },
};

/** Shopify's Toxiproxy in front of an address. */
export class Toxiproxy {
  readonly #child: ChildProcess;
  readonly #api: string;
  readonly baseUrl: string;

  private constructor(child: ChildProcess, api: string, baseUrl: string) {
    this.#child = child;
    this.#api = api;
    this.baseUrl = baseUrl;
  }

  /** Builds its server; `null` where there is no Go. */
  static install(): { readonly server: string; remove(): void } | null {
    try {
      execFileSync('go', ['version'], { stdio: 'ignore' });
    } catch {
      return null;
    }
    const folder = mkdtempSync(join(tmpdir(), 'toxiproxy-'));
    execFileSync('go', ['install', MODULE], { env: { ...process.env, GOBIN: folder }, stdio: 'ignore' });
    return { server: join(folder, 'server'), remove: () => rmSync(folder, { recursive: true, force: true }) };
  }

  /** @param upstream `http://127.0.0.1:<port>` */
  static async open(server: string, upstream: string): Promise<Toxiproxy> {
    const [port, front] = [await freePort(), await freePort()];
    const child = spawn(server, ['-host', '127.0.0.1', '-port', String(port)], { stdio: 'ignore' });
    const toxiproxy = new Toxiproxy(child, `http://127.0.0.1:${port}`, `http://127.0.0.1:${front}`);
    const proxy = { name: 'p', listen: `127.0.0.1:${front}`, upstream: new URL(upstream).host, enabled: true };
    for (let tries = 0; ; tries++) {
      try {
        await toxiproxy.#post('/proxies', proxy);
        return toxiproxy;
      } catch (error) {
        if (tries === 50) throw error;
        await wait(100);
      }
    }
  }

  async add({ type, stream, attributes }: Toxic): Promise<void> {
    if (type === 'down') await this.#post('/proxies/p', { enabled: false });
    else await this.#post('/proxies/p/toxics', { name: 't', type, stream, toxicity: 1, attributes });
  }

  /** No toxic any more, connections are taken again. */
  async heal(): Promise<void> {
    await this.#post('/reset', {});
  }

  async close(): Promise<void> {
    const gone = new Promise<void>((done) => this.#child.once('exit', () => done()));
    this.#child.kill();
    await gone;
  }

  async #post(path: string, body: unknown): Promise<void> {
    const response = await fetch(this.#api + path, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`Toxiproxy ${path} answered ${response.status}: ${await response.text()}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
