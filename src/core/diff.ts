import { adminLosses, keyFates, rosterConflicts } from './costs.ts';
import type { DesiredUser, UserRow } from './desired.ts';
import { budgetNotes, leavingSoon, removableRows, slipHints } from './hints.ts';
import {
  emailKey,
  hasEmail,
  type Inventory,
  type ProxyFacts,
  type ProxyUser,
  type Role,
  type Team,
  type UserWithEmail,
} from './inventory.ts';
import { type Limits, measure } from './limits.ts';
import { compare } from './order.ts';
import type {
  AddChange,
  Change,
  DeactivateChange,
  DeleteChange,
  LimitChange,
  Plan,
  TeamKeys,
  UnchangedUser,
  UpdateChange,
} from './plan.ts';
import type { Problem } from './problem.ts';
import {
  countUnmanaged,
  globMatcher,
  meantUser,
  type Population,
  splitManaged,
  type UnmanagedReason,
  type UsersByEmail,
  unmatchedGlobs,
} from './scope.ts';
import { type Memberships, memberships, sortTeams, type TeamDirectory, teamMove, teamRefs } from './teams.ts';
import { LIMIT_HEADERS, limitChanges, limitSettings, unclearable, unknownModels } from './user-limits.ts';

export interface Policy extends Limits {
  /** Role of a new user whose cell is blank; `default` sends none. */
  readonly userRole: Role | 'default';
  readonly noAdd: boolean;
  readonly noDelete: boolean;
  readonly noUpdate: boolean;
  /** Globs on email or user id. */
  readonly protectedUsers: readonly string[];
  /** What becomes of managed users who are missing from the file. */
  readonly onMissing: 'delete' | 'deactivate';
  /** What becomes of the keys of a team that their owner leaves. */
  readonly teamKeys: TeamKeys;
  /** Whether new users get a key: where not, names of keys mean nothing. */
  readonly apiKeys: boolean;
}

/** Everything that a plan is told of the proxy. */
export interface ProxyState {
  readonly inventory: Inventory;
  /** Those of the inventory. */
  readonly users: UsersByEmail;
  readonly directory: TeamDirectory;
  readonly facts: ProxyFacts;
  /** Names of `/v1/models`; `null`: not read. */
  readonly modelNames: ReadonlySet<string> | null;
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
  deactivated: 'was deactivated by somebody else (`metadata.scim_active` is false), who alone can tell why',
};

/**
 * What makes the proxy match the file. Pure: the same input gives the same plan, in the same order.
 * @param today `YYYY-MM-DD`, UTC: rows that expired before it count as missing
 */
export function makePlan(desired: readonly DesiredUser[], proxy: ProxyState, policy: Policy, today: string): Planned {
  const context = contextOf(proxy, policy);
  const expired = desired.filter((row) => isExpired(row, today));
  const active = desired.filter((row) => !isExpired(row, today));
  const leaving = expired.map((row) => planExpired(row, context));
  const wanted = new Set([...named(active, context.users), ...leaving.flatMap((row) => row.user ?? [])]);
  const { rows: staying, unchanged } = planRows(active, context);
  const rows = [...staying, ...leaving];
  const gone = missing(wanted, context);
  const changes = [...rows, ...gone].flatMap((row) => row.change ?? []);
  const plan = planOf({ changes, unchanged }, proxy.inventory, context.population, policy);
  return {
    plan: {
      ...plan,
      deactivated: [...leaving, ...gone].filter((row) => row.isDeactivated).length,
      warnings: [...policyWarnings(proxy, policy), ...unknownModels(active, proxy.modelNames), ...warningsOf(rows)],
      notes: [
        ...slipHints(plan.changes),
        ...budgetNotes(plan.changes, proxy.facts),
        ...removableRows(leaving.flatMap((row) => row.unused ?? [])),
      ],
      leavingSoon: leavingSoon(active, today),
    },
    problems: [
      ...rows.flatMap((row) => row.problems ?? []),
      ...sharedEmails(desired, context),
      ...onMissingProblems(proxy.facts, policy),
      ...(active.length === 0 ? nobodyLeft(leaving, gone) : []),
    ],
  };
}

