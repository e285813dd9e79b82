import type { DesiredUser } from './desired.ts';
import {
  emailKey,
  hasEmail,
  type Inventory,
  type ProxyKey,
  type ProxyUser,
  type Role,
  type UserWithEmail,
} from './inventory.ts';
import { breaches, type Limits } from './limits.ts';
import { compare } from './order.ts';
import type { AddChange, Change, DeleteChange, Plan, UnchangedUser, UpdateChange } from './plan.ts';
import type { Problem } from './problem.ts';
import { byEmail, countUnmanaged, type Population, splitManaged, type UnmanagedReason } from './scope.ts';
import { type Memberships, memberships, sortTeams, type TeamDirectory, teamMove, teamRefs } from './teams.ts';

export interface Policy extends Limits {
  /** Role of a new user whose cell is blank; `default` sends none. */
  readonly userRole: Role | 'default';
  readonly noAdd: boolean;
  readonly noDelete: boolean;
  readonly noUpdate: boolean;
  /** Globs on email or user id. */
  readonly protectedUsers: readonly string[];
}

export interface Planned {
  readonly plan: Plan;
  /** Rows that must not be carried out; with any of them the plan is not to be applied. */
  readonly problems: readonly Problem[];
}

/** Ends a sentence that begins with the email. */
export const WHY_UNTOUCHED: Readonly<Record<Exclude<UnmanagedReason, 'without email'>, string>> = {
  'other role': 'has a role on the proxy that is not managed here',
  'own user': 'is the user whose key this run uses, and is never changed by it',
  protected: 'is protected by `protected-users`',
};

/** What makes the proxy match the file. Pure: the same input gives the same plan, in the same order. */
export function makePlan(
  desired: readonly DesiredUser[],
  inventory: Inventory,
  directory: TeamDirectory,
  policy: Policy,
): Planned {
  const { managed, unmanaged } = splitManaged(inventory, policy.protectedUsers);
  const context: Context = {
    directory,
    policy,
    memberships: memberships(inventory.teams),
    users: byEmail(inventory.users),
    unmanaged,
  };
  const rows = desired.map((row) => planRow(row, context));
  const wanted = new Set(desired.map((row) => emailKey(row.email)));
  const deletes = managed.filter((user) => !wanted.has(emailKey(user.email))).map((user) => deletion(user, context));
  const changes = [...rows.flatMap((row) => row.change ?? []), ...deletes];
  const unchanged = rows.flatMap((row) => row.unchanged ?? []);
  const plan = planOf({ changes, unchanged }, inventory, { managed, unmanaged }, policy);
  return { plan, problems: [...rows.flatMap((row) => row.problem ?? []), ...sharedEmails(managed, wanted, context)] };
}

/** A plan of these changes: sorted, and measured against the limits. */
export function planOf(
  { changes, unchanged }: Pick<Plan, 'changes' | 'unchanged'>,
  inventory: Inventory,
  { managed, unmanaged }: Population,
  limits: Limits,
): Plan {
  const admins = inventory.users.filter((user) => user.role === 'proxy_admin' && hasEmail(user)).length;
  return {
    changes: sortChanges(changes),
    unchanged: [...unchanged].sort((a, b) => compareEmails(a, b)),
    managed: managed.length,
    admins,
    unmanaged: countUnmanaged(unmanaged),
    breaches: breaches(changes, { managed: managed.length, admins }, limits),
  };
}

interface Context {
  readonly directory: TeamDirectory;
  readonly policy: Policy;
  readonly memberships: Memberships;
  readonly users: ReadonlyMap<string, readonly UserWithEmail[]>;
  readonly unmanaged: ReadonlyMap<ProxyUser, UnmanagedReason>;
}

interface PlannedRow {
  readonly change?: Change;
  readonly unchanged?: UnchangedUser;
  readonly problem?: Problem;
}

function planRow(row: DesiredUser, context: Context): PlannedRow {
  const [user, ...others] = context.users.get(emailKey(row.email)) ?? [];
  if (user === undefined) return { change: addition(row, context.policy) };
  if (others.length > 0) return { problem: problemAt(row, sharedMessage(row.email, [user, ...others])) };
  const change = update(row, user, context);
  const reason = context.unmanaged.get(user);
  if (reason !== undefined && reason !== 'without email') {
    return change === null ? {} : { problem: problemAt(row, untouchable(row.email, reason, change)) };
  }
  if (change !== null) return { change };
  const { full, half } = context.memberships(user);
  const teams = teamRefs([...full, ...half], context.directory);
  return { unchanged: { email: row.email, userId: user.userId, role: user.role, teams } };
}

/** The new user that a row asks for. */
export function addition(row: DesiredUser, policy: Pick<Policy, 'userRole' | 'noAdd'>): AddChange {
  const role = row.role === 'blank' ? policy.userRole : row.role;
  return {
    kind: 'add',
    email: row.email,
    role: role === 'default' ? null : role,
    teams: row.teams && sortTeams(row.teams),
    keyName: row.keyName,
    withheld: policy.noAdd ? 'no-add' : null,
  };
}

/** What deleting a user takes with it. */
export function deletion(
  user: UserWithEmail,
  { memberships, directory, policy }: Pick<Context, 'memberships' | 'directory'> & { policy: Pick<Policy, 'noDelete'> },
): DeleteChange {
  const { full, half } = memberships(user);
  return {
    kind: 'delete',
    email: user.email.trim(),
    userId: user.userId,
    role: user.role,
    teams: teamRefs([...full, ...half], directory),
    keyCount: user.keyCount,
    spend: user.spend,
    withheld: policy.noDelete ? 'no-delete' : null,
  };
}

