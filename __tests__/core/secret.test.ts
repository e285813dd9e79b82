import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';

describe('a secret', () => {
  const value = 'sk-0123456789abcdef';
  const secret = new Secret(value);

  it.each<[string, string]>([
    ['interpolated', `${secret}`],
    ['joined', [secret].join()],
    ['as JSON', JSON.stringify({ secret })],
    ['inspected', inspect({ nested: { secret } }, { depth: null, showHidden: true })],
    ['its own keys', Object.entries(secret).join()],
    ['a message', new Error(String(secret)).message],
  ])('does not show %s', (_, text) => {
    expect(text).not.toContain(value.slice(3, 9));
  });

  it('is abbreviated as the proxy does, and given away on demand', () => {
    expect(secret.abbreviated()).toBe('sk-...cdef');
    expect(secret.reveal()).toBe(value);
  });
});
