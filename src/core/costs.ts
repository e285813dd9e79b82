import { emailKey, type ProxyFacts, type ProxyKey, type ProxyUser, type Team } from './inventory.ts';
import {
  type Change,
  isRemoval,
  type KeyFate,
  type LeftKey,
  type Loss,
  type Plan,
  type RosterConflict,
  type TeamKeys,
  type TeamKeysFate,
  type TeamMove,
  type TeamRef,
  type UpdateChange,
} from './plan.ts';

/** A user and a team of theirs. */
export interface UserInTeam {
  readonly userId: string;
  readonly teamId: string;
}

/** What becomes of the user's keys, for each team that a move leaves. */
export function keyFates(
  move: TeamMove | null,
  { leavingDeletesKeys }: ProxyFacts,
  teamKeys: TeamKeys,
): TeamKeysFate[] {
  if (move === null) return [];
  const destination = teamKeys === 'move' ? destinationOf(move) : null;
  const isDeleted = teamKeys === 'delete' || leavingDeletesKeys;
  const goes: KeyFate =
    destination === null ? { fate: isDeleted ? 'deleted' : 'survives', to: null } : { fate: 'moves', to: destination };
  return [
    ...move.leave.map((team) => ({ team, ...goes })),
    // Where the way out and in again would delete them, it is not taken: see `heldUpMends`.
    ...move.rejoin.map((team): TeamKeysFate => ({ team, fate: 'survives', to: null })),
  ];
}

/** The row's only team, else the only one that is joined now, else none. */
function destinationOf({ to, join }: TeamMove): TeamRef | null {
  const [only, ...others] = to;
  if (only !== undefined && others.length === 0) return only;
  const [joined, ...more] = join;
  return joined !== undefined && more.length === 0 ? joined : null;
}

/** Rights in the teams that a move leaves, as far as rosters tell. */
export function adminLosses(
  move: TeamMove | null,
  { userId }: Pick<ProxyUser, 'userId'>,
  teams: ReadonlyMap<string, Team>,
): Loss[] {
  if (move === null) return [];
  return [...move.leave, ...move.rejoin]
    .filter(({ teamId }) => teams.get(teamId)?.admins.has(userId))
    .map((team) => ({ team, what: 'team admin role' }));
}

/**
 * Rosters that already show the email of a joining user, as that of somebody else.
 * @param userId `null`: of a new user
 */
export function rosterConflicts(
  joins: readonly TeamRef[],
  emails: readonly string[],
  userId: string | null,
  teams: ReadonlyMap<string, Team>,
): RosterConflict[] {
  return joins.flatMap((team) => {
    const roster = teams.get(team.teamId)?.rosterEmails;
    const holders = emails.map((email) => roster?.get(emailKey(email)));
    const holder = holders.find((one) => one !== undefined && (one === null || one !== userId));
    return holder === undefined ? [] : [{ team, userId: holder }];
  });
}

/** User and team of every membership that the plan ends, even for a moment: the keys there are the cost. */
export function leavings(plan: Plan): UserInTeam[] {
  return plan.changes.flatMap((change) =>
    change.kind === 'update' ? change.keyFates.map(({ team }) => ({ userId: change.userId, teamId: team.teamId })) : [],
  );
}

/** Users who will go and whose number of keys has not been asked for yet. */
export function uncounted(plan: Plan): string[] {
  return plan.changes.flatMap((change) => (isRemoval(change) && change.keyCount === null ? [change.userId] : []));
}

/** What was looked up for a plan, see {@link leavings} and {@link uncounted}. */
export interface LookedUp {
  readonly facts: Pick<ProxyFacts, 'leavingDeletesKeys'>;
  /** `unknown`: the key that is used may not list them. */
  readonly keys: readonly ProxyKey[] | 'unknown';
  /** Memberships with a budget of the member's own. */
  readonly ownBudgets: readonly UserInTeam[];
  /** By user id; a user who is missing here has a number of keys that is not known. */
  readonly keyCounts: ReadonlyMap<string, number>;
}

/** The plan with what its changes cost. */
export function withCosts(plan: Plan, { facts, keys, ownBudgets, keyCounts }: LookedUp): Plan {
  const keysByUser = keys === 'unknown' ? null : group(keys, (key) => key.userId ?? '');
  const budgets = new Set(ownBudgets.map(({ userId, teamId }) => JSON.stringify([userId, teamId])));
  const cost = (change: Change): Change => {
    if (isRemoval(change)) return { ...change, keyCount: change.keyCount ?? keyCounts.get(change.userId) ?? null };
    if (change.kind !== 'update' || change.keyFates.length === 0) return change;
    const leftKeys = keysByUser === null ? 'unknown' : keysLeft(change, keysByUser.get(change.userId) ?? []);
    const lost = change.keyFates.filter(({ team }) => budgets.has(JSON.stringify([change.userId, team.teamId])));
    const losses = lost.map(({ team }): Loss => ({ team, what: 'own budget in the team' }));
    return { ...change, leftKeys, losses: [...change.losses, ...losses] };
  };
  const changes = plan.changes.map(cost);
  const warnings = facts.leavingDeletesKeys ? changes.flatMap(heldUpMends) : [];
  return { ...plan, changes, warnings: [...plan.warnings, ...warnings] };
}

/** Mends that the proxy could only make by deleting keys, so that they are not made. */
function heldUpMends(change: Change): string[] {
  if (change.kind !== 'update' || change.teams === null || change.leftKeys === 'unknown') return [];
  const { email, line, teams, leftKeys } = change;
  return teams.rejoin.flatMap(({ teamId, name }) => {
    const names = leftKeys.filter(({ key }) => key.teamId === teamId).map(({ key }) => `\`${key.name}\``);
    if (names.length === 0) return [];
    return `\`${email}\` (line ${line}) is in the roster of \`${name}\`, but the team is not in their record. Mending that means leaving and joining again, which would delete their keys of this team (${names.join(', ')}): the mend will be refused, and no key is lost. Give those keys another team or none in LiteLLM, or delete them, then run again.`;
  });
}

function keysLeft({ keyFates: fates }: UpdateChange, keys: readonly ProxyKey[]): LeftKey[] {
  return fates.flatMap(({ team, ...fate }) =>
    keys.filter((key) => key.teamId === team.teamId).map((key): LeftKey => ({ key, ...fate })),
  );
}

function group<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const same = groups.get(keyOf(item));
    if (same) same.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
