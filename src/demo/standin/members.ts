import { type Call, MASTER_USER_ID, newId, objectsOf, textOf } from './context.ts';
import { detailError, proxyError, pythonString, Refusal } from './refusal.ts';
import { membershipShape, teamShape, userShape } from './shapes.ts';
import type { State } from './state.ts';
import type { Member, TeamRow, UserRow } from './types.ts';
import type { Behaviour } from './versions.ts';

export interface NamedMember {
  readonly userId: string | null;
  readonly email: string | null;
  readonly role: 'admin' | 'user';
}

/** What `/team/member_add` answers with, beside the team. */
export interface Joined {
  readonly team: TeamRow;
  /** As the users were before they joined (new ones: as made): LiteLLM prints the row that its upsert returned. */
  readonly users: readonly Record<string, unknown>[];
}

/** What joining needs to know of a call. */
export type JoinCall = Pick<Call, 'state' | 'behaviour'>;

/**
 * `/team/member_add`: the roster decides who is in. Who stands in it is refused (one) or skipped (of several), even
 * where `user.teams` lacks the team: that half is not mended. A team that stands in `user.teams` only gets its roster
 * entry. An unknown user id or email becomes a new user.
 */
export function addMembers(call: JoinCall, teamId: string, members: readonly NamedMember[], single: boolean): Joined {
  const { state, behaviour } = call;
  const team = state.teams.get(teamId);
  if (team === undefined) throw unknownTeam(behaviour, teamId);
  const roster = new RosterIndex(team);
  if (behaviour.duplicateMemberRefused) refuseDuplicates(roster, members, single);
  const users: Record<string, unknown>[] = [];
  for (const member of members.map((named) => resolve(state, behaviour, named))) {
    if (behaviour.duplicateMemberRefused && roster.has(member)) continue;
    users.push(join(state, team, member));
    roster.note(member);
  }
  return { team, users };
}

/** Who stands in a roster, by user id or by email as written there. */
class RosterIndex {
  readonly team: TeamRow;
  #emails: Set<string | null> | null = null;

  constructor(team: TeamRow) {
    this.team = team;
  }

  has({ userId, email }: NamedMember): boolean {
    if (userId !== null && this.team.roster.has(userId)) return true;
    if (email === null) return false;
    this.#emails ??= new Set([...this.team.roster.values()].map((member) => member.email));
    return this.#emails.has(email);
  }

  note({ email }: NamedMember): void {
    this.#emails?.add(email);
  }
}

function unknownTeam(behaviour: Behaviour, teamId: string): Refusal {
  if (!behaviour.managementV1) return new Refusal(500, 'Internal Server Error', 'text/plain; charset=utf-8');
  return detailError(404, `Team doesn't exist in db. Team=${teamId}. Create team via \`/team/new\` call.`);
}

function refuseDuplicates(roster: RosterIndex, members: readonly NamedMember[], single: boolean): void {
  const known = members.filter((member) => roster.has(member));
  if (single ? known.length === 0 : known.length < members.length) return;
  const existing = `Existing members=[${[...roster.team.roster.values()].map(pythonMember).join(', ')}]`;
  const [first] = members;
  const which = `Member: user_id=${first?.userId ?? 'None'}, user_email=${first?.email ?? 'None'}.`;
  const message = single ? `User already in team. ${which} ${existing}` : `All users are already in team. ${existing}`;
  throw proxyError(400, message, 'team_member_already_in_team', 'member');
}

function pythonMember({ userId, email, role }: Member): string {
  return `Member(user_id='${userId}', user_email=${email === null ? 'None' : pythonString(email)}, role='${role}')`;
}

/** Fills in the half of the name that is missing, from the user if there is one. */
function resolve(state: State, behaviour: Behaviour, member: NamedMember): NamedMember {
  if (member.userId !== null) {
    const known = behaviour.rosterEmails ? (state.users.get(member.userId)?.email ?? null) : null;
    return { ...member, email: member.email ?? known };
  }
  const matches = state.usersByEmail(member.email ?? '');
  if (matches.filter((user) => user.email === member.email).length > 1) {
    throw detailError(400, `Multiple users found with email '${member.email}'. Please use 'user_id' instead.`);
  }
  return { ...member, userId: matches[0]?.userId ?? null };
}

function join(state: State, team: TeamRow, member: NamedMember): Record<string, unknown> {
  const userId = member.userId ?? newId();
  const known = state.users.get(userId);
  const user = known ?? createMember(state, team, userId, member.userId === null ? member.email : null);
  const shape = userShape({ ...user, teams: [...user.teams] });
  if (!user.teams.includes(team.teamId)) state.changeUser(user, { teams: [...user.teams, team.teamId] });
  const times = (team.roster.get(userId)?.times ?? 0) + 1;
  state.setMember(team, { userId, email: member.email, role: member.role, times });
  state.addMembership(userId, team.teamId);
  return shape;
}

/** LiteLLM's default for a user that joining makes: role internal_user. */
function createMember(state: State, team: TeamRow, userId: string, email: string | null): UserRow {
  return state.addUser({ userId, email, role: 'internal_user', teams: [team.teamId] });
}

