import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { expect, it, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { SmtpMailer } from '../../src/mail/mailer.ts';
import { mailServer, sender } from '../../src/mail/server.ts';
import { composeMail, DEFAULT_SUBJECT, DEFAULT_TEMPLATE } from '../../src/mail/template.ts';
import { Job } from '../real/job.ts';
import { onRealProxy } from '../real/suite.ts';

const { SMTP_REAL_URL = '', SMTP_REAL_MAILDIR = '' } = process.env;
const ignore = (): void => undefined;
const log = { debug: ignore, info: ignore, warning: ignore, error: ignore };
const from = sender('LiteLLM accounts <accounts@here.test>');

function mailerAt(url: string): SmtpMailer {
  return new SmtpMailer({ server: mailServer(new Secret(url)), from, log });
}

function mailTo(email: string, link = 'https://llm.here.test/ui/?invitation_id=inv-1'): ReturnType<typeof composeMail> {
  return composeMail(
    { text: DEFAULT_TEMPLATE },
    { text: DEFAULT_SUBJECT },
    {
      email,
      link: new Secret(link),
      invitationId: new Secret('inv-1'),
      expiresAt: '2026-08-02T10:11:12Z',
      teamName: 'red',
      proxyUrl: 'https://llm.here.test',
    },
  );
}

/** The mails of a run by recipient, as soon as the server has put down so many. */
async function delivered(run: string, count: number): Promise<Map<string, string[]>> {
  const folder = join(SMTP_REAL_MAILDIR, 'new');
  const texts = new Map<string, string>();
  const ours = (): string[] => [...texts.values()].filter((text) => text.includes(`Delivered-To: ${run}.`));
  for (let left = 200; left > 0 && ours().length < count; left--) {
    await after(100);
    for (const file of await readdir(folder).catch(() => [])) {
      if (!texts.has(file)) texts.set(file, await readFile(join(folder, file), 'utf8'));
    }
  }
  const found = new Map<string, string[]>();
  for (const text of ours()) {
    const email = /^Delivered-To: (.+)$/m.exec(text)?.[1] ?? '';
    found.set(email, [...(found.get(email) ?? []), text]);
  }
  return found;
}

// `.ci/mail.sh up DIR` starts the server and prints these variables, and NODE_EXTRA_CA_CERTS.
it.skipIf(SMTP_REAL_URL === '')('200 mails through a real server: each to its own, with its own link', async () => {
  const mailer = mailerAt(SMTP_REAL_URL);
  await mailer.verify();
  const run = `run${Date.now()}`;
  const names = Array.from({ length: 200 }, (_, index) => `${run}.person${index}`);
  const done = await Promise.all(
    names.map((name) => mailer.send(mailTo(`${name}@here.test`, `https://llm.here.test/ui/?invitation_id=${name}`))),
  );
  mailer.close();
  expect([...new Set(done.map(({ kind }) => kind))]).toEqual(['sent']);
  const mails = await delivered(run, names.length);
  expect([...mails.keys()].sort()).toEqual(names.map((name) => `${name}@here.test`).sort());
  for (const [email, texts] of mails) {
    expect(texts).toHaveLength(1);
    const text = (texts[0] ?? '').replace(/=\n/g, '').replace(/=3D/g, '=');
    expect([...text.matchAll(/invitation_id=(\S+)/g)].map(([, id]) => `${id}@here.test`)).toEqual([email]);
    expect(text).toMatch(/with ESMTPSA/);
  }
});

it.skipIf(SMTP_REAL_URL === '')('a real server says no to an unknown recipient and to a wrong password', async () => {
  const mailer = mailerAt(SMTP_REAL_URL);
  const done = await mailer.send(mailTo('ann@elsewhere.test'));
  mailer.close();
  expect(done).toEqual({ kind: 'failed', response: expect.stringMatching(/^550 5\.1\.1 .*User unknown/) });
  const wrong = mailerAt(SMTP_REAL_URL.replace(/:[^:@]+@/, ':wrong-password@'));
  await expect(wrong.verify()).rejects.toThrow(/did not take the log-in of smtp-url: 535 .*\. Nothing was written\.$/);
});

onRealProxy('the command line tool and a real mail server', (proxy) => {
  test.skipIf(SMTP_REAL_URL === '')(
    '200 new users: one mail each, whose link is their own, and no other copy of it',
    async () => {
      const run = `new${Date.now()}`;
      const emails = Array.from({ length: 200 }, (_, index) => `${run}.person${index}@here.test`).sort();
      const job = new Job(proxy().target);
      job.write(`email,role\n${emails.map((email) => `${email},internal_user\n`).join('')}`);
      const flags = ['--deliver', 'smtp', '--smtp-url', SMTP_REAL_URL, '--mail-from', 'accounts@here.test'];
      const { NODE_EXTRA_CA_CERTS = '' } = process.env;
      const { code, stdout, stderr } = await job.cli(['sync', ...flags], { NODE_EXTRA_CA_CERTS });
      expect(code, stderr.slice(-2000)).toBe(0);
      const mails = await delivered(run, emails.length);
      expect([...mails.keys()].sort()).toEqual(emails);
      const left = stdout + stderr + job.read('onboarding_links.csv');
      for (const [email, texts] of mails) {
        const text = texts.join('').replace(/=\n/g, '').replace(/=3D/g, '=');
        const ids = [...text.matchAll(/invitation_id=([\w-]+)/g)].map(([, id]) => id ?? '');
        expect(ids).toHaveLength(1);
        expect(left).not.toContain(ids[0]);
        const { body: invitation } = await proxy().api.get(`/invitation/info?invitation_id=${ids[0]}`);
        const { body: owner } = await proxy().api.get(`/user/info?user_id=${invitation.user_id}`);
        expect(owner.user_info.user_email).toBe(email);
      }
    },
    240_000,
  );
});
