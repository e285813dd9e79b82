import { expect } from 'vitest';
import { applyPlan } from '../../src/apply/apply.ts';
import { recover } from '../../src/apply/recover.ts';
import { keyFates } from '../../src/core/costs.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import type { Change, Plan, UpdateChange } from '../../src/core/plan.ts';
import { sameLimit } from '../../src/core/user-limits.ts';
import { FileJournal } from '../../src/journal/journal.ts';
import { FACTS, FakeProxy, type Fault, hashOf, NO_LIMITS } from './fake-proxy.ts';
import {
  add,
  deactivate,
  invite,
  linksIn,
  move,
  moveWithKeys,
  optionsFor,
  planOf,
  remove,
  rename,
  setLimits,
  setRole,
  started,
  teams,
  update,
} from './setup.ts';

const WANTED_TEAMS: Record<string, readonly string[]> = {
  'n1@example.com': ['a'],
  'n2@example.com': ['a', 'b'],
  'n3@example.com': [],
  'n4@example.com': ['b'],
  'n5@example.com': ['a'],
};

/** Asked for by new users; the budget goes against the proxy's configured default. */
const WANTED_LIMITS = { maxBudget: 50, tpmLimit: 1000 };

const MOVED = ['m1', 'm2', 'm3', 'k1', 'k2', 'k3'];

export interface World {
  readonly proxy: FakeProxy;
  readonly plan: Plan;
  /** Moving users that were seen in neither team after some write. */
  readonly homeless: Set<string>;
  /** Keys of before that no write may delete, by their hash: those that move, and those that no team is left for. */
  readonly keys: ReadonlySet<string>;
}

export function world(options: ConstructorParameters<typeof FakeProxy>[0] = {}): World {
  const proxy = new FakeProxy({ batchSize: 2, defaultBudget: 10, ...options });
  const ids = [
    'd1',
    'd2',
    'd3',
    'm1',
    'm2',
    'm3',
    'k1',
    'k2',
    'k3',
    'r1',
    'r2',
    'r3',
    'i1',
    'i2',
    'l1',
    'n',
    'off',
    'on',
    'bystander',
  ];
  for (const id of ids) proxy.user(id, `${id}@example.com`);
  proxy.user('boss', 'boss@example.com', 'proxy_admin').user('other-boss', 'other-boss@example.com', 'proxy_admin');
  proxy.team('a', 'm1', 'm2', 'm3', 'k1', 'k2', 'k3', 'd1', 'bystander').team('b', 'd2', 'k2').team('c', 'k3');
  proxy.set('boss', { maxBudget: 300 }).set('l1', { maxBudget: 5, rpmLimit: 7, models: ['gpt'] });
  proxy.set('on', { activity: 'deactivated by us', maxBudget: 5 });
  const keys = new Set([
    ...['k1 one', 'k1 two'].map((alias) => proxy.key('k1', 'a', alias)),
    ...['k2 one', 'k2 two'].map((alias) => proxy.key('k2', 'a', alias)),
    ...['k3 one', 'k3 two'].map((alias) => proxy.key('k3', 'a', alias)),
    ...['k1', 'n', 'off', 'on', 'l1', 'bystander'].map((id) => proxy.key(id, null, `${id} personal`)),
  ]);
  const homeless = new Set<string>();
  proxy.onWrite = () => {
    for (const id of MOVED) {
      const inSome = ['a', 'b', 'c'].some(
        (team) => proxy.rosters.get(team)?.has(id) && proxy.users.get(id)?.teams.has(team),
      );
      if (proxy.users.has(id) && !inSome) homeless.add(id);
    }
  };
  const adds = Object.entries(WANTED_TEAMS).map(([email, wanted], at) => {
    const limits = email === 'n5@example.com' ? WANTED_LIMITS : at === 0 ? { maxBudget: 50 } : {};
    return add(email, { teams: teams(...wanted), keyName: at % 2 === 0 ? `key ${at}` : null, limits });
  });
  const boss = { role: { from: 'proxy_admin', to: 'internal_user' }, currentRole: 'proxy_admin' } as const;
  const changes = [
    ...adds,
    ...['d1', 'd2', 'd3'].map((id) => remove(id)),
    deactivate('off'),
    ...['m1', 'm2', 'm3'].map((id) => move(id, ['a'], ['b', 'c'])),
    ...['i1', 'i2'].map((id) => invite(id)),
    moveWithKeys('k1', ['a'], ['b'], 'b'),
    moveWithKeys('k2', ['a', 'b'], ['b'], 'b'),
    // Planned anew once the first is joined, there is no destination for the keys.
    moveWithKeys('k3', ['a', 'c'], ['b', 'c'], 'b'),
    ...['r1', 'r2', 'r3'].map((id) => setRole(id, 'proxy_admin_viewer')),
    update('boss', { ...boss, currentLimits: { ...NO_LIMITS, maxBudget: 300 } }),
    rename('n', 'renamed@example.com'),
    setLimits('l1', ...LIMITS),
    update('on', { reactivates: true, limits: [{ field: 'maxBudget', from: 5, to: 20 }] }),
  ];
  return { proxy, plan: { ...planOf(...changes), admins: 2 }, homeless, keys };
}

