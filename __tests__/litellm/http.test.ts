import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { AnswerLostError } from '../../src/core/errors.ts';
import { client, failure, fakeProxy, MASTER_KEY, type Reply, recorded, userJson } from './support.ts';

const EMPTY = { json: { users: [], total: 0 } };
const HTML = { text: '<!DOCTYPE html><html><body>Bad gateway</body></html>', headers: { 'content-type': 'text/html' } };
const LIMITS = { maxBudget: null, budgetDuration: null };
const ROLE = { userId: 'u1', role: 'internal_user' as const, limits: LIMITS };
const ROLES = [ROLE];
const UPDATED = { json: { results: [{ user_id: 'u1', success: true, error: null }] } };

/** Answers the n-th request with the n-th reply, the last one again and again. */
function inTurn(...replies: Reply[]) {
  return (_request: unknown, index: number): Reply => replies[Math.min(index, replies.length - 1)] as Reply;
}

const cut: Reply = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"users":');
  setTimeout(() => response.destroy(), 20);
};
const reset: Reply = (response) => void response.destroy();
const silent: Reply = () => {};

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a proxy that is gone', () => {
  const BAD_GATEWAY: Reply = { status: 502, ...HTML };

  it('is given up after three minutes without an answer: nothing is sent any more', async () => {
    let now = 0;
    const server = await fakeProxy(() => BAD_GATEWAY);
    const { proxy } = client(server.url, {}, { now: () => now });
    expect((await failure(proxy.findUsersByEmail('a@example.com'))).message).toContain('answered 502');
    now = 180_000;
    expect(await failure(proxy.updateRoles(ROLES))).toBeInstanceOf(AnswerLostError);
    now = 180_001;
    const sent = proxy.requestCount;
    for (const call of [proxy.findUsersByEmail('a@example.com'), proxy.updateRoles(ROLES)]) {
      const error = await failure(call);
      expect(error.name).toBe('ProxyUnreachableError');
      expect(error.message).toContain('(no answer for 3 minutes, given up)');
    }
    expect(proxy.requestCount).toBe(sent);
  });

  it.each<[string, Reply]>([
    ['an answer', UPDATED],
    ['its own error', { status: 500, json: { error: { message: 'P1001' } } }],
  ])('is there again after %s', async (_name, answer) => {
    let now = 0;
    const server = await fakeProxy(inTurn(BAD_GATEWAY, answer, BAD_GATEWAY));
    const { proxy } = client(server.url, { retries: 0 }, { now: () => now });
    await failure(proxy.updateRoles(ROLES));
    now = 170_000;
    await proxy.updateRoles(ROLES).catch(() => null);
    for (now = 200_000; now <= 380_000; now += 90_000) await failure(proxy.updateRoles(ROLES));
    expect(proxy.requestCount).toBe(5);
  });
});

