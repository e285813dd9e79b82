import { expect, it } from 'vitest';
import { type Delivery, deliveryCell, undelivered } from '../../src/core/outcome.ts';

it.each<[Delivery, string, string | null]>([
  [{ kind: 'sent', response: '250 ok' }, 'sent (250 ok)', null],
  [
    { kind: 'failed', response: '550 no' },
    'failed (550 no)',
    'The mail with the link was not sent (550 no). Put right',
  ],
  [
    { kind: 'not known', reason: 'cut' },
    'not known (cut): ask whether the mail has arrived; if not, send a new link with `onboard`',
    'Whether the mail with the link was sent is not known (cut). Ask whether',
  ],
])('%j', (delivery, cell, reason) => {
  expect(deliveryCell(delivery)).toBe(cell);
  expect(undelivered(delivery)).toEqual(reason === null ? null : expect.stringContaining(reason));
});
