import type { TeamMove, TeamRef } from './plan-types.ts';
import type { TeamDirectory } from './team-names.ts';
import type { ProxyUser, Team } from './user.ts';

/** A user's teams as the proxy's two places have them; teams that no longer exist are left out. */
export interface Membership {
  /** In `user.teams` and in the roster: a member. */
  readonly full: readonly string[];
  /** In only one of the two: to be mended. */
  readonly half: readonly string[];
}

export type Memberships = (user: ProxyUser) => Membership;

/** Looks memberships up by user; built once for all users. */
export function memberships(teams: readonly Team[]): Memberships {
  const known = new Set(teams.map((team) => team.teamId));
  const rosters = new Map<string, string[]>();
  for (const team of teams) {
    for (const member of team.members) {
      const ids = rosters.get(member);
      if (ids) ids.push(team.teamId);
      else rosters.set(member, [team.teamId]);
    }
  }
  return (user) => {
    const claimed = [...new Set(user.teams)].filter((teamId) => known.has(teamId));
    const listed = rosters.get(user.userId) ?? [];
    const full = claimed.filter((teamId) => listed.includes(teamId));
    const half = [...new Set([...claimed, ...listed])].filter((teamId) => !full.includes(teamId));
    return { full, half };
  };
}

/** Teams as people know them, sorted by name. */
export function teamRefs(teamIds: readonly string[], directory: TeamDirectory): TeamRef[] {
  return sortTeams(teamIds.map((teamId) => directory.ref(teamId)));
}

/** What makes the membership match the wanted teams; `null` if it does. */
export function teamMove(
  membership: Membership,
  wanted: readonly TeamRef[],
  directory: TeamDirectory,
): TeamMove | null {
  const wantedIds = new Set(wanted.map((team) => team.teamId));
  const present = [...membership.full, ...membership.half];
  const join = wanted.filter((team) => !membership.full.includes(team.teamId));
  const leave = present.filter((teamId) => !wantedIds.has(teamId));
  if (join.length === 0 && leave.length === 0) return null;
  return {
    from: teamRefs(present, directory),
    to: sortTeams(wanted),
    join: sortTeams(join),
    leave: teamRefs(leave, directory),
  };
}

export function sortTeams(teams: readonly TeamRef[]): TeamRef[] {
  return [...teams].sort((a, b) => compare(a.name, b.name) || compare(a.teamId, b.teamId));
}

/** By code unit: the same on every machine, whatever its locale. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
