import { describe, expect, it } from 'vitest';
import { readUserList, resolveTeams } from '../../src/core/desired.ts';
import { earlierChanges, takenKeyNames } from '../../src/core/diff.ts';
import { teamDirectory } from '../../src/core/teams.ts';
import { inventory, planOf, short, team, user } from './build.ts';

const red = (...members: string[]) => team('red', members);
const blue = (...members: string[]) => team('blue', members);

describe('a row and a user', () => {
  const nobody = inventory([], [red(), blue()]);
  const ann = (over = {}) => inventory([user('ann', over)], [red(), blue()]);
  const annInRed = inventory([user('ann', { teams: ['red'] })], [red('ann'), blue()]);

  it.each([
    [
      'a new user',
      'email,role,team_name,key_name\nann@x.io,proxy_admin,red,k1',
      nobody,
      ['+ ann@x.io proxy_admin red k1'],
    ],
    ['a new user with a blank role', 'email,role\nann@x.io,', nobody, ['+ ann@x.io internal_user default null']],
    ['a new user with role default', 'email,role\nann@x.io,default', nobody, ['+ ann@x.io null default null']],
    ['a new user in no team', 'email,team_name\nann@x.io,-', nobody, ['+ ann@x.io internal_user - null']],
    [
      'a new user in two teams, sorted',
      'email,team_name\nann@x.io,red;blue',
      nobody,
      ['+ ann@x.io internal_user blue;red null'],
    ],
    ['the same', 'email,role,team_name\nann@x.io,internal_user,red', annInRed, []],
    ['the same in other letters', 'email,role\nANN@X.IO,internal_user', annInRed, []],
    ['blank cells leave all alone', 'email,role,team_name\nann@x.io,,', annInRed, []],
    ['role default leaves the role alone', 'email,role\nann@x.io,default', ann({ role: 'proxy_admin' }), []],
    ['another role', 'email,role\nann@x.io,proxy_admin', ann(), ['~ ann internal_user→proxy_admin']],
    [
      'a role where there was none',
      'email,role\nann@x.io,internal_user',
      ann({ role: null }),
      ['~ ann null→internal_user'],
    ],
    ['another team', 'email,team_name\nann@x.io,blue', annInRed, ['~ ann join blue leave red']],
    ['one more team', 'email,team_name\nann@x.io,red;blue', annInRed, ['~ ann join blue leave -']],
    ['no team', 'email,team_name\nann@x.io,-', annInRed, ['~ ann join - leave red']],
    [
      'role and team',
      'email,role,team_name\nann@x.io,proxy_admin,blue',
      annInRed,
      ['~ ann internal_user→proxy_admin join blue leave red'],
    ],
    ['key_name of an existing user is ignored', 'email,key_name\nann@x.io,other', annInRed, []],
    [
      'a team by its id',
      'email,team_name\nann@x.io,red',
      inventory([user('ann', { teams: ['red'] })], [team('red', ['ann'], 'Crimson')]),
      [],
    ],
    ['an email with blanks on the proxy', 'email\nann@x.io', ann({ email: ' Ann@x.io ' }), []],
  ])('%s', (_, csv, have, expected) => {
    const { plan, problems } = planOf(`${csv}\n`, have);
    expect(problems).toEqual([]);
    expect(plan.changes.map(short)).toEqual(expected);
    expect(plan.unchanged).toHaveLength(expected.length === 0 ? 1 : 0);
  });
});

describe('half a membership is mended', () => {
  it.each([
    ['only in user.teams, wanted', ['red'], [], 'red', ['~ ann join red leave -']],
    ['only in the roster, wanted', [], ['ann'], 'red', ['~ ann join red leave -']],
    ['only in user.teams, not wanted', ['red'], [], '-', ['~ ann join - leave red']],
    ['only in the roster, not wanted', [], ['ann'], '-', ['~ ann join - leave red']],
    ['not managed', ['red'], [], '', []],
    ['a team that no longer exists cannot be mended', ['gone'], [], '-', []],
  ])('%s', (_, teams, roster, wanted, expected) => {
    const have = inventory([user('ann', { teams })], [red(...roster)]);
    expect(planOf(`email,team_name\nann@x.io,${wanted}\n`, have).plan.changes.map(short)).toEqual(expected);
  });
});

