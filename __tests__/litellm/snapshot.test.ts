import { describe, expect, it, onTestFinished } from 'vitest';
import type { Inventory } from '../../src/core/inventory.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Fault } from '../../standin/faults.ts';
import { type Standin, type StandinOptions, startStandin } from '../../standin/server.ts';
import type { Version } from '../../standin/versions.ts';
import { Workplace } from '../commands/workplace.ts';
import { client } from './support.ts';

const SECRET = 'scrypt-hash-that-nobody-may-see';
const COUNT = 250;
const IDS = Array.from({ length: COUNT }, (_, at) => `u-${at}`);

/** Users of every kind, some with keys. */
async function proxyOf(version: Version, options: StandinOptions = {}): Promise<Standin> {
  const users = IDS.map((userId, at) => ({
    userId,
    ...(at % 5 === 0 ? {} : { email: `${userId}@example.com` }),
    ...(at % 7 === 0 ? {} : { role: 'internal_user' }),
    teams: at % 3 === 0 ? ['t0', 't1'] : [],
  }));
  const teams = ['t0', 't1'].map((teamId) => ({ teamId, alias: teamId }));
  const standin = await startStandin({ version, seed: { teams, users }, ...options });
  onTestFinished(() => standin.close());
  return standin;
}

function clientOf(standin: Standin) {
  return client(standin.baseUrl, { masterKey: new Secret(standin.masterKey) });
}

function count(standin: Standin, route: string): number {
  return standin.requests.filter((request) => `${request.method} ${request.path}` === route).length;
}

const snapshots = (standin: Standin) => count(standin, 'GET /spend/users');
const withoutCounts = ({ users, ...others }: Inventory) => ({
  ...others,
  users: users.map((user) => ({ ...user, keyCount: null })).sort((a, b) => (a.userId < b.userId ? -1 : 1)),
});

/** The stand-in with one answer of `/spend/users` replaced: all of them, or those before `until`. */
function answering(body: unknown, until = Number.POSITIVE_INFINITY, more: Partial<Fault> = {}): StandinOptions {
  let asked = 0;
  return {
    fault: ({ route }) =>
      route === '/spend/users' && asked++ < until
        ? { when: 'before', kind: 'status', status: 200, body, ...more }
        : null,
  };
}

/** Rows that would pass, with one thing changed. */
function rows(change: (row: Record<string, unknown>, at: number) => unknown): unknown[] {
  return IDS.map((user_id, at) => {
    const row = {
      user_id,
      user_email: `${user_id}@example.com`,
      user_role: 'proxy_admin',
      teams: [],
      spend: 0,
      max_budget: null,
      budget_duration: null,
      tpm_limit: null,
      rpm_limit: null,
      models: [],
      metadata: {},
    };
    return change(row, at);
  });
}

