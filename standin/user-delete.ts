import { type Call, textsOf } from './context.ts';
import { removeFromTeam } from './leaving.ts';
import { detailError } from './refusal.ts';
import type { State } from './state.ts';
import type { TeamRow, UserRow } from './types.ts';

/** `/user/delete`: one unknown id refuses the call, with rosters of the ids before it already edited. */
export function deleteUsers(call: Call): unknown {
  const { state, behaviour } = call;
  const userIds = textsOf(call.body, 'user_ids');
  for (const userId of userIds) {
    const user = state.users.get(userId);
    if (user === undefined) throw detailError(404, `User not found, passed user_id=${userId}`);
    for (const teamId of behaviour.deletingCleansRosters ? user.teams : []) {
      const team = state.teams.get(teamId);
      if (team !== undefined) dropEntries(state, team, user);
    }
  }
  const users = [...new Set(userIds)].flatMap((userId) => state.users.get(userId) ?? []);
  for (const user of users) state.removeUser(user);
  return users.length;
}

/** Roster entries go by email, too: a second user with the same email loses his, but keeps his `user.teams`. */
function dropEntries(state: State, team: TeamRow, { userId, email }: UserRow): void {
  for (const member of [...team.roster.values()]) {
    if (member.userId === userId || (email !== null && member.email === email)) state.removeMember(team, member.userId);
  }
}

/** Both halves of every membership of the user, as `bulk_delete` of users takes them off; team ids that it left. */
export function leaveAllTeams(call: Call, user: UserRow): string[] {
  const teamIds = new Set([...user.teams, ...(call.state.memberships.get(user.userId) ?? [])]);
  return [...teamIds].sort().filter((teamId) => {
    const team = call.state.teams.get(teamId);
    return team !== undefined && removeFromTeam(call, team, user.userId);
  });
}
