import type { Secret } from '../core/secret.ts';
import type { BaseUrl } from './base-url.ts';
import { ProxyAuthError, type ProxyError, ProxyForbiddenError, ProxyResponseError } from './errors.ts';
import { isHtml, messageOf } from './message.ts';
import type { Answer, TransportError } from './transport.ts';

const NOT_THE_API = "is base-url the address of the proxy's API, and not of a login page or gateway in front of it?";
/** The words of LiteLLM's web framework for a route that it lacks; a missing user or team has words of its own. */
const NO_SUCH_ROUTE = '. Is base-url right, with the root path if the proxy has one, and without /v1 or /ui?';

/** The error that an answer other than success stands for. */
export function refusal(route: string, answer: Answer, masterKey: Secret): ProxyError {
  const { status, text } = answer;
  if (isHtml(text)) return htmlError(route, status);
  const message = messageOf(text)?.replaceAll(masterKey.reveal(), '***') ?? null;
  if ((status === 403 && !speaksOfLicense(message)) || (status === 401 && speaksOfRights(message))) {
    return new ProxyForbiddenError(
      `${route} answered ${status}: the key may not do this${said(message?.replace(/\.+$/, '') ?? null)}. Use the master key or a proxy_admin's key.`,
      route,
      status,
      message,
    );
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
  return new ProxyResponseError(`${route} answered ${status} with HTML: ${NOT_THE_API}`, route, status);
}

export function redirectedRead(route: string, status: number, target: string, baseUrl: BaseUrl): ProxyResponseError {
  const message = `${route} was redirected (${status}) to ${target}, which is not followed: the key goes to ${baseUrl.origin} alone. Set base-url to the address that answers itself.`;
  return new ProxyResponseError(message, route, status);
}

export function lostReason(route: string, why: string): string {
  return `${route}: the answer was lost (${why}), it may or may not have taken effect.`;
}

export function unreachable(error: TransportError, baseUrl: BaseUrl): string {
  const where = `Cannot reach the proxy at ${baseUrl} (${error.code})`;
  switch (error.kind) {
    case 'host':
      return `${where}: no such host. Check base-url, and that this machine may look up that name.`;
    case 'certificate':
      return `${where}: its TLS certificate is not trusted, or base-url's http and https are mixed up. A private authority's certificate goes into NODE_EXTRA_CA_CERTS.`;
    case 'timeout':
      return `${where}: raise timeout-seconds if the proxy is slow, or lower concurrency.`;
    default:
      return `${where}: is it running, is base-url right, and may this machine connect to it?`;
  }
}

function said(message: string | null): string {
  return message === null ? '' : `: ${message}`;
}

/** Source: 1.75 answers 401 where a known key lacks the rights ("Only proxy admin can be used to …"). */
function speaksOfRights(message: string | null): boolean {
  return message !== null && /only (proxy )?admin|not allowed/i.test(message);
}

/** "License is over limit": no other key would help. Source: `bulk_create_users` refuses the whole call with 403. */
function speaksOfLicense(message: string | null): boolean {
  return message !== null && /licen[sc]e/i.test(message);
}
