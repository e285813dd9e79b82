import type {
  ActivityResult,
  Blocked,
  CreatedUser,
  Invitation,
  MovedKey,
  NewUser,
  ProxyWrites,
  RoleResult,
  RoleRow,
  RowResult,
  UpdatedUser,
  UserFields,
} from '../../src/apply/ports.ts';
import { AnswerLostError, CodedError } from '../../src/core/errors.ts';
import {
  type Activity,
  emailKey,
  type LimitSettings,
  type ProxyFacts,
  type ProxyKey,
  type ProxyUser,
  type Role,
  type Team,
  type UserLimits,
} from '../../src/core/inventory.ts';
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
  /** 429, also after all retries. */
  | 'busy'
  /** 401 */
  | 'unauthorized'
  /** The process dies: nothing gets through any more. */
  | 'killed-before'
  | 'killed-after';

export class Unauthorized extends Error {}

class Busy extends CodedError {
  readonly code = 'unavailable';
}

interface FakeKey {
  readonly secret: string;
  readonly userId: string;
  teamId: string | null;
  readonly alias: string | null;
}

interface FakeUser {
  email: string;
  role: string | null;
  readonly teams: Set<string>;
  limits: UserLimits;
  activity: Activity;
}

export const NO_LIMITS: UserLimits = {
  maxBudget: null,
  budgetDuration: null,
  tpmLimit: null,
  rpmLimit: null,
  models: [],
};

export const FACTS: ProxyFacts = {
  version: '1.106.2',
  leavingDeletesKeys: true,
  enforcesDeactivation: true,
  clearsBudget: true,
  clearsDurationAndRates: true,
  defaultBudget: 'unknown',
};

