/** Longest part of a proxy's message that is passed on: some list a team's whole roster. */
const LONGEST = 400;

/**
 * What a proxy's error answer says, in its own words: `{"error":{"message"}}`, `{"detail": text|object|array}`,
 * problem+json or plain text; with Python's `{'error': '…'}` unwrapped and everything key-like taken out.
 * `null` for an empty answer and for HTML.
 */
export function messageOf(text: string): string | null {
  if (isHtml(text)) return null;
  const found = fromJson(text) ?? text;
  const message = cleanMessage(found);
  return message === '' ? null : message;
}

export function isHtml(text: string): boolean {
  return /^\s*(<!doctype html|<html|<head|<body)/i.test(text.slice(0, 500));
}

/** Unwrapped, without keys and hashes of keys, on one line, cut. */
export function cleanMessage(message: string): string {
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
