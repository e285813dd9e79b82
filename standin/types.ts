/** A user as stored. Times are ISO 8601 with microseconds, as LiteLLM prints them. */
export interface UserRow {
  readonly userId: string;
  email: string | null;
  alias: string | null;
  role: string | null;
  /** One half of a membership; the other is {@link TeamRow.roster}. */
  teams: string[];
  /** The deprecated `team_id` of `/user/new`. */
  teamId: string | null;
  spend: number;
  maxBudget: number | null;
  models: string[];
  metadata: Record<string, unknown>;
  readonly createdAt: string;
  updatedAt: string;
  /** Order of creation. */
  readonly seq: number;
}

export interface Member {
  readonly userId: string;
  readonly email: string | null;
  readonly role: 'admin' | 'user';
  /** How often the user stands in the roster: above 1 only on 1.55. */
  readonly times: number;
}

export interface TeamRow {
  readonly teamId: string;
  alias: string | null;
  /** The other half of a membership (`members_with_roles`), by user id. */
  readonly roster: Map<string, Member>;
  maxBudget: number | null;
  models: string[];
  metadata: Record<string, unknown>;
  readonly createdAt: string;
  updatedAt: string;
  readonly seq: number;
}

export interface KeyRow {
  /** SHA-256 of the key: what `/key/list` names it by. */
  readonly hash: string;
  /** `sk-...abcd` */
  readonly name: string;
  alias: string | null;
  userId: string | null;
  teamId: string | null;
  spend: number;
  maxBudget: number | null;
  /** `null` for a key that `/user/new` made along. */
  readonly createdBy: string | null;
  readonly createdAt: string;
  updatedAt: string;
  readonly seq: number;
}

export interface InvitationRow {
  readonly id: string;
  readonly userId: string;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt: string;
}

/** Who calls: the master key, or a user's key. */
export interface Caller {
  readonly userId: string | null;
  readonly role: string | null;
  /** `null` for the master key. */
  readonly keyHash: string | null;
}

export interface SeedKey {
  readonly alias?: string;
  readonly teamId?: string;
  /** The key itself, beginning with `sk-`; made up when missing. */
  readonly key?: string;
  /** US dollars. */
  readonly spend?: number;
}

export interface SeedUser {
  readonly userId: string;
  readonly email?: string | null;
  readonly alias?: string;
  readonly role?: string | null;
  /** Full memberships: both halves. */
  readonly teams?: readonly string[];
  /** Teams that stand in `user.teams` only. */
  readonly teamsOnly?: readonly string[];
  /** Teams whose roster alone has the user. */
  readonly rosterOnly?: readonly string[];
  readonly keys?: readonly SeedKey[];
  /** US dollars. */
  readonly spend?: number;
  readonly metadata?: Record<string, unknown>;
  readonly models?: readonly string[];
}

export interface SeedTeam {
  readonly teamId: string;
  /** `null` or missing: a team without a name. Not unique. */
  readonly alias?: string | null;
}

/** What the stand-in holds when it starts. */
export interface Seed {
  readonly teams?: readonly SeedTeam[];
  readonly users?: readonly SeedUser[];
}

/** LiteLLM's `default_internal_user_params`: given to new users for what the call leaves open. */
export interface NewUserDefaults {
  readonly role?: string;
  readonly teams?: readonly string[];
}
