import { Readable } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { SMTPEnvelope } from 'nodemailer/lib/smtp-connection';
import { Semaphore } from '../concurrency.ts';
import { RefusedError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Delivery, Mail, Mailer } from '../core/outcome.ts';
import { type Secret, withoutKeys } from '../core/secret.ts';
import { isAddress, type MailServer, type Sender } from './server.ts';

export interface MailerOptions {
  readonly server: MailServer;
  readonly from: Sender;
  readonly log: Log;
}

/** What reaches outside; tests put their own in. */
export interface MailEffects {
  /** Ends early, without an error, when the signal is aborted. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  readonly now: () => number;
  /** To connect, to be greeted, to have TLS. */
  readonly connectMs: number;
  /**
   * For each answer. RFC 5321 (4.5.3.2.6) gives the last one ten minutes, lest the client sends the mail twice: we never
   * do, so that a shorter time costs no more than a `not known`.
   */
  readonly answerMs: number;
  /** Authorities that are trusted, in PEM; `null`: those that Node trusts, NODE_EXTRA_CA_CERTS included. */
  readonly authorities: string | null;
}

const EFFECTS: MailEffects = {
  sleep: (milliseconds, signal) => after(milliseconds, undefined, signal && { signal }).catch(() => undefined),
  now: Date.now,
  connectMs: 30_000,
  answerMs: 120_000,
  authorities: null,
};

/** Providers allow few at a time; 200 mails over three take seconds. */
const CONNECTIONS = 3;
/** Before the second, third and fourth try of a mail. */
const WAITS_MS = [2_000, 10_000, 30_000];
const VERIFY_TRIES = 3;
/** A server that could not be talked to for so long is given up: hundreds of mails would each wait for it in vain. */
const LONGEST_SILENCE_MS = 120_000;

const NOT_SENT = { kind: 'failed', response: 'the run was stopped before the mail was sent' } as const;

const always = (): Promise<boolean> => Promise.resolve(true);

interface Turn {
  readonly signal: AbortSignal | undefined;
  /** See {@link Mailer.send}. */
  readonly begin: () => Promise<boolean>;
}

type Tried = Delivery | { readonly kind: 'again'; readonly response: string; readonly silent: boolean };

/** Mails through one server, by nodemailer, whose code is loaded when it is first needed. */
export class SmtpMailer implements Mailer {
  readonly #options: MailerOptions;
  readonly #effects: MailEffects;
  readonly #slots = new Semaphore(CONNECTIONS);
  readonly #idle: Connection[] = [];
  /** When the first connection failed of those that no answer has followed. */
  #silentSince: number | null = null;

  constructor(options: MailerOptions, effects: Partial<MailEffects> = {}) {
    this.#options = options;
    this.#effects = { ...EFFECTS, ...effects };
  }

