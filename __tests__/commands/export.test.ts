import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Api } from '../contract/api.ts';
import { expectGolden } from '../render/golden.ts';
import { commands, makeTeams, makeUsers, stateOf } from './suite.ts';

const ODD_ALIASES = [
  'semi;colon',
  ' outer blanks ',
  'inner blanks',
  'a "quoted" name',
  'comma, name',
  '=SUM(A1)',
  "'=quoted",
  '-',
  '+plus',
  '#hash',
  'Ünïcode 名',
];

const ODD_EMAILS = [
  '#hash@example.com',
  '=cmd@example.com',
  "'=quoted@example.com",
  '  blanks@example.com ',
  '"quoted"@example.com',
  'comma,a@example.com',
  'no-email-at-all',
  'UPPER@example.com',
];

const HALF =
  'Warning: half@example.com (line 8): a team and the user disagree on the membership. team_name is blank, so that sync leaves it alone; write the teams there to have it mended.';

async function makeOddTeams(api: Api): Promise<string[]> {
  const teams = ODD_ALIASES.map((team_alias, index) => ({ team_id: `odd-${index}`, team_alias }));
  const nameless = [
    { team_id: 'nameless' },
    { team_id: 'twin-1', team_alias: 'twin' },
    { team_id: 'twin-2', team_alias: 'twin' },
  ];
  for (const team of [...teams, ...nameless]) await api.ok('/team/new', team);
  return [...teams, ...nameless].map((team) => team.team_id);
}

/** 300 users: each odd email, each odd team alone, several teams each, no team, no role, all roles. */
function manyUsers(teams: readonly string[]): object[] {
  const roles = ['internal_user', 'internal_user_viewer', 'proxy_admin', 'proxy_admin_viewer', undefined];
  return Array.from({ length: 300 }, (_, index) => ({
    user_id: `user-${index}`,
    user_email: ODD_EMAILS[index] ?? `user-${String(index).padStart(3, '0')}@example.com`,
    user_role: roles[index % roles.length],
    teams: index < teams.length ? [teams[index]] : teams.filter((_, at) => (index + at) % 7 === 0),
    auto_create_key: false,
  }));
}

