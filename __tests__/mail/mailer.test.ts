import { describe, expect, it } from 'vitest';
import type { Mail } from '../../src/core/outcome.ts';
import { Secret } from '../../src/core/secret.ts';
import { SmtpMailer } from '../../src/mail/mailer.ts';
import { composeMail, DEFAULT_SUBJECT, DEFAULT_TEMPLATE } from '../../src/mail/template.ts';
import { selfSigned } from './certificate.ts';
import { decoded, loginWith, mailerFor, obliging, PASSWORD, type Script, withScript, withServer } from './servers.ts';

function mailTo(email: string, id = 'inv-1'): Mail {
  return composeMail(
    { text: DEFAULT_TEMPLATE },
    { text: DEFAULT_SUBJECT },
    {
      email,
      link: new Secret(`https://llm.example.com/ui/?invitation_id=${id}`),
      invitationId: new Secret(id),
      expiresAt: '2026-08-02T10:11:12Z',
      teamName: '',
      proxyUrl: 'https://llm.example.com',
    },
  );
}

function refusing(code: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode: code });
}

describe('a mail', () => {
  it('goes to its one recipient, after a log-in, as plain text that no absence note answers', async () => {
    await withServer({}, async ({ port, mails }) => {
      const { mailer } = mailerFor(port, { login: loginWith(PASSWORD) });
      expect(await mailer.send(mailTo('ann@x.io'))).toEqual({ kind: 'sent', response: '250 queued as 1' });
      mailer.close();
      expect(mails).toHaveLength(1);
      expect(mails[0]).toMatchObject({ from: 'accounts@x.io', to: ['ann@x.io'] });
      const text = decoded(mails[0]?.text ?? '');
      expect(text).toContain('From: LiteLLM accounts <accounts@x.io>\r\n');
      expect(text).toContain('To: ann@x.io\r\n');
      expect(text).toContain('Subject: Your LiteLLM account\r\n');
      expect(text).toContain('Auto-Submitted: auto-generated\r\n');
      expect(text).toContain('Content-Type: text/plain; charset=utf-8\r\n');
      expect(text).toContain('\r\n  https://llm.example.com/ui/?invitation_id=inv-1\r\n');
    });
  });

  it('is one of 200 that go out over three connections, each with its own link', async () => {
    await withServer({}, async ({ port, mails, connections }) => {
      const { mailer, waits } = mailerFor(port);
      const people = Array.from({ length: 200 }, (_, index) => `person-${index}@x.io`);
      const done = await Promise.all(people.map((email) => mailer.send(mailTo(email, `<${email}>`))));
      mailer.close();
      expect(done.every(({ kind }) => kind === 'sent')).toBe(true);
      expect(mails.map(({ to }) => to.join()).sort()).toEqual([...people].sort());
      for (const { to, text } of mails) {
        expect([...decoded(text).matchAll(/invitation_id=<(.+?)>/g)].map(([, email]) => email)).toEqual([to[0]]);
      }
      expect(connections).toEqual({ total: 3, most: 3 });
      expect(waits).toEqual([]);
    });
  });

  it('is announced when it is its turn, and not sent where that cannot be done', async () => {
    await withServer({}, async (inbox) => {
      const { mailer } = mailerFor(inbox.port);
      const told: number[] = [];
      const begin = (isTold: boolean) => async (): Promise<boolean> => {
        told.push(inbox.mails.length);
        return isTold;
      };
      const mails = Array.from({ length: 12 }, (_, index) => mailTo(`person${index}@example.com`));
      const done = await Promise.all(mails.map((mail, index) => mailer.send(mail, undefined, begin(index !== 5))));
      mailer.close();
      expect(told).toHaveLength(12);
      // Three at a time: the last ones are announced when most of the others have arrived.
      expect(told.at(-1)).toBeGreaterThanOrEqual(8);
      expect(done.map(({ kind }) => kind === 'sent').indexOf(false)).toBe(5);
      expect(inbox.mails.flatMap(({ to }) => to)).not.toContain('person5@example.com');
      expect(inbox.mails).toHaveLength(11);
    });
  });

  it('cannot carry a header or a recipient of its own', async () => {
    await withServer({}, async ({ port, mails }) => {
      const { mailer } = mailerFor(port);
      const mail = { ...mailTo('ann@x.io'), subject: 'Hello\r\nBcc: eve@x.io\r\n\r\ntext' };
      expect(await mailer.send(mail)).toMatchObject({ kind: 'sent' });
      for (const to of [
        'ann@x.io, eve@x.io',
        'ann@x.io\r\nBcc: eve@x.io',
        '<eve@x.io>',
        'a@b@x.io',
        'ann',
        'ann@x y',
      ]) {
        const refused = { kind: 'failed', response: 'no mail can be sent to this address' };
        expect(await mailer.send({ ...mail, to })).toEqual(refused);
      }
      mailer.close();
      expect(mails.map(({ to }) => to)).toEqual([['ann@x.io']]);
      expect(mails[0]?.text).not.toMatch(/^Bcc:/im);
    });
  });

  it('goes to a domain of any letters', async () => {
    const seen: string[] = [];
    const script: Script = (line, socket) => {
      seen.push(line);
      obliging(line, socket);
    };
    await withScript(script, async (port) => {
      const { mailer } = mailerFor(port);
      expect(await mailer.send(mailTo('ann@bücher.example'))).toMatchObject({ kind: 'sent' });
      mailer.close();
      expect(seen).toContain('RCPT TO:<ann@xn--bcher-kva.example>');
    });
  });
});

