import { expect, it } from 'vitest';
import { messageOf, refusalCode } from '../../src/core/errors.ts';
import { failedRow, ProxyResponseError, refusedRow } from '../../src/litellm/errors.ts';

it.each([
  [400, null, 'invalid'],
  [422, null, 'invalid'],
  [401, null, 'unauthorized'],
  [403, null, 'forbidden'],
  [409, null, 'exists'],
  [500, null, 'other'],
  [null, null, 'other'],
  [400, 'User with email ann@x.io already exists in the database.', 'exists'],
  [400, 'User id=u1 already exists', 'invalid'],
])('a refusal with status %s and the words %j is %s', (status, words, code) => {
  expect(refusalCode(new ProxyResponseError('refused', 'POST /user/new', status, words))).toBe(code);
});

it.each([
  ['User with email ann@x.io already exists in the database.', 'exists'],
  ['User email=ann@x.io already exists', 'exists'],
  ['User id=u1 already exists', 'other'],
])('a row that is refused with %j is %s', (words, code) => {
  expect(refusedRow('u1', words)).toMatchObject({ ok: false, code });
});

it('a row whose call was refused without words has the code of the call', () => {
  const refused = new ProxyResponseError('answered 403', 'POST /user/new', 403);
  expect(failedRow('u1', refused)).toEqual({ userId: 'u1', ok: false, code: 'forbidden', reason: 'answered 403' });
});

it('anything that is thrown has a message, and a code where the proxy gave one', () => {
  expect([messageOf(new Error('words')), messageOf('words'), messageOf(null)]).toEqual(['words', 'words', 'null']);
  expect(refusalCode(new Error('no answer'))).toBe('other');
});
