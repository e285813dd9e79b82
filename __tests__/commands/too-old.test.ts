import { expect, onTestFinished, test } from 'vitest';
import { startStandin } from '../../standin/server.ts';
import { Api } from '../contract/api.ts';
import { Workplace } from './workplace.ts';

const { LITELLM_1_55_BASE_URL: baseUrl, LITELLM_1_55_MASTER_KEY: masterKey } = process.env;

/** The stand-in as 1.55, or the real one where LITELLM_1_55_BASE_URL and LITELLM_1_55_MASTER_KEY name it. */
async function oldProxy(): Promise<{ baseUrl: string; masterKey: string }> {
  if (baseUrl && masterKey) return { baseUrl, masterKey };
  const standin = await startStandin({ version: '1.55' });
  onTestFinished(() => standin.close());
  return standin;
}

test.each([
  ['sync', 'user_list.csv', 'email,role,team_name\nnew@example.com,internal_user,\n'],
  ['add', 'user_addlist.csv', 'email,role,team_name,key_name\nnew@example.com,internal_user,,\n'],
  ['delete', 'user_dellist.csv', 'email\nold@example.com\n'],
  ['onboard', 'users.csv', 'user_email\nnew@example.com\n'],
])('1.55: %s is refused before any write, with the reason', async (command, file, text) => {
  const proxy = await oldProxy();
  const api = new Api(proxy.baseUrl, proxy.masterKey);
  await api.makeUser('old', { user_role: 'internal_user' });
  const place = new Workplace(proxy);
  onTestFinished(() => place.remove());
  place.write(file, text);
  const { code, stdout, stderr } = await place.run(command);
  expect(code, stdout).toBe(1);
  expect(stderr).toMatch(/1\.75/);
  const { users } = (await api.get('/user/list?page_size=100')).body;
  const emails = users.flatMap((user: { user_email: string | null }) => user.user_email ?? []);
  expect(emails).toContain('old@example.com');
  expect(emails).not.toContain('new@example.com');
  expect(place.files).toEqual([file]);
});
