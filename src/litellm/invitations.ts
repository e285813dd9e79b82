import type { Invitation } from '../apply/ports.ts';
import { Secret } from '../core/secret.ts';
import { ProxyResponseError } from './errors.ts';
import type { Http } from './http.ts';
import { invitation } from './schemas.ts';
import { findUsers } from './users.ts';

/** Good for seven days and one use. Repeated after a lost answer: each call makes another one, the rest expire. */
export async function createInvitation(
  http: Http,
  userId: string,
  onSecret: (value: string) => void,
): Promise<Invitation> {
  const call = { method: 'POST', path: '/invitation/new', body: { user_id: userId }, repeatable: true } as const;
  try {
    const { id, expires_at } = await http.json(call, invitation);
    onSecret(id);
    return { id: new Secret(id), expiresAt: expires_at };
  } catch (error) {
    throw await explained(http, userId, error);
  }
}

/**
 * On a proxy without any team its own user `default_user_id` is missing, whom the master key's invitations are made by;
 * it then says that the *invited* user does not exist (source: the foreign key `created_by` in `user_invitation.py`).
 */
async function explained(http: Http, userId: string, error: unknown): Promise<unknown> {
  const misleading = error instanceof ProxyResponseError && /user id does not exist/i.test(error.proxyMessage ?? '');
  if (!misleading) return error;
  const found = await findUsers(http, [userId, 'default_user_id']);
  const ids = new Set(found.map((user) => user.userId));
  if (!ids.has(userId) || ids.has('default_user_id')) return error;
  const hint =
    "The proxy cannot make invitations yet: its own user default_user_id, who signs the master key's, does not exist. Create a team (any) and run again.";
  return new ProxyResponseError(hint, error.route, error.status, hint);
}
