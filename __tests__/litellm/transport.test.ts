import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, connect as dial, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { createTransport } from '../../src/litellm/transport.ts';
import { client, failure, fakeProxy, MASTER_KEY } from './support.ts';

const MODELS = { json: { data: [{ id: 'fake-model' }] } };
const VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]);

interface ForwardProxy {
  readonly port: number;
  /** `GET http://host/path` or `CONNECT host:443`. */
  readonly seen: string[];
  readonly authorizations: (string | undefined)[];
  readonly connections: () => number;
}

const open: Server[] = [];

beforeEach(() => {
  for (const name of VARIABLES) vi.stubEnv(name, '');
});

afterEach(() => {
  vi.unstubAllEnvs();
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** An HTTP proxy as a company has one: absolute addresses are fetched, `CONNECT` opens a tunnel. */
async function forwardProxy(): Promise<ForwardProxy> {
  const seen: string[] = [];
  const authorizations: (string | undefined)[] = [];
  let connections = 0;
  const note = ({ method, url, headers }: IncomingMessage): void => {
    seen.push(`${method} ${url}`);
    authorizations.push(headers['proxy-authorization']);
  };
  const server = createServer((incoming, outgoing) => {
    note(incoming);
    const { 'proxy-authorization': _, ...headers } = incoming.headers;
    const onward = request(incoming.url ?? '', { method: incoming.method ?? 'GET', headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  server.on('connection', () => connections++);
  server.on('connect', (incoming: IncomingMessage, socket: Socket) => {
    note(incoming);
    const [host, port] = (incoming.url ?? '').split(':');
    const onward = dial(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      onward.pipe(socket);
      socket.pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, seen, authorizations, connections: () => connections };
}

describe('the way to the proxy', () => {
  it.each(['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'])('leads through %s', async (name) => {
    const forward = await forwardProxy();
    const server = await fakeProxy(() => MODELS);
    vi.stubEnv(name, `http://127.0.0.1:${forward.port}`);
    const { proxy } = client(server.url);
    for (let time = 0; time < 5; time++) expect(await proxy.modelNames()).toEqual(new Set(['fake-model']));
    expect(forward.seen).toEqual(Array(5).fill(`GET ${server.url}/v1/models`));
    expect(forward.connections()).toBe(5);
    expect(server.received[0]?.headers.authorization).toBe(`Bearer ${MASTER_KEY}`);
  });

  it.each(['NO_PROXY', 'no_proxy'])('leads past it where %s says so', async (name) => {
    const forward = await forwardProxy();
    const server = await fakeProxy(() => MODELS);
    vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${forward.port}`);
    vi.stubEnv(name, 'example.com,127.0.0.1');
    await client(server.url).proxy.modelNames();
    expect(forward.seen).toEqual([]);
    expect(server.received).toHaveLength(1);
  });

  it('is a tunnel for https, and carries the credentials of the forward proxy to that alone', async () => {
    const forward = await forwardProxy();
    const server = await fakeProxy(() => MODELS);
    vi.stubEnv('HTTPS_PROXY', `http://user:opensesame@127.0.0.1:${forward.port}`);
    // No TLS is spoken there: that the tunnel was asked for is what counts.
    const error = await failure(client(server.url.replace('http:', 'https:'), { retries: 0 }).proxy.modelNames());
    expect(forward.seen).toEqual([`CONNECT ${new URL(server.url).host}`]);
    expect(forward.authorizations).toEqual([`Basic ${Buffer.from('user:opensesame').toString('base64')}`]);
    expect(server.received).toEqual([]);
    expect(error.message).toContain(
      ` through the forward proxy 127.0.0.1:${forward.port} of this machine's environment`,
    );
    expect(error.message).not.toContain('opensesame');
  });

  it('is told where it is broken, without credentials', async () => {
    const forward = await forwardProxy();
    for (const server of open.splice(0)) await new Promise((resolve) => server.close(resolve));
    vi.stubEnv('http_proxy', `http://user:opensesame@127.0.0.1:${forward.port}`);
    const { proxy, log } = client('http://litellm.example.com:4000', { retries: 0 });
    const error = await failure(proxy.modelNames());
    expect(error.name).toBe('ProxyUnreachableError');
    expect(error.message).toBe(
      `Cannot reach the proxy at http://litellm.example.com:4000 through the forward proxy 127.0.0.1:${forward.port} of this machine's environment (ECONNREFUSED): is it running, and is base-url right? Check HTTPS_PROXY and HTTP_PROXY; a host that is reached without a forward proxy belongs into NO_PROXY.`,
    );
    expect([error.message, ...log.lines].join('\n')).not.toContain('opensesame');
  });

  it.each([
    ['https', true],
    ['https', false],
    ['http', true],
  ])(
    'is given up where a forward proxy takes the connection and says nothing (%s, kept alive: %s)',
    async (protocol, keepAlive) => {
      const silent = createTcpServer();
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      const { port } = silent.address() as AddressInfo;
      for (const name of ['HTTP_PROXY', 'HTTPS_PROXY']) vi.stubEnv(name, `http://127.0.0.1:${port}`);
      const url = new URL(`${protocol}://litellm.example.com/health`);
      const exchange = { method: 'GET', url, headers: {}, body: undefined, keepAlive, timeoutMs: 100 } as const;
      const error = await failure(createTransport()(exchange));
      expect(error).toMatchObject({ kind: 'timeout', code: 'no answer in 0.1 s', via: `127.0.0.1:${port}` });
      silent.close();
    },
  );

  it('is told where its address cannot be read', async () => {
    vi.stubEnv('http_proxy', 'http://user:open sesame@:');
    const error = await failure(client('http://litellm.example.com:4000', { retries: 0 }).proxy.modelNames());
    expect(error.message).toContain('Check HTTPS_PROXY and HTTP_PROXY');
    expect(error.message).not.toContain('sesame');
  });

  it('asks for the credentials of a forward proxy that wants some', async () => {
    const server = await fakeProxy(() => ({ status: 407, text: 'Proxy Authentication Required' }));
    const error = await failure(client(server.url).proxy.modelNames());
    expect(error.message).toBe(
      'GET /v1/models answered 407: the forward proxy wants credentials. Put them into its address: HTTPS_PROXY=http://user:password@host:port.',
    );
  });
});

describe('headers', () => {
  const extraHeaders = [
    { name: 'CF-Access-Client-Secret', value: new Secret('gateway-secret-1') },
    { name: 'X-Tenant', value: new Secret('7') },
  ];

  it('of a gateway go with every request, also with those that carry no key', async () => {
    const server = await fakeProxy(({ path }) => (path.startsWith('/ui/') ? { text: '<html></html>' } : MODELS));
    const { proxy } = client(server.url, { extraHeaders });
    await proxy.modelNames();
    await proxy.onboardingPage();
    const sent = { 'cf-access-client-secret': 'gateway-secret-1', 'x-tenant': '7' };
    expect(server.received.map(({ headers }) => headers)).toMatchObject([
      { ...sent, authorization: `Bearer ${MASTER_KEY}` },
      sent,
    ]);
    expect(server.received[1]?.headers.authorization).toBeUndefined();
  });

  it('never follow a redirect out of the origin', async () => {
    const other = await fakeProxy(() => MODELS);
    const server = await fakeProxy(() => ({ status: 302, text: '', headers: { location: other.url } }));
    await failure(client(server.url, { extraHeaders }).proxy.modelNames());
    expect(other.received).toEqual([]);
  });

  it('are in no message and no log, whatever answers', async () => {
    const server = await fakeProxy(() => ({
      status: 400,
      json: { detail: `bad gateway-secret-1 and 7 of ${MASTER_KEY}` },
    }));
    const { proxy, log } = client(server.url, { extraHeaders });
    const error = await failure(proxy.modelNames());
    expect(error.message).toBe('GET /v1/models answered 400: bad *** and 7 of ***');
    expect(log.lines.join('\n')).not.toContain('gateway-secret-1');
  });

  it('the key goes in the one that the proxy wants it in', async () => {
    const server = await fakeProxy(() => MODELS);
    await client(server.url, { keyHeader: 'X-Litellm-Key' }).proxy.modelNames();
    expect(server.received[0]?.headers).toMatchObject({ 'x-litellm-key': `Bearer ${MASTER_KEY}` });
    expect(server.received[0]?.headers.authorization).toBeUndefined();
  });
});
