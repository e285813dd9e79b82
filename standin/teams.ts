import { type Call, newId, numberOf, type Route, textOf, textsOf } from './context.ts';
import { addMembers, joinCreator } from './joining.ts';
import { bulkMemberAdd, memberAdd, memberDelete, namedMember } from './members.ts';
import { detailError, proxyError, wrappedError } from './refusal.ts';
import { keyShape, memberShapes, membershipShapes, teamShape } from './shapes.ts';
import { by, paged } from './sorting.ts';
import type { TeamRow, UserRow } from './types.ts';
import { anything, type Check, list, namesUser, object, optional, pageOf, required, text } from './validate.ts';

const member = object(
  { user_id: optional(text), user_email: optional(text), role: required(text) },
  { rule: namesUser },
);

export const teamRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/team/new',
    access: 'admin-write',
    body: object({ team_id: optional(text), team_alias: optional(text) }),
    answer: newTeam,
  },
  {
    method: 'POST',
    path: '/team/delete',
    access: 'admin-write',
    body: object({ team_ids: required(list(text)) }),
    answer: deleteTeams,
  },
  { method: 'POST', path: '/team/member_add', access: 'key', body: memberAddBody, answer: memberAdd },
  {
    method: 'POST',
    path: '/team/bulk_member_add',
    access: 'admin-write',
    body: object({ team_id: required(text), members: optional(list(member)) }),
    answer: bulkMemberAdd,
    since: (behaviour) => behaviour.classicBulk,
  },
  {
    method: 'POST',
    path: '/team/member_delete',
    access: 'key',
    body: object({ team_id: required(text), user_id: optional(text), user_email: optional(text) }, { rule: namesUser }),
    answer: memberDelete,
  },
  { method: 'GET', path: '/team/list', access: 'key', answer: listTeams },
  {
    method: 'GET',
    path: '/v2/team/list',
    access: 'key',
    answer: listTeamsPaged,
    since: (behaviour) => behaviour.classicBulk,
  },
  { method: 'GET', path: '/team/info', access: 'key', answer: teamInfo },
];

/** One member or several: pydantic names a single one's fields as if they stood in the body itself. */
function memberAddBody(...[value, loc, behaviour]: Parameters<Check>): ReturnType<Check> {
  const outer = object({ team_id: required(text), member: required(anything) })(value, loc, behaviour);
  if (outer.length > 0) return outer;
  const given = (value as Record<string, unknown>).member;
  return Array.isArray(given) ? list(member)(given, loc, behaviour) : member(given, loc, behaviour);
}

function newTeam(call: Call): unknown {
  const { state, body } = call;
  const teamId = textOf(body, 'team_id') ?? newId();
  if (state.teams.has(teamId)) {
    throw wrappedError(400, `Team id = ${teamId} already exists. Please use a different team id.`);
  }
  const team = state.addTeam(teamId, textOf(body, 'team_alias'));
  team.maxBudget = numberOf(body, 'max_budget');
  team.tpmLimit = numberOf(body, 'tpm_limit');
  team.rpmLimit = numberOf(body, 'rpm_limit');
  team.models = textsOf(body, 'models');
  const members = Array.isArray(body.members_with_roles) ? body.members_with_roles : [];
  if (members.length > 0) addMembers(call, teamId, members.map(namedMember), false);
  joinCreator(call, team);
  return teamShape(team);
}

/** Deletes the teams with their keys, and their ids from `user.teams`. */
function deleteTeams(call: Call): unknown {
  const { state, body } = call;
  const teamIds = textsOf(body, 'team_ids');
  for (const teamId of teamIds) {
    if (!state.teams.has(teamId)) throw detailError(404, `Team not found, passed team_id=${teamId}`);
  }
  const gone = new Set(teamIds);
  for (const user of losers(call, teamIds)) {
    if (user.teams.some((teamId) => gone.has(teamId))) {
      state.changeUser(user, { teams: user.teams.filter((teamId) => !gone.has(teamId)) });
    }
  }
  for (const teamId of gone) {
    for (const key of state.keysOfTeam(teamId)) {
      state.removeKey(key);
      call.cache.forget(key);
    }
    for (const userId of state.membershipsOf(teamId)) state.removeMembership(userId, teamId);
    state.teams.delete(teamId);
  }
  return { deleted_teams: teamIds };
}

