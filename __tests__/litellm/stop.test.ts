import { describe, expect, it } from 'vitest';
import { pause } from '../../src/concurrency.ts';
import { AnswerLostError, StoppedError } from '../../src/core/errors.ts';
import { client, failure, fakeProxy, type Reply, userJson } from './support.ts';

const ROLES = [{ userId: 'u1', role: 'internal_user' as const, limits: { maxBudget: null, budgetDuration: null } }];
const UPDATED: Reply = { json: { results: [{ user_id: 'u1', success: true, error: null }] } };
const LIMITED: Reply = { status: 429, json: {}, headers: { 'retry-after': '60' } };
const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A client with true pauses, and the way to stop it. */
function stoppable(url: string, concurrency = 4) {
  const controller = new AbortController();
  const { proxy } = client(url, { signal: controller.signal, concurrency }, { sleep: pause });
  return { proxy, stop: () => controller.abort() };
}

describe('a run that is stopped', () => {
  it('ends a wait that Retry-After asked for at once, and does not send the write', async () => {
    const server = await fakeProxy(() => LIMITED);
    const { proxy, stop } = stoppable(server.url);
    const begin = performance.now();
    const error = failure(proxy.updateRoles(ROLES));
    await later(100);
    stop();
    expect(await error).toBeInstanceOf(StoppedError);
    expect((await error).message).toBe('the run was stopped');
    expect(performance.now() - begin).toBeLessThan(1000);
    expect(server.received).toHaveLength(1);
  });

  it('sends nothing that waits for its turn, and lets finish what is under way', async () => {
    const server = await fakeProxy(async () => {
      await later(200);
      return UPDATED;
    });
    const { proxy, stop } = stoppable(server.url, 1);
    const underWay = proxy.updateRoles(ROLES);
    const waiting = [failure(proxy.updateRoles(ROLES)), failure(proxy.modelNames())];
    await later(50);
    stop();
    expect(await Promise.all(waiting)).toEqual([expect.any(StoppedError), expect.any(StoppedError)]);
    expect(await underWay).toMatchObject([{ ok: true }]);
    expect(server.received).toHaveLength(1);
  });

  it('begins no read of a listing', async () => {
    const server = await fakeProxy(() => UPDATED);
    const { proxy, stop } = stoppable(server.url);
    stop();
    expect(await failure(proxy.inventory())).toBeInstanceOf(StoppedError);
    expect(await failure(proxy.checkVersion())).toBeInstanceOf(StoppedError);
    expect(server.received).toEqual([]);
  });

  it('looks up once what a write has done', async () => {
    const replies: Reply[] = [{ json: { users: [userJson('a')], total: 1 } }, { status: 503, json: {} }];
    const server = await fakeProxy(() => replies.shift() ?? LIMITED);
    const { proxy, stop } = stoppable(server.url);
    stop();
    expect(await proxy.findUsers(['a'])).toMatchObject([{ userId: 'a' }]);
    expect((await failure(proxy.findUsers(['a']))).message).toContain('answered 503');
    expect(server.received).toHaveLength(2);
  });

  it('does not take a write for unsent whose answer was lost', async () => {
    const server = await fakeProxy(() => ({ status: 502, text: 'Bad Gateway' }));
    const { proxy, stop } = stoppable(server.url);
    const error = failure(proxy.deleteKeys(['hash']));
    await later(100);
    stop();
    expect(await error).toBeInstanceOf(AnswerLostError);
    expect(server.received).toHaveLength(1);
  });

  it('has a row for every user of a call that takes one request each (1.75)', async () => {
    const server = await fakeProxy(async ({ method, body }) => {
      if (method === 'GET') return { status: 404, json: {} };
      await later(60);
      return { json: { ...(body as object), teams: null, key: '' } };
    });
    const { proxy, stop } = stoppable(server.url, 2);
    const users = Array.from({ length: 9 }, (_, index) => ({
      userId: `u${index}`,
      email: `u${index}@example.com`,
      role: null,
      teams: [],
      withKey: false,
      keyAlias: null,
    }));
    setTimeout(stop, 100);
    const rows = await proxy.createUsers(users);
    const made = server.received.filter(({ method }) => method === 'POST').length;
    expect(rows.filter((row) => row.ok)).toHaveLength(made);
    expect(made).toBeLessThan(9);
    expect(rows.filter((row) => !row.ok && row.blocked && row.reason === 'the run was stopped')).toHaveLength(9 - made);
  });
});
