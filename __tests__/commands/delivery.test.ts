import Papa from 'papaparse';
import { expect, onTestFinished, test } from 'vitest';
import { startStandin } from '../../standin/server.ts';
import { Api } from '../contract/api.ts';
import { hurry } from '../faults/hurry.ts';
import { type Inbox, withServer } from '../mail/servers.ts';
import { commands, emails, makeTeams } from './suite.ts';
import { Workplace } from './workplace.ts';

/** A server that knows everybody but one. */
const SERVER = {
  onRcptTo: ({ address }: { address: string }, _session: unknown, done: (error?: Error) => void) =>
    address === 'bounce@example.com' ? done(Object.assign(new Error('no such user'), { responseCode: 550 })) : done(),
};

const rowsOf = (csv: string): Record<string, string>[] =>
  Papa.parse<Record<string, string>>(csv, { header: true, delimiter: ',', skipEmptyLines: true }).data;

const linkIn = (text: string): string => /http\S+invitation_id=[\w-]+/.exec(text.replaceAll('=\r\n', ''))?.[0] ?? '';

function expectMails({ mails }: Inbox, texts: string, ...to: readonly string[]): void {
  expect(mails.map((mail) => mail.to.join()).sort()).toEqual(to);
  for (const { text } of mails) {
    expect(text).not.toContain('sk-');
    const id = linkIn(text.replaceAll('=3D', '=')).split('invitation_id=')[1] ?? 'none';
    expect(texts).not.toContain(id.split('&')[0]);
  }
}

commands('deliver: smtp', (place, api) => {
  const deliver = (inbox: Inbox, ...more: readonly string[]) => [
    ...['--deliver', 'smtp', '--smtp-url', `smtp://127.0.0.1:${inbox.port}`, '--mail-from', 'it@example.com'],
    ...more,
  ];

  test('sync: delivered links read `delivered`, the last column tells the answer', async () => {
    await makeTeams(api(), 'development');
    place().write('user_list.csv', 'email,role,team_name\nann@example.com,,development\nbounce@example.com,,\n');
    await withServer(SERVER, async (inbox) => {
      const { code, stdout, stderr } = await place().run('sync', ...deliver(inbox));
      expect(code).toBe(1);
      const text = place().read('onboarding_links.csv');
      expectMails(inbox, text + stdout + stderr, 'ann@example.com');
      expect(text.split('\n')[0]).toMatch(/,delivery$/);
      const [ann, bounce] = rowsOf(text).sort((a, b) => String(a.email).localeCompare(String(b.email)));
      const once = { invitation_id: 'delivered', onboarding_link: 'delivered' };
      expect(ann).toMatchObject({
        ...once,
        delivery: expect.stringMatching(/^sent \(250/),
        api_key: expect.stringMatching(/^sk-/),
      });
      expect(bounce).toMatchObject({ delivery: expect.stringMatching(/^failed \(550/) });
      expect(bounce?.onboarding_link).toContain(bounce?.invitation_id);
      const result = rowsOf(place().read('user_sync_result.csv')).find((row) => row.email === 'bounce@example.com');
      expect(result).toMatchObject({ status: 'FAILED', error_reason: expect.stringContaining('send a new link with') });
    });
  });

  test('add: its own file, too', async () => {
    place().write('user_addlist.csv', 'email,role,team_name,key_name\nann@example.com,,,\n');
    await withServer(SERVER, async (inbox) => {
      expect((await place().run('add', ...deliver(inbox))).code).toBe(0);
      const text = place().read('user_reg_result.csv');
      expectMails(inbox, text, 'ann@example.com');
      expect(rowsOf(text)).toMatchObject([{ email: 'ann@example.com', invitation_url: 'delivered' }]);
    });
  });

  test('onboard: new and existing users, each their own link, again with each run', async () => {
    await api().makeUser('old', { user_role: 'internal_user' });
    // To the address that the proxy has, and not as the file writes it.
    place().write('users.csv', 'user_email,team_id\nann@example.com,\nOLD@Example.com,\n');
    await withServer(SERVER, async (inbox) => {
      expect((await place().run('onboard', ...deliver(inbox))).code).toBe(0);
      const json = place().read('onboarding_results.json');
      expectMails(inbox, json + place().read('onboarding_links.csv'), 'ann@example.com', 'old@example.com');
      for (const entry of JSON.parse(json))
        expect(entry).toMatchObject({ status: 'success', onboarding_link: 'delivered' });
      for (const row of rowsOf(place().read('onboarding_links.csv')))
        expect(row).toMatchObject({ onboarding_link: 'delivered', delivery: expect.stringMatching(/^sent/) });
      expect((await place().run('onboard', ...deliver(inbox))).code).toBe(0);
      expect(inbox.mails).toHaveLength(4);
      expect(new Set(inbox.mails.map(({ text }) => linkIn(text.replaceAll('=3D', '=')))).size).toBe(4);
    });
  });
});

test('deliver: smtp, and a server that cannot be reached: nothing is written', async () => {
  const standin = await startStandin({ version: '1.110' });
  onTestFinished(() => standin.close());
  const place = new Workplace(standin);
  onTestFinished(() => place.remove());
  place.write('user_list.csv', 'email\nann@example.com\n');
  // The pauses between its attempts, of twelve seconds together.
  onTestFinished(hurry(10));
  // Nobody listens there any more.
  let url = '';
  await withServer(SERVER, async ({ port }) => {
    url = `smtp://127.0.0.1:${port}`;
  });
  const { code, stderr } = await place.run('sync', '--deliver', 'smtp', '--smtp-url', url, '--mail-from', 'it@b.com');
  expect([code, stderr]).toEqual([1, expect.stringMatching(/Nothing was written/)]);
  expect(await emails(new Api(standin.baseUrl, standin.masterKey))).toEqual([]);
});
