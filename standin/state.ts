import { createHash, randomBytes } from 'node:crypto';
import type { InvitationRow, KeyRow, Limits, Member, TeamRow, UserRow } from './types.ts';

export type NewUserRow = Partial<Omit<UserRow, 'seq' | 'createdAt' | 'updatedAt'>> & { readonly userId: string };
export type NewKey = {
  readonly secret: string;
  readonly userId: string | null;
  readonly createdBy: string | null;
} & Partial<Omit<KeyRow, 'hash' | 'name' | 'createdAt' | 'updatedAt' | 'seq'>>;

const NO_LIMITS: Limits = {
  maxBudget: null,
  budgetDuration: null,
  budgetResetAt: null,
  tpmLimit: null,
  rpmLimit: null,
  maxParallelRequests: null,
  models: [],
};

/** SHA-256 of an API key, in hex: the name that the proxy stores it under. */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

export function makeKey(): string {
  return `sk-${randomBytes(16).toString('base64url')}`;
}

/** ISO 8601 with microseconds. */
export function timestamp(milliseconds: number, microseconds = 0): string {
  return new Date(milliseconds).toISOString().replace('Z', `${String(microseconds).padStart(3, '0')}Z`);
}

/** The stand-in's database: rows and the indexes that keep every route off a full scan where the real one is, too. */
export class State {
  readonly users = new Map<string, UserRow>();
  readonly teams = new Map<string, TeamRow>();
  readonly keys = new Map<string, KeyRow>();
  /** Deleted keys, as they were. */
  readonly archive = new Map<string, KeyRow>();
  readonly invitations = new Map<string, InvitationRow>();
  /** LiteLLM's third record of a membership: team ids by user id. Only `bulk_delete` of users reads it. */
  readonly memberships = new Map<string, Set<string>>();
  /** Grows with every change that can alter the order of `/user/list`. */
  usersVersion = 0;
  readonly #membersByTeam = new Map<string, Set<string>>();
  readonly #usersByEmail = new Map<string, Set<string>>();
  readonly #keysByUser = new Map<string, Set<string>>();
  readonly #keysByTeam = new Map<string, Set<string>>();
  readonly #keysByAlias = new Map<string, Set<string>>();
  readonly #invitationsByUser = new Map<string, Set<string>>();
  #seq = 0;
  #millisecond = 0;
  #microsecond = 0;

