const FIRST_MS = 500;
const LONGEST_MS = 20_000;
/** A `Retry-After` beyond this is not waited for: the request fails at once with the proxy's answer. */
const LONGEST_ASKED_MS = 120_000;

/**
 * How long to wait before the next try, in milliseconds; `null`: don't.
 * Without `Retry-After` it doubles from half a second to 20 seconds, of which a random half is taken off, so that many
 * clients do not come back together.
 *
 * @param attempt 0 after the first try.
 * @param retryAfter The header as it came: seconds or an HTTP date.
 * @param now Milliseconds since 1970.
 * @param random From 0 to 1.
 */
export function backoff(attempt: number, retryAfter: string | null, now: number, random: number): number | null {
  const asked = retryAfter === null ? null : askedWait(retryAfter, now);
  if (asked !== null) return asked > LONGEST_ASKED_MS ? null : asked;
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return full * (1 - random / 2);
}

function askedWait(retryAfter: string, now: number): number | null {
  const value = retryAfter.trim();
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