describe('who is deleted', () => {
  const have = inventory(
    [
      user('ann'),
      user('bob', { teams: ['red'], keyCount: 2, spend: 1.5, role: 'proxy_admin' }),
      user('default_user_id', { email: null, role: 'proxy_admin' }),
      user('bot', { email: '  ' }),
      user('cat', { role: 'customer' }),
      user('own', { role: 'proxy_admin' }),
      user('root', { email: 'Root@corp.example' }),
      user('svc/1', { email: 's@x.io' }),
      user('none', { role: null }),
    ],
    [red('bob', 'default_user_id')],
    'own',
  );
  const policy = { protectedUsers: ['*@CORP.example', 'svc*'] };

  it('are managed users alone, and what that costs is told', () => {
    const { plan, problems } = planOf('email\nann@x.io\n', have, policy);
    expect(problems).toEqual([]);
    expect(plan.changes.map(short)).toEqual(['- bob proxy_admin red 2 1.5', '- none null - 0 0']);
    expect(plan.unmanaged).toEqual({ withoutEmail: 2, otherRole: 1, ownUser: 1, protected: 2, deactivated: 0 });
    expect({ managed: plan.managed, admins: plan.admins }).toEqual({ managed: 3, admins: 2 });
  });

  it('is nobody with no-delete, and the plan still shows it', () => {
    const { plan } = planOf('email\nann@x.io\n', have, { ...policy, noDelete: true });
    expect(plan.changes.map(short)).toEqual([
      '- bob proxy_admin red 2 1.5 (no-delete)',
      '- none null - 0 0 (no-delete)',
    ]);
  });

  it.each([
    ['cat@x.io', 'has a role on the proxy that is not managed here'],
    ['own@x.io', 'is the user whose key this run uses'],
    ['root@corp.example', 'is protected by `protected-users`'],
  ])('a row that would change %s says why it cannot', (email, why) => {
    const { problems } = planOf(
      `email,role\nann@x.io,\nbob@x.io,\nnone@x.io,\n${email},internal_user_viewer\n`,
      have,
      policy,
    );
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ line: 5, column: 1 });
    expect(problems[0]?.message).toContain(why);
  });

  it.each([
    ['proxy_admin', 'red', 'role customer → proxy_admin, teams - → red'],
    ['proxy_admin', '', 'role customer → proxy_admin'],
    ['', 'red', 'teams - → red'],
  ])('a row that asks for role %j and teams %j says what it would change', (role, teams, change) => {
    const { problems } = planOf(`email,role,team_name\ncat@x.io,${role},${teams}\n`, have, { noDelete: true });
    expect(problems[0]?.message).toContain(`would change them (${change})`);
  });

  it('a protected user without a role has the role default', () => {
    const { problems } = planOf('email,role\nnone@x.io,proxy_admin\n', have, { protectedUsers: ['none'] });
    expect(problems[0]?.message).toContain('(role default → proxy_admin)');
  });

  it.each(['cat@x.io', 'own@x.io', 'root@corp.example'])('a row that changes nothing of %s is fine', (email) => {
    const { plan, problems } = planOf(`email\nann@x.io\nbob@x.io\nnone@x.io\n${email}\n`, have, policy);
    expect([plan.changes, problems]).toEqual([[], []]);
  });
});

