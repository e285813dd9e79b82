import type { Behaviour } from './versions.ts';

/** An answer that is not a success, in one of LiteLLM's shapes. Thrown by a route, sent by the server. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: unknown;
  readonly type: string;

  constructor(status: number, body: unknown, type = 'application/json') {
    super(typeof body === 'string' ? body : JSON.stringify(body));
    this.name = 'Refusal';
    this.status = status;
    this.body = body;
    this.type = type;
  }
}

/** `{"detail":{"error":…}}`: an HTTPException as FastAPI prints it. */
export function detailError(status: number, error: string): Refusal {
  return new Refusal(status, { detail: { error } });
}

/** `{"error":{…}}`: LiteLLM's ProxyException. */
export function proxyError(status: number, message: string, type: string, param: string | null): Refusal {
  return new Refusal(status, { error: { message, type, param, code: String(status) } });
}

export function authError(status: number, message: string): Refusal {
  return proxyError(status, message, 'auth_error', 'None');
}

/** An HTTPException that a route caught and wrapped: the detail stands in the message as Python prints a dict. */
export function wrappedError(status: number, error: string, param: string | null = null): Refusal {
  return proxyError(status, `{'error': ${pythonString(error)}}`, 'internal_server_error', param);
}

/** application/problem+json of `/management/v1`. */
export function problem(status: number, slug: string, title: string, detail: string): Refusal {
  const body = { type: `urn:litellm:error:${slug}`, title, status, detail };
  return new Refusal(status, body, 'application/problem+json');
}

const BAD_INPUT = [400, 404, 409, 422];
const ONCE_OTHER_TYPES = ['internal_server_error', 'auth_error'];

/** The same answer as a version words it; routes throw them as 1.106 does. */
export function worded(refusal: Refusal, behaviour: Behaviour): Refusal {
  const { error } = refusal.body as { error?: ErrorBody };
  if (error === undefined) return refusal;
  return new Refusal(refusal.status, { error: wordedError(error, refusal.status, behaviour) }, refusal.type);
}

interface ErrorBody {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
}

function wordedError(error: ErrorBody, status: number, behaviour: Behaviour): ErrorBody {
  const { nullParams, nullParamsEverywhere, namesServerErrors } = behaviour;
  if (!nullParams) {
    const crashed = status === 500 && namesServerErrors && error.type === 'internal_server_error';
    const message = crashed ? `Internal Server Error, ${error.message}` : error.message;
    return { ...error, message, param: error.param ?? 'None' };
  }
  if (!nullParamsEverywhere) return error;
  const badInput = BAD_INPUT.includes(status) && ONCE_OTHER_TYPES.includes(error.type);
  return {
    ...error,
    message: newestMessage(error, badInput),
    type: badInput ? 'invalid_request_error' : error.type,
    param: error.param === 'None' ? null : error.param,
  };
}

/** 1.110 says nothing of a key that it does not know, and does not call bad input an error of authentication. */
function newestMessage({ message, type }: ErrorBody, badInput: boolean): string {
  if (type === 'token_not_found_in_db') return 'Authentication Error, Invalid API key provided.';
  return badInput ? message.replace(/^Authentication Error, /, '') : message;
}

/** As Python's repr: single quotes, unless the text has one. */
export function pythonString(text: string): string {
  return text.includes("'") ? `"${text}"` : `'${text}'`;
}
