import { expect, test } from 'vitest';
import { expectGolden } from '../render/golden.ts';
import { commands, emails, makeTeams, makeUsers, stateOf } from './suite.ts';

const LIST = `email,role,team_name,key_name
new@example.com,internal_user_viewer,development,new-laptop
several@example.com,,support;research,
default@example.com,default,-,
stays@example.com,internal_user,development,
mixed.case@EXAMPLE.com,internal_user,Development,
moves@example.com,,research,
grows@example.com,,development;support,
outside@example.com,,-,
promoted@example.com,proxy_admin,,
viewer@example.com,internal_user_viewer,support,
`;

commands('sync', (place, api) => {
  async function prepare(): Promise<void> {
    await makeTeams(api(), 'development', 'support', 'research');
    await api().ok('/team/new', { team_id: 't-upper', team_alias: 'Development' });
    const users = {
      stays: { user_role: 'internal_user', teams: ['t-development'] },
      mixed: { user_email: 'Mixed.Case@Example.com', user_role: 'internal_user', teams: ['t-upper'] },
      moves: { user_role: 'internal_user', teams: ['t-development'] },
      grows: { user_role: 'internal_user', teams: ['t-development'] },
      outside: { user_role: 'internal_user', teams: ['t-support', 't-research'] },
      promoted: { user_role: 'internal_user', teams: ['t-research'] },
      viewer: { user_role: 'internal_user', teams: ['t-support'] },
      gone: { user_role: 'internal_user', teams: ['t-support'] },
    };
    for (const [userId, user] of Object.entries(users)) await api().makeUser(userId, user);
    await api().ok('/key/generate', { user_id: 'gone', key_alias: 'theirs' });
    await api().ok('/user/new', { user_id: 'nameless', auto_create_key: false });
  }

  test('adds, deletes, changes roles and moves between teams, and finds nothing to do after that', async () => {
    await prepare();
    place().write('user_list.csv', LIST);
    const { code, stdout, stderr } = await place().run('sync');
    expect(code, stderr).toBe(0);
    await expectGolden('commands/sync.txt', place().settled(stdout));
    await expectGolden('commands/user_sync_result.csv', place().settled(place().read('user_sync_result.csv')));
    expect(place().files).toEqual(['audit.jsonl', 'onboarding_links.csv', 'user_list.csv', 'user_sync_result.csv']);
    expect(stdout + stderr + place().read('user_sync_result.csv')).not.toMatch(/sk-[\w-]{16,}|invitation_id=/);

    const of = async (userId: string): Promise<unknown[]> => {
      const user = await api().user(userId);
      return [user.user_role, [...user.teams].sort()];
    };
    expect(await of('moves')).toEqual(['internal_user', ['t-research']]);
    expect(await of('grows')).toEqual(['internal_user', ['t-development', 't-support']]);
    expect(await of('outside')).toEqual(['internal_user', []]);
    expect(await of('promoted')).toEqual(['proxy_admin', ['t-research']]);
    expect(await of('viewer')).toEqual(['internal_user_viewer', ['t-support']]);
    expect(await of('mixed')).toEqual(['internal_user', ['t-upper']]);
    expect(await emails(api())).not.toContain('gone@example.com');
    expect(await api().keyAliasesOf('gone')).toEqual([]);
    expect(
      (await api().rosterOf('t-development')).filter((id) => ['stays', 'moves', 'grows'].includes(id)).sort(),
    ).toEqual(['grows', 'stays']);
    expect((await api().user('nameless')).user_id).toBe('nameless');

    const again = await place().run('sync', '--dry-run', '--detailed-exitcode');
    expect(again.stdout).toContain('Users to add: 0');
    expect(again.code).toBe(0);
  });

  test('a new user has a key of their team by its name, and a link; both are in the file for their owner alone', async () => {
    await prepare();
    place().write('user_list.csv', LIST);
    await place().run('sync');
    expect(place().modeOf('onboarding_links.csv')).toBe('600');
    const [header, ...rows] = place().read('onboarding_links.csv').trim().split('\n');
    expect(header).toBe('email,user_id,role,team_name,key_name,api_key,invitation_id,expires_at,onboarding_link');
    const cells = rows.map((row) => row.split(','));
    expect(cells.map(([email]) => email).sort()).toEqual([
      'default@example.com',
      'new@example.com',
      'several@example.com',
    ]);
    const [, userId = '', , , keyName, key = '', invitation, , link] =
      cells.find(([email]) => email === 'new@example.com') ?? [];
    expect(keyName).toBe('new-laptop');
    const { info } = (await api().as(key).get('/key/info')).body;
    expect(info).toMatchObject({ user_id: userId, team_id: 't-development', key_alias: 'new-laptop' });
    const { body } = await api().get(`/invitation/info?invitation_id=${invitation}`);
    expect(body).toMatchObject({ id: invitation, user_id: userId });
    expect(link).toContain(`invitation_id=${invitation}`);
  });

  test('a dry run shows the same plan and writes nothing', async () => {
    await prepare();
    const before = await stateOf(api());
    place().write('user_list.csv', LIST);
    const { code, stdout } = await place().run('sync', '--dry-run', '--detailed-exitcode');
    expect(code).toBe(3);
    for (const line of ['Users to add: 3', 'Users to delete: 1', 'Users to update: 5', 'Users unchanged: 2']) {
      expect(stdout).toContain(line);
    }
    const drift = await place().run('sync', '--dry-run', '--fail-on-drift');
    expect([drift.code, drift.stderr]).toEqual([
      1,
      expect.stringContaining('Error: The proxy and the file differ, and `fail-on-drift` is `true`.'),
    ]);
    expect(await stateOf(api())).toEqual(before);
    expect(place().files).toEqual(['user_list.csv']);
  });

  test('no-add, no-delete and no-update leave that kind alone, and say so', async () => {
    await prepare();
    const before = await stateOf(api());
    place().write('user_list.csv', LIST);
    const { code } = await place().run('sync', '--no-add', '--no-delete', '--no-update');
    expect(code).toBe(0);
    expect(await stateOf(api())).toEqual(before);
    const skipped = place()
      .read('user_sync_result.csv')
      .split('\n')
      .filter((line) => line.includes(',SKIPPED,'));
    expect(skipped.map((line) => line.split(',SKIPPED,')[1]).sort()).toEqual([
      ...Array(3).fill('not applied: no-add is set'),
      'not applied: no-delete is set',
      ...Array(5).fill('not applied: no-update is set'),
    ]);
  });

  test('300 users over several pages: exactly the changes of the file, and nothing to do after them', async () => {
    await makeTeams(api(), 'a', 'b');
    const id = (at: number): string => `u${String(at).padStart(3, '0')}`;
    await makeUsers(
      api(),
      Array.from({ length: 300 }, (_, at) => ({
        user_id: id(at),
        user_email: `${at % 2 ? id(at) : id(at).toUpperCase()}@example.com`,
        user_role: 'internal_user',
        teams: at % 3 === 0 ? ['t-a', 't-b'] : ['t-a'],
        auto_create_key: false,
      })),
    );
    const rows = Array.from({ length: 300 }, (_, at) => {
      const role = at % 30 === 1 ? 'internal_user_viewer' : at % 2 ? '' : 'default';
      const teams = at % 50 === 2 ? 'b' : at % 50 === 4 ? '-' : at % 3 === 0 ? 'b;a' : at % 5 === 0 ? '' : 'a';
      return `${id(at)}@example.com,${role},${teams},ignored-${at}`;
    });
    const added = ['x1@example.com,,a;b,x1-key', 'x2@example.com,default,-,', 'x3@example.com,internal_user,,'];
    place().write('user_list.csv', ['email,role,team_name,key_name', ...rows.slice(0, 290), ...added, ''].join('\n'));
    const { code, stdout, stderr } = await place().run('sync');
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('Users to add: 3\n  Users to delete: 10\n  Users to update: 22\n  Users unchanged: 268\n');
    const after = (await stateOf(api())).map((line) => JSON.parse(line));
    const known = new Map(after.map(([userId, , role, teams]) => [userId, [role, teams]]));
    expect(after.filter(([, email]) => email !== null)).toHaveLength(293);
    expect(known.get(id(31))).toEqual(['internal_user_viewer', ['t-a']]);
    expect(known.get(id(52))).toEqual(['internal_user', ['t-b']]);
    expect(known.get(id(104))).toEqual(['internal_user', []]);
    expect(known.has(id(290))).toBe(false);
    const again = await place().run('sync', '--dry-run', '--detailed-exitcode');
    expect(again.code, again.stdout.slice(0, 500)).toBe(0);
  });

  test('the user whose key is used is neither deleted nor demoted', async () => {
    const key = await api().makeKeyOf('proxy_admin');
    for (const userId of ['a', 'b']) await api().makeUser(userId, { user_role: 'internal_user' });
    place().write('user_list.csv', 'email,role,team_name\na@example.com,,\nb@example.com,,\n');
    expect((await place().run('sync', '--master-key', key, '--max-deletes', '9')).code).toBe(0);
    place().write('user_list.csv', 'email,role,team_name\na@example.com,,\nproxy_admin@example.com,internal_user,\n');
    const demoted = await place().run('sync', '--master-key', key, '--max-deletes', '9');
    expect(demoted.code).toBe(2);
    expect(demoted.stderr).toContain('whose key this run uses');
    expect((await api().user('proxy_admin')).user_role).toBe('proxy_admin');
    expect(await emails(api())).toEqual(['a@example.com', 'b@example.com', 'proxy_admin@example.com']);
  });

  test('more deletes than max-deletes: nothing is applied, and the message gives numbers and the way out', async () => {
    await makeUsers(
      api(),
      Array.from({ length: 10 }, (_, at) => ({
        user_id: `u${at}`,
        user_email: `u${at}@example.com`,
        auto_create_key: false,
      })),
    );
    const before = await stateOf(api());
    place().write('user_list.csv', 'email,role,team_name\nnew@example.com,,\nu0@example.com,,\n');
    const { code, stdout } = await place().run('sync');
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /9 of 10 managed users would be deleted, but max-deletes allows 20% of 10 managed users = 2\./,
    );
    expect(await stateOf(api())).toEqual(before);
  });

  const HEADER = 'email,role,team_name\n';
  const utf16 = (text: string): Buffer => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);

  test.each<[string, string | Buffer, RegExp]>([
    ['empty', '', /empty|expected header|no users/i],
    ['header only', HEADER, /holds no users/],
    ['separated by semicolons', 'email;role;team_name\nstays@example.com;;\n', /comma/],
    ['UTF-16', utf16(`${HEADER}stays@example.com,,\n`), /UTF-16/],
    ['the same email twice', `${HEADER}stays@example.com,,\nSTAYS@example.com,,\n`, /line 2/],
    ['an unknown team', `${HEADER}stays@example.com,,developmnt\n`, /Did you mean `development`/],
    ['an unknown role', `${HEADER}stays@example.com,admin,\n`, /proxy_admin_viewer/],
    ['an unknown column', 'email,rule,team_name\nstays@example.com,,\n', /`role`/],
  ])('a file that is %s: a message of its own, exit code 2, nothing written', async (_what, text, message) => {
    await prepare();
    const before = await stateOf(api());
    place().write('user_list.csv', text);
    const { code, stderr } = await place().run('sync');
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect(await stateOf(api())).toEqual(before);
  });

  test('with a byte order mark and CRLF it is fine; the wrong key is not', async () => {
    await api().makeUser('stays', { user_role: 'internal_user' });
    place().write('user_list.csv', `\uFEFF${HEADER}stays@example.com,,\n`.replaceAll('\n', '\r\n'));
    expect((await place().run('sync', '--dry-run', '--detailed-exitcode')).code).toBe(0);
    const refused = await place().run('sync', '--master-key', 'sk-wrong-0123456789abcdef');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/answered 401: the proxy refuses the key/);
    expect(refused.stderr).not.toContain('0123456789');
  });
});
