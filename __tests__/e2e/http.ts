/** An answer that was not expected. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;

  constructor(method: string, path: string, status: number, text: string) {
    super(`${method} ${path}: ${status} ${text.slice(0, 600)}`);
    this.status = status;
  }
}

export interface Request {
  readonly url: string;
  readonly method: string;
  readonly authorization: string;
  readonly body?: unknown;
}

/** Sends JSON and gives the answer's bytes. @throws HttpError unless it is 2xx */
export async function send({ url, method, authorization, body }: Request): Promise<Buffer> {
  const response = await fetch(url, {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(60_000),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (!response.ok) throw new HttpError(method, new URL(url).pathname, response.status, bytes.toString());
  return bytes;
}

/** The same for JSON answers; `null` where there is none. */
export async function sendJson<T>(request: Request): Promise<T> {
  const bytes = await send(request);
  return (bytes.length === 0 ? null : JSON.parse(bytes.toString())) as T;
}
