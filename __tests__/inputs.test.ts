import { describe, expect, it } from 'vitest';
import { parseInputs, UsageError } from '../src/inputs.ts';

function refusal(raw: Parameters<typeof parseInputs>[0], env: NodeJS.ProcessEnv = {}): string {
  try {
    parseInputs(raw, env, '/work');
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return '';
}

describe('what the environment gives', () => {
  it('is checked beside the inputs, and named', () => {
    expect(refusal({ 'user-role': 'admin' }, { LITELLM_BASE_URL: 'localhost:4000' })).toBe(
      [
        'Environment variable `LITELLM_BASE_URL` is `localhost:4000`; allowed: an address such as https://litellm.example.com.',
        'Input `user-role` is `admin`; allowed: proxy_admin, proxy_admin_viewer, internal_user, internal_user_viewer, default.',
      ].join('\n'),
    );
  });

  it('gives way to the inputs', () => {
    const env = { LITELLM_BASE_URL: 'nonsense', LITELLM_MASTER_KEY: 'sk-from-the-environment' };
    const inputs = parseInputs({ 'base-url': 'https://llm.example.com/v1/', 'master-key': 'sk-given' }, env, '/work');
    expect(inputs.baseUrl).toBe('https://llm.example.com/v1');
    expect(inputs.masterKey?.reveal()).toBe('sk-given');
  });
});

describe('secrets in messages', () => {
  it.each(['sk-first\nsecond-line', 'sk-“quoted”', 'sk-cut…'])(
    'a key that no header can carry is not shown (%j)',
    (key) => {
      for (const message of [refusal({ 'master-key': key }), refusal({}, { LITELLM_MASTER_KEY: key })]) {
        expect(message).toMatch(
          /^(Input `master-key`|Environment variable `LITELLM_MASTER_KEY`) is `\*\*\*`; allowed: a key/,
        );
      }
    },
  );

  it('a private age key given in place of a public one is not shown', () => {
    const message = refusal({ 'encrypt-to': 'age1good\nAGE-SECRET-KEY-1VERYSECRET' });
    expect(message).toContain('Input `encrypt-to`');
    expect(message).not.toContain('VERYSECRET');
  });
});

it('wrong recipients are told before anything is planned', () => {
  expect(refusal({ 'encrypt-to': 'ops@example.com' })).toBe(
    'Input `encrypt-to` is `ops@example.com`; allowed: age recipients (public keys such as age1…), one a line.',
  );
});
