/** The roles that this tool manages. Source: `POST /user/new` refuses any other with 422. */
export const ROLES = ['proxy_admin', 'proxy_admin_viewer', 'internal_user', 'internal_user_viewer'] as const;

export type Role = (typeof ROLES)[number];

export function isRole(value: string): value is Role {
  return (ROLES as readonly string[]).includes(value);
}

/** What a user may use. `null`: no limit. */
export interface UserLimits {
  /** US dollars. */
  readonly maxBudget: number | null;
  /** After what time the budget begins anew, as `30d`; `null`: never. */
  readonly budgetDuration: string | null;
  readonly tpmLimit: number | null;
  readonly rpmLimit: number | null;
  /** Empty: all models of the proxy, as `all-proxy-models`. */
  readonly models: readonly string[];
}

/** Some of the limits: those that somebody asks for. */
export type LimitSettings = Partial<UserLimits>;

/**
 * Whether a user's keys work: `metadata.scim_active` is `false` for those that are deactivated, and a mark of ours
 * stands beside it where we did that.
 */
export type Activity = 'active' | 'deactivated by us' | 'deactivated by others';

/** A user as the proxy has them, reduced to what a plan needs (so that 100,000 of them stay small). */
export interface ProxyUser {
  readonly userId: string;
  /** As the proxy stores it: neither trimmed nor lower-cased. `null` for `default_user_id` and machine users. */
  readonly email: string | null;
  /** `null` where the proxy has none; may be a role that is not one of ours. */
  readonly role: string | null;
  /** Team ids of `user.teams`. The team's roster is the other half of a membership, see {@link Team.members}. */
  readonly teams: readonly string[];
  /** `null`: not asked yet. */
  readonly keyCount: number | null;
  /** US dollars. */
  readonly spend: number;
  readonly limits: UserLimits;
  readonly activity: Activity;
}

/** Whether a user can be told by their email: machines have none. */
export function hasEmail<T extends { readonly email: string | null }>(user: T): user is T & { readonly email: string } {
  return user.email !== null && user.email.trim() !== '';
}

export type UserWithEmail = ProxyUser & { readonly email: string };

export interface Team {
  readonly teamId: string;
  /** Not unique on the proxy, may be missing or blank. */
  readonly alias: string | null;
  /** User ids of the team's `members_with_roles`. */
  readonly members: ReadonlySet<string>;
  /** User ids of the members with the team role `admin`. */
  readonly admins: ReadonlySet<string>;
  /**
   * User id by the key of the email that the roster shows, `null` for an entry without id. A roster goes on showing
   * the email with which somebody joined: good for finding what blocks a join, never for telling who is a member.
   */
  readonly rosterEmails: ReadonlyMap<string, string | null>;
}

/** Everything that a plan knows of the proxy; proven complete by whoever made it. */
export interface Inventory {
  readonly users: readonly ProxyUser[];
  readonly teams: readonly Team[];
  /** The user whose key we use; `null` with the master key. */
  readonly ownUserId: string | null;
}

/** What is true of this proxy and differs between versions: found out by whoever talks to it, data to a plan. */
export interface ProxyFacts {
  /** `null`: not known. */
  readonly version: string | null;
  /** Whether leaving a team deletes the user's keys of that team (from 1.81 on). */
  readonly leavingDeletesKeys: boolean;
  /** Whether a deactivated user's keys stop working (from 1.90 on). */
  readonly enforcesDeactivation: boolean;
  /** Whether `max_budget: null` takes effect (not on 1.75). */
  readonly clearsBudget: boolean;
  /** The same of `budget_duration`, `tpm_limit` and `rpm_limit` (not up to 1.90). */
  readonly clearsDurationAndRates: boolean;
  /** Its configured budget for internal users can't be read: a role change carries the user's own. */
  readonly defaultBudget: 'unknown';
}

/** A virtual key as `/key/list` shows it: never the key itself. */
export interface ProxyKey {
  /** The proxy's hash of the key: names it in `/key/delete` and `/key/update`. */
  readonly hash: string;
  /** `sk-...abcd` */
  readonly name: string;
  readonly alias: string | null;
  readonly userId: string | null;
  readonly teamId: string | null;
  readonly spend: number;
}

/**
 * What emails are compared by, and what a new user is stored with: trimmed, in NFC, in lower case.
 * Sources: `/user/new` answers 409 to the same email in other letters (from 1.82 on; 1.75 makes a second user); below
 * 1.82 neither log-in nor SSO finds an email that is stored in mixed case.
 */
export function emailKey(email: string): string {
  return nameKey(email.trim()).toLowerCase();
}

/** What names are compared by: NFC, as the same letters may be typed in two ways. */
export function nameKey(name: string): string {
  return name.normalize('NFC');
}
