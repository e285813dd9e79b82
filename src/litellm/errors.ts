import type { Blocked, FailedRow, RowResult } from '../apply/ports.ts';
import { AnswerLostError, CodedError, type RefusalCode, StoppedError } from '../core/errors.ts';
import type { Answer, BaseUrl, TransportError } from './transport.ts';

/** A request to the proxy that has not had its effect. Its message never holds a key or the body of a request. */
export class ProxyError extends CodedError {
  override readonly name: string = 'ProxyError';
  /** `GET /user/list`: without query and ids. */
  readonly route: string;
  /** HTTP status; `null` where no answer came. */
  readonly status: number | null;
  /** The proxy's own words, cleaned; `null` where it gave none. */
  readonly proxyMessage: string | null;

  constructor(message: string, route: string, status: number | null, proxyMessage: string | null = null) {
    super(message);
    this.route = route;
    this.status = status;
    this.proxyMessage = proxyMessage;
  }

  get code(): RefusalCode {
    if (saysExists(this.proxyMessage ?? '')) return 'exists';
    return (this.status === null ? undefined : CODES[this.status]) ?? 'other';
  }
}

const CODES: Readonly<Record<number, RefusalCode>> = {
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  409: 'exists',
  422: 'invalid',
  429: 'unavailable',
};

/** The proxy's words where somebody has the email already: 409 from 1.106 on, 400 on 1.75, and a row of the bulk route. */
function saysExists(words: string): boolean {
  return /\buser (with )?email\b.*already exists/i.test(words);
}

/** No connection: refused, no such host, no trusted certificate, or (reads only) broken or too slow. */
export class ProxyUnreachableError extends ProxyError {
  override readonly name = 'ProxyUnreachableError';

  override get code(): RefusalCode {
    return 'unavailable';
  }
}

/** 401: the key is refused. */
export class ProxyAuthError extends ProxyError {
  override readonly name = 'ProxyAuthError';
}

/** 403, or a 401 or 404 that speaks of rights: the key is good but may not do this. */
export class ProxyForbiddenError extends ProxyError {
  override readonly name = 'ProxyForbiddenError';
}

/** Any other status that is not success, a redirect of a read out of the proxy, or HTML where JSON belongs. */
export class ProxyResponseError extends ProxyError {
  override readonly name = 'ProxyResponseError';
}

/** The answer is JSON of another shape than this version of the tool knows. */
export class UnexpectedShapeError extends ProxyError {
  override readonly name = 'UnexpectedShapeError';
}

/** A listing that twice did not hold as many different rows as it said. */
export class IncompleteInventoryError extends ProxyError {
  override readonly name = 'IncompleteInventoryError';
}

/** A write was answered with a redirect: not followed, because the key belongs to base-url's origin alone. */
export class RedirectedWriteError extends ProxyError {
  override readonly name = 'RedirectedWriteError';
}

/** The proxy is older than 1.75. */
export class ProxyTooOldError extends ProxyError {
  override readonly name = 'ProxyTooOldError';
}

/** A write whose effect is unknown; see {@link AnswerLostError}. */
export class LostWriteError extends AnswerLostError {
  readonly route: string;
  readonly status: number | null;

  constructor(message: string, route: string, status: number | null) {
    super(message);
    this.route = route;
    this.status = status;
  }
}

/** Longest part of a proxy's message that is passed on: some list a team's whole roster. */
const LONGEST = 400;

/**
 * What a proxy's error answer says, in its own words: `{"error":{"message"}}`, `{"detail": text|object|array}`,
 * problem+json or plain text; with Python's `{'error': '…'}` unwrapped and everything key-like taken out.
 * `null` for an empty answer and for HTML.
 */
export function proxyMessageOf(text: string): string | null {
  if (isHtml(text)) return null;
  const found = fromJson(text) ?? text;
  const message = cleanMessage(found);
  return message === '' ? null : message;
}

export function isHtml(text: string): boolean {
  return /^\s*(<!doctype html|<html|<head|<body)/i.test(text.slice(0, 500));
}

/** Unwrapped, without keys and hashes of keys, on one line, cut. */
function cleanMessage(message: string): string {
  const line = withoutKeys(unwrapped(message)).replace(/\s+/g, ' ').trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}

