import { describe, expect, it } from 'vitest';
import { messageOf } from '../../src/litellm/errors.ts';
import { recorded } from './support.ts';

function said(name: string): string | null {
  const { body } = recorded(name);
  return messageOf(typeof body === 'string' ? body : JSON.stringify(body));
}

describe('messageOf, over answers of real proxies', () => {
  it.each([
    ['1.106/015-user-new-same-email', 'User with email ana@example.com already exists'],
    [
      '1.106/056-team-member-add-unknown-team',
      "Team doesn't exist in db. Team=no-such-team. Create team via `/team/new` call.",
    ],
    ['1.106/066-team-info-unknown', 'Team not found, passed team id: nope.'],
    [
      '1.106/068-key-generate-same-alias',
      "Key with alias 'ben-platform' already exists. Unique key aliases across all keys are required.",
    ],
    ['1.106/084-internal-user-user-list', 'Only proxy admins and organization admins can list users.'],
    [
      '1.106/088-invitation-new-unknown-user',
      "User id does not exist in 'LiteLLM_UserTable'. Fix this by creating user via `/user/new`.",
    ],
    ['1.106/091-onboarding-page', null],
    ['1.106/136-members-bulk-delete-unknown-team', 'Team id=no-such-team does not exist in db'],
    ['1.75/017-user-new-same-email', 'User with email ana@example.com already exists'],
    ['1.75/038-team-member-add-unknown-team', 'Internal Server Error'],
    ['1.75/058-team-member-delete-again', 'User not found in team'],
  ])('%s', (name, expected) => {
    expect(said(name)).toBe(expected);
  });

  it('names the field of a validation error', () => {
    expect(said('1.106/018-user-new-bad-role')).toMatch(/^body\.user_role: Input should be /);
  });

  it.each(['1.106/003-wrong-master-key', '1.75/006-wrong-master-key', '1.75/051-key-unblock-by-hash'])(
    'leaves no key and no hash in %s',
    (name) => {
      const message = said(name);
      expect(message).toContain('Invalid proxy server token');
      expect(message).not.toMatch(/[0-9a-f]{20}|sk-[^*]/);
    },
  );
});

describe('messageOf', () => {
  it.each([
    ['nothing', '', null],
    ['blank', '  \n', null],
    ['a detail that is text', '{"detail":"Not Found"}', 'Not Found'],
    ['an error that is text', '{"error":"no"}', 'no'],
    ['a title alone', '{"type":"about:blank","title":"Teapot","status":418}', 'Teapot'],
    ['several validation errors', '{"detail":[{"loc":["body",0],"msg":"a"},{"msg":"b"}]}', 'body.0: a; b'],
    ['a Python repr with a quote in it', `{"error":{"message":"{'error': 'it\\\\'s'}"}}`, "it's"],
    ['a Python repr behind a status', `{"error":{"message":"404: {'error': 'gone'}"}}`, 'gone'],
    ['line ends', 'a\r\n  b', 'a b'],
    ['a key', 'no such key sk-abcDEF_123-x.', 'no such key sk-***'],
    ['HTML of a gateway', '\n<!DOCTYPE html><html><body>502</body></html>', null],
  ])('%s', (_name, text, expected) => {
    expect(messageOf(text)).toBe(expected);
  });

  it('cuts a message that lists a whole roster', () => {
    expect(messageOf('x'.repeat(5000))).toHaveLength(401);
  });
});
