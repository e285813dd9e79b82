import type { RefusalCode } from '../core/errors.ts';
import type { ProxyKey, ProxyUser, Role, Team } from '../core/inventory.ts';
import type { Secret } from '../core/secret.ts';

/** What became of one row of a write; the call itself may throw, see {@link ProxyWrites}. */
export type RowResult = { readonly userId: string; readonly ok: true } | FailedRow;

/** `role`: as the proxy answered; `null` or absent: it does not say, look it up. */
export type RoleResult = { readonly userId: string; readonly ok: true; readonly role?: string | null } | FailedRow;

export interface FailedRow {
  readonly userId: string;
  readonly ok: false;
  /** The answer about this row was lost: it may have taken effect, look up before repeating. */
  readonly lost?: true;
  /** It was not sent: {@link Blocked} gave the reason. */
  readonly blocked?: true;
  /** Why it was refused, where that is known. */
  readonly code?: RefusalCode;
  readonly reason: string;
}

/** Why no further write may begin, `null`: it may. Asked between the requests of a call that takes one per user (1.75). */
export type Blocked = () => string | null;

export interface NewUser {
  /** Chosen by us, journalled before the call: so that a lost answer can be looked up. */
  readonly userId: string;
  readonly email: string;
  /** `null`: not sent, the proxy decides. */
  readonly role: Role | null;
  /** `null`: not sent, the proxy's default teams. Empty: none at all. */
  readonly teams: readonly string[] | null;
  /** Whether a key is to be made along; it belongs to the team where there is exactly one. */
  readonly withKey: boolean;
  readonly keyAlias: string | null;
}

export type CreatedUser =
  | {
      readonly userId: string;
      readonly ok: true;
      readonly key: Secret | null;
      /** As the proxy answered; `null`: it does not say (1.75), look it up. */
      readonly teams: readonly string[] | null;
      /** Created, but something of it failed (joining a team): the proxy's words. */
      readonly warning: string | null;
    }
  | FailedRow;

export interface Invitation {
  readonly id: Secret;
  readonly expiresAt: string;
}

/**
 * The writes and look-ups of the proxy that applying needs. Implemented by `litellm/proxy.ts`.
 * Every write either answers row by row (a row may be `lost`), or throws:
 * - `AnswerLostError`: it may or may not have taken effect; look up before repeating.
 * - any other `ProxyError`: it has not taken effect (refused as a whole).
 * Retries on 429 and on connections that were never made happen below this interface.
 */
export interface ProxyWrites {
  /** Largest number of rows of one call of createUsers, deleteUsers, updateRoles, leaveTeam. */
  readonly batchSize: number;
  /** The same of joinTeam. */
  readonly joinBatchSize: number;
  createUsers(users: readonly NewUser[], blocked?: Blocked): Promise<readonly CreatedUser[]>;
  deleteUsers(userIds: readonly string[], blocked?: Blocked): Promise<readonly RowResult[]>;
  /** The ids must exist: an unknown one would be created by the proxy. */
  updateRoles(users: readonly { readonly userId: string; readonly role: Role }[]): Promise<readonly RoleResult[]>;
  /** The ids must exist: an unknown one would be created by the proxy. Being a member already is ok. */
  joinTeam(teamId: string, userIds: readonly string[]): Promise<readonly RowResult[]>;
  /** Not being a member is ok. */
  leaveTeam(teamId: string, userIds: readonly string[], blocked?: Blocked): Promise<readonly RowResult[]>;
  /** Whether a deleted user leaves all rosters (1.106); on 1.75 they stay in them. */
  cleansRosters(): Promise<boolean>;
  createKey(key: {
    readonly userId: string;
    readonly teamId: string | null;
    readonly alias: string | null;
  }): Promise<Secret>;
  deleteKeys(hashes: readonly string[]): Promise<void>;
  /** A repeated call makes another invitation; the older ones stay valid. */
  createInvitation(userId: string): Promise<Invitation>;
  /** Exactly these users, as many of them as exist. Any number of ids. */
  findUsers(userIds: readonly string[]): Promise<readonly ProxyUser[]>;
  /** Users with this email in any letter case. */
  findUsersByEmail(email: string): Promise<readonly ProxyUser[]>;
  /** These teams with their rosters, as many of them as exist. */
  findTeams(teamIds: readonly string[]): Promise<readonly Team[]>;
  /** All keys of one user. */
  keysOfUser(userId: string): Promise<readonly ProxyKey[]>;
}