/** Users whose `user.teams` the teams leave when they are deleted. */
function losers({ state, behaviour }: Call, teamIds: readonly string[]): Iterable<UserRow> {
  if (behaviour.deletedTeamLeaves === 'everybody') return state.users.values();
  if (behaviour.deletedTeamLeaves === 'nobody') return [];
  const userIds = new Set(teamIds.flatMap((teamId) => [...(state.teams.get(teamId)?.roster.keys() ?? [])]));
  return [...userIds].flatMap((userId) => state.users.get(userId) ?? []);
}

/** 401 unless the caller administers, or asks for their own teams. */
function refuseStranger(call: Call): void {
  const { caller, query } = call;
  if (caller.role === 'proxy_admin' || caller.role === 'proxy_admin_viewer') return;
  if (caller.userId !== null && query.get('user_id') === caller.userId) return;
  const role = caller.role ?? 'internal_user';
  throw detailError(401, `Only admin users can query all teams/other teams. Your user role=${role}`);
}

function listTeams(call: Call): unknown {
  refuseStranger(call);
  const { state, query } = call;
  const userId = query.get('user_id');
  const teams = [...state.teams.values()].filter((team) => userId === null || team.roster.has(userId));
  return teams.map((team) => ({
    ...teamShape(team),
    team_memberships: membershipShapes(state, team),
    keys: state.keysOfTeam(team.teamId).map(keyShape),
  }));
}

function listTeamsPaged(call: Call): unknown {
  const page = pageOf(call.query, 'page_size', 10);
  refuseStranger(call);
  const { state, query, behaviour } = call;
  const teams = filteredTeams(call).sort(teamOrder(query));
  return paged('teams', teams, page, (team) => {
    if (!behaviour.teamCounts) return teamShape(team);
    const members = memberShapes(team).length;
    return { ...teamShape(team), members_count: members, keys_count: state.countKeysOfTeam(team.teamId) };
  });
}

function filteredTeams({ state, query, caller, behaviour }: Call): TeamRow[] {
  const teamId = query.get('team_id');
  const alias = query.get('team_alias')?.toLowerCase();
  const ownAlone = caller.role === 'proxy_admin_viewer' && !behaviour.viewerListsTeams;
  const userId = ownAlone ? caller.userId : query.get('user_id');
  const user = userId === null ? undefined : state.users.get(userId);
  if (userId !== null && user === undefined) throw detailError(404, `User not found, passed user_id=${userId}`);
  if (ownAlone && teamId !== null && !user?.teams.includes(teamId)) {
    throw detailError(404, `User is not a member of team_id=${teamId}`);
  }
  const candidates =
    teamId === null ? state.teams.values() : [state.teams.get(teamId)].filter((team) => team !== undefined);
  return [...candidates].filter((team) => {
    if (alias && !team.alias?.toLowerCase().includes(alias)) return false;
    return user === undefined || user.teams.includes(team.teamId);
  });
}

/** An unknown column is ignored: newest first. */
function teamOrder(query: URLSearchParams): (a: TeamRow, b: TeamRow) => number {
  const descending = query.get('sort_order')?.toLowerCase() === 'desc';
  const column = query.get('sort_by');
  if (column === 'team_id') return by((team) => team.teamId, descending);
  if (column === 'team_alias') return by((team) => team.alias, descending);
  if (column === 'created_at') return by((team) => team.createdAt, descending);
  return by((team) => team.createdAt, true);
}

function teamInfo(call: Call): unknown {
  const { state, query, caller } = call;
  const teamId = query.get('team_id');
  const wrapped = (status: number, name: string, message: string) =>
    proxyError(status, `{'${name}': '${message}'}`, 'auth_error', 'None');
  if (teamId === null) throw wrapped(422, 'message', 'Malformed request. No team id passed in.');
  const team = state.teams.get(teamId);
  if (team === undefined) throw wrapped(404, 'message', `Team not found, passed team id: ${teamId}.`);
  const reads = caller.role === 'proxy_admin' || caller.role === 'proxy_admin_viewer';
  if (!reads && !team.roster.has(caller.userId ?? '')) {
    throw wrapped(403, 'error', `User=${caller.userId} not authorized to access this team=${teamId}`);
  }
  const keys = state.keysOfTeam(teamId).map(keyShape);
  return { team_id: teamId, team_info: teamShape(team), keys, team_memberships: membershipShapes(state, team) };
}
