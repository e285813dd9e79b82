import { type Call, newId, numberOf, objectsOf, type Route, teamIdsOf, textOf, textsOf } from './context.ts';
import { newKeyShape } from './keys.ts';
import { addMembers, removeFromTeam } from './members.ts';
import { authError, detailError, proxyError, Refusal, wrappedError } from './refusal.ts';
import { keyShape, teamShape, userShape } from './shapes.ts';
import { makeKey, type NewUserRow, type State } from './state.ts';
import type { KeyRow, TeamRow, UserRow } from './types.ts';
import { listUsers } from './user-list.ts';
import { type Body, flag, list, namesUser, object, optional, required, role, rule, teams, text } from './validate.ts';

/** The fields of a user that our tools could send, as `/user/new` takes them. */
export const USER_FIELDS = {
  user_id: optional(text),
  user_email: optional(text),
  user_alias: optional(text),
  user_role: optional(role),
  teams: optional(teams),
  team_id: optional(text),
  auto_create_key: optional(flag),
  key_alias: optional(text),
  password: optional(
    rule(
      () => false,
      'password cannot be set via /user/new. Users set their own password through an invitation link (POST /invitation/new).',
    ),
  ),
};

const update = object(
  { user_id: optional(text), user_email: optional(text), user_role: optional(role) },
  { rule: namesUser },
);

export const userRoutes: readonly Route[] = [
  { method: 'GET', path: '/user/list', access: 'key', answer: listUsers },
  { method: 'POST', path: '/user/new', access: 'admin-write', body: object(USER_FIELDS), answer: newUser },
  {
    method: 'POST',
    path: '/user/update',
    access: 'admin-write',
    body: update,
    answer: ({ body, ...call }) => updateUser(call, body),
  },
  {
    method: 'POST',
    path: '/user/bulk_update',
    access: 'admin-write',
    body: object({ users: optional(list(update)) }),
    answer: bulkUpdate,
    since: (behaviour) => behaviour.classicBulk,
  },
  {
    method: 'POST',
    path: '/user/delete',
    access: 'admin-write',
    body: object({ user_ids: required(list(text)) }),
    answer: deleteUsers,
  },
  { method: 'GET', path: '/user/info', access: 'key', answer: userInfo },
  {
    method: 'GET',
    path: '/v2/user/info',
    access: 'key',
    answer: userInfoV2,
    since: (behaviour) => behaviour.managementV1,
  },
];

/** The row that a body makes; what it leaves open comes from the proxy's defaults (never for a proxy_admin). */
export function userRowOf(call: Pick<Call, 'newUserDefaults'>, body: Body, userId: string): NewUserRow {
  return {
    userId,
    email: textOf(body, 'user_email'),
    alias: textOf(body, 'user_alias'),
    role: textOf(body, 'user_role') ?? call.newUserDefaults.role ?? null,
    teamId: textOf(body, 'team_id'),
    maxBudget: numberOf(body, 'max_budget'),
    spend: numberOf(body, 'spend') ?? 0,
    models: textsOf(body, 'models'),
    metadata: (body.metadata ?? {}) as Record<string, unknown>,
  };
}

/** Teams to join: `team_id` wins over `teams`; neither: the proxy's defaults, or `null` where it has none. */
export function wantedTeams(call: Pick<Call, 'newUserDefaults'>, body: Body): readonly string[] | null {
  const teamId = textOf(body, 'team_id');
  return teamId === null ? (teamIdsOf(body) ?? call.newUserDefaults.teams ?? null) : [teamId];
}

/** The key that is made along with a user: bound to a team by `team_id` only, its alias not checked. */
export function keyAlong(call: Call, body: Body, userId: string): { secret: string; row: KeyRow } {
  const secret = makeKey();
  const alias = textOf(body, 'key_alias');
  const row = call.state.addKey({ secret, userId, createdBy: null, alias, teamId: textOf(body, 'team_id') });
  return { secret, row };
}

function newUser(call: Call): unknown {
  const { state, behaviour, body } = call;
  const userId = textOf(body, 'user_id') ?? newId();
  refuseDuplicates(call, userId, textOf(body, 'user_email'));
  if (call.licenseSeats !== null && state.users.size > call.licenseSeats) {
    throw proxyError(403, LICENSE_MESSAGE, 'internal_server_error', null);
  }
  const user = state.users.get(userId) ?? state.addUser(userRowOf(call, body, userId));
  const key = body.auto_create_key === false ? null : keyAlong(call, body, userId);
  const wanted = wantedTeams(call, body);
  for (const teamId of wanted ?? []) joinQuietly(call, user, teamId);
  const shape = newKeyShape(key?.row ?? null, key?.secret ?? '', user.userId);
  const answered = { user_email: textOf(body, 'user_email'), user_role: textOf(body, 'user_role') ?? user.role };
  const teamsNow = behaviour.managementV1 && wanted !== null ? user.teams : teamIdsOf(body);
  return {
    ...shape,
    team_id: user.teamId,
    ...answered,
    teams: teamsNow,
    user_alias: user.alias,
    max_budget: user.maxBudget,
  };
}

export const LICENSE_MESSAGE = 'License is over limit. Please contact support@berri.ai to upgrade your license.';

