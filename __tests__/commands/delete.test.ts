import { expect, test } from 'vitest';
import { expectGolden } from '../render/golden.ts';
import { commands, emails, makeTeams } from './suite.ts';

commands('delete', (place, api) => {
  async function prepare(): Promise<void> {
    await makeTeams(api(), 'development');
    await api().makeUser('gone', { teams: ['t-development'], user_role: 'internal_user' });
    await api().ok('/key/generate', { user_id: 'gone', key_alias: 'theirs' });
    await api().makeUser('kept', { user_role: 'internal_user' });
    await api().makeUser('boss', { user_role: 'proxy_admin' });
    await api().makeUser('odd', { user_email: 'no-email-at-all', user_role: 'internal_user' });
    await api().makeUser('one', { user_role: 'internal_user' });
    await api().makeUser('other', { user_role: 'internal_user' });
    await api().ok('/user/update', { user_id: 'other', user_email: 'one@example.com' });
  }

  const LIST =
    'email\nGONE@example.com\nnobody@example.com\nboss@example.com\none@example.com\nwrong@\nno-email-at-all\n';

  test('deletes the users of the file and nobody else', async () => {
    await prepare();
    place().write('user_dellist.csv', LIST);
    const { code, stdout } = await place().run('delete', '--protected-users', 'boss*');
    expect(code).toBe(1);
    await expectGolden('commands/user_del_result.csv', place().read('user_del_result.csv'));
    await expectGolden('commands/user_del_error.csv', place().read('user_del_error.csv'));
    await expectGolden('commands/delete.txt', stdout);
    expect(place().files).toEqual(['audit.jsonl', 'user_del_error.csv', 'user_del_result.csv', 'user_dellist.csv']);
    expect(await emails(api())).toEqual(['boss@example.com', 'kept@example.com', 'one@example.com', 'one@example.com']);
    expect(await api().rosterOf('t-development')).toEqual([]);
  });

  test('a dry run shows keys and spend that go, and deletes nobody', async () => {
    await prepare();
    place().write('user_dellist.csv', 'email\ngone@example.com\nnobody@example.com\n');
    const { code, stdout } = await place().run('delete', '--dry-run');
    expect(code).toBe(0);
    await expectGolden('commands/delete-dry-run.txt', stdout);
    expect(place().files).toEqual(['user_dellist.csv']);
    expect(await emails(api())).toContain('gone@example.com');
  });

  test('a missing user is a skipped row, not a failure', async () => {
    place().write('user_dellist.csv', 'email\nnobody@example.com\n');
    expect((await place().run('delete')).code).toBe(0);
    expect(place().read('user_del_error.csv')).toBe(
      'email,user_id,error_reason\nnobody@example.com,,User not found in the system\n',
    );
    expect(place().read('user_del_result.csv')).toBe('email,user_id,status\n');
  });

  test('the user whose key is used is not deleted', async () => {
    const key = await api().makeKeyOf('proxy_admin');
    place().write('user_dellist.csv', 'email\nproxy_admin@example.com\n');
    expect((await place().run('delete', '--master-key', key)).code).toBe(1);
    expect(place().read('user_del_error.csv')).toContain('is the user whose key this run uses');
    expect(await emails(api())).toEqual(['proxy_admin@example.com']);
  });

  test.each([
    ['max-deletes', '1'],
    ['max-deletes', '40%'],
    ['min-admins', '1'],
  ])('%s %s: a breach deletes nobody, and says that rows may be taken out', async (limit, value) => {
    for (const id of ['a', 'b', 'c']) await api().makeUser(id, { user_role: 'internal_user' });
    place().write('user_dellist.csv', 'email\na@example.com\nb@example.com\nc@example.com\n');
    const { code, stdout } = await place().run('delete', `--${limit}`, value);
    expect(code).toBe(1);
    expect(stdout).toMatch(/LIMIT BREACHED.*; if not, take (rows|administrators) out of the file/s);
    expect((await emails(api())).length).toBe(3);
    expect((await place().run('delete')).code).toBe(0);
    expect(await emails(api())).toEqual([]);
  });

  test('a list of users to keep does not pass for one of users to delete', async () => {
    await prepare();
    place().write('user_dellist.csv', 'email,role,team_name\nkept@example.com,internal_user,\n');
    const { code, stderr } = await place().run('delete');
    expect(code).toBe(2);
    expect(stderr).toContain('Unknown column `role`');
    expect(await emails(api())).toContain('kept@example.com');
  });
});