  async verify(signal?: AbortSignal): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        const connection = await this.#open();
        connection.quit();
        return;
      } catch (error) {
        const wait = isTemporary(failureOf(error)) && !signal?.aborted ? WAITS_MS[attempt] : undefined;
        if (wait === undefined || attempt === VERIFY_TRIES - 1) throw new RefusedError(this.#refusal(failureOf(error)));
        await this.#effects.sleep(wait, signal);
      }
    }
  }

  async send(mail: Mail, signal?: AbortSignal, begin = always): Promise<Delivery> {
    if (!isAddress(mail.to)) return { kind: 'failed', response: 'no mail can be sent to this address' };
    const message = await this.#message(mail);
    for (let attempt = 0; ; attempt++) {
      const tried = await this.#slots.run(() => this.#turn(message, mail, { signal, begin }));
      if (tried.kind !== 'again') return tried;
      const wait = WAITS_MS[attempt];
      if (wait === undefined) return { kind: 'failed', response: `${tried.response}, ${attempt + 1} tries` };
      // The server's words may name the recipient.
      const why = /^\d{3}/.exec(tried.response)?.[0] ?? 'no connection';
      this.#options.log.debug(`mail: again in ${wait / 1000} s (${why})`);
      await this.#effects.sleep(wait, signal);
    }
  }

  close(): void {
    for (const connection of this.#idle.splice(0)) connection.quit();
  }

  async #turn(message: Message, mail: Mail, { signal, begin }: Turn): Promise<Tried> {
    if (signal?.aborted) return NOT_SENT;
    const { now } = this.#effects;
    if (this.#silentSince !== null && now() - this.#silentSince > LONGEST_SILENCE_MS) {
      return { kind: 'failed', response: `no connection for ${LONGEST_SILENCE_MS / 60_000} minutes, given up` };
    }
    if (!(await begin())) return NOT_SENT;
    const tried = await this.#try(message, this.#secrets(mail));
    this.#silentSince = tried.kind === 'again' && tried.silent ? (this.#silentSince ?? now()) : null;
    return tried;
  }

  /** On a connection that is open already, if there is one; if the server has ended that meanwhile, on a new one. */
  async #try(message: Message, secrets: readonly Secret[]): Promise<Tried> {
    const open = this.#idle.pop();
    if (open !== undefined) {
      const tried = await this.#exchange(open, message, secrets);
      if (tried.kind !== 'again' || !open.isClosed) return tried;
    }
    try {
      return await this.#exchange(await this.#open(), message, secrets);
    } catch (error) {
      return judge(failureOf(error), false, secrets);
    }
  }

  async #exchange(connection: Connection, message: Message, secrets: readonly Secret[]): Promise<Tried> {
    const body = new Body(message.text);
    try {
      const response = await connection.send(message.envelope, body);
      if (!connection.isClosed) this.#idle.push(connection);
      return { kind: 'sent', response: shown(response, secrets) };
    } catch (error) {
      const failure = failureOf(error);
      connection.close();
      return judge(failure, body.wasTaken, secrets);
    }
  }

  async #open(): Promise<Connection> {
    const { default: SmtpConnection } = await import('nodemailer/lib/smtp-connection');
    const { host, port, security, login } = this.#options.server;
    const { connectMs, answerMs, authorities } = this.#effects;
    const connection = new Connection(
      new SmtpConnection({
        host,
        port,
        secure: security === 'tls',
        requireTLS: security === 'starttls',
        connectionTimeout: connectMs,
        greetingTimeout: connectMs,
        dnsTimeout: connectMs,
        socketTimeout: answerMs,
        ...(authorities !== null && { tls: { ca: authorities } }),
      }),
    );
    try {
      await connection.connect();
      if (login !== null) await connection.login(login.user, login.password);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  async #message(mail: Mail): Promise<Message> {
    const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
    const { name, address } = this.#options.from;
    const node = new MailComposer({
      from: { name, address },
      to: { name: '', address: mail.to },
      subject: mail.subject,
      text: mail.text.reveal(),
      // So that absence notes stay at home (RFC 3834).
      headers: { 'Auto-Submitted': 'auto-generated' },
      disableFileAccess: true,
      disableUrlAccess: true,
    }).compile();
    return { envelope: node.getEnvelope(), text: await node.build() };
  }

  #secrets(mail: Mail): Secret[] {
    const { login } = this.#options.server;
    return [...mail.secrets, ...(login === null ? [] : [login.password])];
  }

  #refusal(failure: Failure): string {
    const { server } = this.#options;
    // What Node recommends behind a semicolon is no way for a runner.
    const words = failure.response ?? failure.message.replace(/; if the root CA .*/, '');
    const said = shown(words, server.login === null ? [] : [server.login.password]);
    const where = `${server.host}:${server.port}`;
    if (failure.code === 'EAUTH') {
      return `The mail server ${where} did not take the log-in of smtp-url: ${said}. Nothing was written.`;
    }
    return `The mail server ${where} of smtp-url cannot be used: ${said}.${hint(failure, server)} Nothing was written.`;
  }
}

function hint(failure: Failure, { security }: MailServer): string {
  const { originalCode = '', message } = failure;
  if (UNKNOWN_AUTHORITY.test(originalCode)) {
    return ' Its certificate is not trusted here: NODE_EXTRA_CA_CERTS names a file with the certificate of its authority.';
  }
  if (failure.command === 'STARTTLS') return ' smtp:// needs STARTTLS; with TLS from the first byte write smtps://.';
  if (security === 'tls' && /wrong version/i.test(message)) {
    return ' It does not begin with TLS: write smtp:// for STARTTLS (port 587).';
  }
  if (security !== 'tls' && failure.code === 'ETIMEDOUT') {
    return ' If it speaks TLS from the first byte, as on port 465, write smtps://.';
  }
  return '';
}

interface Message {
  readonly envelope: SMTPEnvelope;
  readonly text: Buffer;
}

/**
 * The text of a mail as the connection reads it: nodemailer begins to read after the server's 354, and an error of a
 * connection that ended says nothing of how far it had come (`ECONNECTION`, command `CONN`, before and after).
 */
class Body extends Readable {
  readonly #text: Buffer;
  /** Whether anything of the mail may have left. */
  wasTaken = false;

