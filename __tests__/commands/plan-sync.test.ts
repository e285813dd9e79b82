import { describe, expect, it } from 'vitest';
import { type PlanInputs, type PlanReads, planFor } from '../../src/commands/plan.ts';
import { FileProblemsError } from '../../src/commands/problems.ts';
import { NO_LIMITS, readUserList, type UserList, type UserRow } from '../../src/core/desired.ts';
import type { Inventory, ProxyKey } from '../../src/core/inventory.ts';
import { COLUMNS, FACTS, inventory, POLICY, short, TODAY, team, user } from '../core/build.ts';

const INPUTS: PlanInputs = { ...POLICY, csvFile: 'user_list.csv', apiKeys: true };

const KEY: ProxyKey = { hash: 'h', name: 'sk-...abcd', alias: 'bot', userId: 'ann', teamId: 'red', spend: 0 };

/** A proxy in memory that notes what it is asked for. */
function proxyOf(have: Inventory, over: Partial<PlanReads> = {}): PlanReads & { readonly asked: string[] } {
  const asked: string[] = [];
  const answer = <T>(name: string, value: T): Promise<T> => {
    asked.push(name);
    return Promise.resolve(value);
  };
  return {
    asked,
    inventory: () => answer('inventory', have),
    checkVersion: () => answer('version', undefined),
    facts: () => answer('facts', FACTS),
    modelNames: () => answer('models', new Set(['gpt-5'])),
    takenAliases: (aliases) => answer(`aliases ${aliases}`, new Map()),
    leavingKeys: (pairs) => answer(`keys of ${pairs.map(({ userId, teamId }) => `${userId} in ${teamId}`)}`, [KEY]),
    ownBudgets: (pairs) => answer('budgets', pairs),
    keyCounts: (userIds) => answer(`counts of ${userIds}`, new Map(userIds.map((id) => [id, 2]))),
    ...over,
  };
}

function listOf(csv: string, over: Readonly<Record<number, Partial<UserRow>>> = {}): UserList {
  const list = readUserList(new TextEncoder().encode(csv));
  return { ...list, rows: list.rows.map((row) => ({ ...row, ...over[row.line] })) };
}

const READS = ['facts', 'inventory', 'version'];
const teams = [team('red', ['ann']), team('blue')];
const have = inventory([user('ann', { teams: ['red'] }), user('bob', { keyCount: null })], teams);

async function problemsOf(plan: Promise<unknown>): Promise<readonly string[]> {
  const error = await plan.catch((thrown: unknown) => thrown);
  if (!(error instanceof FileProblemsError)) throw new Error('no problems');
  return error.problems.map(({ message }) => message);
}

describe('what a plan costs', () => {
  it('is looked up for those who leave a team or the proxy, and for nobody else', async () => {
    const proxy = proxyOf(have);
    const { plan } = await planFor(listOf('email,team_name\nann@x.io,blue\n'), INPUTS, proxy, TODAY);
    expect(proxy.asked.slice(3)).toEqual(['keys of ann in red', 'budgets', 'counts of bob']);
    expect(plan.changes).toMatchObject([
      { kind: 'delete', keyCount: 2 },
      { leftKeys: [{ key: KEY, fate: 'moves' }], losses: [{ what: 'own budget in the team' }] },
    ]);
  });

  it('is not asked for where nothing is lost', async () => {
    const proxy = proxyOf(have);
    const { plan } = await planFor(listOf('email,team_name\nann@x.io,red;blue\nbob@x.io,\n'), INPUTS, proxy, TODAY);
    expect(plan.changes.map(short)).toEqual(['~ ann join blue leave -']);
    expect(proxy.asked.sort()).toEqual(READS);
  });

  it('is not known where keys may not be listed', async () => {
    const proxy = proxyOf(have, { leavingKeys: () => Promise.resolve('unknown') });
    const { plan } = await planFor(listOf('email,team_name\nann@x.io,blue\nbob@x.io,\n'), INPUTS, proxy, TODAY);
    expect(plan.changes).toMatchObject([{ leftKeys: 'unknown' }]);
  });
});

