import picomatch from 'picomatch';
import {
  emailKey,
  hasEmail,
  type Inventory,
  isRole,
  nameKey,
  type ProxyUser,
  type UserWithEmail,
} from './inventory.ts';
import type { UnmanagedCounts } from './plan.ts';

/** Why a user is never touched. `deactivated`: by somebody else, who must be asked. */
export type UnmanagedReason = 'without email' | 'other role' | 'own user' | 'protected' | 'deactivated';

export interface Population {
  readonly managed: readonly UserWithEmail[];
  readonly unmanaged: ReadonlyMap<ProxyUser, UnmanagedReason>;
}

/** Splits the proxy's users into those that a plan may touch and those that it only counts. */
export function splitManaged(inventory: Inventory, protectedUsers: readonly string[]): Population {
  const isProtected = globMatcher(protectedUsers);
  const managed: UserWithEmail[] = [];
  const unmanaged = new Map<ProxyUser, UnmanagedReason>();
  for (const user of inventory.users) {
    if (!hasEmail(user)) {
      unmanaged.set(user, 'without email');
      continue;
    }
    const reason = unmanagedReason(user, inventory.ownUserId, isProtected);
    if (reason === null) managed.push(user);
    else unmanaged.set(user, reason);
  }
  return { managed, unmanaged };
}

function unmanagedReason(
  user: UserWithEmail,
  ownUserId: string | null,
  isProtected: (value: string) => boolean,
): UnmanagedReason | null {
  // First, because it decides which of several users with one email is meant.
  if (isProtected(user.email.trim()) || isProtected(user.userId)) return 'protected';
  if (user.userId === ownUserId) return 'own user';
  if (!hasInternalRole(user)) return 'other role';
  return user.activity === 'deactivated by others' ? 'deactivated' : null;
}

/** Globs that match no user of the proxy: each is probably a slip. */
export function unmatchedGlobs(inventory: Inventory, globs: readonly string[]): string[] {
  return globs.filter((glob) => {
    const matches = globMatcher([glob]);
    return !inventory.users.some((user) => matches(user.userId) || (hasEmail(user) && matches(user.email.trim())));
  });
}

/** No role at all counts as `default`, which is internal. */
export function hasInternalRole(user: Pick<ProxyUser, 'role'>): boolean {
  return user.role === null || user.role === '' || user.role === 'default' || isRole(user.role);
}

/** `*`, `?`, `[ab]` and `{a,b}` globs over whole values, letter case ignored; `*` also spans `/`. */
export function globMatcher(globs: readonly string[]): (value: string) => boolean {
  const options = { nocase: true, bash: true, dot: true, nonegate: true, noextglob: true };
  const patterns = globs.map((glob) => picomatch(nameKey(glob), options));
  return (value) => {
    const text = nameKey(value);
    return patterns.some((matches) => matches(text));
  };
}

export function countUnmanaged(unmanaged: ReadonlyMap<ProxyUser, UnmanagedReason>): UnmanagedCounts {
  const count = (reason: UnmanagedReason): number => [...unmanaged.values()].filter((other) => other === reason).length;
  return {
    withoutEmail: count('without email'),
    otherRole: count('other role'),
    ownUser: count('own user'),
    protected: count('protected'),
    deactivated: count('deactivated'),
  };
}

/**
 * Users by the key of their email, those without one left out. Lists are kept of emails alone that several users share:
 * one for each of 100,000 users would take 6 MB.
 */
export class UsersByEmail {
  readonly #first = new Map<string, UserWithEmail>();
  /** All users of an email that has several. */
  readonly shared: ReadonlyMap<string, readonly UserWithEmail[]>;

  constructor(users: Iterable<ProxyUser>) {
    const shared = new Map<string, UserWithEmail[]>();
    for (const user of users) {
      if (!hasEmail(user)) continue;
      const key = emailKey(user.email);
      const first = this.#first.get(key);
      if (first === undefined) this.#first.set(key, user);
      else shared.set(key, [...(shared.get(key) ?? [first]), user]);
    }
    this.shared = shared;
  }

  has(key: string): boolean {
    return this.#first.has(key);
  }

  get(key: string): readonly UserWithEmail[] {
    const only = this.#first.get(key);
    return only === undefined ? [] : (this.shared.get(key) ?? [only]);
  }

  keys(): Iterable<string> {
    return this.#first.keys();
  }
}

/**
 * The user that a row with this email means: the only one, or the only one that is not protected. `null` where several
 * are left (or none): nothing is guessed.
 * @param users all users of one email
 */
export function meantUser(
  users: readonly UserWithEmail[],
  unmanaged: ReadonlyMap<ProxyUser, UnmanagedReason>,
): UserWithEmail | null {
  const [first, ...others] = users.length === 1 ? users : users.filter((user) => unmanaged.get(user) !== 'protected');
  return first !== undefined && others.length === 0 ? first : null;
}