function withoutKeys(message: string): string {
  return message
    .replace(/,?\s*Key Hash \(Token\)\s*=\s*\S+/gi, '')
    .replace(/\bsk-[\w.*-]+/g, 'sk-***')
    .replace(/\b[0-9a-f]{64}\b/gi, '***');
}

/** `{'error': 'User with email … already exists'}` → its text. Source: `str(HTTPException.detail)` of classic routes. */
function unwrapped(message: string): string {
  const wrapped = /^(?:\d{3}: )?\{\s*['"](?:error|message|detail)['"]:\s*(['"])(.*)\1\s*\}$/s.exec(message.trim());
  if (wrapped?.[2] === undefined) return message;
  return wrapped[2].replace(/\\(['"\\])/g, '$1');
}

function fromJson(text: string): string | null {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return null;
  }
  return textIn(body);
}

function textIn(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(validationText).join('; ') || null;
  if (typeof value !== 'object' || value === null) return null;
  const body = value as Record<string, unknown>;
  for (const key of ['error', 'detail', 'message', 'msg', 'title']) {
    const found = body[key] === undefined || body[key] === null ? null : textIn(body[key]);
    if (found !== null && found !== '') return found;
  }
  return null;
}

/** FastAPI's `{loc: ['body', 'user_role'], msg}` → `body.user_role: msg`. */
function validationText(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item);
  const { loc, msg } = item as { loc?: unknown; msg?: unknown };
  const place = Array.isArray(loc) ? `${loc.join('.')}: ` : '';
  return `${place}${typeof msg === 'string' ? msg : (textIn(item) ?? 'invalid')}`;
}

const NOT_THE_API = "is base-url the address of the proxy's API, and not of a login page or gateway in front of it?";
/** LiteLLM's own errors are JSON: an HTML error page comes from a gateway in front of it. */
const GATEWAY_ALONE =
  'a gateway in front of the proxy answers in its place. Is the proxy running, and does the gateway reach it?';
/** The words of LiteLLM's web framework for a route that it lacks; a missing user or team has words of its own. */
const NO_SUCH_ROUTE = '. Is base-url right, with the root path if the proxy has one, and without /v1 or /ui?';

/** The error that an answer other than success stands for. @param secrets What must not be repeated from it. */
export function refusal(route: string, answer: Answer, secrets: readonly string[]): ProxyError {
  const { status, text } = answer;
  if (isHtml(text)) return htmlError(route, status);
  const message = proxyMessageOf(secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text));
  if (isForbidden(status, message)) {
    return new ProxyForbiddenError(
      `${route} answered ${status}: the key may not do this${said(message?.replace(/\.+$/, '') ?? null)}. Use the master key or a proxy_admin's key.`,
      route,
      status,
      message,
    );
  }
  if (status === 407) {
    const message = `${route} answered 407: the forward proxy wants credentials. Put them into its address: HTTPS_PROXY=http://user:password@host:port.`;
    return new ProxyResponseError(message, route, status);
  }
  if (status === 401) {
    return new ProxyAuthError(
      `${route} answered 401: the proxy refuses the key. Check master-key (or LITELLM_MASTER_KEY), and that base-url is the proxy it belongs to.`,
      route,
      status,
    );
  }
  const wayOut = status === 404 && message === 'Not Found' ? NO_SUCH_ROUTE : '';
  return new ProxyResponseError(`${route} answered ${status}${said(message)}${wayOut}`, route, status, message);
}

export function htmlError(route: string, status: number): ProxyResponseError {
  const wayOut = status >= 500 ? GATEWAY_ALONE : NOT_THE_API;
  return new ProxyResponseError(`${route} answered ${status} with HTML: ${wayOut}`, route, status);
}

export function redirectedRead(route: string, status: number, target: string, baseUrl: BaseUrl): ProxyResponseError {
  const message = `${route} was redirected (${status}) to ${target}, which is not followed: the key goes to ${baseUrl.origin} alone. Set base-url to the address that answers itself.`;
  return new ProxyResponseError(message, route, status);
}

export function lostReason(route: string, why: string): string {
  return `${route}: the answer was lost (${why}), it may or may not have taken effect.`;
}

