/** What a user or a key may spend and call. */
export interface Limits {
  /** US dollars. */
  maxBudget: number | null;
  /** As written: `30d`. */
  budgetDuration: string | null;
  budgetResetAt: string | null;
  tpmLimit: number | null;
  rpmLimit: number | null;
  maxParallelRequests: number | null;
  models: string[];
}

/** A user as stored. Times are ISO 8601 with microseconds, as LiteLLM prints them. */
export interface UserRow extends Limits {
  readonly userId: string;
  email: string | null;
  alias: string | null;
  role: string | null;
  /** One half of a membership; the other is {@link TeamRow.roster}. */
  teams: string[];
  /** The deprecated `team_id` of `/user/new`. */
  teamId: string | null;
  spend: number;
  metadata: Record<string, unknown>;
  /** What the database keeps of a password; `null` where none was set. */
  passwordHash: string | null;
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
  tpmLimit: number | null;
  rpmLimit: number | null;
  models: string[];
  metadata: Record<string, unknown>;
  readonly createdAt: string;
  updatedAt: string;
  readonly seq: number;
}

export interface KeyRow extends Limits {
  /** SHA-256 of the key: what `/key/list` names it by. */
  readonly hash: string;
  /** `sk-...abcd` */
  readonly name: string;
  alias: string | null;
  userId: string | null;
  teamId: string | null;
  spend: number;
  metadata: Record<string, unknown>;
  blocked: boolean | null;
  expires: string | null;
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
  /** US dollars. */
  readonly maxBudget?: number;
}

export interface SeedUser extends Partial<Readonly<Omit<Limits, 'budgetResetAt'>>> {
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
  readonly passwordHash?: string;
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

/** LiteLLM's `max_internal_user_budget` and `internal_user_budget_duration`: written with the role `internal_user`. */
export interface InternalUserBudget {
  readonly maxBudget?: number;
  readonly budgetDuration?: string;
}

/** LiteLLM's `default_internal_user_params`: given to new users for what the call leaves open. */
export interface NewUserDefaults {
  readonly role?: string;
  readonly teams?: readonly string[];
}
