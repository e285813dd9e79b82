import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewUser } from '../../src/apply/ports.ts';
import type { ProxyUser } from '../../src/core/inventory.ts';
import { Secret } from '../../src/core/secret.ts';
import { TURN_TIMEOUT, takeTurn } from '../contract/targets.ts';
import { client, failure } from './support.ts';

const baseUrl = process.env.LITELLM_BASE_URL ?? '';
const masterKey = process.env.LITELLM_MASTER_KEY ?? '';

/** Of this run alone: the proxy may hold others. */
const RUN = randomUUID().slice(0, 8);
/** An id with all that an address must escape. */
const TEAMS = { plain: `plain-${RUN}`, odd: `odd ${RUN} ?&#%+ü`, slash: `slash/${RUN}` };

function newUser(extra: Partial<NewUser> = {}): NewUser {
  const userId = randomUUID();
  const email = `Real-${RUN}-${userId.slice(0, 8)}@Example.com`;
  return { userId, email, role: 'internal_user', teams: [], withKey: false, keyAlias: null, ...extra };
}

async function post(path: string, body: unknown): Promise<void> {
  const headers = { authorization: `Bearer ${masterKey}`, 'content-type': 'application/json' };
  const response = await fetch(`${baseUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

/** Skipped unless LITELLM_BASE_URL and LITELLM_MASTER_KEY name a proxy that may be written to. */
describe.skipIf(baseUrl === '' || masterKey === '')('on a real proxy', { timeout: 120_000 }, () => {
  const options = { masterKey: new Secret(masterKey), timeoutSeconds: 60, concurrency: 8 };
  const { proxy, secrets, log } = client(baseUrl || 'http://localhost', options, { sleep: async () => {} });
  const made: string[] = [];

  const create = async (...users: NewUser[]) => {
    made.push(...users.map((user) => user.userId));
    return proxy.createUsers(users);
  };
  const one = async (user: NewUser): Promise<ProxyUser | undefined> => (await proxy.findUsers([user.userId]))[0];
  const isMember = async (user: NewUser, teamId: string): Promise<[boolean, boolean]> => {
    const [team] = await proxy.findTeams([teamId]);
    return [(await one(user))?.teams.includes(teamId) === true, team?.members.has(user.userId) === true];
  };

  let endTurn = (): void => {};

  beforeAll(async () => {
    endTurn = await takeTurn(baseUrl);
    for (const team_id of Object.values(TEAMS)) await post('/team/new', { team_id, team_alias: `alias ${RUN}` });
  }, TURN_TIMEOUT);

  afterAll(async () => {
    for (let begin = 0; begin < made.length; begin += 500) await proxy.deleteUsers(made.slice(begin, begin + 500));
    await post('/team/delete', { team_ids: Object.values(TEAMS) });
    endTurn();
  });

  it('is new enough, and says what it can', async () => {
    await proxy.checkVersion();
    const bulk = await proxy.keysDeletedOnLeave();
    expect(await proxy.onboardingPage()).toBe(bulk);
  });

  it('creates users with roles, teams and keys, and refuses an email twice', async () => {
    const plain = newUser({ role: null });
    const keyed = newUser({ teams: [TEAMS.odd], withKey: true, keyAlias: `keyed-${RUN}` });
    const two = newUser({ teams: [TEAMS.plain, TEAMS.slash], withKey: true });
    const twin = newUser({ email: plain.email.toUpperCase() });
    const rows = [...(await create(plain, keyed, two)), ...(await create(twin))];
    expect(rows.map((row) => row.ok)).toEqual([true, true, true, false]);
    expect(rows[3]).toMatchObject({ reason: expect.stringMatching(/already exists/) });
    expect(rows[3]).not.toHaveProperty('lost');
    const key = rows[1]?.ok === true ? rows[1].key?.reveal() : undefined;
    expect(key).toMatch(/^sk-/);
    expect(secrets).toContain(key);

    expect((await one(plain))?.email).toBe(plain.email);
    expect(await one(keyed)).toMatchObject({ role: 'internal_user', teams: [TEAMS.odd], keyCount: 1 });
    expect(await isMember(keyed, TEAMS.odd)).toEqual([true, true]);
    expect(await isMember(two, TEAMS.slash)).toEqual([true, true]);
    expect(await proxy.keysOfUser(keyed.userId)).toMatchObject([{ teamId: TEAMS.odd, alias: `keyed-${RUN}` }]);
    expect((await proxy.findUsersByEmail(` ${plain.email.toLowerCase()} `)).map((user) => user.userId)).toEqual([
      plain.userId,
    ]);
    expect(log.lines.join('\n')).not.toContain(key);
  });

  it('reads more than a page of users, each once, with the rosters', async () => {
    const users = Array.from({ length: 230 }, () => newUser({ teams: [TEAMS.plain] }));
    const rows = await create(...users);
    expect(rows.filter((row) => !row.ok)).toEqual([]);
    const inventory = await proxy.inventory();
    const ids = inventory.users.map((user) => user.userId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining(users.map((user) => user.userId)));
    const roster = inventory.teams.find((team) => team.teamId === TEAMS.plain)?.members;
    expect(users.filter((user) => roster?.has(user.userId) !== true)).toEqual([]);
    expect(inventory.ownUserId).toBeNull();
    expect(await proxy.findUsers(users.map((user) => user.userId))).toHaveLength(230);
    const emails = await proxy.listUsers((user) => [user.user_email, user.created_at]);
    expect(emails).toEqual(expect.arrayContaining([[users[0]?.email, expect.stringMatching(/^20/)]]));
    const deleted = await proxy.deleteUsers(users.map((user) => user.userId));
    expect(deleted.filter((row) => !row.ok)).toEqual([]);
    expect((await proxy.findTeams([TEAMS.plain]))[0]?.members.has(users[0]?.userId ?? '')).toBe(false);
  });

  it('changes roles', async () => {
    const user = newUser();
    await create(user);
    expect(await proxy.updateRoles([{ userId: user.userId, role: 'internal_user_viewer' }])).toEqual([
      { userId: user.userId, ok: true, role: 'internal_user_viewer' },
    ]);
    expect((await one(user))?.role).toBe('internal_user_viewer');
  });

  it.each(Object.entries(TEAMS))('joins and leaves the %s team, twice each', async (_name, teamId) => {
    const [a, b] = [newUser(), newUser()];
    await create(a, b);
    const ids = [a.userId, b.userId];
    const fine = ids.map((userId) => ({ userId, ok: true }));
    expect(await proxy.joinTeam(teamId, ids)).toEqual(fine);
    expect(await proxy.joinTeam(teamId, ids)).toEqual(fine);
    expect(await isMember(a, teamId)).toEqual([true, true]);

    await proxy.createKey({ userId: a.userId, teamId, alias: null });
    expect(await proxy.teamKeys(ids.map((userId) => ({ userId, teamId })))).toMatchObject([
      { userId: a.userId, teamId },
    ]);
    expect(await proxy.leaveTeam(teamId, ids)).toEqual(fine);
    expect(await proxy.leaveTeam(teamId, ids)).toEqual(fine);
    expect(await isMember(a, teamId)).toEqual([false, false]);
    expect(await proxy.keysOfUser(a.userId)).toHaveLength((await proxy.keysDeletedOnLeave()) ? 0 : 1);
  });

  it('does not join a team that is not there', async () => {
    const user = newUser();
    await create(user);
    expect(await proxy.joinTeam(`none-${RUN}`, [user.userId])).toMatchObject([{ ok: false, reason: /./ }]);
    expect(await proxy.findTeams([`none-${RUN}`])).toEqual([]);
  });

  it('makes, finds and deletes keys', async () => {
    const user = newUser();
    await create(user);
    const alias = `alias ${RUN} &+/`;
    const key = await proxy.createKey({ userId: user.userId, teamId: null, alias });
    expect(key.reveal()).toMatch(/^sk-/);
    expect((await failure(proxy.createKey({ userId: user.userId, teamId: null, alias }))).message).toContain(
      'already exists',
    );
    const aliases = [alias, alias.slice(0, -1), `free-${RUN}`];
    expect(await proxy.takenAliases(aliases)).toEqual(new Map([[alias, user.userId]]));
    const many = [...aliases, ...Array.from({ length: 9 }, (_, index) => `free-${RUN}-${index}`)];
    expect(await proxy.takenAliases(many)).toEqual(new Map([[alias, user.userId]]));
    const hashes = (await proxy.keysOfUser(user.userId)).map((found) => found.hash);
    expect(hashes).toHaveLength(1);
    await proxy.deleteKeys([...hashes, 'f'.repeat(64)]);
    await proxy.deleteKeys(hashes);
    expect(await proxy.keysOfUser(user.userId)).toEqual([]);
  });

  it('makes an invitation', async () => {
    const user = newUser();
    await create(user);
    const { id, expiresAt } = await proxy.createInvitation(user.userId);
    expect(secrets).toContain(id.reveal());
    expect(Date.parse(expiresAt)).not.toBeNaN();
    expect((await failure(proxy.createInvitation(`none-${RUN}`))).message).toContain('User id does not exist');
  });

  it('deletes users; one that is gone counts as deleted', async () => {
    const [a, b] = [newUser({ teams: [TEAMS.plain] }), newUser()];
    await create(a, b);
    const ids = [a.userId, `gone-${RUN}`, b.userId];
    expect(await proxy.deleteUsers(ids)).toEqual(ids.map((userId) => ({ userId, ok: true })));
    expect(await proxy.findUsers(ids)).toEqual([]);
    expect((await proxy.findTeams([TEAMS.plain]))[0]?.members.has(a.userId)).toBe(false);
  });

  it('knows a user’s own key', async () => {
    const user = newUser({ role: 'proxy_admin', withKey: true });
    const [row] = await create(user);
    const key = row?.ok === true ? row.key : null;
    expect(key).not.toBeNull();
    const own = client(baseUrl, { ...options, masterKey: key as Secret }).proxy;
    const inventory = await own.inventory();
    expect(inventory.ownUserId).toBe(user.userId);
    expect(inventory.teams.map((team) => team.teamId)).toEqual(expect.arrayContaining(Object.values(TEAMS)));
  });

  it('shows a viewer’s key the same teams', async () => {
    const user = newUser({ role: 'proxy_admin_viewer', withKey: true });
    const [row] = await create(user);
    const key = row?.ok === true ? row.key : null;
    const viewer = client(baseUrl, { ...options, masterKey: key as Secret }).proxy;
    const { teams } = await viewer.inventory();
    expect(teams.map((team) => team.teamId)).toEqual(expect.arrayContaining(Object.values(TEAMS)));
    expect((await failure(viewer.joinTeam(TEAMS.plain, [user.userId]))).name).toBe('ProxyForbiddenError');
  });

  it('says that a wrong key is refused, without any hash', async () => {
    const wrong = client(baseUrl, { ...options, masterKey: new Secret('sk-wrong-key-0123456789') }).proxy;
    const error = await failure(wrong.inventory());
    expect(error.name).toBe('ProxyAuthError');
    expect(error.message).not.toMatch(/[0-9a-f]{20}|sk-/);
  });
});
