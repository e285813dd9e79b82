import { describe, expect, it } from 'vitest';
import { type ApplyOptions, applyPlan } from '../../src/apply/apply.ts';
import { FileJournal } from '../../src/apply/journal.ts';
import { recover } from '../../src/apply/recover.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import type { Plan } from '../../src/core/plan-types.ts';
import { FakeProxy, type Fault } from './fake-proxy.ts';
import { add, linksIn, move, optionsFor, planOf, remove, setRole, started, teams } from './setup.ts';

const WANTED_TEAMS: Record<string, readonly string[]> = {
  'n1@example.com': ['a'],
  'n2@example.com': ['a', 'b'],
  'n3@example.com': [],
  'n4@example.com': ['b'],
  'n5@example.com': ['a'],
};

interface World {
  readonly proxy: FakeProxy;
  readonly plan: Plan;
  /** Moving users that were seen in neither team after some write. */
  readonly homeless: Set<string>;
}

function world(options: ConstructorParameters<typeof FakeProxy>[0] = {}): World {
  const proxy = new FakeProxy({ batchSize: 2, ...options });
  for (const id of ['d1', 'd2', 'd3', 'm1', 'm2', 'm3', 'r1', 'r2', 'r3', 'bystander']) {
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
    ...['r1', 'r2', 'r3'].map((id) => setRole(id, 'proxy_admin_viewer')),
  );
  return { proxy, plan, homeless };
}

/** What holds whatever went wrong. */
async function check({ proxy, homeless }: World, directory: string, outcomes: readonly Outcome[]): Promise<void> {
  const emails = [...proxy.users.values()].map((user) => user.email);
  expect(new Set(emails).size).toBe(emails.length);
  expect(proxy.madeUp).toEqual([]);
  expect([...homeless]).toEqual([]);
  expect(proxy.users.get('bystander')).toEqual({
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
      expect(outcome.keyShown).toBe(`sk-...${key?.secret.slice(-4)}`);
    } else if (/^(not created|not attempted)/.test(reason)) {
      expect(present).toBeUndefined();
    }
    return;
  }
  if (userId.startsWith('r') && status === 'SUCCESS') expect(user?.role).toBe('proxy_admin_viewer');
  if (userId.startsWith('m') && status === 'SUCCESS') expect([...(user?.teams ?? [])].toSorted()).toEqual(['b', 'c']);
}

async function writesOf(make: () => World, more: Partial<ApplyOptions> = {}): Promise<number> {
  const one = make();
  const { directory, options } = await started(one.proxy, more);
  const outcomes = await applyPlan(one.plan, options);
  await check(one, directory, outcomes);
  expect(outcomes.every((outcome) => outcome.status === 'SUCCESS')).toBe(true);
  return one.proxy.writes;
}

const PROXIES: readonly (readonly [string, ConstructorParameters<typeof FakeProxy>[0]])[] = [
  ['a proxy that tells teams and keys', {}],
  ['a proxy that does not tell teams', { silentTeams: true }],
  ['a proxy that makes no keys along', { forgetsKeys: true }],
];

describe.each(PROXIES)('%s, with one fault at every write in turn', (_, proxyOptions) => {
  const make = () => world(proxyOptions);

  it.each<Fault>(['lost-before', 'lost-after'])('%s: looked up, and all is done in the end', async (fault) => {
    const writes = await writesOf(make);
    expect(writes).toBeGreaterThan(15);
    for (let at = 1; at <= writes; at++) {
      const one = make();
      one.proxy.faults.set(at, fault);
      const { directory, options } = await started(one.proxy);
      const outcomes = await applyPlan(one.plan, options);
      await check(one, directory, outcomes);
      const failures = outcomes.filter((outcome) => outcome.status !== 'SUCCESS');
      expect(failures, `${fault} at write ${at}`).toEqual([]);
    }
  });

  it.each<Fault>(['refused', 'unauthorized'])('%s: rows tell the truth', async (fault) => {
    const writes = await writesOf(make);
    for (let at = 1; at <= writes; at++) {
      const one = make();
      one.proxy.faults.set(at, fault);
      const { directory, options } = await started(one.proxy);
      const outcomes = await applyPlan(one.plan, options);
      await check(one, directory, outcomes);
      expect(outcomes).toHaveLength(one.plan.changes.length);
      if (fault === 'unauthorized') {
        expect(one.proxy.writes - at, `writes after a 401 at ${at}`).toBeLessThan(options.concurrency);
      }
    }
  });

  it('every answer from some write on is lost: bounded, nothing doubled', async () => {
    const writes = await writesOf(make);
    for (const fault of ['lost-before', 'lost-after'] as const) {
      for (let at = 1; at <= writes; at++) {
        const one = make();
        for (let later = at; later < 300; later++) one.proxy.faults.set(later, fault);
        const { directory, options } = await started(one.proxy, { retries: 2 });
        const outcomes = await applyPlan(one.plan, options);
        expect(outcomes).toHaveLength(one.plan.changes.length);
        expect(one.proxy.madeUp).toEqual([]);
        expect([...one.homeless]).toEqual([]);
        one.proxy.faults.clear();
        const report = await recover(directory, optionsFor(one.proxy, options.journal));
        expect(report.state).toBe('settled');
        await check(one, directory, report.outcomes);
      }
    }
  });

  it.each<Fault>(['killed-before', 'killed-after'])(
    '%s: recovery settles it, also when killed itself',
    async (fault) => {
      const writes = await writesOf(make);
      for (let at = 1; at <= writes; at++) {
        const one = make();
        one.proxy.faults.set(at, fault);
        const directory = await killed(one, [at, fault]);
        const report = await recoverWithKills(one, directory, fault);
        expect(report.outcomes.map((outcome) => outcome.email)).toEqual(one.plan.changes.map((change) => change.email));
        await check(one, directory, report.outcomes);
        const unsaid = report.outcomes.filter(
          (outcome) => outcome.status === 'FAILED' && !outcome.reason.includes('next run'),
        );
        expect(unsaid, `${fault} at write ${at}`).toEqual([]);
        await expect(FileJournal.create(directory)).resolves.toBeInstanceOf(FileJournal);
      }
    },
  );
});

/** A run whose process dies at some write: what it had put on disk is there, nothing else. */
async function killed(one: World, fault: readonly [number, Fault]): Promise<string> {
  const { directory, journal, options } = await started(one.proxy);
  const life = one.proxy.begin([fault]);
  const run = applyPlan(one.plan, { ...options, proxy: life.bind(one.proxy), journal: life.bind(journal) });
  await Promise.race([run, life.died]);
  await journal.close();
  return directory;
}

/** Recovery that dies at its first write, then at its second, and so on, until one gets through. */
async function recoverWithKills(one: World, directory: string, fault: Fault) {
  for (let at = 1; at < 40; at++) {
    const life = one.proxy.begin([[at, fault]]);
    const journal = FileJournal.resume(directory);
    const options = { ...optionsFor(one.proxy, journal), proxy: life.bind(one.proxy) };
    const report = await Promise.race([recover(directory, options, life.bind(journal)), life.died]);
    await journal.close();
    if (report !== undefined) {
      expect(report.state).toBe('settled');
      return report;
    }
  }
  throw new Error('Recovery makes no headway.');
}
