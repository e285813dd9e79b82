export interface Failure {
  /** `null`: no answer. */
  readonly status: number | null;
  readonly reason: string;
  /** Response headers, lower-case names. */
  readonly headers: Readonly<Record<string, string | number | undefined>>;
}

/** Longer than this nobody waits for a comment: the call fails instead. */
const LONGEST_WAIT_MS = 60_000;

/**
 * How long to wait before a failed call is made again, or `null`: not at all.
 * A rate limit has not executed the call, so anything may be repeated after it; a 5xx or a lost answer may have,
 * so only a call that is safe to repeat is.
 * Source: GitHub's "Best practices for using the REST API": secondary limits answer 403 or 429, with `retry-after`
 * or with `x-ratelimit-remaining: 0` and `x-ratelimit-reset` (UTC epoch seconds).
 * @param attempt 0 for the first failure
 * @param now epoch milliseconds
 * @param random 0…1, spreads the retries of parallel jobs
 */
export function retryDelay(
  failure: Failure,
  safeToRepeat: boolean,
  attempt: number,
  now: number,
  random: number,
): number | null {
  const limited = isRateLimit(failure);
  const broken = failure.status === null || failure.status >= 500;
  if (!limited && !(broken && safeToRepeat)) return null;
  const delay = askedDelay(failure, now) ?? 1000 * 2 ** attempt * (0.5 + random / 2);
  return delay <= LONGEST_WAIT_MS ? delay : null;
}

function isRateLimit({ status, reason, headers }: Failure): boolean {
  if (status === 429) return true;
  if (status !== 403) return false;
  return (
    headers['retry-after'] !== undefined ||
    String(headers['x-ratelimit-remaining']) === '0' ||
    /rate limit/i.test(reason)
  );
}

function askedDelay({ headers }: Failure, now: number): number | null {
  const after = Number(headers['retry-after']);
  if (Number.isFinite(after) && after >= 0) return after * 1000;
  if (String(headers['x-ratelimit-remaining']) !== '0') return null;
  const reset = Number(headers['x-ratelimit-reset']);
  return Number.isFinite(reset) ? Math.max(0, reset * 1000 - now) : null;
}