function refuseDuplicates({ state, behaviour }: Call, userId: string, email: string | null): void {
  const param = behaviour.managementV1 ? null : 'None';
  if (behaviour.duplicateIdRefused && state.users.has(userId)) {
    throw wrappedError(409, `User with id ${userId} already exists`, param);
  }
  const [taken] = email ? state.usersByEmail(email.trim()) : [];
  if (behaviour.duplicateEmail !== null && taken !== undefined) {
    throw wrappedError(behaviour.duplicateEmail, `User with email ${taken.email} already exists`, param);
  }
}

/** A team that cannot be joined is passed over without a word. */
function joinQuietly(call: Call, user: UserRow, teamId: string): void {
  const { state, behaviour } = call;
  if (!behaviour.newUserJoinsRosters && user.teamId === null) {
    if (!user.teams.includes(teamId)) state.changeUser(user, { teams: [...user.teams, teamId] });
    return;
  }
  try {
    addMembers(call, teamId, [{ userId: user.userId, email: user.email, role: 'user' }], true);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

/** `/user/update`: `teams` is ignored; an unknown user id or email makes a user. */
function updateUser(call: Omit<Call, 'body'>, body: Body): unknown {
  const { state } = call;
  const userId = textOf(body, 'user_id');
  const email = textOf(body, 'user_email');
  const known =
    userId === null ? state.usersByEmail(email ?? '').find((user) => user.email === email) : state.users.get(userId);
  const user = known ?? state.addUser({ userId: userId ?? newId(), email });
  state.changeUser(user, changesOf(body));
  if (known === undefined && userId === null) {
    throw authError(400, `Authentication Error, ${NO_GET}`);
  }
  return { user_id: user.userId, data: userShape(user) };
}

const NO_GET = "'LiteLLM_UserTable' object has no attribute 'get'";

function changesOf(body: Body): Partial<UserRow> {
  const email = textOf(body, 'user_email');
  const alias = textOf(body, 'user_alias');
  const newRole = textOf(body, 'user_role');
  const metadata = body.metadata;
  return {
    ...(email === null ? {} : { email }),
    ...(alias === null ? {} : { alias }),
    ...(newRole === null ? {} : { role: newRole }),
    ...(metadata ? { metadata: metadata as Record<string, unknown> } : {}),
  };
}

/** `/user/bulk_update`: 200 even when every row failed. */
function bulkUpdate(call: Call): unknown {
  const users = objectsOf(call.body, 'users');
  if (users.length === 0) {
    const ways = "'users' for individual updates or 'all_users=True' with 'user_updates' for bulk updates";
    throw detailError(400, `Must specify either ${ways}`);
  }
  if (users.length > 500) {
    throw detailError(400, `Maximum 500 users can be updated at once. Found ${users.length} users.`);
  }
  const results = users.map((body) => bulkUpdateRow(call, body));
  const successful = results.filter(({ success }) => success).length;
  const counts = { successful_updates: successful, failed_updates: users.length - successful };
  return { results, total_requested: users.length, ...counts };
}

function bulkUpdateRow(call: Call, body: Body) {
  const row = { user_id: textOf(body, 'user_id'), user_email: textOf(body, 'user_email') };
  try {
    const updated = updateUser(call, body) as { user_id: string };
    return { ...row, user_id: updated.user_id, success: true, error: null, updated_user: updated };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { ...row, success: false, error: NO_GET, updated_user: null };
  }
}

/** `/user/delete`: one unknown id refuses the call, with rosters of the ids before it already edited. */
function deleteUsers(call: Call): unknown {
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
    return team !== undefined && removeFromTeam(call, team, user.userId).found;
  });
}

/** Without `user_id`: the caller, and to an administrator every key and every team. */
function userInfo(call: Call): unknown {
  const { state, query, caller } = call;
  const userId = query.get('user_id') ?? caller.userId ?? '';
  if (!mayRead(call) && userId !== caller.userId) {
    throw authError(
      403,
      `key not allowed to access this user's info. user_id=${userId}, key's user_id=${caller.userId}`,
    );
  }
  const user = state.users.get(userId);
  if (user === undefined) throw proxyError(404, `User ${userId} not found`, 'internal_server_error', null);
  const everything = mayRead(call) && !query.has('user_id');
  const keys = everything ? [...state.keys.values()] : state.keysOfUser(userId);
  const teamRows = everything
    ? [...state.teams.values()]
    : user.teams.flatMap((teamId) => state.teams.get(teamId) ?? []);
  return { user_id: userId, user_info: userShape(user), keys: keys.map(keyShape), teams: teamRows.map(teamShape) };
}

function userInfoV2(call: Call): unknown {
  const { state, query, caller } = call;
  const userId = query.get('user_id') ?? caller.userId ?? '';
  const user = mayRead(call) || userId === caller.userId ? state.users.get(userId) : undefined;
  if (user === undefined) throw proxyError(404, `User not found: ${userId}`, 'internal_server_error', null);
  const { team_id: _teamId, organization_id: _organizationId, model_spend: _modelSpend, ...shape } = userShape(user);
  return shape;
}

function mayRead({ caller }: Call): boolean {
  return caller.role === 'proxy_admin' || caller.role === 'proxy_admin_viewer';
}