export function unreachable(error: TransportError, baseUrl: BaseUrl): string {
  const way = error.via === null ? '' : ` through the forward proxy ${error.via} of this machine's environment`;
  const where = `Cannot reach the proxy at ${baseUrl}${way} (${error.code})`;
  switch (error.kind) {
    case 'host':
      return error.via === null
        ? `${where}: no such host. Check base-url, and that this machine may look up that name.`
        : `${where}: no such host. ${CHECK_WAY}`;
    case 'certificate':
      return `${where}: its TLS certificate is not trusted, or base-url's http and https are mixed up. A private authority's certificate goes into NODE_EXTRA_CA_CERTS.`;
    case 'timeout':
      return `${where}: raise timeout-seconds if the proxy is slow, or lower concurrency.`;
    default:
      return error.via === null
        ? `${where}: is it running, is base-url right, and may this machine connect to it?`
        : `${where}: is it running, and is base-url right? ${CHECK_WAY}`;
  }
}

const CHECK_WAY =
  'Check HTTPS_PROXY and HTTP_PROXY; a host that is reached without a forward proxy belongs into NO_PROXY.';

function said(message: string | null): string {
  return message === null ? '' : `: ${message}`;
}

/** 401 and 404 speak of rights by their words alone. */
function isForbidden(status: number, message: string | null): boolean {
  if (status === 403) return !speaksOfLicense(message);
  return (status === 401 && speaksOfRights(message)) || (status === 404 && hidesTeam(message));
}

/** Source: `list_team_v2` of 1.75, asked for one team with a proxy_admin_viewer's key; 1.82 and 1.90 show the team (tried). */
function hidesTeam(message: string | null): boolean {
  return message !== null && /^user is not a member of team_id=/i.test(message);
}

/** Source: 1.75 answers 401 where a known key lacks the rights ("Only proxy admin can be used to …"). */
function speaksOfRights(message: string | null): boolean {
  return message !== null && /only (proxy )?admin|not allowed/i.test(message);
}

/** "License is over limit": no other key would help. Source: `bulk_create_users` refuses the whole call with 403. */
function speaksOfLicense(message: string | null): boolean {
  return message !== null && /licen[sc]e/i.test(message);
}

export interface AnsweredRow {
  readonly user_id: string | null;
  readonly success: boolean;
  readonly error: string | null;
}

/** One result per asked user, in their order; a user that the answer leaves out is a lost row. */
export function rowResults(
  userIds: readonly string[],
  answers: readonly AnsweredRow[],
  isFine: (error: string) => boolean = () => false,
): RowResult[] {
  const byId = new Map(answers.map((answer) => [answer.user_id, answer]));
  return userIds.map((userId) => {
    const answer = byId.get(userId);
    if (answer === undefined) return leftOut(userId);
    if (answer.success || (answer.error !== null && isFine(answer.error))) return { userId, ok: true };
    return refusedRow(userId, givenReason(answer.error));
  });
}

export function leftOut(userId: string): FailedRow {
  return { userId, ok: false, lost: true, reason: "The proxy's answer leaves this user out." };
}

/** The row of a request that may not be made any more; `null` where it may. */
export function unsentIfBlocked(userId: string, blocked: Blocked): FailedRow | null {
  const reason = blocked();
  return reason === null ? null : unsentRow(userId, reason);
}

export function unsentRow(userId: string, reason: string): FailedRow {
  return { userId, ok: false, blocked: true, reason };
}

export function givenReason(error: string | null): string {
  return error === null || error === '' ? 'The proxy gives no reason.' : cleanMessage(error);
}

/** The row of a call about one user that threw. Errors that are not the proxy's are thrown on. */
export function failedRow(userId: string, error: unknown): FailedRow {
  if (error instanceof StoppedError) return unsentRow(userId, error.message);
  if (error instanceof AnswerLostError) return { userId, ok: false, lost: true, reason: error.message };
  if (!(error instanceof ProxyError)) throw error;
  const { code, message, proxyMessage } = error;
  if (proxyMessage !== null && code !== 'unavailable') return refusedRow(userId, proxyMessage);
  return { userId, ok: false, code, reason: proxyMessage ?? message };
}

/** A row that the proxy refused in its own words. */
export function refusedRow(userId: string, reason: string): FailedRow {
  return { userId, ok: false, code: saysExists(reason) ? 'exists' : 'other', reason };
}
