import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import nock from 'nock';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { GitHubError } from '../../src/github/client.ts';
import { startForwardProxy } from './forward-proxy.ts';
import { onlyWhatIsServed } from './served.ts';
import { API, collect, createClient } from './support.ts';

onlyWhatIsServed();

describe('the client', () => {
  it('sends the token and who asks to GITHUB_API_URL', async () => {
    nock(API, {
      reqheaders: { authorization: 'token ghs_token-of-the-job', 'user-agent': /litellm-user-sync\/1\.2\.3/ },
    })
      .get('/repos/acme/users?a=1')
      .reply(200, { id: 1 });
    expect(await createClient().client.get('/repos/acme/users', { a: 1 })).toEqual({ id: 1 });
  });

  it('follows next pages by their query, on its own address', async () => {
    nock(API)
      .get('/list?per_page=2')
      .reply(200, [1, 2], {
        link: '<https://other.example/list?per_page=2&page=2>; rel="next", <https://other.example/list?page=9>; rel="last"',
      })
      .get('/list?per_page=2&page=2')
      .reply(200, [3], { link: '<https://other.example/list?page=1>; rel="prev"' });
    const pages = await collect(createClient().client.pages('/list', { per_page: 2 }));
    expect(pages).toEqual([[1, 2], [3]]);
  });

  it('asks for no page that nobody consumes', async () => {
    nock(API)
      .get('/list')
      .reply(200, [1], { link: `<${API}/list?page=2>; rel="next"` });
    for await (const page of createClient().client.pages('/list')) {
      expect(page).toEqual([1]);
      break;
    }
  });

  it('fails where a list is something else', async () => {
    nock(API).get('/list').reply(200, { message: 'proxy login' });
    await expect(collect(createClient().client.pages('/list'))).rejects.toThrow(/not a list/);
  });

  it('repeats a read after 502 and after a lost connection, a bounded number of times', async () => {
    nock(API).get('/x').reply(502, 'Bad Gateway').get('/x').replyWithError('socket hang up').get('/x').reply(200, {});
    const { client, waits } = createClient();
    expect(await client.get('/x')).toEqual({});
    expect(waits).toHaveLength(2);

    nock(API).get('/y').times(4).reply(503, '<html>Unicorn</html>');
    await expect(client.get('/y')).rejects.toMatchObject({ status: 503 });
    expect(waits).toHaveLength(5);
  });

  it('never repeats a creating call whose answer was lost or broken', async () => {
    const { client, waits } = createClient();
    nock(API).post('/x').reply(502, 'Bad Gateway');
    await expect(client.post('/x', {})).rejects.toMatchObject({ status: 502 });
    nock(API).post('/x').replyWithError('socket hang up');
    await expect(client.post('/x', {})).rejects.toMatchObject({ status: null });
    expect(waits).toEqual([]);
  });

  it.each([
    [429, { 'retry-after': '7' }, {}, 7000],
    [403, { 'retry-after': '3' }, { message: 'You have exceeded a secondary rate limit.' }, 3000],
  ])('waits as long as it is told to: %i', async (status, headers, body, expected) => {
    nock(API).post('/x').reply(status, body, headers).post('/x').reply(201, { id: 1 });
    const { client, waits } = createClient();
    expect(await client.post('/x', {})).toEqual({ id: 1 });
    expect(waits).toEqual([expected]);
  });

  it('does not wait an hour for a used-up rate limit', async () => {
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '9999999999' };
    nock(API).get('/x').reply(403, { message: 'API rate limit exceeded for installation ID 1.' }, headers);
    const { client, waits } = createClient();
    await expect(client.get('/x')).rejects.toThrow(/403 API rate limit exceeded/);
    expect(waits).toEqual([]);
  });

  it('gives up on an answer that does not come', async () => {
    nock.enableNetConnect('127.0.0.1');
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { client } = createClient({ apiUrl, timeoutMs: 50, retries: 0 });
    await expect(client.get('/x')).rejects.toThrow(new GitHubError('GET /x', null, 'in 0.05 s'));
    server.closeAllConnections();
    server.close();
  });

  it('keeps the token out of its errors', async () => {
    nock(API).get('/x').reply(404, { message: 'Not Found' });
    const error = await createClient()
      .client.get('/x')
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(GitHubError);
    expect(JSON.stringify([error, (error as Error).stack, (error as Error).cause ?? null])).not.toContain('ghs_');
    expect((error as Error).message).toBe('GET /x: 404 Not Found');
  });

  it('has no GraphQL where the forge has none, and knows Gitea by its API', async () => {
    const { client } = createClient({ apiUrl: 'https://gitea.example/api/v1', graphqlUrl: null });
    expect(await client.graphql('query { viewer { login } }')).toBeNull();
    expect(client.forge).toBe('gitea');
    expect(createClient({ apiUrl: 'https://ghe.example/api/v3' }).client.forge).toBe('github');
  });
});

describe('through a forward proxy', () => {
  /** A forge that only the forward proxy can find, as its name exists nowhere. */
  async function startForge() {
    nock.restore();
    const forge = createServer((request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ path: request.url }));
    }).listen(0, '127.0.0.1');
    await once(forge, 'listening');
    const proxy = await startForwardProxy();
    for (const name of ['http_proxy', 'HTTP_PROXY', 'no_proxy', 'NO_PROXY']) vi.stubEnv(name, undefined);
    onTestFinished(async () => {
      vi.unstubAllEnvs();
      forge.closeAllConnections();
      forge.close();
      await proxy.close();
    });
    return { proxy, port: (forge.address() as AddressInfo).port };
  }

  it.each(['HTTP_PROXY', 'http_proxy'])('asks as %s says', async (variable) => {
    const { proxy, port } = await startForge();
    vi.stubEnv(variable, proxy.origin);
    const { client } = createClient({ apiUrl: `http://forge.invalid:${port}`, retries: 0 });
    // The third one of a connection is where an agent forgot the forward proxy.
    for (const path of ['/1', '/2', '/3', '/4']) expect(await client.get(path)).toEqual({ path });
    expect(proxy.asked).toEqual([1, 2, 3, 4].map((path) => `GET http://forge.invalid:${port}/${path}`));
  });

  it.each([
    ['NO_PROXY', '127.0.0.1'],
    ['no_proxy', 'other.example, 127.0.0.1'],
    ['NO_PROXY', '*'],
  ])('goes straight where %s is %s', async (variable, value) => {
    const { proxy, port } = await startForge();
    vi.stubEnv('HTTP_PROXY', proxy.origin);
    vi.stubEnv(variable, value);
    const { client } = createClient({ apiUrl: `http://127.0.0.1:${port}`, retries: 0 });
    expect(await client.get('/x')).toEqual({ path: '/x' });
    expect(proxy.asked).toEqual([]);
  });

  it('tunnels https, and names the proxy in the error, without its credentials', async () => {
    const { proxy, port } = await startForge();
    vi.stubEnv('https_proxy', proxy.origin.replace('//', '//ann:secret@'));
    const { client } = createClient({ apiUrl: `https://forge.invalid:${port}`, retries: 0 });
    const error: Error = await client.get('/x').then(String, (caught) => caught);
    expect(error.message).toMatch(/^GET \/x: no answer .* \(through the forward proxy 127\.0\.0\.1:\d+\)$/);
    expect(error.message).not.toContain('secret');
    expect(proxy.asked).toEqual([`CONNECT forge.invalid:${port}`]);
  });
});
