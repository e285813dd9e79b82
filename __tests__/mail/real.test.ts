import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { SmtpMailer } from '../../src/mail/mailer.ts';
import { mailServer, sender } from '../../src/mail/server.ts';
import { composeMail, DEFAULT_SUBJECT, DEFAULT_TEMPLATE } from '../../src/mail/template.ts';

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
