import type { LimitSettings, ProxyKey, Role, UserLimits } from './inventory.ts';

/** A team with the name that a file gives it: its alias, or its id where the alias is missing or would mislead. */
export interface TeamRef {
  readonly teamId: string;
  readonly name: string;
  /** Given where the team has an alias that is not its name, as others share it or no cell can hold it. */
  readonly alias?: string;
}

/** Why a planned change is not applied. `max-deletes`: an expiry beyond that limit. */
export type Withheld = 'no-add' | 'no-delete' | 'no-update' | 'not reviewed' | 'max-deletes';

export type LimitField = keyof UserLimits;

/** One limit of a user, current and desired. */
export type LimitChange = {
  readonly [F in LimitField]: { readonly field: F; readonly from: UserLimits[F]; readonly to: UserLimits[F] };
}[LimitField];

/**
 * A roster that already shows the email of the joining user, under another user id or none (`null`): the proxy
 * compares emails when somebody joins, so that they can't.
 */
export interface RosterConflict {
  readonly team: TeamRef;
  readonly userId: string | null;
}

/** An update that is carried out on the approval of an add: its user was created after the review. */
export interface ApprovedAsAdd {
  /** Of the add that was reviewed. */
  readonly digest: string;
  /** What the row asks for beyond the approval, as a reader says it; left as it is. */
  readonly leftOut: readonly string[];
}

export interface AddChange {
  readonly kind: 'add';
  /** Of the row; `null`: of no row. */
  readonly line: number | null;
  /** As written in the CSV, trimmed. */
  readonly email: string;
  /** `null`: sent without a role, the proxy decides (`default`). */
  readonly role: Role | null;
  /** `null`: not managed, the proxy's default teams. Empty: no team at all. */
  readonly teams: readonly TeamRef[] | null;
  readonly keyName: string | null;
  /** What the row asks for, and no other: the rest is the proxy's to fill. */
  readonly limits: LimitSettings;
  readonly conflicts: readonly RosterConflict[];
  readonly withheld: Withheld | null;
}

/** A user who will be deleted or deactivated. */
interface Leaver {
  /** Of the expired row; `null`: no row names them. */
  readonly line: number | null;
  readonly email: string;
  readonly userId: string;
  readonly role: string | null;
  readonly teams: readonly TeamRef[];
  /** Number of the user's API keys; `null`: not known. */
  readonly keyCount: number | null;
  /** US dollars. */
  readonly spend: number;
  /** Whether their keys work now; false where we deactivated them earlier. */
  readonly active: boolean;
  /** The last day that their row names, where that is why they leave. Such a change needs no other review. */
  readonly expired: string | null;
  readonly withheld: Withheld | null;
}

export interface DeleteChange extends Leaver {
  readonly kind: 'delete';
}

/** The account stays with its keys, spend and teams, but no key of theirs works. */
export interface DeactivateChange extends Leaver {
  readonly kind: 'deactivate';
}

export interface TeamMove {
  readonly from: readonly TeamRef[];
  readonly to: readonly TeamRef[];
  /** Teams to join (or to mend, where only half of a membership is there). */
  readonly join: readonly TeamRef[];
  /** Teams of `join` that have to be left first, because the roster alone has the user. */
  readonly rejoin: readonly TeamRef[];
  /** Teams to leave (or to mend). */
  readonly leave: readonly TeamRef[];
}

/** What becomes of a key whose owner leaves its team. */
export type KeyFate =
  | { readonly fate: 'moves'; readonly to: TeamRef }
  | { readonly fate: 'deleted' | 'survives'; readonly to: null };

/** What becomes of the keys of a team that their owner leaves. */
export type TeamKeys = 'move' | 'delete';

/** What becomes of the user's keys of one team that they leave, whether they have any or not. */
export type TeamKeysFate = KeyFate & { readonly team: TeamRef };

/** A key of a team that its owner leaves, and what becomes of it. */
export type LeftKey = KeyFate & { readonly key: ProxyKey };

