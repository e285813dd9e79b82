import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { commands } from '../commands/suite.ts';

const database = process.env.LITELLM_DATABASE_URL;

/** No call leaves a user in the roster only; two that race do. On the real proxy it takes its database and `psql`. */
commands('a membership that only the roster has', (place, api, target) => {
  async function prepare(): Promise<void> {
    await api().makeTeam('red');
    await api().makeUser('half', { user_role: 'internal_user', teams: ['red'] });
    const user = target().state?.users.get('half');
    const sql = `UPDATE "LiteLLM_UserTable" SET teams = '{}' WHERE user_id = 'half'`;
    if (user === undefined) execFileSync('psql', ['-q', database ?? '', '-c', sql]);
    else user.teams = [];
    place().write('user_list.csv', 'email,team_name\nhalf@example.com,red\n');
  }
  const isOutOfReach = () => target().state === null && !database;
  const halves = async () => [await api().teamsOf('half'), await api().rosterOf('red')];

  test('is mended where there is no key', async ({ skip }) => {
    skip(isOutOfReach(), 'LITELLM_DATABASE_URL is not set');
    await prepare();
    const { code, stdout, stderr } = await place().run('sync');
    expect(code, stdout + stderr).toBe(0);
    expect(await halves()).toEqual([['red'], ['half']]);
    expect((await place().run('sync', '--dry-run', '--detailed-exitcode')).code).toBe(0);
  });

  test('is not mended at the price of a key: plan and row say so', async ({ skip }) => {
    skip(isOutOfReach(), 'LITELLM_DATABASE_URL is not set');
    await prepare();
    await api().ok('/key/generate', { user_id: 'half', team_id: 'red', key_alias: 'half-1' });
    const plan = await place().run('sync', '--dry-run');
    expect(plan.stdout).toContain('(half-1) survives');
    const { code, stdout, stderr } = await place().run('sync');
    expect(await api().keyAliasesOf('half')).toEqual(['half-1']);
    const isMended = !plan.stdout.includes('mend will be refused');
    expect(isMended).toBe(target().version === '1.75');
    expect(code).toBe(isMended ? 0 : 1);
    expect(await halves()).toEqual([isMended ? ['red'] : [], ['half']]);
    if (!isMended) expect(stdout + stderr).toContain('leaving would delete their keys of this team');
  });
});
