import { type Call, newId, numberOf, teamIdsOf, textOf, textsOf } from './context.ts';
import { addMembers } from './joining.ts';
import { newKeyShape } from './keys.ts';
import { proxyError, Refusal, wrappedError } from './refusal.ts';
import { makeKey, type NewUserRow } from './state.ts';
import type { KeyRow, UserRow } from './types.ts';
import { type Body, flag, optional, role, rule, teams, text } from './validate.ts';

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

export const LICENSE_MESSAGE = 'License is over limit. Please contact support@berri.ai to upgrade your license.';

export function newUser(call: Call): unknown {
  const { state, body } = call;
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
  const teamsNow = answeredTeams(call, user, wanted);
  return {
    ...shape,
    team_id: user.teamId,
    ...answered,
    teams: teamsNow,
    user_alias: user.alias,
    max_budget: user.maxBudget,
  };
}

/** What the answer says of teams: those joined (1.106), nothing (1.75), those asked for (1.55). */
function answeredTeams({ behaviour, body }: Call, user: UserRow, wanted: readonly string[] | null): unknown {
  if (behaviour.managementV1) return wanted === null ? null : user.teams;
  return behaviour.newUserJoinsRosters ? null : teamIdsOf(body);
}

function refuseDuplicates({ state, behaviour }: Call, userId: string, email: string | null): void {
  if (behaviour.duplicateIdRefused && state.users.has(userId)) {
    throw wrappedError(409, `User with id ${userId} already exists`);
  }
  const [taken] = email ? state.usersByEmail(email.trim()) : [];
  if (behaviour.duplicateEmail !== null && taken !== undefined) {
    throw wrappedError(behaviour.duplicateEmail, `User with email ${taken.email} already exists`);
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
