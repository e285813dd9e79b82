import type { Fault, Passing } from './gateway.ts';

/** Seconds; the longest that a request may take in these runs (`timeout-seconds`). */
export const TIMEOUT = 5;

const PAGE = '<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>';
const html = (status: number, when: 'before' | 'after'): Fault => ({
  kind: 'status',
  when,
  status,
  headers: { 'content-type': 'text/html' },
  body: PAGE,
});
const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Fault => ({
  kind: 'status',
  when: 'before',
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});
const TOO_MANY = { error: { message: 'Too many requests', type: 'throttling_error', param: null, code: '429' } };
const WRONG_KEY = { error: { message: 'Authentication Error, Invalid proxy server token passed.', code: '401' } };
const REFUSED = { error: { message: 'This is not allowed now.', type: 'bad_request', param: null, code: '400' } };
const P1001 = { error: { message: "P1001: Can't reach database server", type: 'internal_server_error', code: '500' } };

/** Everything that can happen to one write. */
const FAULTS: Readonly<Record<string, Fault>> = {
  'connection refused for a while': { kind: 'refused', ms: 2500 },
  'connection refused for long': { kind: 'refused', ms: 40_000 },
  'reset before': { kind: 'reset', when: 'before' },
  'reset after': { kind: 'reset', when: 'after' },
  'restarted before': { kind: 'restart', when: 'before', ms: 2500 },
  'restarted after': { kind: 'restart', when: 'after', ms: 2500 },
  'down for long after': { kind: 'restart', when: 'after', ms: 60_000 },
  'answer cut in half': { kind: 'cut' },
  'time-out before': { kind: 'silent', when: 'before' },
  'time-out after': { kind: 'silent', when: 'after' },
  'late by one time-out': { kind: 'late', ms: TIMEOUT * 1200 },
  'late by three time-outs': { kind: 'late', ms: TIMEOUT * 3000 },
  'slow drip': { kind: 'drip', ms: TIMEOUT * 500 },
  'slow drip beyond the time-out': { kind: 'drip', ms: TIMEOUT * 3000 },
  '429 with Retry-After': json(429, TOO_MANY, { 'retry-after': '2' }),
  '429 without Retry-After': json(429, TOO_MANY),
  '429 with a long Retry-After': json(429, TOO_MANY, { 'retry-after': '3600' }),
  '500 as HTML before': html(500, 'before'),
  '500 as HTML after': html(500, 'after'),
  '500 of the database': json(500, P1001),
  '502 as HTML before': html(502, 'before'),
  '502 as HTML after': html(502, 'after'),
  '503 as HTML before': html(503, 'before'),
  '503 as HTML after': html(503, 'after'),
  '200 as HTML before': html(200, 'before'),
  '200 as HTML after': html(200, 'after'),
  '401 in the middle': json(401, WRONG_KEY),
  '400 of the proxy': json(400, REFUSED),
  '403 of a gateway': html(403, 'before'),
};

/** How often: at one write, at two in a row, or at all from there on. */
export const SPANS = ['once', 'twice', 'from there on'] as const;
export type Span = (typeof SPANS)[number];

export interface Case {
  readonly name: string;
  readonly fault: (request: Passing) => Fault | null;
}

/** @param at From 0, over the writes of a run. */
export function caseOf(kind: string, span: Span, at: number): Case {
  const fault = FAULTS[kind] ?? null;
  const length = { once: 1, twice: 2, 'from there on': Number.POSITIVE_INFINITY }[span];
  return {
    name: `${kind}, ${span}, at write ${at}`,
    fault: ({ writeIndex }) => (writeIndex !== null && writeIndex >= at && writeIndex < at + length ? fault : null),
  };
}

/**
 * What is refused for good. Not played on an account's life: there a key that may not be moved is left to the next plan,
 * which may have no team for it, and shows it as deleted.
 */
const REFUSALS = ['400 of the proxy', '403 of a gateway'];

/** Every fault once at each of so many writes, and from there on where that is another matter. */
export function allCases(writes: number, { refusals }: { readonly refusals: boolean }): Case[] {
  const cases: Case[] = [];
  for (const span of SPANS) {
    for (const [kind, fault] of Object.entries(FAULTS)) {
      if (!refusals && REFUSALS.includes(kind)) continue;
      if (span !== 'once' && (fault.kind === 'refused' || fault.kind === 'restart')) continue;
      for (let at = 0; at < writes; at++) cases.push(caseOf(kind, span, at));
    }
  }
  return cases;
}
