import type {
  Blocked,
  CreatedUser,
  Invitation,
  NewUser,
  ProxyWrites,
  RoleResult,
  RowResult,
} from '../../src/apply/ports.ts';
import { AnswerLostError } from '../../src/core/errors.ts';
import { emailKey, type ProxyKey, type ProxyUser, type Role, type Team } from '../../src/core/inventory.ts';
import { Secret } from '../../src/core/secret.ts';

/** What goes wrong at one write. */
export type Fault =
  /** The answer is lost before or after it took effect. */
  | 'lost-before'
  | 'lost-after'
  /** The answer is lost, and the effect comes just before the next write: the proxy was slow. */
  | 'late'
  /** The call is refused as a whole, without effect. */
  | 'refused'
  /** 401 */
  | 'unauthorized'
  /** The process dies: nothing gets through any more. */
  | 'killed-before'
  | 'killed-after';

export class Unauthorized extends Error {}

interface FakeKey {
  readonly secret: string;
  readonly userId: string;
  readonly teamId: string | null;
  readonly alias: string | null;
}

interface Options {
  readonly batchSize?: number;
  /** As 1.75 does: the answer to a creation does not say which teams were joined. */
  readonly silentTeams?: boolean;
  /** `/user/new` of 1.106 and its bulk route make keys along; here it can forget them. */
  readonly forgetsKeys?: boolean;
  /** As 1.75 does: creating an id that exists answers 200, leaves the user alone and makes another key. */
  readonly createsTwice?: boolean;
  /** As both do: the answer to a role shows the user as they are now. */
  readonly tellsRoles?: boolean;
}

const NEVER = new Promise<never>(() => undefined);

/** One process: once it is dead, nothing that it began goes on. */
export class Life {
  readonly died: Promise<void>;
  #dead = false;
  #onDeath: () => void = () => undefined;

  constructor() {
    this.died = new Promise((resolve) => {
      this.#onDeath = resolve;
    });
  }

  end(): void {
    this.#dead = true;
    this.#onDeath();
  }

  /** The same object, whose promises never settle after the process has died, and whose methods then do nothing. */
  bind<T extends object>(object: T): T {
    return new Proxy(object, {
      get: (target, name) => {
        const value = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (this.#dead) return NEVER;
          const result = value.apply(target, args);
          if (!(result instanceof Promise)) return result;
          return this.#unlessDead(result);
        };
      },
    });
  }

  async #unlessDead(result: Promise<unknown>): Promise<unknown> {
    try {
      return await result;
    } finally {
      if (this.#dead) await NEVER;
    }
  }
}

/** The proxy's rules in memory: ids and emails are unique, unknown ids are *created* by updates and joins. */
export class FakeProxy implements ProxyWrites {
  readonly joinBatchSize: number;
  readonly batchSize: number;
  readonly users = new Map<string, { email: string; role: string | null; teams: Set<string> }>();
  readonly rosters = new Map<string, Set<string>>();
  readonly keys: FakeKey[] = [];
  readonly invitations: { id: string; userId: string }[] = [];
  /** Every call in order: `createUsers 2`, `findUsers 3`. */
  readonly calls: string[] = [];
  /** Ids that a write made out of nothing, as the true proxy does for unknown ones. */
  readonly madeUp: string[] = [];
  readonly faults = new Map<number, Fault>();
  /** Row by row refusals: by user id and method. */
  readonly rowFaults = new Map<string, string>();
  /** Users that report success on joining a team and do not join it. */
  readonly deaf = new Set<string>();
  unreadable = false;
  life = new Life();
  writes = 0;
  /** How often a user was in neither of the two teams while moving; checked after each write. */
  onWrite: () => void = () => undefined;
  readonly #options: Options;
  readonly #late: (() => unknown)[] = [];
  #numbers = 0;

  constructor(options: Options = {}) {
    this.#options = options;
    this.batchSize = options.batchSize ?? 500;
    this.joinBatchSize = this.batchSize;
  }

  team(teamId: string, ...members: string[]): this {
    this.rosters.set(teamId, new Set(members));
    for (const id of members) this.users.get(id)?.teams.add(teamId);
    return this;
  }

  user(userId: string, email: string, role: Role | null = 'internal_user'): this {
    this.users.set(userId, { email, role, teams: new Set() });
    return this;
  }

  /** Another process, and faults that count from its first write. */
  begin(faults: Iterable<readonly [number, Fault]>): Life {
    this.life = new Life();
    this.writes = 0;
    this.faults.clear();
    for (const [at, fault] of faults) this.faults.set(at, fault);
    return this.life;
  }