describe('models', () => {
  const csv = 'email\nann@x.io\nbob@x.io\n';
  const models = { 2: { limits: { ...NO_LIMITS, models: { kind: 'value', value: ['gpt-5o'] } } } } as const;

  it('are asked for where a row names some', async () => {
    const proxy = proxyOf(have);
    const { plan } = await planFor(listOf(csv, models), INPUTS, proxy, TODAY);
    expect(proxy.asked).toContain('models');
    expect(plan.warnings).toEqual([expect.stringContaining('Did you mean `gpt-5`?')]);
  });

  it('that may not be read are no reason to have no plan', async () => {
    const proxy = proxyOf(have, { modelNames: () => Promise.reject(new Error('403')) });
    const { plan } = await planFor(listOf(csv, models), INPUTS, proxy, TODAY);
    expect(plan.changes).toHaveLength(1);
    expect(plan.warnings).toEqual([expect.stringContaining('not checked')]);
  });
});

describe('an expired row', () => {
  const csv = 'email,role,team_name,key_name\nann@x.io,,,\nbob@x.io,,,\nold@x.io,boss,gone,k\nodd,,,\n';
  const past = { expires: '2026-01-01', columns: { ...COLUMNS, team: 3, key: 4, expires: 9 } };

  it('is checked for email and date alone', async () => {
    const found = await problemsOf(planFor(listOf(csv, { 4: past, 5: past }), INPUTS, proxyOf(have), TODAY));
    expect(found).toEqual([expect.stringContaining('Invalid email format: `odd`')]);
    const list = listOf(csv.replace('odd,,,\n', ''), { 4: past });
    const about = (column: number | null) => ({ line: 4, column, message: `about ${column}` });
    const problems = [...list.problems, about(9), about(null), { line: null, column: null, message: 'of the file' }];
    const others = await problemsOf(planFor({ ...list, problems }, INPUTS, proxyOf(have), TODAY));
    expect(others).toEqual(['of the file', 'about null', 'about 9']);
  });

  it('is checked as a whole while it has not expired', async () => {
    const future = { ...past, expires: TODAY };
    const found = await problemsOf(planFor(listOf(csv, { 4: future, 5: past }), INPUTS, proxyOf(have), TODAY));
    expect(found.some((message) => message.startsWith('Invalid role `boss`'))).toBe(true);
    expect(found.some((message) => message.startsWith('Unknown team `gone`'))).toBe(true);
  });
});

describe('problems', () => {
  it('of the file count before a proxy that cannot be read', async () => {
    const proxy = proxyOf(have, { facts: () => Promise.reject(new Error('503')) });
    await expect(planFor(listOf('email\nann@x.io\n'), INPUTS, proxy, TODAY)).rejects.toThrow('503');
    expect(await problemsOf(planFor(listOf('email,role\nann@x.io,boss\n'), INPUTS, proxy, TODAY))).toHaveLength(1);
  });

  it('of a file without users come before any request', async () => {
    const proxy = proxyOf(have);
    expect(await problemsOf(planFor(listOf('email\n'), INPUTS, proxy, TODAY))).toHaveLength(1);
    expect(proxy.asked).toEqual([]);
  });

  it('of key names are those of new users', async () => {
    const taken = proxyOf(have, { takenAliases: () => Promise.resolve(new Map([['k', null]])) });
    const list = listOf('email,key_name\nann@x.io,k\nbob@x.io,\nnew@x.io,k\n');
    expect(await problemsOf(planFor(list, INPUTS, taken, TODAY))).toEqual([
      expect.stringContaining('named `k` exists'),
    ]);
    const { plan } = await planFor(list, { ...INPUTS, apiKeys: false }, taken, TODAY);
    expect(plan.changes).toHaveLength(1);
  });
});