commands('export', (place, api, target) => {
  test('a plan right after finds nothing to do: 300 users, odd names, several teams, no team, no role, no email', async () => {
    await makeUsers(api(), manyUsers(await makeOddTeams(api())));
    await api().makeUser('machine', { user_email: null, user_role: 'internal_user' });
    await api().makeUser('half', { teams: ['twin-1'], user_role: 'internal_user' });
    await api().post('/user/delete', { user_ids: ['half', 'nobody'] });
    // 1.110 deletes in one transaction: nothing is left half done.
    const isHalf = !(await api().rosterOf('twin-1')).includes('half');
    expect(isHalf).toBe(target().version !== '1.110');
    const before = await stateOf(api());

    const exported = await place().run('export');
    expect(exported.code).toBe(0);
    expect(exported.stdout).toBe('');
    expect(exported.stderr).toBe(
      [
        ...(isHalf ? [HALF] : []),
        'user_list.csv: 301 users, written.',
        'Left out, as sync never touches them: 2 without email.',
        '',
      ].join('\n'),
    );
    const planned = await place().run('sync', '--dry-run', '--detailed-exitcode');
    expect(planned.code).toBe(0);
    expect(planned.stdout).toContain(
      'Users to add: 0\n  Users to delete: 0\n  Users to update: 0\n  Users unchanged: 301',
    );
    expect((await place().run('sync')).code).toBe(0);
    expect(await stateOf(api())).toEqual(before);

    const text = place().read('user_list.csv');
    const again = await place().run('export');
    expect([again.code, again.stderr.includes('user_list.csv: 301 users, unchanged.')]).toEqual([0, true]);
    expect(place().read('user_list.csv')).toBe(text);
    expect(text).toContain('"#hash@example.com",');
    if (isHalf) expect(text.split('\n')[7]).toMatch(/^half@example\.com,/);
  });

  test('with limits, a plan right after finds nothing to do either', async () => {
    const limits = [
      { max_budget: 12.5, budget_duration: '30d', tpm_limit: 1000, rpm_limit: 0, models: ['m1', 'm2'] },
      { max_budget: 0.1 + 0.2, models: ['no-default-models'] },
      {},
    ];
    for (const [index, more] of limits.entries()) {
      await api().makeUser(`user-${index}`, { user_role: 'internal_user', ...more });
    }
    expect((await place().run('export', '--export-limits')).code).toBe(0);
    const [header, first, , third] = place().read('user_list.csv').split('\n');
    expect(header).toBe('email,role,team_name,max_budget,budget_duration,tpm_limit,rpm_limit,models');
    expect(first).toBe('user-0@example.com,internal_user,-,12.5,30d,1000,0,m1;m2');
    expect(third).toBe('user-2@example.com,internal_user,-,-,-,-,-,all-proxy-models');
    const planned = await place().run('sync', '--dry-run', '--detailed-exitcode');
    expect([planned.code, planned.stderr]).toEqual([0, '']);
    expect(planned.stdout).toContain('Users to update: 0\n  Users unchanged: 3');
  });

  test('a limit that no cell can say is told, and left blank', async () => {
    await api().makeUser('odd', { user_role: 'internal_user', models: ['a;b'] });
    const { code, stderr } = await place().run('export', '--export-limits');
    expect(code).toBe(0);
    expect(stderr).toContain('Warning: odd@example.com (line 2): a limit that no cell can say.');
    expect((await place().run('sync', '--dry-run', '--detailed-exitcode')).code).toBe(0);
  });

  test('deactivated users stay out, and are counted', async () => {
    await api().makeUser('gone', { user_role: 'internal_user', metadata: { scim_active: false } });
    await api().makeUser('here', { user_role: 'internal_user' });
    const { stderr } = await place().run('export');
    expect(stderr).toContain('Left out, as they are deactivated: 1 user.');
    expect(place().read('user_list.csv')).not.toContain('gone@example.com');
  });

  async function prepare(): Promise<void> {
    await makeTeams(api(), 'development', 'support');
    await api().makeUser('b', { user_role: 'internal_user', teams: ['t-support', 't-development'] });
    await api().makeUser('A', { user_email: 'A@example.com' });
    await api().makeUser('boss', { user_role: 'proxy_admin' });
  }

  test('the file: stable order, default for no role, - for no team; protected users stay out', async () => {
    await prepare();
    const { code, stderr } = await place().run('export', '--protected-users', 'boss@*');
    expect(code).toBe(0);
    expect(stderr).toContain('Left out, as sync never touches them: 1 without email and 1 protected.');
    await expectGolden('commands/user_list.csv', place().read('user_list.csv'));
  });

  test('a file that differs is left as it is, unless forced', async () => {
    await prepare();
    place().write('user_list.csv', 'email\nmine@example.com\n');
    const { code, stderr } = await place().run('export');
    expect(code).toBe(2);
    expect(stderr).toContain('ERROR: user_list.csv is there already and differs from the proxy');
    expect(place().read('user_list.csv')).toBe('email\nmine@example.com\n');
    expect((await place().run('export', '--force')).code).toBe(0);
    expect(place().read('user_list.csv')).toContain('boss@example.com');
  });

  test('a path that cannot be written is wrong usage', async () => {
    await prepare();
    // Root may write everywhere but there.
    symlinkSync(join(place().directory, 'missing', 'file.csv'), join(place().directory, 'user_list.csv'));
    const { code, stderr } = await place().run('export');
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('ERROR: user_list.csv cannot be written (ENOENT). Set another csv-file.'),
    ]);
  });

  test('other line ends are no difference', async () => {
    await prepare();
    await place().run('export');
    const text = place().read('user_list.csv').replaceAll('\n', '\r\n');
    place().write('user_list.csv', text);
    expect((await place().run('export')).code).toBe(0);
    expect(place().read('user_list.csv')).toBe(text);
  });

  test('csv-file - prints it', async () => {
    await prepare();
    const { code, stdout } = await place().run('export', '--csv-file', '-', '--protected-users', 'boss@*');
    expect(code).toBe(0);
    await expectGolden('commands/user_list.csv', stdout);
    expect(place().files).toEqual([]);
  });

  test('a dry run writes no file and says whether it would', async () => {
    await prepare();
    const { code, stderr } = await place().run('export', '--dry-run', '--detailed-exitcode');
    expect([code, place().files]).toEqual([3, []]);
    expect(stderr).toContain('user_list.csv: 3 users, would be written.');
  });

  test('a folder that is missing is made', async () => {
    await prepare();
    expect((await place().run('export', '--csv-file', 'lists/all.csv')).code).toBe(0);
    expect(place().read('lists/all.csv')).toContain('boss@example.com');
  });

  test('several users with one email: told, and the one that will be left is not deleted', async () => {
    await prepare();
    await api().makeUser('twin', { user_role: 'internal_user' });
    await api().ok('/user/update', { user_id: 'twin', user_email: 'b@example.com' });
    const { code, stderr } = await place().run('export');
    expect(code).toBe(0);
    expect(stderr).toContain('Warning: 2 users on the proxy have the email `b@example.com`: `b`, `twin`.');
    expect(place().read('user_list.csv')).toContain('\nb@example.com,,\n');
    await api().ok('/user/delete', { user_ids: ['twin'] });
    expect((await place().run('sync', '--dry-run')).stdout).toContain('Users to delete: 0\n  Users to update: 0');
  });

  test('an email that the file cannot hold is told, before sync would take the user for another', async () => {
    await prepare();
    await api().makeUser('odd', { user_email: 'car\rriage@example.com', user_role: 'internal_user' });
    const { code, stderr } = await place().run('export');
    expect(code).toBe(0);
    expect(stderr).toContain('The file cannot say what the proxy has of car<U+000D>riage@example.com');
  });
});
