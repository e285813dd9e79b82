import { AnswerLostError, CodedError, type RefusalCode } from '../core/errors.ts';

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
export function saysExists(words: string): boolean {
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

/** 403, or a 401 that speaks of rights: the key is good but may not do this. */
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
