import { expect, it } from 'vitest';
import { withWayOut } from '../../src/apply/messages.ts';

it.each([
  [
    'the proxy refused: user not allowed.',
    "the proxy refused: user not allowed (use the master key or a proxy_admin user's key)",
  ],
  [
    "POST /x answered 403: the key may not do this: not allowed. Use the master key or a proxy_admin's key.",
    "POST /x answered 403: the key may not do this: not allowed. Use the master key or a proxy_admin's key",
  ],
  [
    'the answer was lost, it may or may not have taken effect.',
    'the answer was lost, it may or may not have taken effect',
  ],
])('%s', (reason, told) => {
  expect(withWayOut(reason)).toBe(told);
});