describe('a refusal', () => {
  it('that is temporary is tried again, after growing waits', async () => {
    let asked = 0;
    const onRcptTo = (_: unknown, __: unknown, done: (error?: Error) => void): void =>
      done(++asked < 4 ? refusing(450, '4.2.0 greylisted') : undefined);
    await withServer({ onRcptTo }, async ({ port, mails }) => {
      const { mailer, waits, log } = mailerFor(port);
      expect(await mailer.send(mailTo('ann@x.io'))).toMatchObject({ kind: 'sent' });
      mailer.close();
      expect(waits).toEqual([2_000, 10_000, 30_000]);
      expect(log[0]).toBe('mail: again in 2 s (450)');
      expect(mails).toHaveLength(1);
    });
  });

  it('that stays temporary is a failure after four tries', async () => {
    const onMailFrom = (_: unknown, __: unknown, done: (error: Error) => void): void => done(refusing(451, 'later'));
    await withServer({ onMailFrom }, async ({ port, mails }) => {
      const { mailer, waits } = mailerFor(port);
      expect(await mailer.send(mailTo('ann@x.io'))).toEqual({ kind: 'failed', response: '451 later, 4 tries' });
      expect(waits).toHaveLength(3);
      expect(mails).toEqual([]);
    });
  });

  it('that is for good is not tried again', async () => {
    let asked = 0;
    const onRcptTo = (_: unknown, __: unknown, done: (error: Error) => void): void => {
      asked++;
      done(refusing(550, '5.1.1 no such user'));
    };
    await withServer({ onRcptTo }, async ({ port }) => {
      const { mailer, waits } = mailerFor(port);
      expect(await mailer.send(mailTo('ann@x.io'))).toEqual({ kind: 'failed', response: '550 5.1.1 no such user' });
      expect([asked, waits]).toEqual([1, []]);
    });
  });

  it.each([
    [554, ['554 spam'], 1],
    [452, ['452 full, 4 tries'], 4],
  ])('of the text with %s is an answer like any other', async (code, responses, tries) => {
    let taken = 0;
    const script: Script = (line, socket) => {
      if (line !== '.') return obliging(line, socket);
      taken++;
      socket.write(code === 554 ? '554 spam\r\n' : '452 full\r\n');
    };
    await withScript(script, async (port) => {
      const { mailer } = mailerFor(port);
      expect(await mailer.send(mailTo('ann@x.io'))).toEqual({ kind: 'failed', response: responses[0] });
      expect(taken).toBe(tries);
    });
  });

  it('that quotes link, key or password does not show them', async () => {
    const quoted = [
      'https://llm.example.com/ui/?invitation_id=inv-1',
      'INV-1',
      'sk-abcdefghijkl',
      PASSWORD,
      Buffer.from(PASSWORD).toString('base64'),
      encodeURIComponent(PASSWORD),
    ];
    const script: Script = (line, socket) =>
      line === '.'
        ? socket.write(`554-blocked\r\n554 ${quoted.join(' ')} ${'x'.repeat(400)}\r\n`)
        : obliging(line, socket);
    await withScript(script, async (port) => {
      const { mailer } = mailerFor(port);
      const done = await mailer.send({
        ...mailTo('ann@x.io'),
        secrets: [...mailTo('ann@x.io').secrets, new Secret(PASSWORD)],
      });
      expect(done).toEqual({
        kind: 'failed',
        response: expect.stringMatching(/^554-blocked 554 \*\*\* \*\*\* sk-\*\*\* (\*\*\* ){3}x+…$/),
      });
    });
  });
});