const LIMITS = [
  { field: 'maxBudget', from: 5, to: 200 },
  { field: 'budgetDuration', from: null, to: '30d' },
  { field: 'rpmLimit', from: 7, to: null },
] as const;

/** What holds whatever went wrong. */
export async function check(
  { proxy, homeless, keys }: World,
  directory: string,
  outcomes: readonly Outcome[],
): Promise<void> {
  const emails = [...proxy.users.values()].map((user) => user.email);
  expect(new Set(emails).size).toBe(emails.length);
  expect(proxy.madeUp).toEqual([]);
  expect([...homeless]).toEqual([]);
  expect(proxy.users.get('bystander')).toEqual({
    email: 'bystander@example.com',
    role: 'internal_user',
    teams: new Set(['a']),
    limits: NO_LIMITS,
    activity: 'active',
  });
  expect(proxy.lostKeys).toEqual([]);
  expect(proxy.keys.map(hashOf)).toEqual(expect.arrayContaining([...keys]));
  expect(proxy.users.get('boss')?.limits.maxBudget).toBe(300);
  const on = proxy.users.get('on');
  expect(on?.activity === 'active' && on.limits.maxBudget !== 20).toBe(false);
  const links = await linksIn(directory);
  const saved = new Set(links.map((row) => row.api_key));
  for (const key of proxy.keys) if (!keys.has(hashOf(key))) expect(saved).toContain(key.secret);
  for (const outcome of outcomes) truthful(proxy, outcome, links);
}

function truthful(proxy: FakeProxy, outcome: Outcome, links: readonly Record<string, string>[]): void {
  const { action, status, userId, email, reason } = outcome;
  expect(reason === '').toBe(status === 'SUCCESS');
  expect(reason).not.toContain('\n');
  if (action === 'DELETED') {
    if (status === 'SUCCESS') expect(proxy.users.has(userId)).toBe(false);
    return;
  }
  if (action === 'UNCHANGED' && status === 'SUCCESS') expectLinks(proxy, links, [userId]);
  const user = proxy.users.get(userId);
  if (action === 'ADDED') {
    const present = [...proxy.users].find(([, one]) => one.email === email);
    if (status === 'SUCCESS') {
      expect(present?.[0]).toBe(userId);
      expect([...(user?.teams ?? [])].toSorted()).toEqual(WANTED_TEAMS[email]);
      for (const team of WANTED_TEAMS[email] ?? []) expect(proxy.rosters.get(team)).toContain(userId);
      if (email === 'n5@example.com') expect(user?.limits).toMatchObject(WANTED_LIMITS);
      const row = links.find((one) => one.user_id === userId);
      const key = proxy.keys.find((one) => one.userId === userId);
      expect(row).toMatchObject({ email, api_key: key?.secret, key_name: key?.alias ?? '' });
      expect(proxy.invitations.some(({ id }) => id === row?.invitation_id)).toBe(true);
      expect(outcome.key).toEqual({ hash: key && hashOf(key), shown: `sk-...${key?.secret.slice(-4)}` });
    } else if (/^(not created|not attempted)/.test(reason)) {
      expect(present).toBeUndefined();
    }
    return;
  }
  if (status === 'SUCCESS') settled(proxy, userId);
}

/** The user is as the plan wants them. */
function settled(proxy: FakeProxy, userId: string): void {
  const user = proxy.users.get(userId);
  const memberships = [...(user?.teams ?? [])].toSorted();
  if (userId.startsWith('r')) expect(user?.role).toBe('proxy_admin_viewer');
  if (userId.startsWith('m')) expect(memberships).toEqual(['b', 'c']);
  if (userId.startsWith('k')) {
    expect(memberships).toEqual(userId === 'k3' ? ['b', 'c'] : ['b']);
    const own = proxy.keys.filter((key) => key.userId === userId && key.alias !== `${userId} personal`);
    expect(own.map((key) => key.teamId)).toEqual(['b', 'b']);
  }
  if (userId === 'boss') expect(user?.role).toBe('internal_user');
  if (userId === 'n') expect(user?.email).toBe('renamed@example.com');
  if (userId === 'l1') {
    expect(user?.limits).toEqual({
      maxBudget: 200,
      budgetDuration: '30d',
      tpmLimit: null,
      rpmLimit: null,
      models: ['gpt'],
    });
  }
  if (userId === 'off') expect(user?.activity).toBe('deactivated by us');
  if (userId === 'on') expect(user).toMatchObject({ activity: 'active', limits: { maxBudget: 20 } });
}

/** Everybody for whom the proxy made a link has one that works. */
export async function expectNoLinkLost({ proxy }: World, directory: string): Promise<void> {
  expectLinks(proxy, await linksIn(directory), new Set(proxy.invitations.map(({ userId }) => userId)));
}