/** Whether the row's last day is over. */
function isExpired({ expires }: Pick<UserRow, 'expires'>, today: string): boolean {
  return expires !== null && expires < today;
}

/** A plan of these changes: sorted, and measured against the limits. */
export function planOf(
  { changes, unchanged }: Pick<Plan, 'changes' | 'unchanged'>,
  inventory: Inventory,
  { managed, unmanaged }: Population,
  limits: Limits,
): Plan {
  const active = {
    managed: managed.filter(isActive).length,
    admins: inventory.users.filter((user) => user.role === 'proxy_admin' && hasEmail(user) && isActive(user)).length,
  };
  return {
    ...active,
    ...measure(sortChanges(changes), active, limits),
    unchanged: [...unchanged].sort((a, b) => compareEmails(a, b)),
    unmanaged: countUnmanaged(unmanaged),
    deactivated: 0,
    warnings: [],
    notes: [],
    leavingSoon: [],
  };
}

function isActive(user: ProxyUser): boolean {
  return user.activity === 'active';
}

interface Context {
  readonly directory: TeamDirectory;
  readonly facts: ProxyFacts;
  readonly policy: Policy;
  readonly memberships: Memberships;
  readonly teams: ReadonlyMap<string, Team>;
  /** Users by email, those with no email by an id that is one. */
  readonly users: UsersByEmail;
  readonly nameless: ReadonlyMap<string, string>;
  readonly population: Population;
  readonly isProtected: (value: string) => boolean;
}

function contextOf({ inventory, users, directory, facts }: ProxyState, policy: Policy): Context {
  return {
    directory,
    facts,
    policy,
    memberships: memberships(inventory.teams),
    teams: new Map(inventory.teams.map((team) => [team.teamId, team])),
    users,
    nameless: namelessUsers(inventory.users),
    population: splitManaged(inventory, policy.protectedUsers),
    isProtected: globMatcher(policy.protectedUsers),
  };
}

/** Ids of users without email that are an email themselves, by that email. */
export function namelessUsers(users: readonly ProxyUser[]): ReadonlyMap<string, string> {
  const nameless = users.filter((user) => !hasEmail(user) && user.userId.includes('@'));
  return new Map(nameless.map(({ userId }) => [emailKey(userId), userId]));
}

interface PlannedRow {
  readonly change?: Change;
  readonly unchanged?: UnchangedUser;
  readonly problems?: readonly Problem[];
  readonly warning?: string;
  /** Of an expired row: its user, whatever becomes of them. */
  readonly user?: ProxyUser;
  /** An expired row without a user. */
  readonly unused?: DesiredUser;
  /** The user should be deactivated, and is already. */
  readonly isDeactivated?: boolean;
}

type Found =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly user: UserWithEmail; readonly renamed: boolean }
  | { readonly kind: 'problem'; readonly problem: Problem };

/** The row's user: the one with its email, else the one with its previous email. */
function findUser(row: DesiredUser, context: Context): Found {
  const { email, previousEmail } = row;
  const [user, ...others] = meant(email, context);
  // A previous email that is the row's own is a problem of the file, and told there.
  const isRename = previousEmail !== null && emailKey(previousEmail) !== emailKey(email);
  const [before, ...more] = isRename ? meant(previousEmail, context) : [];
  if (user !== undefined && others.length > 0) return refused(row, sharedMessage(email, [user, ...others]));
  if (user !== undefined && before !== undefined) return refusedPrevious(row, bothMessage(user, before));
  if (user !== undefined) return { kind: 'one', user, renamed: false };
  if (before === undefined) return { kind: 'none' };
  if (more.length > 0) return refusedPrevious(row, sharedMessage(before.email.trim(), [before, ...more]));
  return { kind: 'one', user: before, renamed: true };
}

/** Users with this email. Where all but one are protected, that one is meant. */
function meant(email: string, { users, population }: Context): readonly UserWithEmail[] {
  const all = users.get(emailKey(email));
  const only = meantUser(all, population.unmanaged);
  return only === null ? all : [only];
}

