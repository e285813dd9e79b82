import { type Call, newId, objectsOf, type Route, textOf, textsOf } from './context.ts';
import { removeFromTeam } from './leaving.ts';
import { LIMIT_FIELDS, periodFault } from './limits.ts';
import { namedMember } from './members.ts';
import { problem } from './refusal.ts';
import { leaveAllTeams, removeUser } from './user-delete.ts';
import { keyAlong, LICENSE_MESSAGE, USER_FIELDS, userRowOf, wantedTeams } from './user-new.ts';
import { anything, type Body, list, namesUser, object, optional, required, rule, text } from './validate.ts';

const notSupported = rule(
  (value) => !value,
  'send_invite_email is not supported on /management/v1/users/bulk; invite users separately',
);

const newUser = object(
  {
    ...USER_FIELDS,
    ...LIMIT_FIELDS,
    spend: anything,
    send_invite_email: optional(notSupported),
  },
  { closed: true },
);

const member = object(
  { user_id: optional(text), user_email: optional(text) },
  {
    closed: true,
    rule: (value, loc, behaviour) => {
      const unnamed = namesUser(value, loc, behaviour);
      return unnamed.length > 0 ? unnamed : namedOnce(value, loc, behaviour);
    },
  },
);

const namedOnce = rule(
  (body) => textOf(body, 'user_id') === null || textOf(body, 'user_email') === null,
  'Each member must be identified by exactly one of user_id or user_email',
);

const ROWS = { min: 1, max: 500 };
const TUPLE = { ...ROWS, noun: 'Tuple' };

const since: NonNullable<Route['since']> = (behaviour) => behaviour.managementV1;

export const bulkRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/management/v1/users/bulk',
    access: 'admin-write',
    body: object({ users: required(list(newUser, ROWS)) }, { closed: true }),
    answer: createUsers,
    since,
  },
  {
    method: 'POST',
    path: '/management/v1/users/bulk_delete',
    access: 'key',
    body: object({ user_ids: required(list(text, TUPLE)) }, { closed: true }),
    answer: deleteUsers,
    since,
  },
  {
    method: 'POST',
    path: '/management/v1/teams/{team_id}/members/bulk_delete',
    access: 'key',
    body: object({ members: required(list(member, TUPLE)) }, { closed: true }),
    answer: deleteMembers,
    since,
  },
];

interface NewRow {
  readonly body: Body;
  readonly userId: string;
  readonly email: string | null;
  readonly teams: readonly string[];
}

/** Rows fail one by one; `success: true` with `error` is a user that was created but is in no such team. */
function createUsers(call: Call): unknown {
  const rows = objectsOf(call.body, 'users').map((body) => newRow(call, body));
  const ids = new Set<string>();
  const emails = new Set<string>();
  const errors = rows.map((row) => repeated(row, ids, emails) ?? conflict(call, row));
  const creatable = errors.filter((error) => error === null).length;
  if (call.licenseSeats !== null && creatable > 0 && call.state.users.size + creatable > call.licenseSeats) {
    throw problem(403, 'license-limit-exceeded', 'License limit exceeded', LICENSE_MESSAGE);
  }
  const at = call.state.now();
  const data = rows.map((row, index) => createRow(call, row, errors[index] ?? null, at));
  const meta = { total_requested: rows.length, created: creatable, failed: rows.length - creatable };
  return { data, meta };
}

function newRow(call: Call, body: Body): NewRow {
  const userId = textOf(body, 'user_id') ?? newId();
  return { body, userId, email: textOf(body, 'user_email'), teams: wantedTeams(call, body) ?? [] };
}

/** Remembers the row's id and email; the complaint if an earlier row has one of them. */
function repeated({ userId, email }: NewRow, ids: Set<string>, emails: Set<string>): string | null {
  const key = email?.trim().toLowerCase() ?? '';
  const sameId = ids.has(userId);
  const sameEmail = key !== '' && emails.has(key);
  ids.add(userId);
  emails.add(key);
  if (sameId) return `Duplicate user_id in request: ${userId}`;
  return sameEmail ? `Duplicate user_email in request: ${email}` : null;
}

function conflict({ state, behaviour }: Call, { body, userId, email, teams }: NewRow): string | null {
  if (state.users.has(userId)) return `User id=${userId} already exists`;
  if (email && state.usersByEmail(email).length > 0) return `User email=${email} already exists`;
  const fault = periodFault(body, behaviour);
  if (fault !== null) return fault;
  const unknown = teams.filter((teamId) => !state.teams.has(teamId));
  return unknown.length === 0 ? null : unknown.map((teamId) => `Team id=${teamId} does not exist`).join('; ');
}

function createRow(call: Call, row: NewRow, error: string | null, at: string): Record<string, unknown> {
  const named = { user_id: row.userId, user_email: row.email };
  if (error !== null) return { ...named, success: false, teams: null, key: null, error };
  const { state } = call;
  state.addUser({ ...userRowOf(call, row.body, row.userId), teams: [...row.teams] }, at);
  for (const teamId of row.teams) {
    const team = state.teams.get(teamId);
    if (team === undefined || team.roster.has(row.userId)) continue;
    state.setMember(team, { userId: row.userId, email: row.email, role: 'user', times: 1 });
    state.addMembership(row.userId, teamId);
  }
  if (row.body.auto_create_key !== true) return { ...named, success: true, teams: row.teams, key: null, error: null };
  const key = keyAlong(call, row.body, row.userId);
  const keyError = key === null ? 'Failed to create key: Invalid duration format' : null;
  return { ...named, success: true, teams: row.teams, key: key?.secret ?? null, error: keyError };
}

function deleteUsers(call: Call): unknown {
  refuseNonAdmin(call, 'Only PROXY_ADMIN or ORG_ADMIN users may delete users.');
  const seen = new Set<string>();
  const data = textsOf(call.body, 'user_ids').map((userId) => {
    const again = seen.has(userId);
    seen.add(userId);
    const failed = { user_id: userId, user_email: null, success: false, teams_removed: [] };
    if (again) return { ...failed, error: `Duplicate user_id in request: ${userId}` };
    const user = call.state.users.get(userId);
    if (user === undefined) return { ...failed, error: `User id=${userId} not found` };
    const removed = leaveAllTeams(call, user);
    removeUser(call, user);
    return { user_id: userId, user_email: user.email, success: true, teams_removed: removed, error: null };
  });
  return { data };
}

/** Takes members out of both halves, whichever there is, with their keys of the team. */
function deleteMembers(call: Call): unknown {
  const [teamId = ''] = call.params;
  const team = call.state.teams.get(teamId);
  if (team === undefined)
    throw problem(404, 'team-not-found', 'Team not found', `Team id=${teamId} does not exist in db`);
  const route = `/management/v1/teams/${teamId}/members/bulk_delete`;
  const reason = 'Call not allowed. User not proxy admin OR team admin OR org admin for this team.';
  refuseNonAdmin(call, `${reason} route='${route}'`);
  const seen = new Set<string>();
  const data = objectsOf(call.body, 'members').map((body) => {
    const { userId, email } = namedMember(body);
    const name = JSON.stringify([userId, email]);
    const again = seen.has(name);
    seen.add(name);
    const found = !again && removeFromTeam(call, team, { userId, email });
    const error = again ? 'Duplicate member in request' : 'User not found in team';
    return { user_id: userId, user_email: email, success: found, error: found ? null : error };
  });
  return { data };
}

function refuseNonAdmin({ caller }: Call, reason: string): void {
  if (caller.role !== 'proxy_admin') throw problem(403, 'forbidden', 'Forbidden', reason);
}