describe('a connection that ends', () => {
  const hangUpAt = (point: RegExp, times = Number.POSITIVE_INFINITY): Script => {
    let left = times;
    return (line, socket) => {
      if (!point.test(line) || left-- <= 0) obliging(line, socket);
      else socket.destroy();
    };
  };

  it.each([/^\(connected\)/, /^EHLO/, /^MAIL/, /^RCPT/, /^DATA/])(
    'at %s, before the text, is made anew',
    async (point) => {
      await withScript(hangUpAt(point, 2), async (port, count) => {
        const { mailer, waits } = mailerFor(port);
        expect(await mailer.send(mailTo('ann@x.io'))).toEqual({ kind: 'sent', response: '250 queued' });
        mailer.close();
        expect([count(), waits]).toEqual([3, [2_000, 10_000]]);
      });
    },
  );

  it.each([
    ['at the first line of the text', hangUpAt(/^From:/)],
    ['after the text', hangUpAt(/^\.$/)],
    ['in the middle of the answer', on('.', (socket) => socket.end('25'))],
    ['after a refusal without line end', on('.', (socket) => socket.end('451 later'))],
    ['after an answer that is none', on('.', (socket) => socket.write('what?\r\n'))],
    ['right after it asked for the text', on('DATA', (socket) => socket.end('354 go on\r\n'))],
  ])('%s: not known, and never sent again', async (_, script) => {
    await withScript(script, async (port, count) => {
      const { mailer, waits } = mailerFor(port);
      const done = await mailer.send(mailTo('ann@x.io'));
      expect(done).toEqual({
        kind: 'not known',
        reason: expect.stringMatching(/^the connection failed while the mail was handed over: ./),
      });
      expect([count(), waits]).toEqual([1, []]);
    });
  });

  it('without a word after the text: not known when the time is up', async () => {
    await withScript(
      on('.', () => undefined),
      async (port, count) => {
        const { mailer } = mailerFor(port, {}, { answerMs: 100 });
        expect(await mailer.send(mailTo('ann@x.io'))).toMatchObject({
          kind: 'not known',
          reason: expect.stringContaining('Timeout'),
        });
        expect(count()).toBe(1);
      },
    );
  });

  it('between two mails costs neither a wait nor a try', async () => {
    await withServer({}, async ({ port, mails, connections, hangUp }) => {
      const { mailer, waits } = mailerFor(port);
      await mailer.send(mailTo('ann@x.io'));
      await hangUp();
      expect(await mailer.send(mailTo('bob@x.io'))).toMatchObject({ kind: 'sent' });
      mailer.close();
      expect([mails.length, connections.total, waits]).toEqual([2, 2, []]);
    });
  });

  it('with 421 at the second mail is made anew at once', async () => {
    const script: Script = (line, socket, connection) => {
      if (connection === 1 && line.includes('bob@')) socket.end('421 too many\r\n');
      else obliging(line, socket);
    };
    await withScript(script, async (port, count) => {
      const { mailer, waits } = mailerFor(port);
      await mailer.send(mailTo('ann@x.io'));
      expect(await mailer.send(mailTo('bob@x.io'))).toMatchObject({ kind: 'sent' });
      mailer.close();
      expect([count(), waits]).toEqual([2, []]);
    });
  });

  it('for two minutes ends the trying for all', async () => {
    let time = 0;
    await withScript(hangUpAt(/connected/), async (port, count) => {
      const sleep = async (milliseconds: number): Promise<void> => {
        time += milliseconds;
      };
      const { mailer } = mailerFor(port, {}, { now: () => time, sleep });
      const failed = { kind: 'failed', response: 'Connection closed unexpectedly, 4 tries' };
      expect(await mailer.send(mailTo('ann@x.io'))).toEqual(failed);
      time += 100_000;
      const given = { kind: 'failed', response: 'no connection for 2 minutes, given up' };
      expect(await mailer.send(mailTo('bob@x.io'))).toEqual(given);
      expect(count()).toBe(4);
    });
  });

  function on(at: string, act: (socket: Parameters<Script>[1]) => void): Script {
    return (line, socket) => (line === at ? act(socket) : obliging(line, socket));
  }
});

describe('a run that is stopped', () => {
  it('ends the wait at once, and starts no further try', async () => {
    const stop = new AbortController();
    const onMailFrom = (_: unknown, __: unknown, done: (error: Error) => void): void => {
      setTimeout(() => stop.abort(), 50);
      done(refusing(451, 'later'));
    };
    await withServer({ onMailFrom }, async ({ port, connections }) => {
      const server = { host: '127.0.0.1', port, security: 'local', login: null } as const;
      const log = { debug: ignore, info: ignore, warning: ignore, error: ignore };
      const mailer = new SmtpMailer({ server, from: { name: '', address: 'accounts@x.io' }, log });
      const stopped = { kind: 'failed', response: 'the run was stopped before the mail was sent' };
      const start = Date.now();
      expect(await mailer.send(mailTo('ann@x.io'), stop.signal)).toEqual(stopped);
      expect(await mailer.send(mailTo('bob@x.io'), stop.signal)).toEqual(stopped);
      expect(Date.now() - start).toBeLessThan(1_500);
      expect(connections.total).toBe(1);
    });
  });

  const ignore = (): void => undefined;
});

