import { expect, test } from 'vitest';
import { expectGolden } from '../render/golden.ts';
import { commands, emails, makeTeams } from './suite.ts';

const sorted = (csv: string): string => {
  const [header, ...rows] = csv.trimEnd().split('\n');
  return [header, ...rows.sort(), ''].join('\n');
};

commands('onboard', (place, api, target) => {
  async function prepare(): Promise<void> {
    await makeTeams(api(), 'development', 'support');
    await api().makeUser('old', { user_role: 'proxy_admin_viewer', teams: ['t-support'] });
  }

  test('new users and fresh links for existing ones', async () => {
    await prepare();
    place().write(
      'users.csv',
      'user_email,team_id,team_name,user_role\nalice@company.com,t-development,,\nOLD@example.com,t-development,,internal_user\nbob@company.com,,support,internal_user_viewer\nbad,,,\ncarol@company.com,t-nowhere,,\n',
    );
    const { code, stdout, stderr } = await place().run('onboard');
    expect(code).toBe(1);
    const hasPage = (await api().get('/ui/onboarding/')).status === 200;
    const settled = (name: string): string => {
      const text = place().settled(place().read(name));
      return hasPage ? text : text.replaceAll('/ui/?', '/ui/onboarding?id=<id>&');
    };
    await expectGolden('commands/onboarding_results.json', settled('onboarding_results.json'));
    // Rows stand there as they were made, several at a time.
    await expectGolden('commands/onboarding_links.csv', sorted(settled('onboarding_links.csv')));
    await expectGolden('commands/onboard.txt', place().settled(stdout));
    expect([place().modeOf('onboarding_results.json'), place().modeOf('onboarding_links.csv')]).toEqual(['600', '600']);
    expect(stdout + stderr).not.toMatch(/invitation_id=/);
    expect(await api().user('old')).toMatchObject({ user_role: 'proxy_admin_viewer', teams: ['t-support'] });
    expect(await api().keyAliasesOf('old')).toEqual([]);
    const links = JSON.parse(place().read('onboarding_results.json'));
    for (const { user_id, invitation_id } of links.filter((entry: { status: string }) => entry.status === 'success')) {
      expect((await api().get(`/invitation/info?invitation_id=${invitation_id}`)).body).toMatchObject({ user_id });
    }
  });

  test.each([
    ['a header', 'user_email\na@example.com\nb@example.com\n'],
    ['no header at all', '# new people\na@example.com\n\nb@example.com\n'],
    ['another header', 'Email\r\na@example.com\r\nb@example.com\r\n'],
  ])('bare emails with team-id: %s', async (_, text) => {
    await prepare();
    place().write('users.csv', text);
    expect((await place().run('onboard', '--team-id', 'development')).code).toBe(0);
    expect((await api().rosterOf('t-development')).length).toBe(2);
    expect(JSON.parse(place().read('onboarding_results.json')).map((entry: { email: string }) => entry.email)).toEqual([
      'a@example.com',
      'b@example.com',
    ]);
  });

  test('emails as arguments', async () => {
    await prepare();
    const { code, stdout, stderr } = await place().run(
      'onboard',
      'new@example.com',
      'OLD@example.com',
      '--team-id',
      'development',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Plan for the arguments:$/m);
    expect(stderr).toContain(
      'Onboarding links for 1 new user.\nFresh links for 1 existing user: role, teams and keys as before.\n',
    );
    expect(stderr).toMatch(/^Onboarding links \(secret\): .*onboarding_results\.json$/m);
    expect((await api().rosterOf('t-development')).length).toBe(1);
    expect(JSON.parse(place().read('onboarding_results.json')).map((entry: { email: string }) => entry.email)).toEqual([
      'new@example.com',
      'old@example.com',
    ]);
  });

  test.each([
    ['sync', 'user_list.csv', 'user_sync_result.csv'],
    ['add', 'user_addlist.csv', 'user_reg_result.csv'],
  ])('the result file of %s is a valid file; who was deleted stays deleted', async (command, file, result) => {
    await prepare();
    place().write(file, 'email,role,team_name,key_name\nnew@example.com,,support;development,\n');
    expect((await place().run(command, ...(command === 'sync' ? ['--max-deletes=100%'] : []))).code).toBe(0);
    const { code, stderr } = await place().run('onboard', '--csv-file', result);
    expect([code, stderr.includes('Fresh links for 1 existing user')]).toEqual([0, true]);
    expect(await emails(api())).toEqual(
      command === 'sync' ? ['new@example.com'] : ['new@example.com', 'old@example.com'],
    );
  });

  test.each([
    ['http://litellm.llm.svc:4000', true],
    ['https://llm.example.com', false],
  ])('links that begin with %s are warned of: %s', async (address, warns) => {
    await prepare();
    const { stderr } = await place().run('onboard', 'old@example.com', '--public-url', address);
    expect(
      stderr.match(/^Warning: Onboarding links begin with .* set public-url to the address by which/gm)?.length ?? 0,
    ).toBe(warns ? 1 : 0);
  });

  test('an unknown team-id is one mistake, not one a row', async () => {
    await prepare();
    place().write('users.csv', 'user_email\na@example.com\n');
    const { code, stderr } = await place().run('onboard', '--team-id', 'developmen');
    expect(code).toBe(2);
    expect(stderr).toContain('Input `team-id`: Unknown team `developmen`. Did you mean `development`?');
  });

  test('keys are made where asked for, for new users alone', async () => {
    await prepare();
    place().write('users.csv', 'email\nnew@example.com\nold@example.com\n');
    expect((await place().run('onboard', '--api-keys')).code).toBe(0);
    const rows = place().read('onboarding_links.csv').split('\n');
    expect(rows.filter((row) => /,sk-[\w-]{16,},/.test(row)).map((row) => row.split(',')[0])).toEqual([
      'new@example.com',
    ]);
  });

  test('a second run gives every user another link and keeps the first results', async () => {
    await prepare();
    place().write('users.csv', 'email\nnew@example.com\n');
    await place().run('onboard');
    const [first] = JSON.parse(place().read('onboarding_results.json'));
    expect((await place().run('onboard')).code).toBe(0);
    const [second] = JSON.parse(place().read('onboarding_results.json'));
    expect([second.user_id, second.invitation_id === first.invitation_id]).toEqual([first.user_id, false]);
    expect(JSON.parse(place().read('onboarding_results-1.json'))).toEqual([first]);
    expect(place().read('onboarding_links.csv')).toContain(second.invitation_id);
  });

  test('protected users get no link: it would let whoever holds it in', async () => {
    await prepare();
    place().write('users.csv', 'email\nold@example.com\n');
    expect((await place().run('onboard', '--protected-users', 'old@*')).code).toBe(1);
    expect(JSON.parse(place().read('onboarding_results.json'))).toEqual([
      { email: 'old@example.com', status: 'failed', error: '`old@example.com` is protected by `protected-users`.' },
    ]);
  });

  test('a dry run makes no link', async () => {
    await prepare();
    place().write('users.csv', 'email\nnew@example.com\nold@example.com\n');
    const { code, stdout } = await place().run('onboard', '--dry-run', '--detailed-exitcode');
    expect(code).toBe(3);
    await expectGolden('commands/onboard-dry-run.txt', place().settled(stdout));
    expect(place().files).toEqual(['users.csv']);
    expect(target().state?.invitations.size ?? 0).toBe(0);
  });
});