interface Options {
  readonly batchSize?: number;
  /** As 1.75 does: the answer to a creation does not say which teams were joined. */
  readonly silentTeams?: boolean;
  /** `/user/new` of 1.106 and its bulk route make keys along; here it can forget them. */
  readonly forgetsKeys?: boolean;
  /** As the classic routes do: joining is a write of its own. */
  readonly joinsLater?: boolean;
  /** As 1.75 does: creating an id that exists answers 200, leaves the user alone and makes another key. */
  readonly createsTwice?: boolean;
  /** As all do: the answer to a role shows the user as they are now. */
  readonly tellsRoles?: boolean;
  /** `max_internal_user_budget` of its configuration: written over at creation, and at a role that comes without one. */
  readonly defaultBudget?: number;
  /** The answer to a creation shows no limits, as that of the bulk route. */
  readonly silentLimits?: boolean;
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
  readonly users = new Map<string, FakeUser>();
  readonly rosters = new Map<string, Set<string>>();
  readonly keys: FakeKey[] = [];
  readonly invitations: { id: string; userId: string }[] = [];
  /** Keys that leaving a team has deleted, by their secret. */
  readonly lostKeys: string[] = [];
  /** Whether the key that is used may list keys. */
  listsKeys = true;
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
    this.users.set(userId, { email, role, teams: new Set(), limits: NO_LIMITS, activity: 'active' });
    return this;
  }

  /** Limits and activity of a user who is there already. */
  set(userId: string, { activity, ...limits }: LimitSettings & { activity?: Activity }): this {
    const user = this.#known(userId);
    user.limits = { ...user.limits, ...limits };
    user.activity = activity ?? user.activity;
    return this;
  }

  /** A key that a user has had for long. @returns its hash */
  key(userId: string, teamId: string | null, alias: string): string {
    const secret = this.#newKey(userId, teamId, alias);
    return hashOf({ secret });
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

  updateRoles(users: readonly RoleRow[]): Promise<readonly RoleResult[]> {
    return this.#write(`updateRoles ${users.length}`, () =>
      users.map(({ userId, role, limits }) => {
        const fault = this.#rowFault('role', userId);
        if (fault !== null) return fault;
        const user = this.#known(userId);
        user.role = role;
        user.limits = { ...user.limits, ...limits };
        const { maxBudget, budgetDuration } = user.limits;
        if (this.#options.tellsRoles !== true) return { userId, ok: true, role: null };
        return { userId, ok: true, role, limits: { maxBudget, budgetDuration } };
      }),
    );
  }

  updateUser(userId: string, fields: UserFields): Promise<UpdatedUser> {
    return this.#write(`updateUser ${userId} ${Object.keys(fields).sort().join()}`, () => {
      const { email, role, ...limits } = fields;
      for (const name of Object.keys(fields)) {
        const fault = this.#rowFault(name, userId);
        if (fault !== null) throw new Error(fault.reason);
      }
      const user = this.#known(userId);
      user.email = email ?? user.email;
      user.role = role ?? user.role;
      const stored = Object.entries(limits).filter(([name]) => !this.deaf.has(`${name} ${userId}`));
      user.limits = { ...user.limits, ...Object.fromEntries(stored) };
      return { userId, email: user.email, role: user.role, limits: user.limits };
    });
  }

  setActivity(userId: string, active: boolean): Promise<ActivityResult> {
    return this.#write(`setActivity ${userId} ${active ? 'on' : 'off'}`, (): ActivityResult => {
      const fault = this.#rowFault('activity', userId);
      if (fault !== null) return fault;
      const user = this.users.get(userId);
      if (user === undefined) return { userId, ok: false, reason: 'the user is no longer on the proxy' };
      if (user.activity === 'deactivated by others') return { userId, ok: false, reason: 'deactivated by others' };
      if (!this.deaf.has(`activity ${userId}`)) user.activity = active ? 'active' : 'deactivated by us';
      return { userId, ok: true, user: this.#proxyUser(userId) };
    });
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
        const isLost = (key: FakeKey): boolean => key.userId === userId && key.teamId === teamId;
        this.lostKeys.push(...this.keys.filter(isLost).map((key) => key.secret));
        this.#dropKeys(isLost);
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

  moveKey(hash: string, teamId: string): Promise<MovedKey> {
    return this.#write(`moveKey ${this.#aliasOf(hash)} ${teamId}`, (): MovedKey => {
      const key = this.keys.find((one) => hashOf(one) === hash);
      if (key === undefined) return { ok: false, reason: 'Key not found' };
      const fault = this.#rowFault('move', key.alias ?? '');
      if (fault !== null) return fault;
      if (!this.rosters.get(teamId)?.has(key.userId)) {
        return { ok: false, reason: `User=${key.userId} is not a member of the team=${teamId}` };
      }
      key.teamId = teamId;
      return { ok: true };
    });
  }

  deleteInvitation(id: Secret): Promise<void> {
    return this.#write('deleteInvitation', () => {
      const at = this.invitations.findIndex((one) => one.id === id.reveal());
      if (at >= 0) this.invitations.splice(at, 1);
    });
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
        if (members === undefined) return [];
        return [{ teamId, alias: teamId, members: new Set(members), admins: new Set(), rosterEmails: new Map() }];
      }),
    );
  }

  keysOfUser(userId: string): Promise<readonly ProxyKey[]> {
    return this.#read('keysOfUser', () => this.keys.filter((key) => key.userId === userId).map(shown));
  }

  leavingKeys(pairs: readonly { userId: string; teamId: string }[]): Promise<readonly ProxyKey[] | 'unknown'> {
    const isWanted = (key: FakeKey): boolean =>
      pairs.some(({ userId, teamId }) => key.userId === userId && key.teamId === teamId);
    return this.#read(`leavingKeys ${pairs.length}`, () =>
      this.listsKeys ? this.keys.filter(isWanted).map(shown) : 'unknown',
    );
  }

  facts(): Promise<ProxyFacts> {
    return Promise.resolve(FACTS);
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
      case 'busy':
        throw new Busy('429 Too many requests');
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
      return { userId, ok: true, key, teams: null, limits: null, warning: null };
    }
    if (this.users.has(userId)) return { userId, ok: false, reason: `User id=${userId} already exists` };
    if (taken) return { userId, ok: false, reason: `User email=${email} already exists` };
    const unknown = user.teams?.find((team) => !this.rosters.has(team));
    if (unknown !== undefined) return { userId, ok: false, reason: `Team id=${unknown} does not exist` };
    const joins = this.deaf.has(email) || this.#options.joinsLater ? [] : (user.teams ?? []);
    if (this.deaf.delete(email)) this.deaf.add(userId);
    const { limits: asked = {} } = user;
    const limits: UserLimits = { ...NO_LIMITS, ...asked, ...this.#configured(user.role) };
    this.users.set(userId, { email, role: user.role, teams: new Set(joins), limits, activity: 'active' });
    for (const team of joins) this.rosters.get(team)?.add(userId);
    const copies = 'tpmLimit' in asked || 'rpmLimit' in asked || 'models' in asked;
    const withKey = user.withKey && !copies && this.#options.forgetsKeys !== true;
    const teamId = user.teams?.length === 1 ? (user.teams[0] ?? null) : null;
    const key = withKey ? new Secret(this.#newKey(userId, teamId, user.keyAlias)) : null;
    const teams = this.#options.silentTeams === true ? null : [...joins];
    return {
      userId,
      ok: true,
      key,
      teams,
      limits: this.#options.silentLimits === true ? null : limits,
      warning: joins.length < (user.teams?.length ?? 0) ? 'team not joined' : null,
    };
  }

  #configured(role: string | null): LimitSettings {
    const { defaultBudget } = this.#options;
    return defaultBudget === undefined || role !== 'internal_user' ? {} : { maxBudget: defaultBudget };
  }

  #aliasOf(hash: string): string {
    return this.keys.find((key) => hashOf(key) === hash)?.alias ?? hash;
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
    const unknown: FakeUser = { email: '', role: null, teams: new Set(), limits: NO_LIMITS, activity: 'active' };
    const user = this.users.get(userId) ?? unknown;
    if (!this.users.has(userId)) this.madeUp.push(userId);
    this.users.set(userId, user);
    return user;
  }

  #proxyUser(userId: string): ProxyUser {
    const user = this.#known(userId);
    const keyCount = this.keys.filter((key) => key.userId === userId).length;
    const { email, role, teams, limits, activity } = user;
    return { userId, email, role, teams: [...teams], keyCount, spend: 0, limits, activity };
  }

  #rowFault(method: string, id: string): { userId: string; ok: false; reason: string } | null {
    const reason = this.rowFaults.get(`${method} ${id}`);
    return reason === undefined ? null : { userId: id, ok: false, reason };
  }
}

function shown(key: FakeKey): ProxyKey {
  const { secret, alias, userId, teamId } = key;
  return { hash: hashOf(key), name: `sk-...${secret.slice(-4)}`, alias, userId, teamId, spend: 0 };
}

/** As the proxy has it: the hash of the whole key. */
export function hashOf(key: Pick<FakeKey, 'secret'>): string {
  return new Secret(key.secret).hash();
}