function expectLinks(proxy: FakeProxy, links: readonly Record<string, string>[], userIds: Iterable<string>): void {
  for (const userId of userIds) {
    const row = links.find((one) => one.user_id === userId);
    expect(proxy.invitations).toContainEqual({ id: row?.invitation_id, userId });
  }
}

/** What a fresh plan finds still to be done. */
function planAgain({ proxy, plan }: World): Plan {
  const emails = new Set([...proxy.users.values()].map((user) => user.email));
  const stillDue = (change: Change): Change[] => {
    if (change.kind === 'add' && emails.has(change.email)) return mend(proxy, change.email);
    if (change.kind === 'delete' && !proxy.users.has(change.userId)) return [];
    if (change.kind === 'update') return [replanned(proxy, change)];
    return [change];
  };
  return { ...planOf(...plan.changes.flatMap(stillDue)), admins: plan.admins };
}

function replanned(proxy: FakeProxy, change: UpdateChange): UpdateChange {
  const user = proxy.users.get(change.userId);
  if (user === undefined) return change;
  const [present, wanted] = [[...user.teams], (change.teams?.to ?? []).map((team) => team.teamId)];
  const reactivates = change.reactivates && user.activity !== 'active';
  const now = { currentLimits: user.limits, currentRole: user.role, reactivates };
  if (change.teams === null) return { ...change, ...now };
  const moved = move(change.userId, present, wanted);
  const fates = keyFates(moved.teams, FACTS, 'move');
  return { ...change, ...now, teams: moved.teams, keyFates: fates, currentTeams: moved.currentTeams };
}

/** A user who was created without one of their teams or limits: the next plan sets what is missing. */
function mend(proxy: FakeProxy, email: string): Change[] {
  const [userId, user] = [...proxy.users].find(([, one]) => one.email === email) ?? [];
  if (userId === undefined || user === undefined) return [];
  const wanted = WANTED_TEAMS[email] ?? [];
  const isMember = (team: string) => user.teams.has(team) && proxy.rosters.get(team)?.has(userId) === true;
  const { teams: toMove } = move(userId, [...user.teams], [...wanted]);
  const limits = email !== 'n5@example.com' || sameLimit(user.limits.maxBudget, 50) ? [] : [FIFTY];
  if (wanted.every(isMember) && limits.length === 0) return [];
  return [{ ...update(userId, { limits, teams: toMove, currentTeams: teams(...user.teams) }), email }];
}

const FIFTY = { field: 'maxBudget', from: 10, to: 50 } as const;

/** The next run in the same directory, on a proxy that works: it recovers, plans afresh, and all is as wanted. */
export async function secondRun(one: World, directory: string): Promise<void> {
  one.proxy.begin([]);
  const recovered = await recover(directory, optionsFor(one.proxy, FileJournal.resume(directory)));
  expect(recovered?.isComplete).not.toBe(false);
  await check(one, directory, recovered?.outcomes ?? []);
  const journal = await FileJournal.create(directory);
  const outcomes = await applyPlan(planAgain(one), optionsFor(one.proxy, journal));
  await check(one, directory, outcomes);
  expectConverged(one);
}

/** Everybody whom the plan names is as it wants them. */
function expectConverged({ proxy, plan }: World): void {
  const byEmail = new Map([...proxy.users].map(([id, user]) => [user.email, { id, ...user }]));
  for (const [email, wanted] of Object.entries(WANTED_TEAMS)) {
    expect([...(byEmail.get(email)?.teams ?? ['absent'])].toSorted(), email).toEqual(wanted);
  }
  expect(byEmail.get('n5@example.com')?.limits).toMatchObject(WANTED_LIMITS);
  for (const change of plan.changes) {
    if (change.kind === 'delete') expect(proxy.users.has(change.userId)).toBe(false);
    else if (change.kind !== 'add' && change.kind !== 'invite') settled(proxy, change.userId);
  }
}

/** A run whose process dies at some write: what it had put on disk is there, nothing else. */
export async function killed(one: World, fault: readonly [number, Fault]): Promise<string> {
  const { directory, journal, options } = await started(one.proxy);
  const life = one.proxy.begin([fault]);
  const run = applyPlan(one.plan, { ...options, proxy: life.bind(one.proxy), journal: life.bind(journal) });
  await Promise.race([run, life.died]);
  await journal.close();
  return directory;
}

/** Recovery that dies at its first write, then at its second, and so on, until one gets through. */
export async function recoverWithKills(one: World, directory: string, fault: Fault) {
  for (let at = 1; at < 40; at++) {
    const life = one.proxy.begin([[at, fault]]);
    const journal = FileJournal.resume(directory);
    const options = { ...optionsFor(one.proxy, journal), proxy: life.bind(one.proxy) };
    const report = await Promise.race([recover(directory, options, life.bind(journal)), life.died]);
    await journal.close();
    if (report !== undefined) {
      if (report === null) throw new Error('Recovery found no journal.');
      expect(report.isComplete).toBe(true);
      return report;
    }
  }
  throw new Error('Recovery makes no headway.');
}
