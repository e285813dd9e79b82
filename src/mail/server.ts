import { domainToASCII } from 'node:url';
import { Secret } from '../core/secret.ts';

/** A mail server, and who we are to it. */
export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** `tls`: from the first byte. `starttls`: required before anything is said. `local`: used where the server has it. */
  readonly security: 'tls' | 'starttls' | 'local';
  readonly login: { readonly user: string; readonly password: Secret } | null;
}

/** Who a mail comes from. */
export interface Sender {
  /** Empty: the address alone. */
  readonly name: string;
  readonly address: string;
}

const FORMS = '`smtps://user:password@host:465` or `smtp://user:password@host:587`';

/**
 * The server that `smtp-url` names.
 * @throws TypeError that says what is wrong and shows nothing of the value, which holds the password.
 */
export function mailServer(smtpUrl: Secret): MailServer {
  const text = smtpUrl.reveal().trim();
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === '') {
    throw new TypeError(
      `smtp-url is not an address like ${FORMS}. Special characters in user and password are percent-encoded: %40 for @, %2F for /, %23 for #.`,
    );
  }
  if (url.search !== '' || url.hash !== '' || !/^\/?$/.test(url.pathname)) {
    throw new TypeError(
      `smtp-url holds something after host and port, where nothing may stand: write ${FORMS}. A / ? or # in the password is percent-encoded: %2F, %3F, %23.`,
    );
  }
  const host = hostOf(url);
  const tls = url.protocol === 'smtps:';
  return {
    host,
    port: url.port === '' ? (tls ? 465 : 587) : Number(url.port),
    security: tls ? 'tls' : isLocal(host) ? 'local' : 'starttls',
    login: loginOf(url),
  };
}

/** Of a scheme that no browser knows, `URL` leaves letters and alphabet of a host as they are. */
function hostOf({ hostname }: URL): string {
  const literal = /^\[(.*)\]$/.exec(hostname)?.[1];
  return literal ?? (domainToASCII(percentDecoded(hostname)) || hostname.toLowerCase());
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError('smtp-url holds a % that begins no percent-encoded character: a % itself is written %25.');
  }
}

function loginOf(url: URL): MailServer['login'] {
  if (url.username === '' && url.password === '') return null;
  if (url.username === '' || url.password === '') {
    throw new TypeError(`smtp-url has a user without a password, or the other way round: write ${FORMS}, or neither.`);
  }
  return { user: percentDecoded(url.username), password: new Secret(percentDecoded(url.password)) };
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/**
 * The sender that `mail-from` names: `accounts@example.com`, or with a name, `LiteLLM accounts <accounts@example.com>`.
 * @throws TypeError that says what is allowed.
 */
export function sender(mailFrom: string | null): Sender {
  if (mailFrom === null || mailFrom.trim() === '') {
    throw new TypeError(
      'mail-from is required with deliver: smtp: an address that your mail server may send from, such as `LiteLLM accounts <accounts@example.com>`.',
    );
  }
  const text = mailFrom.trim();
  const named = /^([^<>]*)<([^<>]*)>$/.exec(text);
  const address = (named?.[2] ?? text).trim();
  const name = (named?.[1] ?? '').trim().replace(/^"(.*)"$/, '$1');
  if (!isAddress(address) || /[\p{Cc}\u2028\u2029"]/u.test(name)) {
    throw new TypeError(
      `mail-from '${text.replace(/\p{Cc}+/gu, ' ')}' is not one address: write \`accounts@example.com\` or \`LiteLLM accounts <accounts@example.com>\`.`,
    );
  }
  return { name, address };
}

const LOCAL_PART = /^[^\s\p{C}@<>()[\]\\,;:"]+$/u;
const DOMAIN = /^[\p{L}\p{M}\p{N}-]+(?:\.[\p{L}\p{M}\p{N}-]+)*$/u;

/** Whether a mail can go to this and to nobody else: no list, no name, no quotes, nothing that ends a command. */
export function isAddress(email: string): boolean {
  const at = email.lastIndexOf('@');
  const domain = email.slice(at + 1);
  return LOCAL_PART.test(email.slice(0, Math.max(0, at))) && DOMAIN.test(domain) && domainToASCII(domain) !== '';
}
