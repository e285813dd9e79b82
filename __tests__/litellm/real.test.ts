import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CreatedUser, NewUser } from '../../src/apply/ports.ts';
import type { ProxyUser, UserLimits } from '../../src/core/inventory.ts';
import { compare } from '../../src/core/order.ts';
import { Secret } from '../../src/core/secret.ts';
import type { ListedRow } from '../../src/litellm/client.ts';
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

async function get(path: string) {
  const response = await fetch(`${baseUrl}${path}`, { headers: { authorization: `Bearer ${masterKey}` } });
  // biome-ignore lint/suspicious/noExplicitAny: what the proxy answers is compared field by field
  return (await response.json()) as any;
}

/** The status that a key's call of the model is answered with. */
async function chat(row: CreatedUser | undefined): Promise<number> {
  const response = await fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keyOf(row).reveal()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'fake-model', messages: [{ role: 'user', content: 'hi' }] }),
  });
  return response.status;
}

function keyOf(row: CreatedUser | undefined): Secret {
  if (row?.ok && row.key !== null) return row.key;
  throw new Error(`no key was made: ${JSON.stringify(row)}`);
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
  const as = (row: CreatedUser | undefined) => client(baseUrl, { ...options, masterKey: keyOf(row) }).proxy;

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

  // Whatever fails, before or after: else all other files would wait for their turn until the run's time is over.
  afterAll(async () => {
    try {
      for (let begin = 0; begin < made.length; begin += 500) await proxy.deleteUsers(made.slice(begin, begin + 500));
      await post('/team/delete', { team_ids: Object.values(TEAMS) });
    } finally {
      endTurn();
    }
  });

  it('is new enough, and says what it can', async () => {
    await proxy.checkVersion();
    expect(await proxy.onboardingPage()).toBe(Number((await proxy.facts()).version?.split('.')[1]) >= 82);
  });

  it('is known by its version, and the facts are those of it', async () => {
    const { info } = (await (await fetch(`${baseUrl}/openapi.json`)).json()) as { info: { version: string } };
    const minor = Number(info.version.split('.')[1]);
    expect(await proxy.facts()).toEqual({
      version: info.version,
      leavingDeletesKeys: minor >= 81,
      enforcesDeactivation: minor >= 90,
      clearsBudget: minor >= 82,
      clearsDurationAndRates: minor >= 106,
      defaultBudget: 'unknown',
    });
    expect(await proxy.modelNames()).toEqual(new Set(['fake-model']));
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

    expect((await one(plain))?.email).toBe(plain.email.toLowerCase());
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
    const emails = await proxy.listUsers(['created_at'], (user) => [user.user_email, user.created_at]);
    expect(emails).toEqual(expect.arrayContaining([[users[0]?.email.toLowerCase(), expect.stringMatching(/^20/)]]));
    const columns = ['created_at', 'updated_at', 'budget_reset_at', 'user_alias', 'organization_id', 'sso_user_id'];
    const byId = (rows: ListedRow[]) => rows.sort((a, b) => compare(a.user_id, b.user_id));
    const withCounts = await proxy.listUsers([...columns, 'key_count'], ({ key_count: _, ...row }) => row as ListedRow);
    expect(byId(await proxy.listUsers(columns, (row) => row))).toEqual(byId(withCounts));
    const deleted = await proxy.deleteUsers(users.map((user) => user.userId));
    expect(deleted.filter((row) => !row.ok)).toEqual([]);
    expect((await proxy.findTeams([TEAMS.plain]))[0]?.members.has(users[0]?.userId ?? '')).toBe(false);
  });

  it('changes roles', async () => {
    const user = newUser();
    await create(user);
    const limits = { maxBudget: null, budgetDuration: null };
    expect(await proxy.updateRoles([{ userId: user.userId, role: 'internal_user_viewer', limits }])).toEqual([
      { userId: user.userId, ok: true, role: 'internal_user_viewer', limits },
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
    expect(await proxy.leavingKeys(ids.map((userId) => ({ userId, teamId })))).toMatchObject([
      { userId: a.userId, teamId },
    ]);
    expect(await proxy.leaveTeam(teamId, ids)).toEqual(fine);
    expect(await proxy.leaveTeam(teamId, ids)).toEqual(fine);
    expect(await isMember(a, teamId)).toEqual([false, false]);
    expect(await proxy.keysOfUser(a.userId)).toHaveLength((await proxy.facts()).leavingDeletesKeys ? 0 : 1);
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

  it('shows a viewer’s key the same teams, and the keys that a leaver has', async () => {
    const user = newUser({ role: 'proxy_admin_viewer', withKey: true });
    const member = newUser({ teams: [TEAMS.plain], withKey: true, keyAlias: `seen-${RUN}` });
    const [row] = await create(user, member);
    const viewer = as(row);
    const { teams } = await viewer.inventory();
    expect(teams.map((team) => team.teamId)).toEqual(expect.arrayContaining(Object.values(TEAMS)));
    const pair = { userId: member.userId, teamId: TEAMS.plain };
    expect(await viewer.leavingKeys([pair])).toMatchObject([{ alias: `seen-${RUN}`, ...pair }]);
    expect(await viewer.takenAliases([`seen-${RUN}`, `free-${RUN}`])).toEqual(
      new Map([[`seen-${RUN}`, member.userId]]),
    );
    expect(await viewer.ownBudgets([pair])).toEqual([]);
    expect(await viewer.facts()).toEqual(await proxy.facts());
    expect((await failure(viewer.joinTeam(TEAMS.plain, [user.userId]))).name).toBe('ProxyForbiddenError');
  });

  const LIMITS: UserLimits = {
    maxBudget: 33.333333,
    budgetDuration: '7d',
    tpmLimit: 1000,
    rpmLimit: 10,
    models: ['fake-model'],
  };
  const NONE: UserLimits = { maxBudget: null, budgetDuration: null, tpmLimit: null, rpmLimit: null, models: [] };

  it('sets limits at creation, copies none of them to the key, changes and clears what it can clear', async () => {
    const user = newUser({ withKey: true, limits: LIMITS });
    const [row] = await create(user);
    expect(row).toMatchObject({ ok: true });
    expect((await one(user))?.limits).toEqual(LIMITS);
    const hash = (await proxy.keysOfUser(user.userId))[0]?.hash;
    const key = await get(`/key/info?key=${hash}`);
    expect(key.info).toMatchObject({ tpm_limit: null, rpm_limit: null, models: [], max_budget: null });

    const more = { maxBudget: 50, budgetDuration: '30d', tpmLimit: 0, rpmLimit: 20, models: ['all-proxy-models'] };
    const answered = await proxy.updateUser(user.userId, { ...more, role: 'internal_user' });
    expect(answered).toEqual({
      userId: user.userId,
      email: user.email.toLowerCase(),
      role: 'internal_user',
      limits: more,
    });
    expect((await one(user))?.limits).toEqual(more);

    const { clearsBudget, clearsDurationAndRates } = await proxy.facts();
    const { models: _, ...cleared } = NONE;
    const left = {
      ...more,
      ...(clearsBudget ? { maxBudget: null } : {}),
      ...(clearsDurationAndRates ? { budgetDuration: null, tpmLimit: null, rpmLimit: null } : {}),
    };
    expect((await proxy.updateUser(user.userId, cleared)).limits).toEqual(left);
    expect((await one(user))?.limits).toEqual(left);
  });

  it('keeps a budget through a change of role, in bulk and alone', async () => {
    const user = newUser({ limits: { maxBudget: 500, budgetDuration: '7d' } });
    await create(user);
    const limits = { maxBudget: 500, budgetDuration: '7d' };
    for (const role of ['internal_user_viewer', 'internal_user'] as const) {
      expect(await proxy.updateRoles([{ userId: user.userId, role, limits }])).toEqual([
        { userId: user.userId, ok: true, role, limits },
      ]);
      expect(await proxy.updateUser(user.userId, { role, ...limits })).toMatchObject({ role, limits });
    }
    expect((await one(user))?.limits).toMatchObject(limits);
  });

  it('renames, and gives nobody an email that somebody has', async () => {
    const [a, b] = [newUser(), newUser()];
    await create(a, b);
    const email = `New-${RUN}@Example.com`;
    expect((await proxy.updateUser(a.userId, { email })).email).toBe(email.toLowerCase());
    expect((await failure(proxy.updateUser(b.userId, { email: email.toUpperCase() }))).message).toContain(
      'taken meanwhile',
    );
    expect((await failure(proxy.updateUser(`none-${RUN}`, { email: `none-${RUN}@x.io` }))).message).toContain(
      'no longer',
    );
    expect(await proxy.findUsers([`none-${RUN}`])).toEqual([]);
    expect((await one(b))?.email).toBe(b.email.toLowerCase());
  });

  it('lets nobody into a team whose roster has their email for another, nor adds to their teams', async () => {
    const holder = newUser();
    await create(holder);
    // With the email, as 1.75 lists who joins by the id alone without one.
    await post('/team/member_add', {
      team_id: TEAMS.plain,
      member: { user_id: holder.userId, user_email: holder.email.toLowerCase(), role: 'user' },
    });
    await proxy.updateUser(holder.userId, { email: `left-${RUN}@example.com` });
    const heir = newUser({ email: holder.email });
    await create(heir);
    const minor = Number((await proxy.facts()).version?.split('.')[1]);
    for (let time = 0; time < 2; time++) {
      const [row] = await proxy.joinTeam(TEAMS.plain, [heir.userId]);
      if (minor === 75) expect(row).toEqual({ userId: heir.userId, ok: true });
      else expect(row).toMatchObject({ ok: false, reason: expect.stringContaining(`of user id ${holder.userId}`) });
      const { users } = await get(`/user/list?user_ids=${heir.userId},${heir.userId}`);
      expect(users[0].teams).toEqual(minor === 75 ? [TEAMS.plain] : []);
    }
  });

  it('moves a key with all that it has, and says why one stays', async () => {
    const user = newUser({ teams: [TEAMS.plain], withKey: true, keyAlias: `moving-${RUN}` });
    const [row] = await create(user);
    const [key] = await proxy.keysOfUser(user.userId);
    const hash = key?.hash ?? '';
    await post('/key/update', { key: hash, max_budget: 3, models: ['fake-model'] });
    expect(await proxy.moveKey(hash, TEAMS.odd)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('not a member'),
    });
    await post('/team/new', { team_id: `narrow-${RUN}`, models: ['another'] });
    await proxy.joinTeam(TEAMS.odd, [user.userId]);
    await proxy.joinTeam(`narrow-${RUN}`, [user.userId]);
    const refused = await proxy.moveKey(hash, `narrow-${RUN}`);
    await post('/team/delete', { team_ids: [`narrow-${RUN}`] });
    expect(refused).toMatchObject({ ok: false, reason: expect.stringContaining('model') });
    expect(await proxy.moveKey(hash, TEAMS.odd)).toEqual({ ok: true });
    await proxy.leaveTeam(TEAMS.plain, [user.userId]);
    expect(await proxy.keysOfUser(user.userId)).toEqual([{ ...key, teamId: TEAMS.odd }]);
    expect((await get(`/key/info?key=${hash}`)).info).toMatchObject({ max_budget: 3, models: ['fake-model'] });
    expect(await chat(row)).toBe(200);
  });

  it('switches a user’s keys off and on again, and leaves all other metadata alone', async () => {
    const user = newUser({ withKey: true });
    const [row] = await create(user);
    const theirs = { team: 'x', nested: { list: [1, { deep: 'ü' }] }, password: 'theirs' };
    await post('/user/update', { user_id: user.userId, metadata: theirs });
    expect(await chat(row)).toBe(200);
    expect(await proxy.setActivity(user.userId, false)).toMatchObject({
      ok: true,
      user: { activity: 'deactivated by us' },
    });
    expect(await chat(row)).toBe((await proxy.facts()).enforcesDeactivation ? 401 : 200);
    expect(await proxy.setActivity(user.userId, true)).toMatchObject({ ok: true, user: { activity: 'active' } });
    expect(await chat(row)).toBe(200);
    const { users } = await get(`/user/list?user_ids=${user.userId},${user.userId}`);
    expect(users[0].metadata).toEqual({ ...theirs, scim_active: true });
    await post('/user/update', { user_id: user.userId, metadata: { ...theirs, scim_active: false } });
    expect(await proxy.setActivity(user.userId, true)).toMatchObject({ ok: false });
    expect((await one(user))?.activity).toBe('deactivated by others');
    expect(log.lines.join('\n')).not.toContain('theirs');
  });

  it('deletes all of a call but whom the proxy cannot delete', async () => {
    const inviter = newUser({ role: 'proxy_admin', withKey: true });
    const others = Array.from({ length: 5 }, () => newUser({ teams: [TEAMS.plain] }));
    const [row] = await create(inviter, ...others);
    const guest = newUser();
    await create(guest);
    const { id } = await as(row).createInvitation(guest.userId);
    const ids = [inviter.userId, ...others.map((user) => user.userId)];
    const rows = await proxy.deleteUsers(ids);
    const minor = Number((await proxy.facts()).version?.split('.')[1]);
    const stays = rows.filter((deleted) => !deleted.ok);
    expect(stays).toEqual(
      minor === 75
        ? [{ userId: inviter.userId, ok: false, reason: expect.stringContaining('has made an invitation') }]
        : [],
    );
    expect((await proxy.findUsers(ids)).map((user) => user.userId)).toEqual(stays.map((user) => user.userId));
    if (minor === 75) await proxy.deleteInvitation(id);
    await proxy.deleteInvitation(id);
    expect(await proxy.deleteUsers([inviter.userId])).toEqual([{ userId: inviter.userId, ok: true }]);
  });

  it('tells members’ own budgets from the team’s', async () => {
    const team_id = `budget-${RUN}`;
    await post('/team/new', { team_id, team_member_budget: 7 });
    const [plain, own] = [newUser({ teams: [team_id] }), newUser()];
    await create(plain, own);
    await post('/team/member_add', { team_id, member: { user_id: own.userId, role: 'user' }, max_budget_in_team: 3 });
    const pairs = [plain, own].map(({ userId }) => ({ userId, teamId: team_id }));
    const found = await proxy.ownBudgets(pairs);
    await post('/team/delete', { team_ids: [team_id] });
    expect(found).toEqual([pairs[1]]);
  });
});
