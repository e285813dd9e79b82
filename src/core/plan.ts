import type { ProxyKey, Role } from './inventory.ts';

/** A team with the name that people know it by: its alias, or its id where the alias is missing or shared. */
export interface TeamRef {
  readonly teamId: string;
  readonly name: string;
}

/** Why a planned change is not applied. */
export type Withheld = 'no-add' | 'no-delete' | 'no-update' | 'not reviewed';

/** The value of one limit of a user; `null`: none. Models are compared as a set. */
export type LimitValue = number | string | readonly string[] | null;

/** The limits that a row asks for, by field. */
export type LimitSettings = Readonly<Record<string, LimitValue>>;

export interface LimitChange {
  readonly field: string;
  readonly from: LimitValue;
  readonly to: LimitValue;
}

/** What becomes of the keys of the teams that a user leaves, whether there are any or not. */
export type KeyFate =
  | { readonly fate: 'moves'; readonly to: TeamRef }
  | { readonly fate: 'deleted' }
  | { readonly fate: 'survives' };

/** An update that is carried out on the approval of an add: its user came to be after the review. */
export interface ApprovedAsAdd {
  /** Of the add that was reviewed. */
  readonly digest: string;
  /** What the row asks for beyond the approval, as a reader says it; left as it is. */
  readonly leftOut: readonly string[];
}

export interface AddChange {
  readonly kind: 'add';
  /** As written in the CSV, trimmed. */
  readonly email: string;
  /** `null`: sent without a role, the proxy decides (`default`). */
  readonly role: Role | null;
  /** `null`: not managed, the proxy's default teams. Empty: no team at all. */
  readonly teams: readonly TeamRef[] | null;
  readonly keyName: string | null;
  readonly limits?: LimitSettings;
  readonly withheld: Withheld | null;
}

export interface DeleteChange {
  readonly kind: 'delete';
  readonly email: string;
  readonly userId: string;
  readonly role: string | null;
  readonly teams: readonly TeamRef[];
  /** Number of API keys that go with the user. */
  readonly keyCount: number;
  /** US dollars. */
  readonly spend: number;
  /** The day (YYYY-MM-DD) after which the row of the file counts as missing; `null`: there is no row. */
  readonly expired?: string | null;
  readonly withheld: Withheld | null;
}

/** In place of a delete with `on-missing: deactivate`. */
export interface DeactivateChange extends Omit<DeleteChange, 'kind'> {
  readonly kind: 'deactivate';
}

export interface TeamMove {
  readonly from: readonly TeamRef[];
  readonly to: readonly TeamRef[];
  /** Teams to join (or to mend, where only half of a membership is there). */
  readonly join: readonly TeamRef[];
  /** Teams to leave (or to mend). */
  readonly leave: readonly TeamRef[];
}

export interface UpdateChange {
  readonly kind: 'update';
  readonly email: string;
  readonly userId: string;
  readonly role: { readonly from: string | null; readonly to: Role } | null;
  readonly rename?: { readonly from: string; readonly to: string } | null;
  readonly teams: TeamMove | null;
  readonly limits?: readonly LimitChange[];
  readonly reactivates?: boolean;
  /** `null` where no team is left. */
  readonly keyFate?: KeyFate | null;
  readonly approvedAsAdd?: ApprovedAsAdd;
  /** The user's present role and teams, for result rows. */
  readonly currentRole: string | null;
  readonly currentTeams: readonly TeamRef[];
  /** The user's keys of the teams that he leaves. Empty until costs were looked up. */
  readonly teamKeys: readonly ProxyKey[];
  /** Whether the proxy deletes `teamKeys` when he leaves (1.106 does, 1.75 keeps them). */
  readonly teamKeysDeleted: boolean;
  readonly withheld: Withheld | null;
}

/** A fresh onboarding link for a user who is there already. */
export interface InviteChange {
  readonly kind: 'invite';
  readonly email: string;
  readonly userId: string;
  readonly role: string | null;
  readonly teams: readonly TeamRef[];
  readonly withheld: Withheld | null;
}

export type Change = AddChange | DeleteChange | UpdateChange;

export interface UnchangedUser {
  readonly email: string;
  readonly userId: string;
  readonly role: string | null;
  readonly teams: readonly TeamRef[];
}

/** Users that are never touched, by reason. */
export interface UnmanagedCounts {
  readonly withoutEmail: number;
  readonly otherRole: number;
  readonly ownUser: number;
  readonly protected: number;
}

/** A limit that the plan breaks: nothing of the plan may be applied. */
export interface Breach {
  readonly limit: 'max-deletes' | 'min-admins';
  /** Whole sentence with the numbers, the limit and how to raise it. */
  readonly message: string;
}

/** What it takes to make the proxy match the file: data only, sorted, made without clock or network. */
export interface Plan {
  /** Sorted: adds, deletes, updates; within a kind by email. */
  readonly changes: readonly Change[];
  readonly unchanged: readonly UnchangedUser[];
  /** Number of users that a plan may touch, before it is applied. */
  readonly managed: number;
  /** Number of `proxy_admin` users with an email, managed or not, before it is applied. */
  readonly admins: number;
  readonly unmanaged: UnmanagedCounts;
  readonly breaches: readonly Breach[];
}
