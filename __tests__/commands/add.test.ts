import { expect, test } from 'vitest';
import { expectGolden } from '../render/golden.ts';
import { commands, emails, makeTeams } from './suite.ts';

const MIXED = `email,role,team_name,key_name
user@example.com,internal_user,development,00000001_chatbot
OLD@example.com,,development,
invalid@,internal_user,,
role@example.com,internal_usr,,
team@example.com,,developmnt,
taken@example.com,,support,00000009_old
,internal_user,,
two@example.com,internal_user_viewer,development;support,
USER@example.com,,,
default@example.com,default,-,
`;

commands('add', (place, api) => {
  async function prepare(): Promise<void> {
    await makeTeams(api(), 'development', 'support');
    await api().ok('/user/new', {
      user_id: 'old',
      user_email: 'Old@Example.com',
      user_role: 'internal_user',
      auto_create_key: false,
    });
    await api().ok('/key/generate', { user_id: 'old', key_alias: '00000009_old' });
  }

  test('creates the good rows, and puts the others into the error file', async () => {
    await prepare();
    place().write('user_addlist.csv', MIXED);
    const { code, stdout, stderr } = await place().run('add');
    expect(code).toBe(1);
    await expectGolden('commands/user_reg_result.csv', place().settled(place().read('user_reg_result.csv')));
    await expectGolden('commands/user_reg_error.csv', place().settled(place().read('user_reg_error.csv')));
    await expectGolden('commands/add.txt', place().settled(stdout));
    expect(place().modeOf('user_reg_result.csv')).toBe('600');
    expect(place().files).toEqual(['audit.jsonl', 'user_addlist.csv', 'user_reg_error.csv', 'user_reg_result.csv']);
    expect(stdout + stderr).not.toMatch(/sk-[\w-]{16,}|invitation_id=/);
    expect(await emails(api())).toEqual([
      'Old@Example.com',
      'default@example.com',
      'two@example.com',
      'user@example.com',
    ]);
  });

  test('the key works for its team, and the link is an invitation of the user', async () => {
    await makeTeams(api(), 'development');
    place().write(
      'user_addlist.csv',
      'email,role,team_name,key_name\nuser@example.com,internal_user,development,mine\n',
    );
    expect((await place().run('add')).code).toBe(0);
    const [, , userId, , , key, url] = place().read('user_reg_result.csv').split('\n')[1]?.split(',') ?? [];
    const { info } = (
      await api()
        .as(key ?? '')
        .get('/key/info')
    ).body;
    expect(info).toMatchObject({ user_id: userId, team_id: 't-development', key_alias: 'mine' });
    const invitation = new URL(url ?? '').searchParams.get('invitation_id');
    expect((await api().get(`/invitation/info?invitation_id=${invitation}`)).body).toMatchObject({ user_id: userId });
    expect([await api().teamsOf(userId ?? ''), await api().rosterOf('t-development')]).toEqual([
      ['t-development'],
      [userId],
    ]);
  });

  test('an existing user is a skipped row, not a failure; nothing about the user changes', async () => {
    await prepare();
    place().write('user_addlist.csv', 'email,role,team_name\nold@EXAMPLE.com,proxy_admin,support\n');
    expect((await place().run('add')).code).toBe(0);
    expect(place().read('user_reg_error.csv')).toBe(
      'email,role,error_reason\nold@EXAMPLE.com,proxy_admin,User already exists in the system\n',
    );
    expect(place().read('user_reg_result.csv')).toBe('email,role,user_id,team_name,models,api_keys,invitation_url\n');
    expect(await api().user('old')).toMatchObject({ user_role: 'internal_user', teams: [] });
  });

  test('a dry run shows the same and writes nothing', async () => {
    await prepare();
    place().write('user_addlist.csv', MIXED);
    const { code, stdout } = await place().run('add', '--dry-run');
    expect(code).toBe(1);
    await expectGolden('commands/add-dry-run.txt', place().settled(stdout));
    expect(place().files).toEqual(['user_addlist.csv']);
    expect(await emails(api())).toEqual(['Old@Example.com']);
  });

  test('a model that the proxy lacks warns, and a budget beside a team has its note', async () => {
    await prepare();
    const rows = 'a@example.com,development,5,fake-modl\nb@example.com,,,"fake-model,*"\nold@example.com,,,other\n';
    place().write('user_addlist.csv', `email,team_name,max_budget,models\n${rows}`);
    const { code, stdout } = await place().run('add', '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toContain(`
Warnings:
  * The proxy's model list has no \`fake-modl\` (line 2). Did you mean \`fake-model\`? It is sent as it is written.

Notes:
  * A user's budget and models bind their personal keys alone.`);
  });

  test('an older result file keeps its keys under another name', async () => {
    await makeTeams(api(), 'development');
    place().write('user_addlist.csv', 'email\na@example.com\n');
    await place().run('add');
    const before = place().read('user_reg_result.csv');
    place().write('user_addlist.csv', 'email\nb@example.com\n');
    await place().run('add');
    expect(place().read('user_reg_result-1.csv')).toBe(before);
    expect(place().read('user_reg_result.csv')).toContain('b@example.com');
    expect(place().modeOf('user_reg_result-1.csv')).toBe('600');
  });

  test('without keys and links, only the models column is filled', async () => {
    await makeTeams(api(), 'development');
    place().write('user_addlist.csv', 'email,role\na@example.com,internal_user\n');
    expect((await place().run('add', '--api-keys=false', '--invitations=false')).code).toBe(0);
    expect(place().settled(place().read('user_reg_result.csv')).split('\n')[1]).toBe(
      'a@example.com,internal_user,<id>,,All proxy models,,',
    );
  });

  test('update-existing lists who is there, creates nobody and needs no file', async () => {
    await prepare();
    await api().ok('/user/new', {
      user_id: 'b',
      user_email: 'b@example.com',
      user_role: 'proxy_admin',
      models: ['m1', 'm2'],
      teams: ['t-support'],
    });
    expect((await place().run('add', '--update-existing')).code).toBe(0);
    await expectGolden('commands/user_reg_result-existing.csv', place().settled(place().read('user_reg_result.csv')));
    expect(place().read('user_reg_error.csv')).toBe('email,role,error_reason\n');
  });

  test.each([
    ['email;role\na@example.com;internal_user\n', 'separated by `;`'],
    ['post\na@example.com\n', 'No `email` column'],
    ['email,rolle\na@example.com,\n', 'Unknown column `rolle`. Did you mean `role`?'],
    ['email,role\n"a@example.com,internal_user\nb@example.com,\n', 'quotes'],
  ])('a file that cannot be read stops the run: %j', async (text, message) => {
    place().write('user_addlist.csv', text);
    const { code, stderr } = await place().run('add');
    expect([code, await emails(api())]).toEqual([2, []]);
    expect(stderr).toContain(message);
  });

  test('a missing file', async () => {
    const { code, stderr } = await place().run('add');
    expect([code, stderr]).toEqual([2, "ERROR: CSV file 'user_addlist.csv' not found.\n"]);
  });
});