describe('a read', () => {
  it.each<[string, Reply]>([
    ['429', { status: 429, json: { error: { message: 'slow down' } } }],
    ['500', { status: 500, json: { error: { message: 'P1001' } } }],
    ['a gateway page', { status: 502, ...HTML }],
    ['a reset connection', reset],
    ['a cut body', cut],
  ])('is repeated after %s', async (_name, first) => {
    const server = await fakeProxy(inTurn(first, EMPTY));
    const { proxy, slept } = client(server.url);
    expect(await proxy.findUsersByEmail('a@example.com')).toEqual([]);
    expect(slept).toEqual([500]);
    expect(proxy.requestCount).toBe(2);
  });

  it('is repeated after a timeout', async () => {
    const server = await fakeProxy(inTurn(silent, EMPTY));
    const { proxy } = client(server.url, { timeoutSeconds: 0.2 });
    expect(await proxy.findUsersByEmail('a@example.com')).toEqual([]);
  });

  const NOW = Date.parse('2026-11-21T10:00:00Z');
  it.each([
    ['the first wait', 1, null, 0, [500]],
    ['doubled up to 20 seconds', 8, null, 0, [500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]],
    ['up to half of it taken off at random', 2, null, 1, [250, 500]],
    ['Retry-After in seconds', 1, '7', 1, [7000]],
    ['Retry-After as a date', 1, 'Sat, 21 Nov 2026 10:00:30 GMT', 0.5, [30_000]],
    ['Retry-After in the past', 1, 'Sat, 21 Nov 2026 09:00:00 GMT', 0.5, [0]],
    ['nonsense counts as none', 1, 'soon', 0, [500]],
    ['longer than anybody waits', 1, '3600', 0, []],
  ])('waits before it is repeated: %s', async (_name, retries, retryAfter, random, expected) => {
    const headers = retryAfter === null ? {} : { 'retry-after': retryAfter };
    const server = await fakeProxy(() => ({ status: 429, json: {}, headers }));
    const effects = { random: () => random, now: () => NOW };
    const { proxy, slept } = client(server.url, { retries }, effects);
    expect((await failure(proxy.findUsersByEmail('a@example.com'))).message).toContain('answered 429');
    expect(slept).toEqual(expected);
  });

  it('ends after as many tries as allowed, with the proxy’s words', async () => {
    const server = await fakeProxy(() => ({ status: 503, json: { detail: { error: 'No db connected' } } }));
    const { proxy } = client(server.url, { retries: 2 });
    const error = await failure(proxy.findUsersByEmail('a@example.com'));
    expect(error.name).toBe('ProxyResponseError');
    expect(error.message).toBe('GET /user/list answered 503: No db connected');
    expect(server.received).toHaveLength(3);
  });

  it.each([400, 404, 422])('is not repeated after %d', async (status) => {
    const server = await fakeProxy(() => ({ status, json: { detail: 'no' } }));
    const { proxy } = client(server.url);
    const error = await failure(proxy.findUsersByEmail('a@example.com'));
    expect(error).toMatchObject({ name: 'ProxyResponseError', route: 'GET /user/list', status });
    expect(server.received).toHaveLength(1);
  });

  it('names the field that is of another shape', async () => {
    const users = [userJson('a'), userJson('b'), { ...userJson('c'), user_id: 7 }];
    const server = await fakeProxy(() => ({ json: { users, total: 3 } }));
    const error = await failure(client(server.url).proxy.inventory());
    expect(error).toMatchObject({ name: 'UnexpectedShapeError' });
    expect(error.message).toMatch(/: expected /);
    const listed = await failure(client(server.url).proxy.listUsers([], (user) => user));
    expect(listed.message).toBe(
      "GET /user/list: unexpected answer, users.2.user_id: expected string, received number. Is base-url the address of LiteLLM's API?",
    );
  });

  it('tells HTML from JSON', async () => {
    const server = await fakeProxy(() => HTML);
    const error = await failure(client(server.url).proxy.findUsersByEmail('a@example.com'));
    expect(error.message).toMatch(
      /^GET \/user\/list answered 200 with HTML: is base-url the address of the proxy's API/,
    );
  });

  it('blames the gateway, and not base-url, for a page of HTML about a failure', async () => {
    const server = await fakeProxy(() => ({ status: 502, ...HTML }));
    const error = await failure(client(server.url, { retries: 0 }).proxy.findUsersByEmail('a@example.com'));
    expect(error.message).toBe(
      'GET /user/list answered 502 with HTML: a gateway in front of the proxy answers in its place. Is the proxy running, and does the gateway reach it?',
    );
  });

  it('suspects base-url where a route is missing', async () => {
    const server = await fakeProxy(() => ({ status: 404, json: { detail: 'Not Found' } }));
    const error = await failure(client(server.url).proxy.findUsersByEmail('a@example.com'));
    expect(error.message).toMatch(/^GET \/user\/list answered 404: Not Found\. Is base-url right, with the root path/);
  });
});