/** `/team/member_add`. */
export function memberAdd(call: Call): unknown {
  const team = call.state.teams.get(textOf(call.body, 'team_id') ?? '');
  const given = call.body.member;
  const members = (Array.isArray(given) ? given : [given]).map(namedMember);
  if (members.some(({ role }) => role === 'admin')) throw detailError(400, PREMIUM);
  if (team !== undefined) refuseOutsider(call, team, '/team/member_add');
  const joined = addMembers(call, textOf(call.body, 'team_id') ?? '', members, !Array.isArray(given));
  return joinedShape(joined);
}

const PREMIUM =
  'Assigning team admins is a premium feature. You must be a LiteLLM Enterprise user to use this feature.';

function joinedShape({ team, users }: Joined): Record<string, unknown> {
  return {
    ...teamShape(team),
    updated_users: users,
    updated_team_memberships: users.map((user) => membershipShape(String(user.user_id), team.teamId)),
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
    return bulkRefused(teamId, members, pythonMessage(error));
  }
}

function bulkJoined(call: Call, teamId: string, members: readonly NamedMember[], joined: Joined): unknown {
  const byId = new Map(joined.users.map((user) => [user.user_id, user]));
  const results = members.map((member) => {
    const { userId, email } = resolve(call.state, call.behaviour, member);
    const user = byId.get(userId);
    const membership = user === undefined ? null : membershipShape(String(userId), teamId);
    const updated = { updated_user: user ?? null, updated_team_membership: membership };
    return { user_id: userId, user_email: email, success: true, error: null, ...updated };
  });
  const counts = { total_requested: members.length, successful_additions: members.length, failed_additions: 0 };
  return { team_id: teamId, results, ...counts, updated_team: joinedShape(joined) };
}

function bulkRefused(teamId: string, members: readonly NamedMember[], error: string): unknown {
  const failed = { success: false, error, updated_user: null, updated_team_membership: null };
  const results = members.map(({ userId, email }) => ({ user_id: userId, user_email: email, ...failed }));
  const counts = { total_requested: members.length, successful_additions: 0, failed_additions: members.length };
  return { team_id: teamId, results, ...counts, updated_team: null };
}

/** As `str()` of the exception in Python. */
function pythonMessage(refusal: Refusal): string {
  const body = refusal.body as { detail?: { error: string }; error?: { message: string } };
  if (body.error !== undefined) return body.error.message;
  if (body.detail === undefined) return String(refusal.body);
  return `${refusal.status}: {'error': ${pythonString(body.detail.error)}}`;
}

export interface Removal {
  readonly found: boolean;
}

/** Takes a user out of both halves of a team; on 1.106 deletes the user's keys of that team, too. */
export function removeFromTeam(call: JoinCall, team: TeamRow, userId: string): Removal {
  const { state, behaviour } = call;
  const inRoster = state.removeMember(team, userId);
  const user = state.users.get(userId);
  const inUserTeams = user?.teams.includes(team.teamId) ?? false;
  if (!inRoster && !(inUserTeams && behaviour.leavingMendsUserTeams)) return { found: false };
  if (user !== undefined && inUserTeams) {
    state.changeUser(user, { teams: user.teams.filter((teamId) => teamId !== team.teamId) });
  }
  state.removeMembership(userId, team.teamId);
  if (behaviour.leavingDeletesKeys) {
    for (const key of state.keysOfUser(userId)) if (key.teamId === team.teamId) state.removeKey(key);
  }
  return { found: true };
}

/** `/team/member_delete`. */
export function memberDelete(call: Call): unknown {
  const teamId = textOf(call.body, 'team_id') ?? '';
  const team = call.state.teams.get(teamId);
  if (team === undefined) throw detailError(400, `Team id=${teamId} does not exist in db`);
  refuseOutsider(call, team, '/team/member_delete');
  const { userId, email } = namedMember(call.body);
  const ids = addressed(call.state, team, userId, email);
  const found = ids.map((id) => removeFromTeam(call, team, id)).some((removal) => removal.found);
  if (!found && call.behaviour.duplicateMemberRefused) throw detailError(400, 'User not found in team');
  return teamShape(team);
}

/** Ids of the users that a request means: roster entries by id or email, else the users themselves. */
export function addressed(state: State, team: TeamRow, userId: string | null, email: string | null): string[] {
  const inRoster = [...team.roster.values()].filter(
    (member) => member.userId === userId || (email !== null && member.email === email),
  );
  if (inRoster.length > 0) return inRoster.map((member) => member.userId);
  if (userId !== null) return [userId];
  return state.usersByEmail(email ?? '').flatMap((user) => (user.email === email ? user.userId : []));
}

/** 403 for whoever is neither an administrator nor an admin of the team. */
export function refuseOutsider(call: Call, team: TeamRow, route: string): void {
  const { caller } = call;
  if (caller.role === 'proxy_admin') return;
  if (caller.userId !== null && team.roster.get(caller.userId)?.role === 'admin') return;
  const reason = 'Call not allowed. User not proxy admin OR team admin.';
  throw detailError(403, `${reason} route=${route}, team_id=${team.teamId}`);
}

/** Makes `default_user_id` (or the administrator that calls) the admin of a new team. */
export function joinCreator(call: Call, team: TeamRow): void {
  const userId = call.caller.userId ?? MASTER_USER_ID;
  addMembers(call, team.teamId, [{ userId, email: null, role: 'admin' }], true);
}
