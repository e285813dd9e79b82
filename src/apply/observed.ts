import type { ProxyUser, Role, Team } from '../core/inventory.ts';
import { compare } from '../core/order.ts';
import type { Outcome } from '../core/outcome.ts';
import type { TeamRef, UpdateChange } from '../core/plan.ts';
import { type FailureReason, withResult } from './messages.ts';
import type { ProxyWrites } from './ports.ts';

/** The proxy's present state of some users and teams. */
export interface Observed {
  readonly users: ReadonlyMap<string, ProxyUser>;
  readonly teams: ReadonlyMap<string, Team>;
}

/** Reads users and rosters; throws what the proxy throws. */
export async function observe(
  proxy: ProxyWrites,
  userIds: readonly string[],
  teamIds: Iterable<string>,
): Promise<Observed> {
  const wanted = [...new Set(teamIds)];
  const [users, teams] = await Promise.all([
    userIds.length > 0 ? proxy.findUsers(userIds) : [],
    wanted.length > 0 ? proxy.findTeams(wanted) : [],
  ]);
  return {
    users: new Map(users.map((user) => [user.userId, user])),
    teams: new Map(teams.map((team) => [team.teamId, team])),
  };
}

/** A member stands in `user.teams` and in the team's roster: the proxy keeps both, and they can disagree. */
export function isMember(observed: Observed, userId: string, teamId: string): boolean {
  return standsInUser(observed, userId, teamId) && standsInRoster(observed, userId, teamId);
}

/** Neither half of a membership is left. */
function isOutside(observed: Observed, userId: string, teamId: string): boolean {
  return !standsInUser(observed, userId, teamId) && !standsInRoster(observed, userId, teamId);
}

function standsInUser(observed: Observed, userId: string, teamId: string): boolean {
  return observed.users.get(userId)?.teams.includes(teamId) ?? false;
}

function standsInRoster(observed: Observed, userId: string, teamId: string): boolean {
  return observed.teams.get(teamId)?.members.has(userId) ?? false;
}

/** What an update wants, without what it costs. */
export type UpdateTarget = Pick<UpdateChange, 'email' | 'userId' | 'role' | 'teams' | 'currentRole' | 'currentTeams'>;

/** One write that is still missing for a user. */
export type Step =
  | { readonly kind: 'role'; readonly role: Role }
  | { readonly kind: 'join'; readonly team: TeamRef }
  | { readonly kind: 'leave'; readonly team: TeamRef };

/** What the proxy's present state lacks. A team is left only once every other is joined: never out of both. */
export function missingSteps(target: UpdateTarget, observed: Observed): Step[] {
  const { userId, role, teams } = target;
  const roles: Step[] =
    role !== null && observed.users.get(userId)?.role !== role.to ? [{ kind: 'role', role: role.to }] : [];
  const joins = (teams?.join ?? []).filter((team) => !isMember(observed, userId, team.teamId));
  if (joins.length > 0) return [...roles, ...joins.map((team): Step => ({ kind: 'join', team }))];
  const leaves = (teams?.leave ?? []).filter((team) => !isOutside(observed, userId, team.teamId));
  return [...roles, ...leaves.map((team): Step => ({ kind: 'leave', team }))];
}

/** A user as the plan saw them. */
export function plannedUser({ userId, email, currentRole: role, currentTeams }: UpdateTarget): ProxyUser {
  return { userId, email, role, teams: currentTeams.map((team) => team.teamId), keyCount: 0, spend: 0 };
}

/** The teams whose rosters an update needs to see. */
export function teamIdsOf({ teams }: UpdateTarget): string[] {
  return [...(teams?.join ?? []), ...(teams?.leave ?? [])].map((team) => team.teamId);
}

/** The outcome of an update, with the role and teams that the user has now; those of the plan where they are not known. */
export function updatedOutcome(
  index: number,
  target: UpdateTarget,
  observed: Observed | null,
  failure: FailureReason | null,
): Outcome {
  const user = observed?.users.get(target.userId);
  const known = [...target.currentTeams, ...(target.teams?.to ?? []), ...(target.teams?.join ?? [])];
  const names = new Map(known.map((team) => [team.teamId, team.name]));
  const teams = user?.teams ?? target.currentTeams.map((team) => team.teamId);
  const base = {
    index,
    action: 'UPDATED',
    email: target.email,
    userId: target.userId,
    role: (user === undefined ? target.currentRole : user.role) ?? '',
    teamName: teams
      .map((id) => names.get(id) ?? id)
      .sort(compare)
      .join(';'),
    key: null,
  } as const;
  return withResult(base, failure);
}