function refused(row: DesiredUser, message: string): Found & { readonly kind: 'problem' } {
  return { kind: 'problem', problem: problemAt(row, message) };
}

function refusedPrevious(row: DesiredUser, message: string): Found {
  return { kind: 'problem', problem: previousProblem(row, message) };
}

function bothMessage(user: UserWithEmail, before: UserWithEmail): string {
  return `\`${user.email.trim()}\` (\`${user.userId}\`) and \`${before.email.trim()}\` (\`${before.userId}\`) are both on the proxy: nobody can be renamed. Clear previous_email and give each a row, or delete one of them in LiteLLM.`;
}

/** Most rows change nothing: of each of those nothing is kept but its user. */
function planRows(
  desired: readonly DesiredUser[],
  context: Context,
): { readonly rows: PlannedRow[]; readonly unchanged: UnchangedUser[] } {
  const rows: PlannedRow[] = [];
  const unchanged: UnchangedUser[] = [];
  for (const one of desired) {
    const row = planRow(one, context);
    if (row.unchanged === undefined) rows.push(row);
    else unchanged.push(row.unchanged);
  }
  return { rows, unchanged };
}

function planRow(row: DesiredUser, context: Context): PlannedRow {
  const found = findUser(row, context);
  if (found.kind === 'problem') return { problems: [found.problem] };
  if (found.kind === 'none') return planNew(row, context);
  const { user, renamed } = found;
  const nameless = renamed ? namelessProblem(row, [emailKey(row.email)], context) : null;
  if (nameless !== null) return { problems: [nameless] };
  const change = update(row, found, context);
  const problems = [...obstacles(row, found, change, context), ...unclearable(row, change.limits, context.facts)];
  if (problems.length > 0) return { problems };
  if (changesNothing(change)) {
    if (context.population.unmanaged.has(user)) return {};
    return { unchanged: { email: row.email, userId: user.userId, role: user.role, teams: change.currentTeams } };
  }
  if (renamed && context.isProtected(row.email)) {
    return { problems: [problemAt(row, protectedTarget(row.email))] };
  }
  return { change };
}

function planNew(row: DesiredUser, context: Context): PlannedRow {
  const nameless = namelessProblem(row, keysOf(row), context);
  if (nameless !== null) return { problems: [nameless] };
  const conflicts = rosterConflicts(sortTeams(row.teams ?? []), [row.email], null, context.teams);
  const change = { ...addition(row, context.policy), conflicts };
  if (row.previousEmail === null) return { change };
  const warning = `Nobody on the proxy has \`${row.previousEmail}\` (previous_email, line ${row.line}): \`${row.email}\` becomes a new user.`;
  return { change, warning };
}

/** Somebody without email whose id is one that the row gives away: LiteLLM fills such an email in later, and there are two. */
function namelessProblem(row: DesiredUser, emails: readonly string[], { nameless }: Context): Problem | null {
  const userId = emails.flatMap((email) => nameless.get(email) ?? [])[0];
  return userId === undefined ? null : problemAt(row, namelessMessage(row.email, userId));
}

/** Why the user must not be changed as the row asks. */
function obstacles(
  row: DesiredUser,
  { user, renamed }: { readonly user: UserWithEmail; readonly renamed: boolean },
  change: UpdateChange,
  { population }: Context,
): Problem[] {
  const reason = population.unmanaged.get(user);
  if (reason === undefined || reason === 'without email') return [];
  const email = renamed ? user.email.trim() : row.email;
  if (reason === 'deactivated') {
    return [problemAt(row, `\`${email}\` ${WHY_UNTOUCHED[reason]}. Reactivate them there, or remove the row.`)];
  }
  return changesNothing(change) ? [] : [problemAt(row, untouchable(email, reason, change))];
}

