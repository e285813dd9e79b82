import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { isAddress, mailServer, sender } from '../../src/mail/server.ts';

describe('smtp-url', () => {
  it.each([
    ['smtps://robot:pw@mail.x.io', 'mail.x.io', 465, 'tls', 'robot', 'pw'],
    ['smtps://robot:pw@mail.x.io:4650/', 'mail.x.io', 4650, 'tls', 'robot', 'pw'],
    [' smtp://robot%40x.io:p%40ss%2F%23@Mail.X.io:2525 ', 'mail.x.io', 2525, 'starttls', 'robot@x.io', 'p@ss/#'],
    ['smtp://mail.x.io', 'mail.x.io', 587, 'starttls', null, null],
    ['smtp://bücher.example', 'xn--bcher-kva.example', 587, 'starttls', null, null],
    ['smtp://localhost:25', 'localhost', 25, 'local', null, null],
    ['smtp://LOCALHOST', 'localhost', 587, 'local', null, null],
    ['smtp://127.0.0.2', '127.0.0.2', 587, 'local', null, null],
    ['smtp://[::1]:25', '::1', 25, 'local', null, null],
    ['smtp://[2001:db8::1]', '2001:db8::1', 587, 'starttls', null, null],
    ['smtp://127.evil.example', '127.evil.example', 587, 'starttls', null, null],
    ['smtp://127.0.0.1.evil.example', '127.0.0.1.evil.example', 587, 'starttls', null, null],
    ['smtp://localhost.evil.example', 'localhost.evil.example', 587, 'starttls', null, null],
  ])('%s', (url, host, port, security, user, password) => {
    const { login, ...server } = mailServer(new Secret(url));
    expect(server).toEqual({ host, port, security });
    expect(login && [login.user, login.password.reveal()]).toEqual(user && [user, password]);
  });

  it.each([
    ['', 'is not an address like `smtps://user:password@host:465`'],
    ['https://robot:hunter2@mail.x.io', 'is not an address like'],
    ['mail.x.io:587', 'is not an address like'],
    ['smtp://robot:hunter2/@mail.x.io:25', 'percent-encoded'],
    ['smtp://robot:hunter2#@mail.x.io', 'percent-encoded'],
    ['smtp://robot:hunter2@mail.x.io/?tls.rejectUnauthorized=false', 'after host and port, where nothing may stand'],
    ['smtp://robot:hunter2@mail.x.io/path', 'after host and port'],
    ['smtp://robot@mail.x.io', 'a user without a password'],
    ['smtp://:hunter2@mail.x.io', 'a user without a password'],
    ['smtp://robot:hunter2%@mail.x.io', 'a % that begins no percent-encoded character'],
  ])('%s is refused, without being shown', (url, message) => {
    expect(() => mailServer(new Secret(url))).toThrow(message);
    expect(() => mailServer(new Secret(url))).not.toThrow(/hunter2/);
  });
});

describe('mail-from', () => {
  it.each([
    ['accounts@x.io', '', 'accounts@x.io'],
    ['<accounts@x.io>', '', 'accounts@x.io'],
    [' LiteLLM accounts <accounts@x.io> ', 'LiteLLM accounts', 'accounts@x.io'],
    ['"Müller, Ann" <ann@x.io>', 'Müller, Ann', 'ann@x.io'],
  ])('%s', (text, name, address) => {
    expect(sender(text)).toEqual({ name, address });
  });

  it.each([
    [null, 'mail-from is required with deliver: smtp'],
    [' ', 'mail-from is required'],
    ['accounts', 'is not one address'],
    ['a@x.io, b@x.io', 'is not one address'],
    ['Ann <a@x.io> <b@x.io>', 'is not one address'],
    ['A"nn <a@x.io>', 'is not one address'],
    ['a@x.io\r\nBcc: b@x.io', "mail-from 'a@x.io Bcc: b@x.io' is not one address"],
    ['Ann\r\nBcc: b@x.io <a@x.io>', 'is not one address'],
  ])('%j is refused', (text, message) => {
    expect(() => sender(text)).toThrow(message);
  });
});

it.each(['a@b', "o'hara@x.io", 'ann+x@x.io', 'ünal@bücher.example'])('%s can have a mail', (email) => {
  expect(isAddress(email)).toBe(true);
});

it.each(['a', '@x.io', 'a@', 'a@b@c', 'a b@x.io', 'a@x.io;b@x.io', 'a\u200b@x.io', '"a"@x.io', 'a@x..'])(
  '%j cannot',
  (email) => {
    expect(isAddress(email)).toBe(false);
  },
);