describe('a write', () => {
  it.each<[string, Reply, string]>([
    ['a reset connection', reset, 'ECONNRESET'],
    ['a cut body', cut, 'ECONNRESET'],
    ['500', { status: 500, json: { error: { message: 'P1001' } } }, 'P1001'],
    ['a gateway page', { status: 504, ...HTML }, 'status 504'],
    ['success that is HTML', HTML, 'with HTML'],
    ['success that is no JSON', { text: 'ok' }, 'not JSON'],
    ['success of another shape', { json: { done: true } }, 'results: expected array'],
  ])('is not repeated after %s, and its effect is unknown', async (_name, reply, why) => {
    const server = await fakeProxy(() => reply);
    const error = await failure(client(server.url).proxy.updateRoles(ROLES));
    expect(error).toBeInstanceOf(AnswerLostError);
    expect(error.message).toMatch(
      /^POST \/user\/bulk_update: the answer was lost \(.+\), it may or may not have taken effect\.$/,
    );
    expect(error.message).toContain(why);
    expect(server.received).toHaveLength(1);
  });

  it('is not repeated after a timeout', async () => {
    const server = await fakeProxy(() => silent);
    const error = await failure(client(server.url, { timeoutSeconds: 0.2 }).proxy.updateRoles(ROLES));
    expect(error).toBeInstanceOf(AnswerLostError);
    expect(server.received).toHaveLength(1);
  });

  it('is repeated after 429, which has not executed it', async () => {
    const server = await fakeProxy(inTurn({ status: 429, json: {} }, UPDATED));
    expect(await client(server.url).proxy.updateRoles(ROLES)).toEqual([{ userId: 'u1', ok: true }]);
  });

  it.each([
    ['all of several rows for one reason', ['u1', 'u2'], 'not now'],
    ['its only row because the transaction took too long', ['u1'], 'Transaction already closed: 5000 ms'],
  ])('that refuses %s is refused as a whole, whatever its status', async (_what, ids, error) => {
    const results = ids.map((user_id) => ({ user_id, success: false, error }));
    const server = await fakeProxy(({ method }) =>
      method === 'GET' ? { status: 405, json: {} } : { json: { results } },
    );
    const refused = await failure(client(server.url).proxy.joinTeam('t', ids));
    expect(refused.name).toBe('ProxyResponseError');
    expect(refused.message).toBe(`POST /team/bulk_member_add: ${error}`);
  });

  it('is repeated where no connection was made, and then says what to check', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { proxy, slept } = client(url, { retries: 2 });
    const error = await failure(proxy.updateRoles(ROLES));
    expect(error.name).toBe('ProxyUnreachableError');
    expect(error.message).toBe(
      `Cannot reach the proxy at ${url} (ECONNREFUSED): is it running, is base-url right, and may this machine connect to it?`,
    );
    expect(slept).toEqual([500, 1000]);
  });

  it.each([400, 409, 422])('that is refused with %d has had no effect', async (status) => {
    const server = await fakeProxy(() => ({ status, json: recorded('1.106/015-user-new-same-email').body }));
    const error = await failure(client(server.url).proxy.updateRoles(ROLES));
    expect(error).toMatchObject({
      name: 'ProxyResponseError',
      proxyMessage: 'User with email ana@example.com already exists',
    });
  });

  it('that deletes keys is repeated, since a second one does no harm', async () => {
    const server = await fakeProxy(inTurn(reset, { status: 502, ...HTML }, { json: { deleted_keys: ['hash'] } }));
    await client(server.url).proxy.deleteKeys(['hash']);
    expect(server.received).toHaveLength(3);
  });

  it('is not done because something answered 200: a page of HTML is a lost answer', async () => {
    const server = await fakeProxy(() => HTML);
    expect(await failure(client(server.url).proxy.deleteKeys(['hash']))).toBeInstanceOf(AnswerLostError);
  });

  it('has more time the more rows it has', async () => {
    const timeouts: number[] = [];
    const rows = Array.from({ length: 500 }, (_, index) => ({ ...ROLE, userId: `u${index}` }));
    const transport = async ({ timeoutMs }: { timeoutMs: number }) => {
      timeouts.push(timeoutMs);
      return { status: 200, location: null, retryAfter: null, text: '{"results":[]}' };
    };
    await client('http://localhost:4000', { timeoutSeconds: 30 }, { transport }).proxy.updateRoles(rows);
    expect(timeouts).toEqual([180_000]);
  });
});

describe('redirects', () => {
  const to = (location: string): Reply => ({ status: 307, text: '', headers: { location } });

  it('of a write are errors that name the target without its query', async () => {
    const other = await fakeProxy(() => UPDATED);
    const server = await fakeProxy(() => to(`${other.url}/login?next=secret`));
    const error = await failure(client(server.url).proxy.updateRoles(ROLES));
    expect(error.name).toBe('RedirectedWriteError');
    expect(error.message).toContain(`to ${other.url}/login and not followed`);
    expect(error.message).not.toContain('secret');
    expect(other.received).toEqual([]);
  });

  it('of a write within the origin are errors too', async () => {
    const server = await fakeProxy(() => to('/elsewhere'));
    expect((await failure(client(server.url).proxy.updateRoles(ROLES))).name).toBe('RedirectedWriteError');
    expect(server.received).toHaveLength(1);
  });

  it('of a read are followed within the origin', async () => {
    const server = await fakeProxy(({ path }) => (path.startsWith('/moved') ? EMPTY : to('/moved/user/list')));
    expect(await client(server.url).proxy.findUsersByEmail('a@example.com')).toEqual([]);
  });

  it('of a read out of the origin never carry the key there', async () => {
    const other = await fakeProxy(() => EMPTY);
    const server = await fakeProxy(() => to(`${other.url}/user/list`));
    const error = await failure(client(server.url).proxy.findUsersByEmail('a@example.com'));
    expect(error.message).toContain(`redirected (307) to ${other.url}/user/list, which is not followed`);
    expect(other.received).toEqual([]);
  });

  it('of a read end after a few rounds', async () => {
    const server = await fakeProxy(() => to('/user/list'));
    expect((await failure(client(server.url).proxy.findUsersByEmail('a@example.com'))).name).toBe('ProxyResponseError');
    expect(server.received).toHaveLength(6);
  });
});