function planExpired(row: DesiredUser, context: Context): PlannedRow {
  const found = findUser(row, context);
  if (found.kind === 'problem') return { problems: [found.problem] };
  if (found.kind === 'none') return { unused: row };
  const { user } = found;
  const reason = context.population.unmanaged.get(user);
  if (reason === 'deactivated') return { user };
  if (reason !== undefined && reason !== 'without email') {
    return {
      user,
      warning: `\`${row.email}\` (line ${row.line}) expired on ${row.expires}, but stays: the user ${WHY_UNTOUCHED[reason]}.`,
    };
  }
  return { user, ...removal(user, context, row) };
}

/** Users whom rows name, by either email. */
function* named(rows: readonly DesiredUser[], users: UsersByEmail): Iterable<ProxyUser> {
  for (const row of rows) for (const key of keysOf(row)) yield* users.get(key);
}

/** Managed users that no row names. */
function missing(wanted: ReadonlySet<ProxyUser>, context: Context): PlannedRow[] {
  return context.population.managed.filter((user) => !wanted.has(user)).map((user) => removal(user, context, null));
}

function removal(user: UserWithEmail, context: Context, row: DesiredUser | null): PlannedRow {
  const expiry = { line: row?.line ?? null, expired: row?.expires ?? null };
  const change = { ...deletion(user, context), ...expiry };
  if (context.policy.onMissing === 'delete') return { change };
  const deactivation: DeactivateChange = { ...change, kind: 'deactivate' };
  return isActive(user) ? { change: deactivation } : { isDeactivated: true };
}

/** Emails by which a row knows its user. */
function keysOf({ email, previousEmail }: DesiredUser): string[] {
  return [email, ...(previousEmail === null ? [] : [previousEmail])].map(emailKey);
}

/** The new user that a row asks for. */
export function addition(row: DesiredUser, policy: Pick<Policy, 'userRole' | 'noAdd' | 'apiKeys'>): AddChange {
  const role = row.role === 'blank' ? policy.userRole : row.role;
  return {
    kind: 'add',
    line: row.line,
    email: row.email,
    role: role === 'default' ? null : role,
    teams: row.teams && sortTeams(row.teams),
    keyName: policy.apiKeys ? row.keyName : null,
    limits: limitSettings(row.limits),
    conflicts: [],
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
    line: null,
    email: user.email.trim(),
    userId: user.userId,
    role: user.role,
    teams: teamRefs([...full, ...half], directory),
    keyCount: user.keyCount,
    spend: user.spend,
    active: isActive(user),
    expired: null,
    withheld: policy.noDelete ? 'no-delete' : null,
  };
}

function update(
  row: DesiredUser,
  { user, renamed }: { readonly user: UserWithEmail; readonly renamed: boolean },
  context: Context,
): UpdateChange {
  const { directory, policy, facts } = context;
  const keepsRole = row.role === 'blank' || row.role === 'default' || row.role === user.role;
  const membership = context.memberships(user);
  const teams = row.teams === null ? null : teamMove(membership, row.teams, directory);
  const fates = keyFates(teams, facts, policy.teamKeys);
  const emails = renamed ? [user.email, row.email] : [user.email];
  return {
    kind: 'update',
    line: row.line,
    email: row.email,
    userId: user.userId,
    role: keepsRole ? null : { from: user.role, to: row.role as Role },
    rename: renamed ? { from: user.email.trim(), to: emailKey(row.email) } : null,
    teams,
    limits: limitChanges(row.limits, user.limits),
    reactivates: user.activity === 'deactivated by us',
    currentRole: user.role,
    currentTeams: teamRefs([...membership.full, ...membership.half], directory),
    currentLimits: user.limits,
    spend: user.spend,
    keyFates: fates,
    leftKeys: fates.length === 0 ? [] : 'unknown',
    losses: adminLosses(teams, user, context.teams),
    conflicts: rosterConflicts(teams?.join ?? [], emails, user.userId, context.teams),
    approvedAsAdd: null,
    withheld: policy.noUpdate ? 'no-update' : null,
  };
}

function changesNothing({ role, rename, teams, limits, reactivates }: UpdateChange): boolean {
  return role === null && rename === null && teams === null && limits.length === 0 && !reactivates;
}

