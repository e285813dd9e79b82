import { describe, expect, it } from 'vitest';
import { DELETE_LIST, readUserList } from '../../src/core/desired.ts';
import type { Change } from '../../src/core/plan.ts';
import {
  freeKeyNames,
  Lookup,
  newUsers,
  outcomesOfRows,
  planAdds,
  planDeletes,
  planInvites,
  problemsOfFile,
  Rows,
  rowPlan,
  skipExisting,
} from '../../src/core/row-plan.ts';
import { outcome } from '../render/plans.ts';
import { inventory, POLICY, short, team, user } from './build.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function rowsOf(csv: string, action: 'ADDED' | 'DELETED' = 'ADDED'): Rows {
  const list = readUserList(bytes(csv), action === 'DELETED' ? DELETE_LIST : undefined);
  const rows = new Rows(list.rows, action, 'internal_user');
  rows.refuse(list.problems);
  return rows;
}

function left(rows: Rows): unknown[] {
  return [...rows.left.values()].map(({ status, email, userId, reason }) => [status, email, userId, reason]);
}

const have = inventory(
  [
    user('ann', { teams: ['red'], keyCount: 1 }),
    user('own'),
    user('cat', { role: 'customer' }),
    user('vip'),
    user('two-1', { email: 'two@x.io' }),
    user('two-2', { email: 'Two@x.io' }),
    user('root', { email: 'root@localhost' }),
  ],
  [team('red', ['ann'])],
  'own',
);
const lookup = new Lookup(have, { ...POLICY, protectedUsers: ['vip'] });

describe('rows to add', () => {
  function plan(csv: string, taken: string[] = []) {
    const rows = rowsOf(csv);
    skipExisting(rows, lookup);
    const users = freeKeyNames(newUsers(rows, lookup, rows.open), rows, new Set(taken));
    return { changes: [...planAdds(users, lookup).values()].map(short), left: left(rows) };
  }

  it('skips who exists, also one that may not be touched, in any letter case', () => {
    expect(plan('email,role\nANN@x.io,proxy_admin\nvip@x.io,\nnew@x.io,\n')).toEqual({
      changes: ['+ new@x.io internal_user default null'],
      left: [
        ['SKIPPED', 'ANN@x.io', '', 'User already exists in the system'],
        ['SKIPPED', 'vip@x.io', '', 'User already exists in the system'],
      ],
    });
  });

  it('leaves bad rows aside, in the manual’s words, and goes on with the others', () => {
    const csv =
      'email,role,team_name,key_name\nbad@,,,\na@x.io,boss,,\nb@x.io,,blu,\nc@x.io,,red,k\nd@x.io,,,k\ne@x.io,,,old\n';
    const { changes, left } = plan(csv, ['old']);
    expect(changes).toEqual(['+ c@x.io internal_user red k']);
    expect(left).toEqual([
      ['FAILED', 'a@x.io', '', expect.stringMatching(/^Invalid role `boss`\./)],
      ['FAILED', 'bad@', '', 'Invalid email format'],
      ['FAILED', 'b@x.io', '', expect.stringMatching(/^Team not found: `blu`\./)],
      ['FAILED', 'd@x.io', '', 'key_name `k` stands on line 5 already. Key names are unique.'],
      ['FAILED', 'e@x.io', '', expect.stringMatching(/^A key named `old` exists on the proxy already/)],
    ]);
  });

  it('gives one row all of its reasons', () => {
    const rows = rowsOf('email,role,team_name\na@x.io,boss,-;red\n');
    expect(rows.open).toEqual([]);
    expect(left(rows)).toEqual([['FAILED', 'a@x.io', '', expect.stringMatching(/Invalid role.*must stand alone/)]]);
    expect(rows.problems).toHaveLength(2);
  });

  it('says of a row that is left what it asked for', () => {
    const rows = rowsOf('email,role,team_name\nann@x.io,,red;blue\nvip@x.io,default,\n');
    skipExisting(rows, lookup);
    expect([...rows.left.values()].map(({ role, teamName }) => [role, teamName])).toEqual([
      ['internal_user', 'red;blue'],
      ['default', ''],
    ]);
  });
});

describe('rows of existing users, who get a link', () => {
  it('are taken as the proxy has them; whoever must not be touched is refused', () => {
    const rows = rowsOf('email,role\nANN@x.io,proxy_admin\nvip@x.io,\nown@x.io,\ncat@x.io,\ntwo@x.io,\nnew@x.io,\n');
    const found = planInvites(rows, lookup);
    expect([...found.values()].map(short)).toEqual(['= ann@x.io ann internal_user red']);
    expect([...found.keys()]).toEqual([2]);
    expect(rows.open.map((row) => row.email)).toEqual(['ANN@x.io', 'new@x.io']);
    expect(left(rows)).toEqual([
      ['FAILED', 'vip@x.io', 'vip', '`vip@x.io` is protected by `protected-users`.'],
      ['FAILED', 'own@x.io', 'own', expect.stringContaining('whose key this run uses')],
      ['FAILED', 'cat@x.io', 'cat', expect.stringContaining('not managed here')],
      ['FAILED', 'two@x.io', 'two-1;two-2', expect.stringContaining('2 users on the proxy have the email')],
    ]);
  });
});

