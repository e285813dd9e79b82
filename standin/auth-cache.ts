import type { State } from './state.ts';
import type { KeyRow } from './types.ts';
import type { Behaviour } from './versions.ts';

/** What the proxy remembers of a key that was used: its own row, and of its owner role and activity. */
export interface Remembered {
  readonly key: Pick<KeyRow, 'userId' | 'hash' | 'blocked'>;
  role: string | null;
  deactivated: boolean;
  readonly until: number;
}

/** LiteLLM's cache of keys: for its time a change counts for a used key only where the version drops or mends the entry. */
export class AuthCache {
  readonly #state: State;
  readonly #behaviour: Behaviour;
  readonly #milliseconds: number;
  readonly #entries = new Map<string, Remembered>();

  constructor(state: State, behaviour: Behaviour, seconds: number) {
    this.#state = state;
    this.#behaviour = behaviour;
    this.#milliseconds = seconds * 1000;
  }

  /** The entry of a key, made of the database's rows where there is none; `undefined` for an unknown key. */
  find(hash: string): Remembered | undefined {
    const known = this.#entries.get(hash);
    if (known !== undefined && known.until > Date.now()) return known;
    const key = this.#state.findKey(hash);
    if (key === undefined) return;
    const { userId, blocked } = key;
    const entry = { key: { userId, hash, blocked }, ...this.#ownerOf(userId), until: Date.now() + this.#milliseconds };
    if (this.#milliseconds > 0) this.#entries.set(hash, entry);
    return entry;
  }

  /** After a change of the key itself. */
  dropKey(hash: string): void {
    this.#entries.delete(hash);
  }

  /** After `/user/update`: the owner's change counts at once. */
  dropUser(userId: string): void {
    for (const [hash, { key }] of this.#entries) if (key.userId === userId) this.#entries.delete(hash);
  }

  /** After `/user/bulk_update`. */
  mend(userId: string): void {
    const { bulkActivityAtOnce, bulkRoleAtOnce } = this.#behaviour;
    const now = this.#ownerOf(userId);
    for (const entry of this.#entries.values()) {
      if (entry.key.userId !== userId) continue;
      if (bulkActivityAtOnce) entry.deactivated = now.deactivated;
      if (bulkRoleAtOnce) entry.role = now.role;
    }
  }

  /** After a key was deleted along with a user or a membership; rights of an owner who is gone end in any case. */
  forget(key: KeyRow): void {
    if (this.#behaviour.deletedKeysDieAtOnce) this.#entries.delete(key.hash);
    const entry = this.#entries.get(key.hash);
    if (entry !== undefined && key.userId !== null && !this.#state.users.has(key.userId)) entry.role = null;
  }

  #ownerOf(userId: string | null): Pick<Remembered, 'role' | 'deactivated'> {
    const user = userId === null ? undefined : this.#state.users.get(userId);
    return { role: user?.role ?? null, deactivated: user?.metadata.scim_active === false };
  }
}