function untouchable(email: string, reason: Exclude<UnmanagedReason, 'without email'>, change: UpdateChange): string {
  const names = (teams: readonly { name: string }[]): string => teams.map((team) => team.name).join(';') || '-';
  const differs = [
    change.rename && `email → ${change.rename.to}`,
    change.role && `role ${change.role.from ?? 'default'} → ${change.role.to}`,
    change.teams && `teams ${names(change.teams.from)} → ${names(change.teams.to)}`,
    ...change.limits.map(limitWords),
    change.reactivates ? 'reactivated' : null,
  ].filter((part) => part !== null);
  // The row by itself reactivates, whatever its cells say.
  const wayOut = change.reactivates
    ? 'Remove the row, or reactivate them in LiteLLM.'
    : 'Leave the cells blank, or remove the row.';
  return `\`${email}\` ${WHY_UNTOUCHED[reason]}, but the row would change them (${differs.join(', ')}). ${wayOut}`;
}

function limitWords({ field, from, to }: LimitChange): string {
  const value = (limit: LimitChange['to']): string => (limit === null ? '-' : String(limit) || 'all');
  return `${LIMIT_HEADERS[field]} ${value(from)} → ${value(to)}`;
}

function protectedTarget(email: string): string {
  return `\`${email}\` ${WHY_UNTOUCHED.protected}, and nobody is given such an email. Clear previous_email, or choose another email.`;
}

export function namelessMessage(email: string, userId: string): string {
  return `A user on the proxy has the id \`${userId}\` and no email, and is probably whom \`${email}\` means: nothing is guessed, and nobody gets a second account. Give that user the email in LiteLLM, or delete them there, then run again.`;
}

/** Users that share an email and are in reach of a plan: nothing is guessed. Rows that name them have their own problem. */
function sharedEmails(desired: readonly DesiredUser[], context: Context): Problem[] {
  const shared = [...context.users.shared.keys()];
  if (shared.length === 0) return [];
  const keys = new Set(desired.flatMap(keysOf));
  const inReach = new Set<ProxyUser>(context.population.managed);
  return shared
    .filter((key) => !keys.has(key))
    .map((key) => ({ key, users: meant(key, context) }))
    .filter(({ users }) => users.length > 1 && users.some((user) => inReach.has(user)))
    .sort((a, b) => compare(a.key, b.key))
    .map(({ key, users }) => aboutProxy(sharedMessage(key, users)));
}

/** Which of several users is meant is not guessed. */
export function sharedMessage(email: string, users: readonly ProxyUser[]): string {
  const ids = users.map((user) => `\`${user.userId}\``).sort(compare);
  return `${ids.length} users on the proxy have the email \`${email}\`: ${ids.join(', ')}. Delete all but one in LiteLLM, or protect all but one by their ids (\`protected-users\`), then run again.`;
}

function onMissingProblems({ version, enforcesDeactivation }: ProxyFacts, { onMissing }: Policy): Problem[] {
  if (onMissing === 'delete' || enforcesDeactivation) return [];
  const litellm = version === null ? 'the version of this LiteLLM is not known' : `this is LiteLLM ${version}`;
  const message = `on-missing: deactivate needs LiteLLM 1.90 or newer, and ${litellm}: older ones store the mark, and the keys go on working. Use on-missing: delete, or update LiteLLM.`;
  return [aboutProxy(message)];
}

/** A file whose rows have all expired is as good as one without users, and says no more than that of anybody else. */
function nobodyLeft(leaving: readonly PlannedRow[], gone: readonly PlannedRow[]): Problem[] {
  const count = gone.filter(({ change }) => change?.withheld === null).length;
  if (count === 0 || leaving.length === 0 || leaving.some(({ problems }) => problems !== undefined)) return [];
  const others = count === 1 ? 'the one user' : `the ${count} users`;
  const message = `All rows of the file have expired. That never means "delete everyone else": ${others} without a row would go, too. Keep a row that has not expired, or use the command \`delete\` for them.`;
  return [{ line: null, column: null, message }];
}