  /** The time, later than the last: so that rows of two writes have an order, and rows of one bulk write have none. */
  now(): string {
    const millisecond = Date.now();
    this.#microsecond = millisecond === this.#millisecond ? Math.min(this.#microsecond + 1, 999) : 0;
    this.#millisecond = millisecond;
    return timestamp(millisecond, this.#microsecond);
  }

  addUser(user: NewUserRow, at = this.now()): UserRow {
    const row: UserRow = {
      email: null,
      alias: null,
      role: null,
      teams: [],
      teamId: null,
      spend: 0,
      metadata: {},
      passwordHash: null,
      ...NO_LIMITS,
      ...user,
      createdAt: at,
      updatedAt: at,
      seq: ++this.#seq,
    };
    this.users.set(row.userId, row);
    if (row.email !== null) put(this.#usersByEmail, row.email.toLowerCase(), row.userId);
    this.usersVersion += 1;
    return row;
  }

  changeUser(user: UserRow, change: Partial<Omit<UserRow, 'userId' | 'seq' | 'createdAt'>>): void {
    if (user.email !== null) drop(this.#usersByEmail, user.email.toLowerCase(), user.userId);
    Object.assign(user, change, { updatedAt: this.now() });
    if (user.email !== null) put(this.#usersByEmail, user.email.toLowerCase(), user.userId);
    this.usersVersion += 1;
  }

  /** With the user's keys, invitations (received and issued) and membership records; rosters are the caller's. */
  removeUser(user: UserRow): void {
    for (const key of this.keysOfUser(user.userId)) this.removeKey(key);
    for (const { id } of this.invitationsOf(user.userId)) this.removeInvitation(id);
    for (const teamId of [...(this.memberships.get(user.userId) ?? [])]) this.removeMembership(user.userId, teamId);
    if (user.email !== null) drop(this.#usersByEmail, user.email.toLowerCase(), user.userId);
    this.users.delete(user.userId);
    this.usersVersion += 1;
  }

  /** Users with this email in any letter case, oldest first. */
  usersByEmail(email: string): UserRow[] {
    return [...(this.#usersByEmail.get(email.toLowerCase()) ?? [])].flatMap((id) => this.users.get(id) ?? []);
  }

  addTeam(teamId: string, alias: string | null): TeamRow {
    const at = this.now();
    const limits = { maxBudget: null, tpmLimit: null, rpmLimit: null, models: [] };
    const common = { ...limits, metadata: {}, createdAt: at, updatedAt: at, seq: ++this.#seq };
    const row: TeamRow = { teamId, alias, roster: new Map(), ...common };
    this.teams.set(teamId, row);
    return row;
  }

  setMember(team: TeamRow, member: Member): void {
    team.roster.set(member.userId, member);
    team.updatedAt = this.now();
  }

  removeMember(team: TeamRow, userId: string): boolean {
    if (!team.roster.delete(userId)) return false;
    team.updatedAt = this.now();
    return true;
  }

  addMembership(userId: string, teamId: string): void {
    put(this.memberships, userId, teamId);
    put(this.#membersByTeam, teamId, userId);
  }

  removeMembership(userId: string, teamId: string): void {
    drop(this.memberships, userId, teamId);
    drop(this.#membersByTeam, teamId, userId);
  }

  /** User ids with a membership record of the team. */
  membershipsOf(teamId: string): readonly string[] {
    return [...(this.#membersByTeam.get(teamId) ?? [])];
  }

  addKey({ secret, ...key }: NewKey): KeyRow {
    const at = this.now();
    const row: KeyRow = {
      hash: hashKey(secret),
      name: `sk-...${secret.slice(-4)}`,
      alias: null,
      teamId: null,
      spend: 0,
      metadata: {},
      blocked: null,
      expires: null,
      ...NO_LIMITS,
      ...key,
      createdAt: at,
      updatedAt: at,
      seq: ++this.#seq,
    };
    this.keys.set(row.hash, row);
    this.#indexKey(row, put);
    return row;
  }

  changeKey(key: KeyRow, change: Partial<Omit<KeyRow, 'hash' | 'seq'>>): void {
    this.#indexKey(key, drop);
    Object.assign(key, change, { updatedAt: this.now() });
    this.#indexKey(key, put);
  }

  removeKey(key: KeyRow): void {
    this.#indexKey(key, drop);
    this.keys.delete(key.hash);
    this.archive.set(key.hash, key);
  }

  /** By the key itself or its hash. */
  findKey(keyOrHash: string): KeyRow | undefined {
    return this.keys.get(keyOrHash.startsWith('sk-') ? hashKey(keyOrHash) : keyOrHash);
  }

  keysOfUser(userId: string): KeyRow[] {
    return this.#rowsOf(this.#keysByUser.get(userId));
  }

  keysOfTeam(teamId: string): KeyRow[] {
    return this.#rowsOf(this.#keysByTeam.get(teamId));
  }

  keysByAlias(alias: string): KeyRow[] {
    return this.#rowsOf(this.#keysByAlias.get(alias));
  }

  /** Invitations that a user received or issued. */
  invitationsOf(userId: string): InvitationRow[] {
    return [...(this.#invitationsByUser.get(userId) ?? [])].flatMap((id) => this.invitations.get(id) ?? []);
  }

  countKeysOfUser(userId: string): number {
    return this.#keysByUser.get(userId)?.size ?? 0;
  }

  countKeysOfTeam(teamId: string): number {
    return this.#keysByTeam.get(teamId)?.size ?? 0;
  }

  addInvitation(invitation: InvitationRow): void {
    this.invitations.set(invitation.id, invitation);
    put(this.#invitationsByUser, invitation.userId, invitation.id);
    put(this.#invitationsByUser, invitation.createdBy, invitation.id);
  }

  removeInvitation(id: string): void {
    const invitation = this.invitations.get(id);
    if (invitation === undefined) return;
    this.invitations.delete(id);
    drop(this.#invitationsByUser, invitation.userId, id);
    drop(this.#invitationsByUser, invitation.createdBy, id);
  }

  #indexKey(key: KeyRow, edit: typeof put): void {
    if (key.userId !== null) edit(this.#keysByUser, key.userId, key.hash);
    if (key.teamId !== null) edit(this.#keysByTeam, key.teamId, key.hash);
    if (key.alias !== null) edit(this.#keysByAlias, key.alias, key.hash);
  }

  #rowsOf(hashes: ReadonlySet<string> | undefined): KeyRow[] {
    return [...(hashes ?? [])].flatMap((hash) => this.keys.get(hash) ?? []);
  }
}

function put(index: Map<string, Set<string>>, key: string, value: string): void {
  const values = index.get(key);
  if (values === undefined) index.set(key, new Set([value]));
  else values.add(value);
}

function drop(index: Map<string, Set<string>>, key: string, value: string): void {
  const values = index.get(key);
  if (values?.delete(value) && values.size === 0) index.delete(key);
}
