import { describe, expect, it } from 'vitest';
import { backoff } from '../../src/litellm/backoff.ts';

const NOW = Date.parse('2026-11-21T10:00:00Z');

describe('backoff', () => {
  it.each([
    ['the first wait', 0, null, 0, 500],
    ['doubles', 3, null, 0, 4000],
    ['ends at 20 seconds', 12, null, 0, 20_000],
    ['takes off up to half at random', 0, null, 1, 250],
    ['Retry-After in seconds', 0, '7', 1, 7000],
    ['Retry-After as a date', 0, 'Sat, 21 Nov 2026 10:00:30 GMT', 0.5, 30_000],
    ['Retry-After in the past', 5, 'Sat, 21 Nov 2026 09:00:00 GMT', 0.5, 0],
    ['nonsense counts as none', 1, 'soon', 0, 1000],
    ['longer than anybody waits', 0, '3600', 0, null],
  ])('%s', (_name, attempt, retryAfter, random, expected) => {
    expect(backoff(attempt, retryAfter, NOW, random)).toBe(expected);
  });
});
