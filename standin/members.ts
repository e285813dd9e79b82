import { type Call, objectsOf, textOf } from './context.ts';
import { addMembers, type Joined, type NamedMember, resolve, unknownTeamMessage } from './joining.ts';
import { removeFromTeam } from './leaving.ts';
import { detailError, pythonString, Refusal } from './refusal.ts';
import { membershipShape, teamShape } from './shapes.ts';
import type { TeamRow } from './types.ts';

/** `/team/member_add`. */
export function memberAdd(call: Call): unknown {
  const team = call.state.teams.get(textOf(call.body, 'team_id') ?? '');
  const given = call.body.member;
  const members = (Array.isArray(given) ? given : [given]).map(namedMember);
  if (members.some(({ role }) => role === 'admin')) throw detailError(400, PREMIUM);
  if (team !== undefined) refuseOutsider(call, team, '/team/member_add');
  const joined = addMembers(call, textOf(call.body, 'team_id') ?? '', members, !Array.isArray(given));
  return joinedShape(call, joined);
}

const PREMIUM =
  'Assigning team admins is a premium feature. You must be a LiteLLM Enterprise user to use this feature.';

function joinedShape({ behaviour }: Call, { team, users }: Joined): Record<string, unknown> {
  return {
    ...teamShape(team),
    updated_users: users,
    updated_team_memberships: behaviour.membershipRecords
      ? users.map((user) => membershipShape(String(user.user_id), team.teamId))
      : [],
  };
}

export function namedMember(member: Record<string, unknown>): NamedMember {
  const role = member.role === 'admin' ? 'admin' : 'user';
  return { userId: textOf(member, 'user_id'), email: textOf(member, 'user_email'), role };
}

/** `/team/bulk_member_add`: 200 whatever happens; all rows share the fate of the call. */
export function bulkMemberAdd(call: Call): unknown {
  const teamId = textOf(call.body, 'team_id') ?? '';
  const members = objectsOf(call.body, 'members').map(namedMember);
  if (members.length === 0) throw detailError(400, 'At least one member is required');
  if (members.length > 500) throw detailError(400, 'Maximum 500 members can be added at once');
  try {
    return bulkJoined(call, teamId, members, addMembers(call, teamId, members, false));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return bulkRefused(teamId, members, pythonMessage(call, error));
  }
}

function bulkJoined(call: Call, teamId: string, members: readonly NamedMember[], joined: Joined): unknown {
  const byId = new Map(joined.users.map((user) => [user.user_id, user]));
  const results = members.map((member) => {
    const { userId, email } = resolve(call.state, call.behaviour, member);
    const user = byId.get(userId);
    const records = call.behaviour.membershipRecords;
    const membership = user === undefined || !records ? null : membershipShape(String(userId), teamId);
    const updated = { updated_user: user ?? null, updated_team_membership: membership };
    return { user_id: userId, user_email: email, success: true, error: null, ...updated };
  });
  const counts = { total_requested: members.length, successful_additions: members.length, failed_additions: 0 };
  return { team_id: teamId, results, ...counts, updated_team: joinedShape(call, joined) };
}

function bulkRefused(teamId: string, members: readonly NamedMember[], error: string): unknown {
  const failed = { success: false, error, updated_user: null, updated_team_membership: null };
  const results = members.map(({ userId, email }) => ({ user_id: userId, user_email: email, ...failed }));
  const counts = { total_requested: members.length, successful_additions: 0, failed_additions: members.length };
  return { team_id: teamId, results, ...counts, updated_team: null };
}

/** As `str()` of the exception in Python; LiteLLM's own had none before 1.90. */
function pythonMessage(call: Call, refusal: Refusal): string {
  const { behaviour } = call;
  const body = refusal.body as { detail?: { error: string }; error?: { message: string } };
  if (body.error !== undefined) return behaviour.bulkMemberErrorsNamed ? body.error.message : '';
  if (body.detail === undefined) return unknownTeamMessage(textOf(call.body, 'team_id') ?? '');
  return `${refusal.status}: {'error': ${pythonString(body.detail.error)}}`;
}

/** `/team/member_delete`. */
export function memberDelete(call: Call): unknown {
  const teamId = textOf(call.body, 'team_id') ?? '';
  const team = call.state.teams.get(teamId);
  if (team === undefined) throw detailError(400, `Team id=${teamId} does not exist in db`);
  refuseOutsider(call, team, '/team/member_delete');
  const found = removeFromTeam(call, team, namedMember(call.body));
  if (!found && call.behaviour.duplicateMemberRefused) throw detailError(400, 'User not found in team');
  return teamShape(team);
}

/** 403 for whoever is neither an administrator nor an admin of the team. */
function refuseOutsider(call: Call, team: TeamRow, route: string): void {
  const { caller } = call;
  if (caller.role === 'proxy_admin') return;
  if (caller.userId !== null && team.roster.get(caller.userId)?.role === 'admin') return;
  const reason = 'Call not allowed. User not proxy admin OR team admin.';
  throw detailError(403, `${reason} route=${route}, team_id=${team.teamId}`);
}
