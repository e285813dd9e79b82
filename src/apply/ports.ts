import type { RefusalCode } from '../core/errors.ts';
import type { LimitSettings, ProxyFacts, ProxyKey, ProxyUser, Role, Team, UserLimits } from '../core/inventory.ts';
import type { Delivery, LinkRow } from '../core/outcome.ts';
import type { Secret } from '../core/secret.ts';
import type { Journal } from '../journal/journal.ts';
import type { OnboardingFile } from '../journal/onboarding-file.ts';

/** What became of one row of a write; the call itself may throw, see {@link ProxyWrites}. */
export type RowResult = { readonly userId: string; readonly ok: true } | FailedRow;

export type BudgetLimits = Pick<UserLimits, 'maxBudget' | 'budgetDuration'>;

/** A role goes with the user's present budget and period, or the proxy's configured defaults would replace them. */
export interface RoleRow {
  readonly userId: string;
  readonly role: Role;
  readonly limits: BudgetLimits;
}

/**
 * `role`: as the proxy answered; `null` or absent: it does not say, look it up. `limits`: the budget and period that it
 * answered. Up to 1.90 a "none" does not hold beside a configured default: then they differ from what was sent.
 */
export type RoleResult =
  | { readonly userId: string; readonly ok: true; readonly role?: string | null; readonly limits?: BudgetLimits | null }
  | FailedRow;

/** What is to be changed of a user; what is left out stays. `null` clears, where the proxy can, see {@link ProxyFacts}. */
export type UserFields = LimitSettings & { readonly email?: string } & (
    | { readonly role?: never }
    | ({ readonly role: Role } & BudgetLimits)
  );

/** A user as the proxy answered an update. */
export interface UpdatedUser {
  readonly userId: string;
  readonly email: string | null;
  readonly role: string | null;
  readonly limits: UserLimits;
}

/** `user`: as read again after the write. */
export type ActivityResult = { readonly userId: string; readonly ok: true; readonly user: ProxyUser } | FailedRow;

/** `reason`: the proxy's own words why the key stays where it is. */
export type MovedKey = { readonly ok: true } | { readonly ok: false; readonly reason: string };

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
  /**
   * Only what is asked for; the rest is the proxy's to fill. Where rates or models are among them the key is made by a
   * request of its own, as the proxy would copy them to it; the row lacks a key of which the answer did not come.
   */
  readonly limits?: LimitSettings;
}

export type CreatedUser =
  | {
      readonly userId: string;
      readonly ok: true;
      readonly key: Secret | null;
      /** As the proxy answered; `null`: it does not say (1.75), look it up. */
      readonly teams: readonly string[] | null;
      /**
       * As the proxy answered; `null`: it does not say (bulk routes), look it up. Where its configuration fills in a
       * budget it does so even over a `null` that was sent.
       */
      readonly limits?: UserLimits | null;
      /** Created, but something of it failed (joining a team): the proxy's words. */
      readonly warning: string | null;
      /** The answer to a join or a key was lost: it may yet take effect. */
      readonly lost?: boolean;
    }
  | FailedRow;

export interface Invitation {
  readonly id: Secret;
  readonly expiresAt: string;
}

/**
 * The writes and look-ups of the proxy that applying needs. Implemented by `litellm/client.ts`.
 * Every write either answers row by row (a row may be `lost`), or throws:
 * - `AnswerLostError`: it may or may not have taken effect; look up before repeating.
 * - any other `ProxyError`: it has not taken effect (refused as a whole).
 * - `StoppedError`: the run was stopped, it was not sent.
 * Retries on 429 and on connections that were never made happen below this interface.
 */
export interface ProxyWrites {
  /** Largest number of rows of one call of createUsers, deleteUsers, updateRoles, leaveTeam. */
  readonly batchSize: number;
  /** The same of joinTeam. */
  readonly joinBatchSize: number;
  createUsers(users: readonly NewUser[], blocked?: Blocked): Promise<readonly CreatedUser[]>;
  deleteUsers(userIds: readonly string[], blocked?: Blocked): Promise<readonly RowResult[]>;
  /**
   * Roles in bulk; no demotion of a `proxy_admin`, whose keys would go on as before for a minute (up to 1.106): that is
   * {@link updateUser}'s. The ids must exist: an unknown one would be created by the proxy.
   */
  updateRoles(users: readonly RoleRow[]): Promise<readonly RoleResult[]>;
  /** One user, with effect at once. The id must exist, and nobody else may have the email: the proxy checks neither. */
  updateUser(userId: string, fields: UserFields): Promise<UpdatedUser>;
  /**
   * Switches all keys of a user off or on, in metadata that is read right before, merged, and read again after. Nobody
   * whom others have switched off is touched. Only where {@link ProxyFacts.enforcesDeactivation}.
   */
  setActivity(userId: string, active: boolean): Promise<ActivityResult>;
  /** The ids must exist: an unknown one would be created by the proxy. Being a member already is ok. */
  joinTeam(teamId: string, userIds: readonly string[]): Promise<readonly RowResult[]>;
  /** Not being a member is ok. */
  leaveTeam(teamId: string, userIds: readonly string[], blocked?: Blocked): Promise<readonly RowResult[]>;
  /** Whether a deleted user leaves all rosters (1.106); before, those of teams that only the roster knows of keep them. */
  cleansRosters(): Promise<boolean>;
  createKey(key: {
    readonly userId: string;
    readonly teamId: string | null;
    readonly alias: string | null;
  }): Promise<Secret>;
  deleteKeys(hashes: readonly string[]): Promise<void>;
  /** A key goes to a team that its owner is in, with alias, limits and spend. */
  moveKey(hash: string, teamId: string): Promise<MovedKey>;
  /** A repeated call makes another invitation; the older ones stay valid. */
  createInvitation(userId: string): Promise<Invitation>;
  /** Its link opens no more; one that is gone already is fine. */
  deleteInvitation(id: Secret): Promise<void>;
  /** Exactly these users, as many of them as exist. Any number of ids. */
  findUsers(userIds: readonly string[]): Promise<readonly ProxyUser[]>;
  /** Users with this email in any letter case. */
  findUsersByEmail(email: string): Promise<readonly ProxyUser[]>;
  /** These teams with their rosters, as many of them as exist. */
  findTeams(teamIds: readonly string[]): Promise<readonly Team[]>;
  /** The keys that belong to these users and stand in these teams; `unknown`: the key that is used may not list them. */
  leavingKeys(
    pairs: readonly { readonly userId: string; readonly teamId: string }[],
  ): Promise<readonly ProxyKey[] | 'unknown'>;
  /** All keys of one user. */
  keysOfUser(userId: string): Promise<readonly ProxyKey[]>;
  /** What is true of this proxy; found out once. */
  facts(): Promise<ProxyFacts>;
}

/** A journal with its file of links: what is delivered is read from there, as it is on disk. */
export type LinkJournal = Journal & { readonly onboardingFile: Pick<OnboardingFile, 'read' | 'close'> };

/** Mails a link to its user. @param begin see `Mailer.send` */
export type Deliver = (row: LinkRow, begin: () => Promise<boolean>) => Promise<Delivery>;