describe('the snapshot', () => {
  it.each(['1.106', '1.110'] as const)(
    '%s: the same inventory as by pages, without numbers of keys',
    async (version) => {
      const [fast, slow] = [await proxyOf(version), await proxyOf(version, answering([null]))];
      const inventory = await clientOf(fast).proxy.inventory();
      expect(withoutCounts(inventory)).toEqual(withoutCounts(await clientOf(slow).proxy.inventory()));
      expect(new Set(inventory.users.map((user) => user.keyCount))).toEqual(new Set([null]));
      expect([snapshots(fast), count(fast, 'GET /user/list')]).toEqual([1, 2]);
    },
  );

  it.each(['1.75', '1.82', '1.90'] as const)('%s is never asked, whatever is read', async (version) => {
    const standin = await proxyOf(version);
    const { proxy } = clientOf(standin);
    expect((await proxy.inventory()).users).toHaveLength(COUNT + 1);
    await proxy.listUsers(['created_at'], (user) => user);
    await proxy.findUsers(IDS);
    const place = new Workplace(standin);
    onTestFinished(() => place.remove());
    place.write('user_list.csv', 'email,role,team_name\nu-1@example.com,internal_user,t1\n');
    await place.run('sync', '--max-deletes', '100%');
    for (const command of ['list', 'export', 'delete', 'add', 'onboard']) await place.run(command);
    await place.run('add', '--update-existing');
    expect(snapshots(standin)).toBe(0);
    expect(count(standin, 'GET /user/list')).toBeGreaterThan(0);
  });

  it('is not asked for more users than the proxy answers in one go without holding up others', async () => {
    const asked = async (count: number): Promise<number> => {
      const users = Array.from({ length: count }, (_, at) => ({ userId: `u-${at}` }));
      const standin = await proxyOf('1.110', { seed: { users: [...users, { userId: 'default_user_id' }] } });
      expect((await clientOf(standin).proxy.inventory()).users).toHaveLength(count + 1);
      return snapshots(standin);
    };
    expect([await asked(10_000), await asked(10_001)]).toEqual([1, 0]);
  });

  it.each<[string, unknown, Partial<Fault>?]>([
    ['a stranger', [null]],
    ['an object', { users: [] }],
    ['no JSON', 'hello'],
    ['rows without teams', rows(({ teams: _, ...row }) => row)],
    ['rows without metadata', rows(({ metadata: _, ...row }) => row)],
    ['a row without a field', rows(({ user_role, ...row }, at) => (at === 3 ? row : { ...row, user_role }))],
    ['a field of another kind', rows((row) => ({ ...row, teams: 't0' }))],
    ['a refusal', { detail: `no, ${SECRET}` }, { status: 403 }],
    ['no such route', { detail: 'Not Found' }, { status: 404 }],
    ['a broken proxy', { detail: SECRET }, { status: 500 }],
    ['a page of a gateway', SECRET, { kind: 'html' }],
    ['no end of an answer', null, { kind: 'cut' }],
  ])('%s: pages are read instead, at once', async (_, body, more = {}) => {
    const standin = await proxyOf('1.106', answering(body, undefined, more));
    const { proxy, log, slept } = clientOf(standin);
    const { users } = await proxy.inventory();
    expect(users).toHaveLength(COUNT + 1);
    expect(users.filter((user) => user.role === 'proxy_admin')).toEqual([]);
    expect(users.every((user) => user.keyCount !== null)).toBe(true);
    expect([snapshots(standin), slept]).toEqual([1, []]);
    expect(log.lines.filter((line) => !line.startsWith('debug'))).toEqual([]);
    expect(log.lines.filter((line) => line.includes('are read page by page'))).toHaveLength(1);
    expect(log.lines.join('\n')).not.toContain(SECRET);
  });

  it.each([
    ['one user short', rows((row) => row).slice(1)],
    ['one user twice', [...rows((row) => row), { ...(rows((row) => row)[0] as object) }]],
  ])('%s: once more, then pages', async (_, body) => {
    const once = await proxyOf('1.106', answering(body, 1));
    expect((await clientOf(once).proxy.inventory()).users).toHaveLength(COUNT + 1);
    expect([snapshots(once), count(once, 'GET /user/list')]).toEqual([2, 3]);
    const always = await proxyOf('1.106', answering(body));
    const { users } = await clientOf(always).proxy.inventory();
    expect(users.filter((user) => user.role === 'proxy_admin')).toEqual([]);
    expect([snapshots(always), count(always, 'GET /user/list')]).toEqual([2, 3 + Math.ceil((COUNT + 1) / 100)]);
  });

  it('a user who came meanwhile: read once more', async () => {
    let asked = 0;
    const standin: Standin = await proxyOf('1.106', {
      onRequest: async ({ route }) => {
        if (route !== '/spend/users' || asked++ > 0) return;
        const headers = { authorization: `Bearer ${standin.masterKey}`, 'content-type': 'application/json' };
        await fetch(`${standin.baseUrl}/user/new`, { method: 'POST', headers, body: '{"user_id":"late"}' });
      },
    });
    const { users } = await clientOf(standin).proxy.inventory();
    expect(users.map((user) => user.userId)).toContain('late');
    expect(snapshots(standin)).toBe(2);
  });

  it('nothing of an unexpected field is kept, logged or written', async () => {
    const odd = rows((row) => ({ ...row, user_role: 'internal_user', password: SECRET, metadata: { note: SECRET } }));
    const standin = await proxyOf(
      '1.106',
      answering([...odd, ...rows((row) => ({ ...row, user_id: 'default_user_id' })).slice(0, 1)]),
    );
    const { proxy, log } = clientOf(standin);
    const users = (await proxy.inventory()).users;
    const listed = await proxy.listUsers(['user_alias'], (user) => user).catch((error: Error) => error.message);
    expect(users).toHaveLength(COUNT + 1);
    expect(JSON.stringify([users, listed, log.lines])).not.toContain(SECRET);
    const place = new Workplace(standin);
    onTestFinished(() => place.remove());
    const told: unknown[] = [];
    place.write('user_list.csv', 'email,role,team_name\nu-1@example.com,internal_user,\n');
    for (const argv of [
      ['export', '--csv-file', 'export.csv'],
      ['list', '--format', 'json'],
      ['sync', '--dry-run'],
    ]) {
      told.push(await place.run(...argv, '--debug'));
    }
    told.push(...place.files.map((name) => place.read(name)));
    expect(snapshots(standin)).toBeGreaterThan(3);
    expect(JSON.stringify(told)).not.toContain(SECRET);
  });
});

