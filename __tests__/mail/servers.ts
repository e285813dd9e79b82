import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { Secret } from '../../src/core/secret.ts';
import { type MailEffects, SmtpMailer } from '../../src/mail/mailer.ts';
import type { MailServer } from '../../src/mail/server.ts';

export const PASSWORD = 'p@ss/word#1';

export interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
}

export interface Inbox {
  readonly port: number;
  readonly mails: readonly Received[];
  /** Connections made so far, and the most that were open at once. */
  readonly connections: { total: number; most: number };
  /** Ends every connection that is open now. Not with TLS: Node 24 may crash under a socket that is torn away. */
  hangUp(): Promise<void>;
}

/** A mail server of the user `robot`, for the time of `use`. */
export async function withServer<R>(options: SMTPServerOptions, use: (inbox: Inbox) => Promise<R>): Promise<R> {
  const mails: Received[] = [];
  const connections = { total: 0, most: 0 };
  const open = new Set<Socket>();
  const server = new SMTPServer({
    hideSTARTTLS: true,
    closeTimeout: 50,
    disableReverseLookup: true,
    allowInsecureAuth: true,
    authOptional: true,
    onAuth: ({ username, password }, _session, done) =>
      username === 'robot' && password === PASSWORD
        ? done(null, { user: username })
        : done(Object.assign(new Error('Authentication failed'), { responseCode: 535 })),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom === false ? '' : mailFrom.address;
        mails.push({ from, to: rcptTo.map(({ address }) => address), text: Buffer.concat(chunks).toString() });
        done(null, `queued as ${mails.length}`);
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  server.server.on('connection', (socket: Socket) => {
    connections.total++;
    open.add(socket);
    connections.most = Math.max(connections.most, open.size);
    socket.on('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const hangUp = async (): Promise<void> => {
    const closed = [...open].map((socket) => once(socket, 'close'));
    for (const socket of open) socket.destroy();
    await Promise.all(closed);
  };
  try {
    return await use({ port: (server.server.address() as AddressInfo).port, mails, connections, hangUp });
  } finally {
    await new Promise<void>((resolve) => server.close(resolve));
  }
}

/** The text of a mail without the encoding of its transport. */
export function decoded(text: string): string {
  return text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** What a server of a few lines does at a client's line: answer, or hang up. */
export type Script = (line: string, socket: Socket, connection: number) => void;

/** A server that greets, and then does what the script says; `DATA` that it answers with 354 it takes up to the dot. */
export async function withScript(
  script: Script,
  use: (port: number, count: () => number) => Promise<void>,
): Promise<void> {
  let count = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const connection = ++count;
    let rest = '';
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    script('(connected)', socket, connection);
    socket.on('data', (chunk) => {
      const lines = (rest + chunk).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (!socket.destroyed) script(line, socket, connection);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use((server.address() as AddressInfo).port, () => count);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Answers as a server does that takes everything. */
export function obliging(line: string, socket: Socket): void {
  if (line === '(connected)') socket.write('220 ready\r\n');
  else if (/^(EHLO|MAIL|RCPT|RSET)/.test(line)) socket.write('250 fine\r\n');
  else if (line === 'DATA') socket.write('354 go on\r\n');
  else if (line === '.') socket.write('250 queued\r\n');
}

/** A mailer for a server on this machine, that notes the waits instead of waiting. */
export function mailerFor(
  port: number,
  over: Partial<MailServer> = {},
  effects: Partial<MailEffects> = {},
): { mailer: SmtpMailer; waits: number[]; log: string[] } {
  const waits: number[] = [];
  const log: string[] = [];
  const note = (message: string): number => log.push(message);
  const mailer = new SmtpMailer(
    {
      server: { host: '127.0.0.1', port, security: 'local', login: null, ...over },
      from: { name: 'LiteLLM accounts', address: 'accounts@x.io' },
      log: { debug: note, info: note, warning: note, error: note },
    },
    {
      sleep: async (milliseconds) => void waits.push(milliseconds),
      ...effects,
    },
  );
  return { mailer, waits, log };
}

export function loginWith(password: string): MailServer['login'] {
  return { user: 'robot', password: new Secret(password) };
}
