import type { Invitation } from '../apply/ports.ts';
import { Secret } from '../core/secret.ts';
import type { Http } from './http.ts';
import { invitation } from './schemas.ts';

/** Good for seven days and one use. Repeated after a lost answer: each call makes another one, the rest expire. */
export async function createInvitation(
  http: Http,
  userId: string,
  onSecret: (value: string) => void,
): Promise<Invitation> {
  const call = { method: 'POST', path: '/invitation/new', body: { user_id: userId }, repeatable: true } as const;
  const { id, expires_at } = await http.json(call, invitation);
  onSecret(id);
  return { id: new Secret(id), expiresAt: expires_at };
}