describe('list', () => {
  it.each(['1.106', '1.110'] as const)('%s: the same text from both sources', async (version) => {
    const [fast, slow] = [await proxyOf(version), await proxyOf(version, answering([null]))];
    const columns = 'user_id,user_email,user_role,teams,models,max_budget,spend,user_alias,organization_id,sso_user_id';
    for (const standin of [fast, slow])
      for (const user of standin.state.users.values()) user.updatedAt = '2026-01-02T03:04:05.060000Z';
    const texts = [fast, slow].map(async (standin) => {
      const place = new Workplace(standin);
      onTestFinished(() => place.remove());
      return place.run('list', '--show-all', '--columns', `${columns},updated_at,budget_reset_at`);
    });
    const [first, second] = await Promise.all(texts);
    expect(first).toEqual(second);
    expect(first?.stdout).toContain('2026-01-02T03:04:05.060000Z');
    expect([snapshots(fast), count(fast, 'GET /user/list')]).toEqual([1, 2]);
  });

  it('numbers of keys come from pages', async () => {
    const standin = await proxyOf('1.110');
    const counts = await clientOf(standin).proxy.listUsers(['key_count'], (user) => user.key_count);
    expect([counts.every((one) => one === 0), snapshots(standin)]).toEqual([true, 0]);
  });
});

describe('looks at many users', () => {
  it('are one snapshot where that is cheaper; whom it lacks is asked for by id', async () => {
    const standin = await proxyOf('1.110');
    const { proxy } = clientOf(standin);
    await proxy.inventory();
    const wanted = [...IDS.slice(0, 150), 'nobody'];
    const found = await proxy.findUsers(wanted);
    expect(found.map((user) => user.userId).sort()).toEqual(IDS.slice(0, 150).sort());
    expect([snapshots(standin), count(standin, 'GET /user/list')]).toEqual([2, 3]);
    await proxy.findUsers(IDS.slice(0, 20));
    expect(snapshots(standin)).toBe(2);
  });

  it('are pages once a snapshot made no sense', async () => {
    const standin = await proxyOf('1.110', answering([null]));
    const { proxy } = clientOf(standin);
    await proxy.inventory();
    expect(await proxy.findUsers(IDS)).toHaveLength(COUNT);
    expect(snapshots(standin)).toBe(1);
  });
});

describe('numbers of keys', () => {
  async function withKeys(many: number): Promise<Standin> {
    const standin = await proxyOf('1.110');
    const { proxy } = clientOf(standin);
    for (let at = 0; at < many; at++) {
      await proxy.createKey({ userId: `u-${at % 3}`, teamId: null, alias: null });
    }
    return standin;
  }

  it('of many users with few keys are all keys of the proxy, counted', async () => {
    const standin = await withKeys(5);
    const counts = await clientOf(standin).proxy.keyCounts(IDS);
    expect([counts.size, counts.get('u-0'), counts.get('u-2'), counts.get('u-3')]).toEqual([COUNT, 2, 1, 0]);
    expect([count(standin, 'GET /key/list'), count(standin, 'GET /user/list')]).toEqual([1, 0]);
  });

  it('of few users, or where keys are many, are asked of the users', async () => {
    const standin = await withKeys(102);
    const { proxy } = clientOf(standin);
    expect(await proxy.keyCounts(['u-0', 'nobody'])).toEqual(new Map([['u-0', 34]]));
    expect((await proxy.keyCounts(IDS.slice(0, 101))).get('u-1')).toBe(34);
    expect(count(standin, 'GET /key/list')).toBe(1);
  });
});
