import fc from 'fast-check';
import { expect, test } from 'vitest';
import { desiredUsers, readUserList } from '../../src/core/desired.ts';
import { makePlan } from '../../src/core/diff.ts';
import { exportList } from '../../src/core/export-list.ts';
import { emailKey, type Inventory, type UserLimits } from '../../src/core/inventory.ts';
import { UsersByEmail } from '../../src/core/scope.ts';
import { teamDirectory } from '../../src/core/teams.ts';
import { usersCsv } from '../../src/render/csv.ts';
import { FACTS, inventory, POLICY, TODAY, team, UNLIMITED, user } from './build.ts';

const ODD = fc.constantFrom('-', ';', ' ', '"', ',', '=', "'", '#', '+', '@', 'a', 'B', 'é', '\n', '\t');
const name = fc.string({ unit: ODD, minLength: 1, maxLength: 5 });
const email = fc.oneof(
  fc
    .string({ unit: fc.constantFrom('a', 'B', '#', '=', "'", '"', ',', ';', ' ', '-'), minLength: 1, maxLength: 6 })
    .map((text) => `${text}@x.io`),
  fc.constantFrom('', ' ', 'a@x.io', 'A@x.io'),
);
const role = fc.constantFrom('internal_user', 'proxy_admin', 'default', null, '', 'customer');

const limits: fc.Arbitrary<UserLimits> = fc.record({
  maxBudget: fc.constantFrom(null, 0, 0.1, 1e-7, 50, -1, 12345.678),
  budgetDuration: fc.constantFrom(null, '30d', '1mo', 'monthly'),
  tpmLimit: fc.constantFrom(null, 0, 1000, 1.5),
  rpmLimit: fc.constantFrom(null, 7),
  models: fc.array(
    fc.constantFrom('gpt-4o', 'all-proxy-models', 'no-default-models', 'a;b', ' x', '-', 'caf\u0065\u0301'),
  ),
});

/** A proxy where names, emails, halves of memberships and roles are as odd as they can be. */
const proxies: fc.Arbitrary<Inventory> = fc
  .tuple(
    fc.uniqueArray(fc.tuple(name, fc.option(name)), { maxLength: 6, selector: ([id]) => id }),
    fc.array(fc.tuple(fc.option(email), role, fc.array(fc.nat(9)), fc.array(fc.nat(9)), limits), { maxLength: 8 }),
  )
  .map(([teams, users]) => {
    const memberOf = users.map(([, , claimed, listed]) => ({ claimed, listed }));
    return inventory(
      users.map(([mail, kind, , , limited], index) =>
        user(`u${index}`, {
          email: mail,
          role: kind,
          limits: limited,
          teams: (memberOf[index]?.claimed ?? []).map((at) => teams[at]?.[0] ?? 'gone'),
        }),
      ),
      teams.map(([id, alias], at) =>
        team(
          id,
          memberOf.flatMap(({ claimed, listed }, index) =>
            ((at + index) % 4 > 0 ? claimed : listed).includes(at) ? [`u${index}`] : [],
          ),
          alias,
        ),
      ),
    );
  });

test('a plan right after an export changes nothing; users with one email are the only problem', () => {
  fc.assert(
    fc.property(proxies, fc.boolean(), (have, limits) => {
      const list = exportList(have, ['u7'], { limits });
      const directory = teamDirectory(have.teams);
      const read = readUserList(new TextEncoder().encode(usersCsv(list.rows, { limits })));
      const byEmail = new UsersByEmail(have.users);
      const { users, problems } = desiredUsers(read, { directory, emails: byEmail, today: TODAY });
      const proxy = { inventory: have, users: byEmail, directory, facts: FACTS, modelNames: null };
      const planned = makePlan(users, proxy, { ...POLICY, protectedUsers: ['u7'] }, TODAY);
      expect(planned.plan.changes).toEqual([]);
      expect(problems).toEqual([]);
      expect(planned.problems).toHaveLength(list.shared.length);
    }),
    { numRuns: 2000 },
  );
});

test('the order of the proxy does not show', () => {
  fc.assert(
    fc.property(proxies, (have) => {
      const turned = { ...have, users: [...have.users].reverse(), teams: [...have.teams].reverse() };
      expect(exportList(turned, []).rows).toEqual(exportList(have, []).rows);
    }),
  );
});

test.each([
  ['x\ny', null, ''],
  ['-', null, ''],
  ['x;y', null, 'x;y'],
  ['t1', 'x;y', 't1'],
  ['t1', ';', 't1'],
  ['t1', ',', 't1'],
  ['t1', '-', 't1'],
  ['t1', ' x', 't1'],
  ['t1', '', 't1'],
  ['t1', 'a, b', 'a, b'],
])('a team %j of the name %j is written %j', (id, alias, cell) => {
  const have = inventory([user('a', { teams: [id] })], [team(id, ['a'], alias)]);
  expect(exportList(have, [])).toMatchObject({
    rows: [{ email: 'a@x.io', role: 'internal_user', teamName: cell }],
    unnamable: cell === '' ? ['a@x.io'] : [],
  });
});

test('names that joined are the name of another team are written by their ids', () => {
  const teams = [team('1', ['a'], 'x'), team('2', ['a'], 'y'), team('3', [], 'x;y')];
  expect(exportList(inventory([user('a', { teams: ['1', '2'] })], teams), []).rows[0]?.teamName).toBe('1;2');
});

test('who is deactivated is left out and counted', () => {
  const users = [
    user('a'),
    user('b', { activity: 'deactivated by us' }),
    user('c', { activity: 'deactivated by others' }),
    user('d', { activity: 'deactivated by others', email: null }),
  ];
  const { rows, inactive } = exportList(inventory(users), []);
  expect([rows.map((row) => row.email), inactive]).toEqual([['a@x.io'], 3]);
});

test('of several users with one email the one that is not protected is written', () => {
  const twins = [user('a', { email: 'two@x.io' }), user('vip', { email: 'Two@x.io', role: 'proxy_admin' })];
  expect(exportList(inventory(twins), ['vip'])).toMatchObject({
    rows: [{ email: 'two@x.io', role: 'internal_user' }],
    shared: [],
  });
  expect(exportList(inventory(twins), []).shared).toHaveLength(1);
});

test('limits are written on demand; one that no cell can say leaves its cell blank, and is told', () => {
  const limited = { ...UNLIMITED, maxBudget: 50, budgetDuration: 'monthly', models: ['gpt-4o', 'o3'] };
  const list = exportList(inventory([user('a', { limits: limited }), user('b')]), [], { limits: true });
  expect(list.unwritableLimits).toEqual(['a@x.io']);
  expect(
    usersCsv(list.rows, { limits: true }),
  ).toBe(`email,role,team_name,max_budget,budget_duration,tpm_limit,rpm_limit,models
a@x.io,internal_user,-,50,,-,-,gpt-4o;o3
b@x.io,internal_user,-,-,-,-,-,all-proxy-models
`);
  expect(usersCsv(list.rows)).toContain('email,role,team_name\na@x.io,internal_user,-\n');
});

test('rows are sorted by email in lower case', () => {
  const have = inventory([user('b'), user('a', { email: 'Z@x.io' }), user('c', { email: 'A@x.io' })]);
  expect(exportList(have, []).rows.map((row) => emailKey(row.email))).toEqual(['a@x.io', 'b@x.io', 'z@x.io']);
});
