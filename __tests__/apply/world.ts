import { expect } from 'vitest';
import { applyPlan } from '../../src/apply/apply.ts';
import { recover } from '../../src/apply/recover.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import type { Change, Plan } from '../../src/core/plan.ts';
import { FileJournal } from '../../src/journal/journal.ts';
import { FakeProxy, type Fault, hashOf } from './fake-proxy.ts';
import { add, invite, linksIn, move, optionsFor, planOf, remove, setRole, started, teams } from './setup.ts';

const WANTED_TEAMS: Record<string, readonly string[]> = {
  'n1@example.com': ['a'],
  'n2@example.com': ['a', 'b'],
  'n3@example.com': [],
  'n4@example.com': ['b'],
  'n5@example.com': ['a'],
};

export interface World {
  readonly proxy: FakeProxy;
  readonly plan: Plan;
  /** Moving users that were seen in neither team after some write. */
  readonly homeless: Set<string>;
}

export function world(options: ConstructorParameters<typeof FakeProxy>[0] = {}): World {
  const proxy = new FakeProxy({ batchSize: 2, ...options });
  for (const id of ['d1', 'd2', 'd3', 'm1', 'm2', 'm3', 'r1', 'r2', 'r3', 'i1', 'i2', 'i3', 'bystander']) {
    proxy.user(id, `${id}@example.com`);
  }
  proxy.team('a', 'm1', 'm2', 'm3', 'd1', 'bystander').team('b', 'd2').team('c');
  const homeless = new Set<string>();
  proxy.onWrite = () => {
    for (const id of ['m1', 'm2', 'm3']) {
      const inSome = ['a', 'b', 'c'].some(
        (team) => proxy.rosters.get(team)?.has(id) && proxy.users.get(id)?.teams.has(team),
      );
      if (proxy.users.has(id) && !inSome) homeless.add(id);
    }
  };
  const adds = Object.entries(WANTED_TEAMS).map(([email, ids], at) =>
    add(email, { teams: teams(...ids), keyName: at % 2 === 0 ? `key ${at}` : null }),
  );
  const plan = planOf(
    ...adds,
    ...['d1', 'd2', 'd3'].map((id) => remove(id)),
    ...['m1', 'm2', 'm3'].map((id) => move(id, ['a'], ['b', 'c'])),
    ...['i1', 'i2', 'i3'].map((id) => invite(id)),
    ...['r1', 'r2', 'r3'].map((id) => setRole(id, 'proxy_admin_viewer')),
  );
  return { proxy, plan, homeless };
}

/** What holds whatever went wrong. */
export async function check(
  { proxy, homeless }: World,
  directory: string,
  outcomes: readonly Outcome[],
): Promise<void> {
  const emails = [...proxy.users.values()].map((user) => user.email);
  expect(new Set(emails).size).toBe(emails.length);
  expect(proxy.madeUp).toEqual([]);
  expect([...homeless]).toEqual([]);
  expect(proxy.users.get('bystander')).toMatchObject({
    email: 'bystander@example.com',
    role: 'internal_user',
    teams: new Set(['a']),
  });
  const links = await linksIn(directory);
  const saved = new Set(links.map((row) => row.api_key));
  for (const key of proxy.keys) expect(saved).toContain(key.secret);
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
  if (userId.startsWith('r') && status === 'SUCCESS') expect(user?.role).toBe('proxy_admin_viewer');
  if (userId.startsWith('m') && status === 'SUCCESS') expect([...(user?.teams ?? [])].toSorted()).toEqual(['b', 'c']);
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
    if (change.kind === 'update' && change.teams !== null) {
      return [{ ...change, ...move(change.userId, [...(proxy.users.get(change.userId)?.teams ?? [])], ['b', 'c']) }];
    }
    return [change];
  };
  return planOf(...plan.changes.flatMap(stillDue));
}

/** A user who was created without one of their teams: the next plan adds the membership. */
function mend(proxy: FakeProxy, email: string): Change[] {
  const [userId, user] = [...proxy.users].find(([, one]) => one.email === email) ?? [];
  if (userId === undefined || user === undefined) return [];
  const wanted = WANTED_TEAMS[email] ?? [];
  const isMember = (team: string) => user.teams.has(team) && proxy.rosters.get(team)?.has(userId) === true;
  if (wanted.every(isMember)) return [];
  return [{ ...move(userId, [...user.teams], [...wanted]), email }];
}

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
function expectConverged({ proxy }: World): void {
  const byEmail = new Map([...proxy.users].map(([id, user]) => [user.email, { id, ...user }]));
  for (const [email, wanted] of Object.entries(WANTED_TEAMS)) {
    expect([...(byEmail.get(email)?.teams ?? ['absent'])].toSorted(), email).toEqual(wanted);
  }
  for (const id of ['d1', 'd2', 'd3']) expect(proxy.users.has(id)).toBe(false);
  for (const id of ['m1', 'm2', 'm3']) expect([...(proxy.users.get(id)?.teams ?? [])].toSorted()).toEqual(['b', 'c']);
  for (const id of ['r1', 'r2', 'r3']) expect(proxy.users.get(id)?.role).toBe('proxy_admin_viewer');
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
