import { type Call, textsOf } from './context.ts';
import { removeFromTeam } from './leaving.ts';
import { detailError, Refusal } from './refusal.ts';
import type { State } from './state.ts';
import type { Member, TeamRow, UserRow } from './types.ts';

/** `/user/delete`: one unknown id refuses the call, before 1.110 with rosters of the ids before it already edited. */
export function deleteUsers(call: Call): unknown {
  const { state, behaviour } = call;
  const userIds = textsOf(call.body, 'user_ids');
  if (behaviour.deletingIsAtomic) for (const userId of userIds) known(state, userId);
  for (const userId of userIds) {
    const user = known(state, userId);
    for (const teamId of behaviour.deletingCleansRosters ? teamsToLeave(call, user) : []) {
      const team = state.teams.get(teamId);
      if (team !== undefined) dropEntries(call, team, user);
    }
  }
  const users = [...new Set(userIds)].flatMap((userId) => state.users.get(userId) ?? []);
  refuseInviters(call, users);
  for (const user of users) removeUser(call, user);
  return users.length;
}

/** From 1.110 on those of the table of memberships, too, which a half membership may have kept. */
function teamsToLeave({ state, behaviour }: Call, { userId, teams }: UserRow): Iterable<string> {
  return behaviour.deletingIsAtomic ? new Set([...teams, ...(state.memberships.get(userId) ?? [])]) : teams;
}

function known(state: State, userId: string): UserRow {
  const user = state.users.get(userId);
  if (user === undefined) throw detailError(404, `User not found, passed user_id=${userId}`);
  return user;
}

/** Before 1.82 the database keeps whoever issued an invitation to somebody else: all are kept, without their keys. */
function refuseInviters({ state, behaviour }: Call, users: readonly UserRow[]): void {
  if (behaviour.inviterDeletable) return;
  const gone = new Set(users.map((user) => user.userId));
  const issued = users.flatMap((user) =>
    state.invitationsOf(user.userId).filter((one) => one.createdBy === user.userId),
  );
  if (issued.every((invitation) => gone.has(invitation.userId))) return;
  for (const { userId } of users) {
    for (const key of state.keysOfUser(userId)) state.removeKey(key);
    for (const { id, userId: invited } of state.invitationsOf(userId))
      if (invited === userId) state.removeInvitation(id);
  }
  throw new Refusal(500, 'Internal Server Error', 'text/plain; charset=utf-8');
}

/** The user with all that hangs on them, but for the rosters; the proxy's cache may go on knowing their keys. */
export function removeUser({ state, cache }: Call, user: UserRow): void {
  const keys = state.keysOfUser(user.userId);
  state.removeUser(user);
  for (const key of keys) cache.forget(key);
}

/** Before 1.110 roster entries go by email, too: a second user with the same email loses theirs, but keeps `user.teams`. */
function dropEntries({ state, behaviour }: Call, team: TeamRow, { userId, email }: UserRow): void {
  const sameEmail = (member: Member) => !behaviour.deletingIsAtomic && email !== null && member.email === email;
  for (const member of [...team.roster.values()]) {
    if (member.userId === userId || sameEmail(member)) state.removeMember(team, member.userId);
  }
}

/** Both halves of every membership of the user, as `bulk_delete` of users takes them off; team ids that it left. */
export function leaveAllTeams(call: Call, user: UserRow): string[] {
  const teamIds = new Set([...user.teams, ...(call.state.memberships.get(user.userId) ?? [])]);
  return [...teamIds].sort().filter((teamId) => {
    const team = call.state.teams.get(teamId);
    return team !== undefined && removeFromTeam(call, team, { userId: user.userId, email: null });
  });
}