describe('a refused key', () => {
  it.each([
    ['1.106/003-wrong-master-key', 'ProxyAuthError', /refuses the key\. Check master-key/],
    ['1.75/006-wrong-master-key', 'ProxyAuthError', /refuses the key\. Check master-key/],
    [
      '1.106/084-internal-user-user-list',
      'ProxyForbiddenError',
      /Only proxy admins and organization admins can list users/,
    ],
    ['1.75/062-internal-user-user-list', 'ProxyForbiddenError', /Only proxy admin can be used/],
    ['1.106/174-viewer-user-new', 'ProxyForbiddenError', /role= proxy_admin_viewer/],
  ])('%s', async (name, kind, message) => {
    const { status, body } = recorded(name);
    const server = await fakeProxy(() => ({ status, json: body }));
    const error = await failure(client(server.url).proxy.findUsersByEmail('a@example.com'));
    expect(error.name).toBe(kind);
    expect(error.message).toMatch(message);
    expect(error.message).not.toMatch(/[0-9a-f]{20}/);
    expect(server.received).toHaveLength(1);
  });
});

describe('what is sent and logged', () => {
  it('keeps the root path, and sends key and user agent', async () => {
    const server = await fakeProxy(() => EMPTY);
    await client(`${server.url}/llm/`, { userAgent: 'tool/1' }).proxy.findUsersByEmail('a@example.com');
    expect(server.received[0]?.path).toMatch(/^\/llm\/user\/list\?/);
    expect(server.received[0]?.headers).toMatchObject({
      authorization: `Bearer ${MASTER_KEY}`,
      'user-agent': 'tool/1',
    });
  });

  it('shows routes and counts in the debug log, and no email, body or key', async () => {
    const server = await fakeProxy(({ method }) =>
      method === 'GET' ? EMPTY : { status: 400, json: { error: { message: `bad ${MASTER_KEY}` } } },
    );
    const { proxy, log } = client(server.url);
    await proxy.findUsersByEmail('ana@example.com');
    const error = await failure(proxy.updateRoles([{ ...ROLE, userId: 'user-of-ana' }]));
    const seen = [...log.lines, error.message, JSON.stringify(error), String(error.cause)].join('\n');
    expect(log.lines[0]).toMatch(/^debug: GET \/user\/list page 1: 200, \d+ characters, \d+ ms$/);
    expect(log.lines[1]).toMatch(/^debug: POST \/user\/bulk_update 1 rows: 400, /);
    expect(seen).not.toMatch(/ana@example|user-of-ana|sk-test/);
  });

  it('drops a key of any form from the proxy’s words', async () => {
    const { Secret } = await import('../../src/core/secret.ts');
    const server = await fakeProxy(() => ({ status: 400, json: { detail: 'you sent opensesame' } }));
    const { proxy } = client(server.url, { masterKey: new Secret('opensesame') });
    expect((await failure(proxy.updateRoles(ROLES))).message).toContain('you sent ***');
  });

  it.each([
    ['http://litellm.example.com', 1],
    ['http://10.0.0.1:4000', 1],
    ['http://127.example.com', 1],
    ['https://litellm.example.com', 0],
    ['http://localhost:4000', 0],
    ['http://proxy.localhost', 0],
    ['http://127.0.0.2', 0],
    ['http://[::1]:4000', 0],
  ])('%s gives %d warnings', (url, count) => {
    expect(client(url).log.lines.filter((line) => line.startsWith('warning'))).toHaveLength(count);
  });

  it.each(['litellm.example.com', 'ftp://x', 'https://user:word@x.example'])('refuses %s as base-url', (url) => {
    expect(() => client(url)).toThrow(/^base-url /);
  });

  it('has no more requests under way than allowed', async () => {
    let under = 0;
    let most = 0;
    const server = await fakeProxy(async ({ path }) => {
      most = Math.max(most, ++under);
      await new Promise((resolve) => setTimeout(resolve, 5));
      under--;
      const page = Number(new URLSearchParams(path.split('?')[1]).get('page'));
      const users = Array.from({ length: 100 }, (_, index) => userJson(`p${page}-${index}`));
      return { json: { users, total: 2000 } };
    });
    const { proxy } = client(server.url, { concurrency: 3 });
    expect(await proxy.listUsers([], (user) => user.user_id)).toHaveLength(2000);
    expect(most).toBe(3);
    expect(proxy.requestCount).toBe(22);
  });
});
