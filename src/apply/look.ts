import type { ProxyUser, Team } from '../core/user.ts';
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
export function isOutside(seen: Seen, userId: string, teamId: string): boolean {
  return !standsInUser(seen, userId, teamId) && !standsInRoster(seen, userId, teamId);
}

function standsInUser(seen: Seen, userId: string, teamId: string): boolean {
  return seen.users.get(userId)?.teams.includes(teamId) ?? false;
}

function standsInRoster(seen: Seen, userId: string, teamId: string): boolean {
  return seen.teams.get(teamId)?.members.has(userId) ?? false;
}
