import { type Call, MASTER_USER_ID, newId } from './context.ts';
import { detailError, proxyError, pythonString, Refusal } from './refusal.ts';
import { listedUserShape } from './shapes.ts';
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
  /** Users as LiteLLM's upsert returned them: as they were before they joined (new ones: as made), before 1.106 afterwards. */
  readonly users: readonly Record<string, unknown>[];
}

/** What joining needs to know of a call. */
export type JoinCall = Pick<Call, 'state' | 'behaviour' | 'cache'>;

/**
 * `/team/member_add`: the roster decides who is in. Who stands in it is refused (one) or skipped (of several), even
 * where `user.teams` lacks the team: that half is not mended. A team that stands in `user.teams` only gets its roster
 * entry. An unknown user id or email becomes a new user. Before 1.106 nobody is skipped: `user.teams` is mended, or gets
 * the team once more. From 1.82 on an entry with the same email keeps the user out of the roster, call after call: an
 * entry of another user id, that is, for the call's own words are compared first.
 */
export function addMembers(call: JoinCall, teamId: string, members: readonly NamedMember[], single: boolean): Joined {
  const { state, behaviour } = call;
  const team = state.teams.get(teamId);
  if (team === undefined) throw unknownTeam(behaviour, teamId);
  const roster = new RosterIndex(team);
  if (behaviour.duplicateMemberRefused) refuseDuplicates(roster, members, single);
  const users: Record<string, unknown>[] = [];
  for (const member of members.map((named) => resolve(state, behaviour, named))) {
    const known = roster.has(member);
    if (known && behaviour.joiningLooksFirst) continue;
    users.push(join(call, team, member, known));
    roster.note(member);
  }
  return { team, users };
}

/** Makes `default_user_id` (or the administrator that calls) the admin of a new team. */
export function joinCreator(call: Call, team: TeamRow): void {
  const userId = call.caller.userId ?? MASTER_USER_ID;
  addMembers(call, team.teamId, [{ userId, email: null, role: 'admin' }], true);
}

/** Who stands in a roster, by user id or by email as written there. */
class RosterIndex {
  readonly team: TeamRow;
  #emails: Set<string | null> | null = null;

  constructor(team: TeamRow) {
    this.team = team;
  }

  has(member: NamedMember): boolean {
    return this.hits(member) > 0;
  }

  /** Once by the id and once by the email: LiteLLM counts both, and refuses a single member who is found once. */
  hits({ userId, email }: NamedMember): number {
    const byId = userId !== null && this.team.roster.has(userId) ? 1 : 0;
    if (email === null) return byId;
    this.#emails ??= new Set([...this.team.roster.values()].map((member) => member.email));
    return byId + (this.#emails.has(email) ? 1 : 0);
  }

  note({ email }: NamedMember): void {
    this.#emails?.add(email);
  }
}

function unknownTeam(behaviour: Behaviour, teamId: string): Refusal {
  if (!behaviour.unknownTeamIs404) return new Refusal(500, 'Internal Server Error', 'text/plain; charset=utf-8');
  return detailError(404, unknownTeamMessage(teamId));
}

export function unknownTeamMessage(teamId: string): string {
  return `Team doesn't exist in db. Team=${teamId}. Create team via \`/team/new\` call.`;
}

function refuseDuplicates(roster: RosterIndex, members: readonly NamedMember[], single: boolean): void {
  const hits = members.reduce((sum, member) => sum + roster.hits(member), 0);
  if (hits !== members.length) return;
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
export function resolve(state: State, behaviour: Behaviour, member: NamedMember): NamedMember {
  if (member.userId !== null) {
    const known = behaviour.rosterEmails ? (state.users.get(member.userId)?.email ?? null) : null;
    return { ...member, email: member.email ?? known };
  }
  const sameLetters = state.usersByEmail(member.email ?? '');
  const matches = behaviour.joinsByAnyCase ? sameLetters : sameLetters.filter((user) => user.email === member.email);
  if (matches.filter((user) => user.email === member.email).length > 1) throw severalUsers(behaviour, member);
  return { ...member, userId: matches[0]?.userId ?? null };
}

function severalUsers({ unknownTeamIs404 }: Behaviour, { email }: NamedMember): Refusal {
  const remedy = "Please use 'user_id' instead.";
  return unknownTeamIs404
    ? detailError(400, `Multiple users found with email '${email}'. ${remedy}`)
    : detailError(500, `Unable to add user, for reason - 400: Multiple users with this email found in db. ${remedy}`);
}

/** @param known Whether the roster has an entry of this id, or with this email. */
function join(call: JoinCall, team: TeamRow, member: NamedMember, known: boolean): Record<string, unknown> {
  const { state, behaviour } = call;
  const userId = member.userId ?? newId();
  const existing = state.users.get(userId);
  const user = existing ?? createMember(state, team, userId, member.userId === null ? member.email : null);
  const before = listedUserShape({ ...user, teams: [...user.teams] }, behaviour);
  const appends = existing !== undefined && !(behaviour.joiningLooksFirst && user.teams.includes(team.teamId));
  if (appends) state.changeUser(user, { teams: [...user.teams, team.teamId] });
  const times = behaviour.duplicateMemberRefused ? 1 : (team.roster.get(userId)?.times ?? 0) + 1;
  if (!known || times > 1) state.setMember(team, { userId, email: member.email, role: member.role, times });
  if (behaviour.membershipRecords) state.addMembership(userId, team.teamId);
  return behaviour.joiningLooksFirst ? before : listedUserShape(user, behaviour);
}

/** LiteLLM's default for a user that joining makes: role internal_user. */
function createMember(state: State, team: TeamRow, userId: string, email: string | null): UserRow {
  return state.addUser({ userId, email, role: 'internal_user', teams: [team.teamId] });
}