/** What a member has in a team and loses by leaving it. */
export interface Loss {
  readonly team: TeamRef;
  readonly what: 'team admin role' | 'own budget in the team';
}

export interface UpdateChange {
  readonly kind: 'update';
  readonly line: number | null;
  readonly email: string;
  readonly userId: string;
  readonly role: { readonly from: string | null; readonly to: Role } | null;
  readonly rename: { readonly from: string; readonly to: string } | null;
  readonly teams: TeamMove | null;
  readonly limits: readonly LimitChange[];
  /** Whether we deactivated the user earlier, and their keys work again after this. */
  readonly reactivates: boolean;
  /** The user's present role, teams and limits: for result rows, and for what a write has to carry along. */
  readonly currentRole: string | null;
  readonly currentTeams: readonly TeamRef[];
  readonly currentLimits: UserLimits;
  /** US dollars. */
  readonly spend: number;
  /** One for each team that is left, including those joined again. */
  readonly keyFates: readonly TeamKeysFate[];
  /** The user's keys of those teams; `unknown`: not looked up, or hidden from the key that is used. */
  readonly leftKeys: readonly LeftKey[] | 'unknown';
  readonly losses: readonly Loss[];
  readonly conflicts: readonly RosterConflict[];
  /** `null`: by its own approval. */
  readonly approvedAsAdd: ApprovedAsAdd | null;
  readonly withheld: Withheld | null;
}

/** A fresh onboarding link for a user who exists already; nothing else about them changes. */
export interface InviteChange {
  readonly kind: 'invite';
  readonly email: string;
  readonly userId: string;
  readonly role: string | null;
  readonly teams: readonly TeamRef[];
  readonly withheld: Withheld | null;
}

export type Change = AddChange | DeleteChange | DeactivateChange | UpdateChange | InviteChange;

/** Whether the change is to be written, and not withheld. */
export function isApplied(change: Change): boolean {
  return change.withheld === null;
}

/** Whether the change takes somebody's access away: what `max-deletes` counts. */
export function isRemoval(change: Change): change is DeleteChange | DeactivateChange {
  return change.kind === 'delete' || change.kind === 'deactivate';
}

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
  /** Deactivated by somebody else. */
  readonly deactivated: number;
}

/** A limit that the plan breaks. */
export interface Breach {
  readonly limit: 'max-deletes' | 'min-admins';
  /** Whether nothing of the plan may be applied. If not, what breaks the limit is withheld, and the run ends red. */
  readonly stops: boolean;
  /** Whole sentence with the numbers, the limit and how to raise it. */
  readonly message: string;
}

/** Whether a broken limit keeps all of the plan from being applied. */
export function isStopped(plan: Pick<Plan, 'breaches'>): boolean {
  return plan.breaches.some((breach) => breach.stops);
}

/** A row whose account ends soon. */
export interface LeavingSoon {
  readonly line: number;
  readonly email: string;
  /** `YYYY-MM-DD`, the last day. */
  readonly expires: string;
}

/** What it takes to make the proxy match the file: data only, sorted, made without clock or network. */
export interface Plan {
  /** Sorted: adds, deletes, deactivations, updates, invitations; within a kind by email. */
  readonly changes: readonly Change[];
  readonly unchanged: readonly UnchangedUser[];
  /** Number of active users that a plan may touch, before it is applied. */
  readonly managed: number;
  /** Number of active `proxy_admin` users with an email, managed or not, before it is applied. */
  readonly admins: number;
  readonly unmanaged: UnmanagedCounts;
  /** Number of users whom we deactivated and who stay so. */
  readonly deactivated: number;
  readonly breaches: readonly Breach[];
  /** What is probably not meant, though it can be applied. Plain text with values in backticks. */
  readonly warnings: readonly string[];
  /** What a reader should know. Plain text with values in backticks. */
  readonly notes: readonly string[];
  /** Rows that expire within 30 days, by day. */
  readonly leavingSoon: readonly LeavingSoon[];
}