describe('several users with one email', () => {
  const have = inventory([user('a1', { email: 'Ann@x.io' }), user('a2', { email: 'ann@x.io' }), user('bob')]);

  it('is an error at the row that names them', () => {
    const { plan, problems } = planOf('email\nbob@x.io\nann@x.io\n', have);
    expect(problems).toMatchObject([{ line: 3, column: 1 }]);
    expect(problems[0]?.message).toContain('`a1`, `a2`');
    expect(plan.changes).toEqual([]);
  });

  it('is an error also where no row names them: none of them is deleted by guess', () => {
    const { problems } = planOf('email\nbob@x.io\n', have);
    expect(problems).toMatchObject([{ line: null, message: expect.stringContaining('`a1`, `a2`') }]);
  });

  it('is told of each such email, in the order of emails', () => {
    const pairs = ['zoe', 'max'].flatMap((name) => [1, 2].map((at) => user(`${name}${at}`, { email: `${name}@x.io` })));
    const { problems } = planOf('email\nbob@x.io\n', inventory([...pairs, user('bob')]));
    expect(problems.map(({ message }) => /`(\w+)@/.exec(message)?.[1])).toEqual(['max', 'zoe']);
  });

  it('is nobody’s business where all are protected', () => {
    expect(planOf('email\nbob@x.io\n', have, { protectedUsers: ['ann@*'] }).problems).toEqual([]);
  });
});

describe('teams that rows name', () => {
  const teams = [team('t1', [], 'sales'), team('t2', [], 'sales'), team('t3', [], 'support'), team('t4', [], null)];
  it.each([
    ['supprt', 'Unknown team `supprt`. Did you mean `support`?'],
    ['zzzzzzzz', 'Unknown team `zzzzzzzz`. Teams are made'],
    ['sales', 'Ambiguous team name `sales`: 2 teams have it. Write the id instead, one of `t1`, `t2`.'],
  ])('%s', (name, message) => {
    const { problems } = planOf(`email,team_name\na@x.io,${name}\n`, inventory([], teams));
    expect(problems).toMatchObject([{ line: 2, column: 2 }]);
    expect(problems[0]?.message).toContain(message);
  });

  it('are found by id, and named by id where the alias would mislead', () => {
    const { plan, problems } = planOf('email,team_name\na@x.io,t1;support;t4\n', inventory([], teams));
    expect(problems).toEqual([]);
    expect(plan.changes.map(short)).toEqual(['+ a@x.io internal_user support;t1;t4 null']);
  });

  it('an id wins over another team’s alias, so that every team can be written', () => {
    const directory = teamDirectory([team('x', [], 'y'), team('y', [], 'z')]);
    expect(directory.find('y')).toEqual({ found: true, team: { teamId: 'y', name: 'z' } });
    expect(directory.ref('x')).toEqual({ teamId: 'x', name: 'x', alias: 'y' });
  });

  it.each(['-', 'a;b', ' a', '', 'a\nb'])('an alias %j is written as its id', (alias) => {
    expect(teamDirectory([team('id', [], alias)]).ref('id').name).toBe('id');
  });
});

describe('limits', () => {
  const people = Array.from({ length: 11 }, (_, index) =>
    user(`u${index}`, { role: index < 2 ? 'proxy_admin' : 'internal_user' }),
  );
  const keep = (from: number) =>
    `email\n${people
      .slice(from)
      .map((one) => `${one.email}\n`)
      .join('')}`;
  const percent = (share: number) => ({ kind: 'percent' as const, percent: share });
  const count = (number: number) => ({ kind: 'count' as const, count: number });

  it.each([
    ['20% of 11, rounded up, is 3', 3, { maxDeletes: percent(20) }, null],
    [
      '4 are too many',
      4,
      { maxDeletes: percent(20) },
      '4 of 11 managed users would be deleted, but max-deletes allows 20% of 11 managed users = 3.',
    ],
    ['a count', 3, { maxDeletes: count(2) }, '3 of 11 managed users would be deleted, but max-deletes allows 2.'],
    ['none allowed', 1, { maxDeletes: count(0) }, 'max-deletes allows 0'],
    ['all allowed', 10, { maxDeletes: percent(100) }, null],
    ['withheld deletes do not count', 9, { maxDeletes: count(0), noDelete: true }, null],
    [
      'too few administrators',
      2,
      { minAdmins: 1 },
      '0 of now 2 proxy_admin users would remain, but min-admins asks for 1.',
    ],
    ['enough administrators', 1, { minAdmins: 1 }, null],
    ['nothing is written, nothing is breached', 0, { minAdmins: 5 }, null],
  ])('%s', (_, gone, policy, message) => {
    const { plan } = planOf(keep(gone), inventory(people), policy);
    expect(plan.changes).toHaveLength(gone);
    expect(plan.breaches.map((breach) => breach.message)).toEqual(
      message === null ? [] : [expect.stringContaining(message)],
    );
  });

  it('counts administrators that the plan makes', () => {
    const { plan } = planOf(
      `email,role\n${people
        .slice(2)
        .map((one) => `${one.email},\n`)
        .join('')}new@x.io,proxy_admin\n`,
      inventory(people),
      { minAdmins: 1 },
    );
    expect(plan.breaches).toEqual([]);
  });
});

describe('order', () => {
  it('is adds, deletes, updates, each by email, whatever the order of rows and users', () => {
    const have = inventory([user('zoe'), user('ben'), user('mia'), user('kim')]);
    const { plan } = planOf('email,role\nYan@x.io,\nmia@x.io,proxy_admin\nabe@x.io,\nben@x.io,proxy_admin\n', have);
    expect(plan.changes.map((change) => change.email)).toEqual([
      'abe@x.io',
      'Yan@x.io',
      'kim@x.io',
      'zoe@x.io',
      'ben@x.io',
      'mia@x.io',
    ]);
  });
});

describe('no-add and no-update', () => {
  it('are shown in the plan as what they keep back', () => {
    const { plan } = planOf('email,role\nann@x.io,proxy_admin\nnew@x.io,\n', inventory([user('ann')]), {
      noAdd: true,
      noUpdate: true,
    });
    expect(plan.changes.map(short)).toEqual([
      '+ new@x.io internal_user default null (no-add)',
      '~ ann internal_user→proxy_admin (no-update)',
    ]);
  });
});

describe('key names of new users', () => {
  const csv = 'email,key_name\na@x.io,k\nb@x.io,k\nc@x.io,taken\nold@x.io,taken\nd@x.io,free\n';
  it('are unique in the file and on the proxy; an existing user’s is ignored', () => {
    const { users } = resolveTeams(readUserList(new TextEncoder().encode(csv)).rows, teamDirectory([]));
    const added = new Set(['a@x.io', 'b@x.io', 'c@x.io', 'd@x.io']);
    expect(takenKeyNames(users, added, new Set(['taken']))).toMatchObject([
      { line: 3, column: 2, message: expect.stringContaining('line 2') },
      { line: 4, column: 2, message: expect.stringContaining('exists on the proxy already') },
    ]);
  });

  it('mean nothing where no keys are made', () => {
    const { plan } = planOf('email,key_name\nnew@x.io,laptop\n', inventory([]), { apiKeys: false });
    expect(plan.changes).toMatchObject([{ kind: 'add', keyName: null }]);
  });
});

describe('changes that were due before a pull request', () => {
  const rowsOf = (csv: string) => readUserList(new TextEncoder().encode(csv)).rows;
  const have = inventory([user('ann'), user('bob'), user('cat')], [red(), blue()]);
  const earlier = (base: string, head: string) => {
    const { plan } = planOf(head, have);
    const indices = earlierChanges(plan, rowsOf(base), rowsOf(head));
    return plan.changes.filter((_, index) => indices.has(index)).map(short);
  };
  const base = 'email,role\nann@x.io,proxy_admin\nbob@x.io,\n';

  it('are those of rows that it leaves as they were, wherever they stand', () => {
    expect(earlier(base, `# moved down\n\n${base}new@x.io,\n`)).toEqual([
      '- cat internal_user - 0 0',
      '~ ann internal_user→proxy_admin',
    ]);
  });

  it('are not those of rows that it adds, changes or removes', () => {
    expect(earlier(base, 'email,role\nann@x.io,internal_user_viewer\nnew@x.io,\ncat@x.io,\n')).toEqual([]);
  });

  it('are not those of a user whom it renames', () => {
    const [ann, ...others] = rowsOf('email\nann@x.io\n');
    const head = [...others, ...(ann ? [{ ...ann, email: 'new@x.io', previousEmail: 'ann@x.io' }] : [])];
    const rename = { 'new@x.io': { previousEmail: 'ann@x.io' } };
    const { plan } = planOf('email\nnew@x.io\nbob@x.io\ncat@x.io\n', have, {}, { rows: rename });
    expect(earlierChanges(plan, [], head)).toEqual(new Set());
    const base = rowsOf('email\nann@x.io\n');
    expect(earlierChanges(plan, base, base)).toEqual(new Set([0]));
    expect(earlierChanges(plan, base, [])).toEqual(new Set());
  });
});
