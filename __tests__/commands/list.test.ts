import { expect, test } from 'vitest';
import { expectGolden } from '../render/golden.ts';
import { commands, makeTeams } from './suite.ts';

commands('list', (place, api) => {
  async function prepare(): Promise<void> {
    await makeTeams(api(), 'development', 'support');
    await api().makeUser('ann', {
      user_email: 'Ann@company.com',
      user_role: 'proxy_admin',
      teams: ['t-development'],
    });
    // Afterwards: of several teams at once 1.75 lists either first.
    await api().ok('/team/member_add', { team_id: 't-support', member: { user_id: 'ann', role: 'user' } });
    await api().makeUser('ben', { user_role: 'internal_user', models: ['m1', 'm2'], user_alias: 'a\tb\nc' });
    await api().makeUser('cho', { user_role: 'internal_user_viewer' });
    await api().makeUser('dan');
    await api().makeUser('machine', { user_email: null, user_role: 'internal_user' });
  }

  test('internal users by default, sorted by email', async () => {
    await prepare();
    const { code, stdout, stderr } = await place().run('list');
    expect([code, stderr]).toEqual([0, '']);
    await expectGolden('commands/list.tsv', place().settled(stdout));
    expect(place().files).toEqual([]);
  });

  test.each([
    ['list-all.csv', ['--show-all', '--format', 'csv', '--columns', 'user_email,user_role,teams,models']],
    [
      'list.json',
      [
        '--format',
        'json',
        '--email-like',
        '@EXAMPLE',
        '--columns',
        'user_email, user_alias, models, spend, max_budget',
      ],
    ],
    ['list-odd.tsv', ['--email-like', 'ben', '--columns', 'user_alias,user_email']],
  ])('%s', async (golden, flags) => {
    await prepare();
    const { code, stdout } = await place().run('list', ...flags);
    expect(code).toBe(0);
    await expectGolden(`commands/${golden}`, place().settled(stdout));
  });

  test.each([
    ['proxy_admin', ['Ann@company.com']],
    ['default', ['dan@example.com']],
    ['internal_user', ['ben@example.com']],
  ])('role %s', async (role, found) => {
    await prepare();
    const { stdout } = await place().run('list', '--role', role, '--columns', 'user_email');
    expect(stdout).toBe(`user_email\n${found.join('\n')}\n`);
  });

  test.each([
    ['support', ['Ann@company.com']],
    ['t-development', ['Ann@company.com']],
    ['-', ['ben@example.com', 'cho@example.com', 'dan@example.com']],
  ])('team %s', async (team, found) => {
    await prepare();
    const { stdout } = await place().run('list', '--team', team, '--columns', 'user_email');
    expect(stdout).toBe(`user_email\n${found.join('\n')}\n`);
  });

  test('an unknown team is wrong usage, with the nearest name', async () => {
    await prepare();
    const { code, stdout, stderr } = await place().run('list', '--team', 'suport');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Input `team`: Unknown team `suport`. Did you mean `support`?');
  });

  test('a team whose name several have is shown with its id; team_ids shows ids alone', async () => {
    await prepare();
    await api().ok('/team/new', { team_id: 't-twin', team_alias: 'support' });
    const columns = ['--email-like', 'ann', '--columns', 'teams,team_ids'];
    const { stdout } = await place().run('list', ...columns, '--format', 'json');
    const [{ teams, team_ids }] = JSON.parse(stdout);
    expect([teams, team_ids.sort()]).toEqual([
      ['development', 'support (t-support)'],
      ['t-development', 't-support'],
    ]);
    expect((await place().run('list', ...columns.slice(0, 3), 'teams', '--format', 'table')).stdout).toBe(
      'teams\ndevelopment;support (t-support)\n',
    );
  });

  test('nobody found', async () => {
    const { code, stdout, stderr } = await place().run(
      'list',
      '--role',
      'end_user',
      '--columns',
      'user_email,user_role',
    );
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'user_email\tuser_role\n',
      stderr: 'No users found\n',
    });
  });

  test.each([['password'], ['hashed_password'], ['salt'], ['token'], ['metadata'], ['user_mail']])(
    'column %s is none that may be seen',
    async (column) => {
      const { code, stdout, stderr } = await place().run('list', '--columns', `user_id,${column}`);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain(`Input \`columns\` has \`${column}\`; allowed: user_id, user_email, user_role, teams,`);
    },
  );

  test('an unknown role names the allowed ones', async () => {
    const { code, stderr } = await place().run('list', '--role', 'internal_usr');
    expect(code).toBe(2);
    expect(stderr).toContain('Input `role` is `internal_usr`; allowed: proxy_admin,');
    expect(stderr).toContain('Did you mean `internal_user`?');
  });
});