  constructor(text: Buffer) {
    super();
    this.#text = text;
  }

  override _read(): void {
    this.wasTaken = true;
    this.push(this.#text);
    this.push(null);
  }
}

/** What nodemailer's errors tell (its `_formatError`): `code` of its own, the server's answer and the command if any. */
interface Failure {
  readonly message: string;
  readonly code?: string | undefined;
  readonly originalCode?: string | undefined;
  readonly command?: string | undefined;
  readonly response?: string | undefined;
  readonly responseCode?: number | undefined;
}

function failureOf(error: unknown): Failure {
  return error as Failure;
}

/**
 * What a failed try means. Once the server has begun to take the text, only its own answer to it (`EMESSAGE`, 4xx or
 * 5xx) says that it has not kept it.
 */
function judge(failure: Failure, wasTaken: boolean, secrets: readonly Secret[]): Tried {
  const response = shown(failure.response ?? failure.message, secrets);
  const { responseCode = 0 } = failure;
  const isAnswer = failure.code === 'EMESSAGE' && responseCode >= 400 && responseCode < 600;
  if (wasTaken && !isAnswer) {
    return { kind: 'not known', reason: `the connection failed while the mail was handed over: ${response}` };
  }
  if (!isTemporary(failure)) return { kind: 'failed', response };
  return { kind: 'again', response, silent: !(responseCode > 0 && AFTER_LOGIN.has(failure.command ?? '')) };
}

const AFTER_LOGIN = new Set(['MAIL FROM', 'RCPT TO', 'DATA']);
const OF_CONNECTION = new Set(['ECONNECTION', 'ESOCKET', 'ETIMEDOUT', 'EDNS', 'ETLS', 'EPROTOCOL']);

const UNKNOWN_AUTHORITY = /SELF_SIGNED|^UNABLE_TO/;
/** Codes of certificates that Node does not accept (its list: "X509 certificate error codes"). */
const BAD_CERTIFICATE = /CERT|^UNABLE_TO/;

/** 4xx, or a connection that failed without a word of the server and not over its certificate. */
function isTemporary({ code = '', originalCode = '', responseCode = 0 }: Failure): boolean {
  if (responseCode >= 500 || BAD_CERTIFICATE.test(originalCode)) return false;
  return responseCode >= 400 || OF_CONNECTION.has(code);
}

const LONGEST_ANSWER = 300;

/** A server's words on one line, without what must not be seen. */
function shown(text: string, secrets: readonly Secret[]): string {
  let clean = text;
  for (const secret of secrets) clean = clean.replace(pattern(secret.reveal()), '***');
  clean = withoutKeys(clean)
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029\s]+/gu, ' ')
    .trim();
  return clean.length > LONGEST_ANSWER ? `${clean.slice(0, LONGEST_ANSWER)}…` : clean;
}

/** The secret as it is, percent-encoded, or in Base64 as it goes over the line at log-in. */
function pattern(secret: string): RegExp {
  const forms = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')];
  return new RegExp(forms.map((form) => form.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('|'), 'gi');
}

/** nodemailer's connection with promises. */
class Connection {
  readonly #smtp: SMTPConnection;
  isClosed = false;
  #fail: (error: unknown) => void = () => undefined;

  constructor(smtp: SMTPConnection) {
    this.#smtp = smtp;
    smtp.on('error', (error) => this.#fail(error));
    // The callback with the reason, if there is one, comes right after.
    smtp.on('end', () => {
      this.isClosed = true;
      setImmediate(() => this.#fail(Object.assign(new Error('Connection closed'), { code: 'ECONNECTION' })));
    });
  }

  connect(): Promise<void> {
    return this.#step((done) => this.#smtp.connect((error) => done(error ?? null, undefined)));
  }

  login(user: string, password: Secret): Promise<void> {
    return this.#step((done) => this.#smtp.login({ user, pass: password.reveal() }, (error) => done(error, undefined)));
  }

  send(envelope: SMTPEnvelope, body: Readable): Promise<string> {
    return this.#step((done) => this.#smtp.send(envelope, body, (error, info) => done(error, info?.response)));
  }

  /** Says goodbye, and does not wait for the answer. */
  quit(): void {
    this.#smtp.quit();
    this.#smtp.close();
  }

  close(): void {
    this.#smtp.close();
  }

  #step<T>(begin: (done: (error: unknown, result: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      begin((error, result) => (error === null || error === undefined ? resolve(result) : reject(error)));
    });
  }
}