  /** How often each method was called. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const call of this.calls) {
      const [name = ''] = call.split(' ');
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  createUsers(users: readonly NewUser[], _blocked?: Blocked): Promise<readonly CreatedUser[]> {
    return this.#write(`createUsers ${users.length}`, () => users.map((user) => this.#create(user)));
  }

  deleteUsers(userIds: readonly string[]): Promise<readonly RowResult[]> {
    return this.#write(`deleteUsers ${userIds.length}`, () =>
      userIds.map((userId) => {
        const fault = this.#rowFault('delete', userId);
        if (fault !== null) return fault;
        if (!this.users.delete(userId)) return { userId, ok: false, reason: `User id=${userId} not found` };
        for (const roster of this.rosters.values()) roster.delete(userId);
        this.#dropKeys((key) => key.userId === userId);
        return { userId, ok: true };
      }),
    );
  }

  updateRoles(users: readonly { readonly userId: string; readonly role: Role }[]): Promise<readonly RoleResult[]> {
    return this.#write(`updateRoles ${users.length}`, () =>
      users.map(({ userId, role }) => {
        const fault = this.#rowFault('role', userId);
        if (fault !== null) return fault;
        this.#known(userId).role = role;
        return { userId, ok: true, role: this.#options.tellsRoles === true ? role : null };
      }),
    );
  }

  cleansRosters(): Promise<boolean> {
    return Promise.resolve(true);
  }

  joinTeam(teamId: string, userIds: readonly string[]): Promise<readonly RowResult[]> {
    return this.#write(`joinTeam ${userIds.length}`, () =>
      userIds.map((userId) => {
        const fault = this.#rowFault('join', userId);
        if (fault !== null) return fault;
        const roster = this.rosters.get(teamId);
        if (roster === undefined) return { userId, ok: false, reason: `Team id=${teamId} does not exist` };
        if (this.deaf.has(userId)) return { userId, ok: true };
        roster.add(userId);
        this.#known(userId).teams.add(teamId);
        return { userId, ok: true };
      }),
    );
  }

  leaveTeam(teamId: string, userIds: readonly string[]): Promise<readonly RowResult[]> {
    return this.#write(`leaveTeam ${userIds.length}`, () =>
      userIds.map((userId) => {
        const fault = this.#rowFault('leave', userId);
        if (fault !== null) return fault;
        this.rosters.get(teamId)?.delete(userId);
        this.users.get(userId)?.teams.delete(teamId);
        this.#dropKeys((key) => key.userId === userId && key.teamId === teamId);
        return { userId, ok: true };
      }),
    );
  }

  createKey(key: { userId: string; teamId: string | null; alias: string | null }): Promise<Secret> {
    return this.#write('createKey', () => {
      const fault = this.#rowFault('key', key.userId);
      if (fault !== null) throw new Error(fault.reason);
      if (key.alias !== null && this.keys.some(({ alias }) => alias === key.alias)) {
        throw new Error(`Key with alias '${key.alias}' already exists. Unique key aliases are required.`);
      }
      return new Secret(this.#newKey(key.userId, key.teamId, key.alias));
    });
  }

  deleteKeys(hashes: readonly string[]): Promise<void> {
    return this.#write('deleteKeys', () => this.#dropKeys((key) => hashes.includes(hashOf(key))));
  }

  createInvitation(userId: string): Promise<Invitation> {
    return this.#write('createInvitation', () => {
      const fault = this.#rowFault('invite', userId);
      if (fault !== null) throw new Error(fault.reason);
      const id = `invitation-${++this.#numbers}`;
      this.invitations.push({ id, userId });
      return { id: new Secret(id), expiresAt: '2030-01-08T00:00:00Z' };
    });
  }

  findUsers(userIds: readonly string[]): Promise<readonly ProxyUser[]> {
    return this.#read(`findUsers ${userIds.length}`, () =>
      userIds.flatMap((userId) => (this.users.has(userId) ? [this.#proxyUser(userId)] : [])),
    );
  }

  findUsersByEmail(email: string): Promise<readonly ProxyUser[]> {
    return this.#read('findUsersByEmail', () =>
      [...this.users.keys()]
        .map((id) => this.#proxyUser(id))
        .filter((user) => emailKey(user.email ?? '') === emailKey(email)),
    );
  }

  findTeams(teamIds: readonly string[]): Promise<readonly Team[]> {
    return this.#read(`findTeams ${teamIds.length}`, () =>
      teamIds.flatMap((teamId) => {
        const members = this.rosters.get(teamId);
        return members === undefined ? [] : [{ teamId, alias: teamId, members: new Set(members) }];
      }),
    );
  }

  keysOfUser(userId: string): Promise<readonly ProxyKey[]> {
    return this.#read('keysOfUser', () =>
      this.keys
        .filter((key) => key.userId === userId)
        .map((key) => ({
          hash: hashOf(key),
          name: `sk-...${key.secret.slice(-4)}`,
          alias: key.alias,
          userId,
          teamId: key.teamId,
          spend: 0,
        })),
    );
  }

  async #write<T>(name: string, effect: () => T): Promise<T> {
    this.calls.push(name);
    const fault = this.faults.get(++this.writes);
    await Promise.resolve();
    for (const overdue of this.#late.splice(0)) overdue();
    switch (fault) {
      case 'late':
        this.#late.push(effect);
        throw new AnswerLostError('no answer within 30 s');
      case 'lost-before':
        throw new AnswerLostError('no answer within 30 s');
      case 'refused':
        throw new Error('503 Service Unavailable');
      case 'unauthorized':
        throw new Unauthorized('401: the key is not accepted');
      case 'killed-before':
        this.life.end();
        return NEVER;
    }
    const result = effect();
    this.onWrite();
    if (fault === 'lost-after') throw new AnswerLostError('no answer within 30 s');
    if (fault === 'killed-after') this.life.end();
    return result;
  }

  async #read<T>(name: string, result: () => T): Promise<T> {
    this.calls.push(name);
    await Promise.resolve();
    if (this.unreadable) throw new Error('connect ECONNREFUSED');
    return result();
  }

  #create(user: NewUser): CreatedUser {
    const { userId, email } = user;
    const fault = this.#rowFault('create', userId) ?? this.#rowFault('create', email);
    if (fault !== null) return { ...fault, userId };
    const taken = [...this.users.values()].some((other) => emailKey(other.email) === emailKey(email));
    if (this.users.has(userId) && this.#options.createsTwice === true) {
      const key = user.withKey ? new Secret(this.#newKey(userId, null, user.keyAlias)) : null;
      return { userId, ok: true, key, teams: null, warning: null };
    }
    if (this.users.has(userId)) return { userId, ok: false, reason: `User id=${userId} already exists` };
    if (taken) return { userId, ok: false, reason: `User email=${email} already exists` };
    const unknown = user.teams?.find((team) => !this.rosters.has(team));
    if (unknown !== undefined) return { userId, ok: false, reason: `Team id=${unknown} does not exist` };
    const joins = this.deaf.has(email) ? [] : (user.teams ?? []);
    if (this.deaf.delete(email)) this.deaf.add(userId);
    this.users.set(userId, { email, role: user.role, teams: new Set(joins) });
    for (const team of joins) this.rosters.get(team)?.add(userId);
    const withKey = user.withKey && this.#options.forgetsKeys !== true;
    const teamId = user.teams?.length === 1 ? (user.teams[0] ?? null) : null;
    const key = withKey ? new Secret(this.#newKey(userId, teamId, user.keyAlias)) : null;
    const teams = this.#options.silentTeams === true ? null : [...joins];
    return {
      userId,
      ok: true,
      key,
      teams,
      warning: joins.length < (user.teams?.length ?? 0) ? 'team not joined' : null,
    };
  }

  #newKey(userId: string, teamId: string | null, alias: string | null): string {
    const secret = `sk-${String(++this.#numbers).padStart(22, '0')}`;
    this.keys.push({ secret, userId, teamId, alias });
    return secret;
  }

  #dropKeys(which: (key: FakeKey) => boolean): void {
    for (let at = this.keys.length - 1; at >= 0; at--) {
      const key = this.keys[at];
      if (key !== undefined && which(key)) this.keys.splice(at, 1);
    }
  }

  #known(userId: string) {
    const user = this.users.get(userId) ?? { email: '', role: null, teams: new Set<string>() };
    if (!this.users.has(userId)) this.madeUp.push(userId);
    this.users.set(userId, user);
    return user;
  }

  #proxyUser(userId: string): ProxyUser {
    const user = this.#known(userId);
    const keyCount = this.keys.filter((key) => key.userId === userId).length;
    return { userId, email: user.email, role: user.role, teams: [...user.teams], keyCount, spend: 0 };
  }

  #rowFault(method: string, id: string): { userId: string; ok: false; reason: string } | null {
    const reason = this.rowFaults.get(`${method} ${id}`);
    return reason === undefined ? null : { userId: id, ok: false, reason };
  }
}

/** As the proxy has it: the hash of the whole key. */
export function hashOf(key: Pick<FakeKey, 'secret'>): string {
  return new Secret(key.secret).hash();
}