describe('verify', () => {
  const { key, cert } = selfSigned();

  it.each([
    ['from the first byte', { secure: true, key, cert }, 'tls'],
    ['by STARTTLS', { hideSTARTTLS: false, key, cert }, 'starttls'],
    ['by STARTTLS where a server on this machine has it', { hideSTARTTLS: false, key, cert }, 'local'],
  ] as const)('logs in with TLS %s', async (_, options, security) => {
    const secured: boolean[] = [];
    const onConnect = ({ secure }: { secure: boolean }, done: () => void): void => {
      secured.push(secure);
      done();
    };
    await withServer({ ...options, onConnect, allowInsecureAuth: false }, async ({ port }) => {
      const server = { security, host: 'localhost', login: loginWith(PASSWORD) };
      const { mailer } = mailerFor(port, server, { authorities: cert });
      await mailer.verify();
      expect(secured).toHaveLength(1);
    });
  });

  it('refuses a wrong password, without showing it', async () => {
    const onAuth = (_: unknown, __: unknown, done: (error: Error) => void): void =>
      done(refusing(535, `no: ${PASSWORD}`));
    await withServer({ onAuth }, async ({ port, connections }) => {
      const { mailer } = mailerFor(port, { login: loginWith(PASSWORD) });
      const message = `The mail server 127.0.0.1:${port} did not take the log-in of smtp-url: 535 no: ***. Nothing was written.`;
      await expect(mailer.verify()).rejects.toThrow(message);
      expect(connections.total).toBe(1);
    });
  });

  it('refuses a server that cannot be reached, after three tries', async () => {
    let port = 0;
    await withScript(obliging, async (free) => {
      port = free;
    });
    const { mailer, waits } = mailerFor(port);
    await expect(mailer.verify()).rejects.toThrow(/cannot be used: connect ECONNREFUSED .*\. Nothing was written\.$/);
    expect(waits).toEqual([2_000, 10_000]);
  });

  it('ends its tries when the run is stopped', async () => {
    const stop = new AbortController();
    stop.abort();
    await withScript(
      (_, socket) => void socket.destroy(),
      async (port, count) => {
        await expect(mailerFor(port).mailer.verify(stop.signal)).rejects.toThrow('Connection closed unexpectedly');
        expect(count()).toBe(1);
      },
    );
  });

  it('never sends a password where STARTTLS is missing', async () => {
    const seen: string[] = [];
    const script: Script = (line, socket) => {
      seen.push(line);
      if (line === 'STARTTLS') socket.write('502 what is that\r\n');
      else obliging(line, socket);
    };
    await withScript(script, async (port) => {
      const { mailer } = mailerFor(port, { security: 'starttls', login: loginWith(PASSWORD) });
      await expect(mailer.verify()).rejects.toThrow(
        '502 what is that. smtp:// needs STARTTLS; with TLS from the first byte write smtps://. Nothing',
      );
      expect(seen.some((line) => /AUTH/.test(line))).toBe(false);
    });
  });

  it.each(['tls', 'starttls'] as const)('says at once how a certificate comes to be trusted (%s)', async (security) => {
    await withServer({ secure: security === 'tls', hideSTARTTLS: false, key, cert }, async ({ port }) => {
      const { mailer, waits } = mailerFor(port, { host: 'localhost', security });
      await expect(mailer.verify()).rejects.toThrow(
        `localhost:${port} of smtp-url cannot be used: self-signed certificate. Its certificate is not trusted here: NODE_EXTRA_CA_CERTS`,
      );
      expect(waits).toEqual([]);
    });
  });

  it('says what may be wrong with a server that does not speak', async () => {
    await withScript(
      () => undefined,
      async (port) => {
        const { mailer, log } = mailerFor(port, { security: 'starttls' }, { connectMs: 50 });
        await expect(mailer.verify()).rejects.toThrow(
          'Greeting never received. If it speaks TLS from the first byte, as on port 465, write smtps://. Nothing was written.',
        );
        expect(await mailer.send(mailTo('ann@x.io'))).toEqual({
          kind: 'failed',
          response: 'Greeting never received, 4 tries',
        });
        expect(log[0]).toBe('mail: again in 2 s (no connection)');
      },
    );
  });

  it('says which scheme a server speaks', async () => {
    await withServer({}, async ({ port }) => {
      const { mailer } = mailerFor(port, { security: 'tls' });
      await expect(mailer.verify()).rejects.toThrow(
        'It does not begin with TLS: write smtp:// for STARTTLS (port 587).',
      );
    });
  });
});
