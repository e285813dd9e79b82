import { z } from 'zod';
import type { DeleteLimit } from './core/limits.ts';
import { Secret } from './core/secret.ts';

/** Reads one input's text. Messages begin with what is allowed and never repeat the text: the caller shows what may be shown. */
type Reader<T> = z.ZodType<T, string>;

/** A header that goes to the proxy with every request. */
export interface ExtraHeader {
  readonly name: string;
  readonly value: Secret;
}

export const text: Reader<string> = z.string();

/** Blank means not given. */
export function optional<T>(reader: Reader<T>): Reader<T | null> {
  return z.string().transform((given, context) => {
    if (given === '') return null;
    const read = reader.safeParse(given);
    if (read.success) return read.data;
    for (const { message } of read.error.issues) context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

export function choice<const T extends readonly string[]>(values: T): Reader<T[number]> {
  return z
    .string()
    .refine((given) => values.includes(given), { error: `allowed: ${values.join(', ')}` })
    .transform((given): T[number] => given);
}

export const flag: Reader<boolean> = choice(['true', 'false']).transform((given) => given === 'true');

export function whole(from: number, to: number): Reader<number> {
  const error = `allowed: a whole number from ${from} to ${to}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, { error })
    .transform(Number)
    .refine((number) => number >= from && number <= to, { error });
}

/** One entry a line. */
const lines: Reader<readonly string[]> = z.string().transform(linesOf);

/** One entry a line, or several with commas between; a comma inside braces belongs to a glob such as `{ann,bob}@*`. */
export const globs: Reader<readonly string[]> = z
  .string()
  .transform((given) => linesOf(given.replace(/,(?![^{}]*\})/g, '\n')));

function linesOf(given: string): string[] {
  return given.split(/\r?\n/).flatMap((line) => line.trim() || []);
}

/** An http address without a slash at its end; it may have a path. */
export const address: Reader<string> = z
  .string()
  .superRefine((given, context) => {
    const url = URL.canParse(given) ? new URL(given) : null;
    if (url === null || !/^https?:$/.test(url.protocol)) {
      context.addIssue({ code: 'custom', message: 'allowed: an address such as https://litellm.example.com' });
    } else if (url.username || url.password || url.search || url.hash) {
      context.addIssue({ code: 'custom', message: 'allowed: an address without user, query or fragment' });
    }
  })
  .transform((given) => given.replace(/\/+$/, ''));

/** What no HTTP header can carry is not a key but a slip in copying: a line break, a curly quote, an ellipsis. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

export const key: Reader<Secret | null> = z
  .string()
  .regex(HEADER_VALUE, { error: 'allowed: a key on one line, such as sk-…' })
  .transform(secretOrNull);

export const token: Reader<Secret | null> = z.string().transform(secretOrNull);

function secretOrNull(given: string): Secret | null {
  return given === '' ? null : new Secret(given);
}

/** Lines of an age recipients file. A list with comments only is an error, not "no recipients". */
export const recipients: Reader<readonly string[]> = lines
  .refine(
    (all) => all.every((one) => /^(age1[0-9a-z]+$|#)/i.test(one)) && (all.length === 0 || all.some(isRecipient)),
    { error: 'allowed: age recipients (public keys such as age1…), one a line' },
  )
  .transform((all) => all.filter(isRecipient));

function isRecipient(line: string): boolean {
  return !line.startsWith('#');
}

export const deleteLimit: Reader<DeleteLimit> = z
  .string()
  .regex(/^\d{1,9}$|^(\d{1,2}|100)(\.\d+)?%$/, {
    error: 'allowed: a number of users such as 10, or a share of the managed users such as 20%',
  })
  .transform((given) =>
    given.endsWith('%')
      ? { kind: 'percent', percent: Number(given.slice(0, -1)) }
      : { kind: 'count', count: Number(given) },
  );

/** Names artifacts and files, which must be possible on every runner. */
export const targetName: Reader<string> = z.string().regex(/^[^\p{Cc}"<>|:*?\\/]{0,100}$/u, {
  error: 'allowed: up to 100 characters, none of " < > | : * ? \\ /',
});

/** The characters of a `token` in RFC 9110. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Headers that frame a request: set by the one who sends it, or the request becomes another one. */
function framesRequest(name: string): boolean {
  return /^(host|content-.*|transfer-encoding|connection)$/i.test(name);
}

export const headerName: Reader<string> = z
  .string()
  .refine((given) => HEADER_NAME.test(given) && !framesRequest(given), {
    error: 'allowed: the name of a header such as x-litellm-key, not Host, Content-*, Transfer-Encoding or Connection',
  });

/** `Name: value`, one a line; one without a value is left out, as an input without a value is. */
export const headers: Reader<readonly ExtraHeader[]> = lines.transform((all, context) => {
  const seen = new Set<string>();
  for (const [index, line] of all.entries()) {
    const why = headerProblem(line, seen);
    if (why === null) continue;
    context.addIssue({ code: 'custom', message: `allowed: \`Name: value\`, one a line, but line ${index + 1} ${why}` });
    return z.NEVER;
  }
  return all.map(headerOf).filter(({ value }) => value.reveal() !== '');
});

function headerProblem(line: string, seen: Set<string>): string | null {
  if (!line.includes(':')) return 'has no colon';
  const { name, value } = headerOf(line);
  if (!HEADER_NAME.test(name)) return 'does not begin with the name of a header';
  if (framesRequest(name)) return 'is a header that nobody but the sender of a request may set';
  if (!HEADER_VALUE.test(value.reveal())) return 'holds a line break or another character that no header can carry';
  if (seen.has(name.toLowerCase())) return 'names a header for the second time';
  seen.add(name.toLowerCase());
  return null;
}

function headerOf(line: string): ExtraHeader {
  const colon = line.indexOf(':');
  return { name: line.slice(0, colon).trim(), value: new Secret(line.slice(colon + 1).trim()) };
}

/** The address of a mail server. It holds a password: nothing of it is ever shown. */
export const mailServer: Reader<Secret> = z
  .string()
  .refine(isMailServer, {
    error:
      'allowed: smtps://user:password@host:465 or smtp://host:587, special characters percent-encoded (%40 for @, %25 for %)',
  })
  .transform((given) => new Secret(given));

function isMailServer(given: string): boolean {
  if (!URL.canParse(given)) return false;
  const { protocol, hostname, port, pathname, search, hash, username, password } = new URL(given);
  const isServer = /^smtps?:$/.test(protocol) && hostname !== '' && port !== '0';
  const isLogin = (username === '') === (password === '') && isDecodable(`${username} ${password} ${hostname}`);
  return isServer && isLogin && /^\/?$/.test(pathname) && search + hash === '';
}

function isDecodable(text: string): boolean {
  try {
    return decodeURIComponent(text) !== '';
  } catch {
    return false;
  }
}

export const sender: Reader<string> = z
  .string()
  .regex(/^([^<>@\p{Cc}]*<[^<>@\s,;]+@[^<>@\s,;]+>|[^<>@\s,;]+@[^<>@\s,;]+)$/u, {
    error: 'allowed: an address such as accounts@example.com, or LiteLLM accounts <accounts@example.com>',
  });

export const oneLine: Reader<string> = z.string().regex(/^[^\p{Cc}]*$/u, { error: 'allowed: a text on one line' });
