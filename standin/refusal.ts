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

/** The same answer as the old versions word it: a missing `param` is the text `None`. */
export function asOldVersions(refusal: Refusal): Refusal {
  const { error } = refusal.body as { error?: { param?: string | null } };
  if (error?.param !== null) return refusal;
  return new Refusal(refusal.status, { error: { ...error, param: 'None' } }, refusal.type);
}

/** As Python's repr: single quotes, unless the text has one. */
export function pythonString(text: string): string {
  return text.includes("'") ? `"${text}"` : `'${text}'`;
}
