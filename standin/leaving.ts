import type { JoinCall } from './joining.ts';
import type { State } from './state.ts';
import type { TeamRow } from './types.ts';

/** Takes a user out of both halves of a team, on 1.106 with the user's keys of that team; whether there was a half. */
export function removeFromTeam(call: JoinCall, team: TeamRow, userId: string): boolean {
  const { state, behaviour } = call;
  const inRoster = state.removeMember(team, userId);
  const user = state.users.get(userId);
  const inUserTeams = user?.teams.includes(team.teamId) ?? false;
  if (!inRoster && !(inUserTeams && behaviour.leavingMendsUserTeams)) return false;
  if (user !== undefined && inUserTeams) {
    const first = user.teams.indexOf(team.teamId);
    const leaves = (id: string, index: number) => id === team.teamId && (behaviour.leavingClearsAll || index === first);
    state.changeUser(user, { teams: user.teams.filter((id, index) => !leaves(id, index)) });
  }
  state.removeMembership(userId, team.teamId);
  if (behaviour.leavingDeletesKeys) {
    for (const key of state.keysOfUser(userId)) if (key.teamId === team.teamId) state.removeKey(key);
  }
  return true;
}

/** Ids of the users that a request means: by email, those whom the roster knows by it, else the users who have it. */
export function addressed(state: State, team: TeamRow, userId: string | null, email: string | null): string[] {
  if (email === null) return userId === null ? [] : [userId];
  const members = [...team.roster.values()].filter((member) => member.userId === userId || member.email === email);
  if (members.length > 0) return members.map((member) => member.userId);
  if (userId !== null) return [userId];
  return state.usersByEmail(email).flatMap((user) => (user.email === email ? user.userId : []));
}
