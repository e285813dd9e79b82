import type { ProxyUser, Role, Team } from '../core/inventory.ts';
import { compare } from '../core/order.ts';
import type { Outcome } from '../core/outcome.ts';
import type { TeamRef, UpdateChange } from '../core/plan.ts';
import type { ProxyWrites } from './ports.ts';

/** The proxy's present state of some users and teams. */
export interface Seen {
  readonly users: ReadonlyMap<string, ProxyUser>;
  readonly teams: ReadonlyMap<string, Team>;
}

/** Reads users and rosters; throws what the proxy throws. */
export async function look(proxy: ProxyWrites, userIds: readonly string[], teamIds: Iterable<string>): Promise<Seen> {
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
export function isMember(seen: Seen, userId: string, teamId: string): boolean {
  return standsInUser(seen, userId, teamId) && standsInRoster(seen, userId, teamId);
}

/** Neither half of a membership is left. */
function isOutside(seen: Seen, userId: string, teamId: string): boolean {
  return !standsInUser(seen, userId, teamId) && !standsInRoster(seen, userId, teamId);
}

function standsInUser(seen: Seen, userId: string, teamId: string): boolean {
  return seen.users.get(userId)?.teams.includes(teamId) ?? false;
}

function standsInRoster(seen: Seen, userId: string, teamId: string): boolean {
  return seen.teams.get(teamId)?.members.has(userId) ?? false;
}

/** What an update wants, without what it costs. */
export type UpdateTarget = Pick<UpdateChange, 'email' | 'userId' | 'role' | 'teams' | 'currentRole' | 'currentTeams'>;

/** One write that is still missing for a user. */
export type Step =
  | { readonly kind: 'role'; readonly role: Role }
  | { readonly kind: 'join'; readonly team: TeamRef }
  | { readonly kind: 'leave'; readonly team: TeamRef };

/** What the proxy's present state lacks. A team is left only once every other is joined: never out of both. */
export function missingSteps(target: UpdateTarget, seen: Seen): Step[] {
  const { userId, role, teams } = target;
  const roles: Step[] =
    role !== null && seen.users.get(userId)?.role !== role.to ? [{ kind: 'role', role: role.to }] : [];
  const joins = (teams?.join ?? []).filter((team) => !isMember(seen, userId, team.teamId));
  if (joins.length > 0) return [...roles, ...joins.map((team): Step => ({ kind: 'join', team }))];
  const leaves = (teams?.leave ?? []).filter((team) => !isOutside(seen, userId, team.teamId));
  return [...roles, ...leaves.map((team): Step => ({ kind: 'leave', team }))];
}

/** A user as the plan saw him. */
export function plannedUser({ userId, email, currentRole: role, currentTeams }: UpdateTarget): ProxyUser {
  return { userId, email, role, teams: currentTeams.map((team) => team.teamId), keyCount: 0, spend: 0 };
}

/** The teams whose rosters an update needs to see. */
export function teamIdsOf({ teams }: UpdateTarget): string[] {
  return [...(teams?.join ?? []), ...(teams?.leave ?? [])].map((team) => team.teamId);
}

/** The row of an update, with the role and teams that the user has now; those of the plan where they are not known. */
export function updatedOutcome(target: UpdateTarget, seen: Seen | null, reason: string | null): Outcome {
  const user = seen?.users.get(target.userId);
  const names = new Map(
    [...target.currentTeams, ...(target.teams?.to ?? []), ...(target.teams?.join ?? [])].map((team) => [
      team.teamId,
      team.name,
    ]),
  );
  const teams = user?.teams ?? target.currentTeams.map((team) => team.teamId);
  return {
    action: 'UPDATED',
    email: target.email,
    userId: target.userId,
    role: (user === undefined ? target.currentRole : user.role) ?? '',
    teamName: teams
      .map((id) => names.get(id) ?? id)
      .sort(compare)
      .join(';'),
    keyShown: '',
    status: reason === null ? 'SUCCESS' : 'FAILED',
    reason: reason ?? '',
  };
}
