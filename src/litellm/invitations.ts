import type { Invitation } from '../apply/ports.ts';
import { Secret } from '../core/secret.ts';
import { ProxyResponseError } from './errors.ts';
import type { Http } from './http.ts';
import { anyJson, created, invitation, PROXY_USER } from './schemas.ts';
import { findUsers } from './users.ts';

/** Makes onboarding invitations, good for seven days and one use. */
export class Invitations {
  readonly #http: Http;
  readonly #onSecret: (value: string) => void;
  #signer: Promise<boolean> | null = null;

  constructor(http: Http, onSecret: (value: string) => void) {
    this.#http = http;
    this.#onSecret = onSecret;
  }

  /** Each call makes another one, the rest expire: a caller whose answer was lost may simply call again. */
  async create(userId: string): Promise<Invitation> {
    try {
      return await this.#create(userId);
    } catch (error) {
      if (!isMisleading(error)) throw error;
      if (!(await this.#signerFor(userId))) throw error;
      return this.#create(userId);
    }
  }

  /** One that is gone already is fine (400). */
  async delete(id: Secret): Promise<void> {
    const body = { invitation_id: id.reveal() };
    try {
      await this.#http.requestJson({ method: 'POST', path: '/invitation/delete', body, repeatable: true }, anyJson);
    } catch (error) {
      if (!(error instanceof ProxyResponseError) || !/does not exist/i.test(error.proxyMessage ?? '')) throw error;
    }
  }

  async #create(userId: string): Promise<Invitation> {
    const call = { method: 'POST', path: '/invitation/new', body: { user_id: userId } } as const;
    const { id, expires_at } = await this.#http.requestJson(call, invitation);
    this.#onSecret(id);
    return { id: new Secret(id), expiresAt: expires_at };
  }

  /** One attempt at a time for all who wait; only its success is remembered. */
  async #signerFor(userId: string): Promise<boolean> {
    this.#signer ??= this.#makeSigner(userId);
    const made = await this.#signer.catch(() => false);
    if (!made) this.#signer = null;
    return made;
  }

  /**
   * Makes the missing signer as the proxy itself would with its first team.
   * @returns false where that was not what was missing
   */
  async #makeSigner(userId: string): Promise<boolean> {
    const found = await findUsers(this.#http, [userId, PROXY_USER]);
    const ids = new Set(found.map((user) => user.userId));
    if (!ids.has(userId) || ids.has(PROXY_USER)) return false;
    const body = { user_id: PROXY_USER, user_role: 'internal_user', teams: [], auto_create_key: false };
    await this.#http.requestJson({ method: 'POST', path: '/user/new', body }, created);
    return true;
  }
}

/**
 * On a proxy without any team its own user is missing, whom the master key's invitations are made by; it then says
 * that the *invited* user does not exist (source: the foreign key `created_by` behind `POST /invitation/new`).
 */
function isMisleading(error: unknown): boolean {
  return error instanceof ProxyResponseError && /user id does not exist/i.test(error.proxyMessage ?? '');
}