function policyWarnings({ inventory }: ProxyState, { protectedUsers }: Policy): string[] {
  return unmatchedGlobs(inventory, protectedUsers).map(
    (glob) => `protected-users: \`${glob}\` matches nobody on the proxy.`,
  );
}

function warningsOf(rows: readonly PlannedRow[]): string[] {
  return rows.flatMap(({ warning, change }) => [
    ...(warning === undefined ? [] : [warning]),
    ...(change?.kind === 'add' || change?.kind === 'update' ? conflictWarnings(change) : []),
  ]);
}

function conflictWarnings({ email, line, conflicts }: AddChange | UpdateChange): string[] {
  return conflicts.map(({ team, userId }) => {
    const holder = userId === null ? 'without a user id' : `under the user id \`${userId}\``;
    return `LiteLLM may keep \`${email}\` (line ${line}) out of \`${team.name}\`, whose roster shows that email ${holder}. Remove that entry from the team in LiteLLM first.`;
  });
}

function aboutProxy(message: string): Problem {
  return { line: null, column: null, message, about: 'proxy' };
}

function problemAt(row: DesiredUser, message: string): Problem {
  return { line: row.line, column: row.columns.email, columnName: 'email', email: row.email, message };
}

function previousProblem(row: DesiredUser, message: string): Problem {
  return { line: row.line, column: row.columns.previousEmail, columnName: 'previous_email', email: row.email, message };
}

const ORDER = { add: 0, delete: 1, deactivate: 2, update: 3, invite: 4 } as const;

function sortChanges(changes: readonly Change[]): Change[] {
  return [...changes].sort((a, b) => ORDER[a.kind] - ORDER[b.kind] || compareEmails(a, b));
}

function compareEmails(a: { email: string }, b: { email: string }): number {
  return compare(emailKey(a.email), emailKey(b.email)) || compare(a.email, b.email);
}

/**
 * Indices of the changes that were due before a pull request: those of users whose rows it leaves as they were.
 * @param base rows of the file at the pull request's base
 * @param head rows of the pull request's own file
 */
export function earlierChanges(plan: Plan, base: readonly UserRow[], head: readonly UserRow[]): ReadonlySet<number> {
  const touched = touchedEmails(base, head);
  const isEarlier = (change: Change): boolean =>
    !touched.has(emailKey(change.email)) &&
    !(change.kind === 'update' && change.rename !== null && touched.has(emailKey(change.rename.from)));
  return new Set(plan.changes.flatMap((change, index) => (isEarlier(change) ? [index] : [])));
}

function touchedEmails(base: readonly UserRow[], head: readonly UserRow[]): Set<string> {
  const contents = (rows: readonly UserRow[]) => new Map(rows.map((row) => [emailKey(row.email), contentOf(row)]));
  const [before, after] = [contents(base), contents(head)];
  const differs = ({ email }: UserRow): boolean => before.get(emailKey(email)) !== after.get(emailKey(email));
  const rows = [...base, ...head].filter(differs);
  return new Set(rows.flatMap(({ email, previousEmail }) => [email, previousEmail ?? email].map(emailKey)));
}

/** What a row says, whatever its place in the file. */
function contentOf(row: UserRow): string {
  const { line: _, columns: __, ...content } = row;
  return JSON.stringify(content);
}

/** The plan with its limits measured again, after more of it was withheld. */
export function withLimits(plan: Plan, limits: Limits): Plan {
  return { ...plan, ...measure(plan.changes, plan, limits) };
}

/** Rows whose `key_name` a new user's key would take from somebody: a row above it, or a key on the proxy. */
export function takenKeyNames(
  desired: readonly Pick<DesiredUser, 'line' | 'email' | 'keyName' | 'columns'>[],
  added: ReadonlySet<string>,
  taken: ReadonlySet<string>,
): Problem[] {
  const first = new Map<string, number>();
  return desired.flatMap((row) => {
    if (row.keyName === null || !added.has(emailKey(row.email))) return [];
    const at = (message: string): Problem[] => [
      { line: row.line, column: row.columns.key, columnName: 'key_name', email: row.email, message },
    ];
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
