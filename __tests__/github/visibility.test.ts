import { describe, expect, it } from 'vitest';
import { redactEmails, secretUploadRefusal } from '../../src/github/event.ts';

describe('redactEmails', () => {
  it.each([
    ['auto', 'private', false],
    ['auto', 'public', true],
    ['auto', 'internal', true],
    ['auto', 'unknown', true],
    ['true', 'private', true],
    ['false', 'public', false],
  ] as const)('%s in a %s repository: %s', (setting, visibility, expected) => {
    expect(redactEmails(setting, visibility)).toBe(expected);
  });
});

describe('secretUploadRefusal', () => {
  it('lets secrets into a private repository, and encrypted ones anywhere', () => {
    expect(secretUploadRefusal('private', false)).toBeNull();
    for (const visibility of ['private', 'public', 'internal', 'unknown'] as const) {
      expect(secretUploadRefusal(visibility, true)).toBeNull();
    }
  });

  it.each(['public', 'internal', 'unknown'] as const)('refuses them unencrypted: %s', (visibility) => {
    expect(secretUploadRefusal(visibility, false)).toMatch(/'encrypt-to'.*'artifacts: false'/);
  });
});
