import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readUserList, resolveTeams } from '../../src/core/desired.ts';
import { makePlan } from '../../src/core/diff.ts';
import { exportList } from '../../src/core/export-list.ts';
import { emailKey, type Inventory } from '../../src/core/inventory.ts';
import { teamDirectory } from '../../src/core/teams.ts';
import { usersCsv } from '../../src/render/csv.ts';
import { FACTS, inventory, POLICY, TODAY, team, user } from './build.ts';

const ODD = fc.constantFrom('-', ';', ' ', '"', ',', '=', "'", '#', '+', '@', 'a', 'B', 'é', '\n', '\t');
const name = fc.string({ unit: ODD, minLength: 1, maxLength: 5 });
const email = fc.oneof(
  fc
    .string({ unit: fc.constantFrom('a', 'B', '#', '=', "'", '"', ',', ';', ' ', '-'), minLength: 1, maxLength: 6 })
    .map((text) => `${text}@x.io`),
  fc.constantFrom('', ' ', 'a@x.io', 'A@x.io'),
);
const role = fc.constantFrom('internal_user', 'proxy_admin', 'default', null, '', 'customer');

/** A proxy where names, emails, halves of memberships and roles are as odd as they can be. */
const proxies: fc.Arbitrary<Inventory> = fc
  .tuple(
    fc.uniqueArray(fc.tuple(name, fc.option(name)), { maxLength: 6, selector: ([id]) => id }),
    fc.array(fc.tuple(fc.option(email), role, fc.array(fc.nat(9)), fc.array(fc.nat(9))), { maxLength: 8 }),
  )
  .map(([teams, users]) => {
    const memberOf = users.map(([, , claimed, listed]) => ({ claimed, listed }));
    return inventory(
      users.map(([mail, kind], index) =>
        user(`u${index}`, {
          email: mail,
          role: kind,
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
    fc.property(proxies, (have) => {
      const list = exportList(have, []);
      const directory = teamDirectory(have.teams);
      const read = readUserList(new TextEncoder().encode(usersCsv(list.rows)));
      const { users, problems } = resolveTeams(read.rows, directory);
      const planned = makePlan(users, { inventory: have, directory, facts: FACTS, modelNames: null }, POLICY, TODAY);
      expect(planned.plan.changes).toEqual([]);
      expect([...read.problems, ...problems]).toEqual([]);
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

test('a team that no cell can name leaves the cell blank, and is told', () => {
  const have = inventory([user('a', { teams: ['x;y'] })], [team('x;y', ['a'], null)]);
  expect(exportList(have, [])).toMatchObject({
    rows: [{ email: 'a@x.io', role: 'internal_user', teamName: '' }],
    unnamable: ['a@x.io'],
  });
});

test('rows are sorted by email in lower case', () => {
  const have = inventory([user('b'), user('a', { email: 'Z@x.io' }), user('c', { email: 'A@x.io' })]);
  expect(exportList(have, []).rows.map((row) => emailKey(row.email))).toEqual(['a@x.io', 'b@x.io', 'z@x.io']);
});
