/** The roles that this tool manages. Source: `POST /user/new` refuses any other with 422. */
export const ROLES = ['proxy_admin', 'proxy_admin_viewer', 'internal_user', 'internal_user_viewer'] as const;

export type Role = (typeof ROLES)[number];

export function isRole(value: string): value is Role {
  return (ROLES as readonly string[]).includes(value);
}

/** What a user may spend and use. `null`: no limit of that kind. */
export interface UserLimits {
  /** US dollars. */
  readonly maxBudget: number | null;
  /** After which time the spend is counted anew: `30d`. Without it a budget is for good. */
  readonly budgetDuration: string | null;
  /** Tokens a minute. */
  readonly tpmLimit: number | null;
  /** Requests a minute. */
  readonly rpmLimit: number | null;
  /** None: all of the proxy's. */
  readonly models: readonly string[];
}

/** Some of the limits: those that somebody asks for. */
export type LimitSettings = Partial<UserLimits>;

/**
 * Whether a user's keys work. `metadata.scim_active: false` switches them off (from 1.90 on); the mark of ours beside it,
 * `metadata.litellm_user_sync.deactivated_at`, tells who did that. Of a user's metadata nothing else is ever kept.
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
  /** `null`: not asked for. */
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
  /** Those of them whom the roster calls `admin`: a role that joining again does not bring back. */
  readonly admins: ReadonlySet<string>;
  /**
   * Emails as the roster has them (by {@link emailKey}) and the id beside each; `null`: an entry without one. They are
   * copies from the day of joining, so that they may name a user who has another email by now, or one who is gone.
   */
  readonly rosterEmails: ReadonlyMap<string, string | null>;
}

/** What is true of this proxy and not of every other. Where it cannot be found out: what costs people more. */
export interface ProxyFacts {
  /** `null`: it does not say. */
  readonly version: string | null;
  /** Leaving a team deletes the user's keys of that team; else they survive, bound to it. */
  readonly leavingDeletesKeys: boolean;
  /** Keys of a user with `scim_active: false` are refused. */
  readonly enforcesDeactivation: boolean;
  /** `max_budget: null` takes the budget away; else it is ignored. */
  readonly clearsBudget: boolean;
  /** The same of `budget_duration`, `tpm_limit` and `rpm_limit`. */
  readonly clearsDurationAndRates: boolean;
  /** The proxy does not show it: every change of a role carries budget and period, which the defaults would replace. */
  readonly defaultBudget: 'unknown';
}

/** Everything that a plan knows of the proxy; proven complete by whoever made it. */
export interface Inventory {
  readonly users: readonly ProxyUser[];
  readonly teams: readonly Team[];
  /** The user whose key we use; `null` with the master key. */
  readonly ownUserId: string | null;
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

/**
 * Whose entry keeps somebody of this email out of a team, `null`: nobody's. `/team/member_add` compares emails from 1.82
 * on, so that an entry with the email but another id, or none, stands in the way of whoever has it now.
 */
export function rosterHolder(
  team: Pick<Team, 'members' | 'rosterEmails'>,
  user: { readonly userId: string; readonly email: string | null },
): { readonly userId: string | null } | null {
  if (user.email === null || team.members.has(user.userId)) return null;
  const holder = team.rosterEmails.get(emailKey(user.email));
  return holder === undefined || holder === user.userId ? null : { userId: holder };
}