describe('rows that would make a second account, or a link that opens nothing', () => {
  const nameless = new Lookup(inventory([user('ann@x.io', { email: null })]), POLICY);

  it.each([
    ['add', skipExisting, 'ADDED'],
    ['onboard', planInvites, 'ADDED'],
    ['delete', planDeletes, 'DELETED'],
  ] as const)('are refused where an id is the email: %s', (_, look, action) => {
    const rows = rowsOf('email\nAnn@x.io\n', action);
    look(rows, nameless);
    expect(left(rows)).toEqual([
      ['FAILED', 'Ann@x.io', 'ann@x.io', expect.stringContaining('has the id `ann@x.io` and no email')],
    ]);
  });

  it.each(['deactivated by us', 'deactivated by others'] as const)('are refused for whoever is %s', (activity) => {
    const rows = rowsOf('email\nann@x.io\n');
    expect(planInvites(rows, new Lookup(inventory([user('ann', { activity })]), POLICY)).size).toBe(0);
    expect(left(rows)).toEqual([['FAILED', 'ann@x.io', 'ann', expect.stringContaining('deactivated')]]);
  });
});

function planned(rows: Rows, by: Lookup, changes: (rows: Rows, lookup: Lookup) => Map<number, Change>) {
  return rowPlan(rows, changes(rows, by), by);
}

describe('rows to delete', () => {
  it('delete those users and nobody else; a missing one is skipped, an odd email that the proxy has is no error', () => {
    const rows = rowsOf('email\nAnn@x.io\nroot@localhost\nnobody@x.io\nbad@\nvip@x.io\n', 'DELETED');
    const changes = [...planDeletes(rows, lookup).values()];
    expect(changes.map(short)).toEqual(['- ann internal_user red 1 0', '- root internal_user - 0 0']);
    expect(changes[0]?.email).toBe('Ann@x.io');
    expect(left(rows)).toEqual([
      ['SKIPPED', 'nobody@x.io', '', 'User not found in the system'],
      ['FAILED', 'bad@', '', 'Invalid email format'],
      ['FAILED', 'vip@x.io', 'vip', '`vip@x.io` is protected by `protected-users`.'],
    ]);
  });

  it('are measured against the limits, as are rows to add; what the message says to do suits the list', () => {
    const limits = { maxDeletes: { kind: 'count', count: 0 }, minAdmins: 1 } as const;
    const limited = new Lookup(have, { ...POLICY, ...limits });
    const deletes = planned(rowsOf('email\nann@x.io\n', 'DELETED'), limited, planDeletes);
    expect(deletes.plan.breaches.map(({ message }) => message)).toEqual([
      expect.stringContaining('if not, take rows out of the file'),
      expect.stringContaining('if not, take administrators out of the file'),
    ]);
    const adds = planned(rowsOf('email\nnew@x.io\n'), limited, (rows) =>
      planAdds(newUsers(rows, limited, rows.open), limited),
    );
    expect(adds.plan.breaches.map(({ message }) => message)).toEqual([
      expect.stringContaining('if not, give somebody the role proxy_admin in the file'),
    ]);
  });
});

describe('the plan of rows', () => {
  it('has one entry a row in the order of the file, and finds the outcomes again by the index of the change', () => {
    const rows = rowsOf('email\nnew@x.io\nbad@\nann@x.io\nzoe@x.io\n');
    const plan = planned(rows, lookup, () => {
      const invites = planInvites(rows, lookup);
      const others = rows.open.filter((row) => !invites.has(row.line));
      return new Map<number, Change>([...invites, ...planAdds(newUsers(rows, lookup, others), lookup)]);
    });
    expect(plan.plan.changes.map(short)).toEqual([
      '+ new@x.io internal_user default null',
      '+ zoe@x.io internal_user default null',
      '= ann@x.io ann internal_user red',
    ]);
    const [, bad] = plan.entries;
    expect(plan.entries).toEqual([{ index: 0 }, bad, { index: 2 }, { index: 1 }]);
    expect(bad).toMatchObject({ left: { status: 'FAILED', code: 'row', reason: 'Invalid email format' } });
    expect(plan.problems.map(({ line }) => line)).toEqual([3]);
    const done = [2, 0].map((index) => outcome(`${index}@x.io`, { index }));
    expect(outcomesOfRows(plan.entries, done).map((one) => one.email)).toEqual(['0@x.io', 'bad@', '2@x.io']);
  });

  it('has no entry for a row of which nothing became', () => {
    const rows = rowsOf('email\nnew@x.io\n');
    expect(rowPlan(rows, new Map(), lookup).entries).toEqual([]);
  });
});

describe('problems', () => {
  it('are told in the order of the file, whenever they were found', () => {
    const rows = rowsOf('email\na@x.io\n');
    const at = (line: number | null, column: number | null) => ({ line, column, message: `${line}:${column}` });
    rows.refuse([at(2, 3), at(2, null), at(null, null)]);
    rows.refuse([at(2, 1), at(1, 2), at(null, 1)]);
    const told = rows.problems.map((problem) => problem.message);
    expect(told).toEqual(['null:null', 'null:1', '1:2', '2:null', '2:1', '2:3']);
  });
});

describe('problems of a file as a whole', () => {
  it('are those of no single row', () => {
    const list = readUserList(bytes('email,rol\na@x.io,\n,\nb@x.io,"x\n'));
    expect(problemsOfFile(list).map(({ line, message }) => [line, message.slice(0, 21)])).toEqual([
      [1, 'Unknown column `rol`.'],
      [4, 'Misplaced or unclosed'],
    ]);
  });

  it('are none where only cells are wrong', () => {
    expect(problemsOfFile(readUserList(bytes('email,role\na@x.io,boss\n')))).toEqual([]);
  });
});