function update(row: DesiredUser, user: ProxyUser, { memberships, directory, policy }: Context): UpdateChange | null {
  const membership = memberships(user);
  const keepsRole = row.role === 'blank' || row.role === 'default' || row.role === user.role;
  const role = keepsRole ? null : { from: user.role, to: row.role as Role };
  const teams = row.teams === null ? null : teamMove(membership, row.teams, directory);
  if (role === null && teams === null) return null;
  return {
    kind: 'update',
    email: row.email,
    userId: user.userId,
    role,
    teams,
    currentRole: user.role,
    currentTeams: teamRefs([...membership.full, ...membership.half], directory),
    teamKeys: [],
    teamKeysDeleted: true,
    withheld: policy.noUpdate ? 'no-update' : null,
  };
}

function untouchable(email: string, reason: Exclude<UnmanagedReason, 'without email'>, change: UpdateChange): string {
  const names = (teams: readonly { name: string }[]): string => teams.map((team) => team.name).join(';') || '-';
  const differs = [
    change.role && `role ${change.role.from ?? 'default'} → ${change.role.to}`,
    change.teams && `teams ${names(change.teams.from)} → ${names(change.teams.to)}`,
  ].filter((part) => part !== null);
  return `\`${email}\` ${WHY_UNTOUCHED[reason]}, but the row would change him (${differs.join(', ')}). Leave role and team_name blank, or remove the row.`;
}

/** Users that share an email and are in reach of a delete: nothing is guessed. Rows that name them have their own problem. */
function sharedEmails(managed: readonly UserWithEmail[], wanted: ReadonlySet<string>, context: Context): Problem[] {
  const inReach = new Set(managed);
  return [...context.users]
    .filter(([key, users]) => users.length > 1 && !wanted.has(key) && users.some((user) => inReach.has(user)))
    .sort(([a], [b]) => compare(a, b))
    .map(([key, users]) => ({ line: null, column: null, message: sharedMessage(key, users), about: 'proxy' }));
}

/** Which of several users is meant is not guessed. */
export function sharedMessage(email: string, users: readonly ProxyUser[]): string {
  const ids = users.map((user) => `\`${user.userId}\``).sort(compare);
  return `${ids.length} users on the proxy have the email \`${email}\`: ${ids.join(', ')}. Delete all but one in LiteLLM, or protect them (\`protected-users\`), then run again.`;
}

function problemAt(row: DesiredUser, message: string): Problem {
  return { line: row.line, column: row.emailColumn, message };
}

const ORDER = { add: 0, delete: 1, update: 2 } as const;

function sortChanges(changes: readonly Change[]): Change[] {
  return [...changes].sort((a, b) => ORDER[a.kind] - ORDER[b.kind] || compareEmails(a, b));
}

function compareEmails(a: { email: string }, b: { email: string }): number {
  return compare(emailKey(a.email), emailKey(b.email)) || compare(a.email, b.email);
}

/** User and team of every membership that the plan ends: their keys are what it costs. */
export function leavings(plan: Plan): { userId: string; teamId: string }[] {
  return plan.changes.flatMap((change) =>
    change.kind === 'update' && change.teams
      ? change.teams.leave.map((team) => ({ userId: change.userId, teamId: team.teamId }))
      : [],
  );
}

/** The plan with the keys that its team moves cost. */
export function withTeamKeys(plan: Plan, keys: readonly ProxyKey[], deleted: boolean): Plan {
  const byUser = new Map<string, ProxyKey[]>();
  for (const key of keys) {
    if (key.userId !== null) byUser.set(key.userId, [...(byUser.get(key.userId) ?? []), key]);
  }
  const changes = plan.changes.map((change) => {
    if (change.kind !== 'update' || !change.teams) return change;
    const left = new Set(change.teams.leave.map((team) => team.teamId));
    const teamKeys = (byUser.get(change.userId) ?? []).filter((key) => key.teamId !== null && left.has(key.teamId));
    return { ...change, teamKeys, teamKeysDeleted: deleted };
  });
  return { ...plan, changes };
}

/** The plan with its limits measured again, after more of it was withheld. */
export function withLimits(plan: Plan, limits: Limits): Plan {
  return { ...plan, breaches: breaches(plan.changes, plan, limits) };
}

/** Rows whose `key_name` a new user's key would take from somebody: a row above it, or a key on the proxy. */
export function takenKeyNames(
  desired: readonly DesiredUser[],
  added: ReadonlySet<string>,
  taken: ReadonlySet<string>,
): Problem[] {
  const first = new Map<string, number>();
  return desired.flatMap((row) => {
    if (row.keyName === null || !added.has(emailKey(row.email))) return [];
    const at = (message: string): Problem[] => [{ line: row.line, column: row.keyColumn, message }];
    if (taken.has(row.keyName)) {
      return at(
        `A key named \`${row.keyName}\` exists on the proxy already, and key names are unique. Choose another key_name.`,
      );
    }
    const line = first.get(row.keyName);
    if (line !== undefined)
      return at(`key_name \`${row.keyName}\` stands on line ${line} already. Key names are unique.`);
    first.set(row.keyName, row.line);
    return [];
  });
}
