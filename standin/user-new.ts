import { type Call, newId, numberOf, teamIdsOf, textOf } from './context.ts';
import { addMembers } from './joining.ts';
import { newKeyShape } from './keys.ts';
import { badLifetime, expiryOf, internalBudget, LIMIT_FIELDS, limitsOf, periodFault } from './limits.ts';
import { proxyError, Refusal, wrappedError } from './refusal.ts';
import { makeKey, type NewUserRow } from './state.ts';
import type { KeyRow, Limits, UserRow } from './types.ts';
import { type Body, type Check, flag, optional, role, rule, teams, text } from './validate.ts';

const noPassword = rule(
  () => false,
  'password cannot be set via /user/new. Users set their own password through an invitation link (POST /invitation/new).',
);
const password: Check = (value, loc, behaviour) =>
  behaviour.passwordRefused ? noPassword(value, loc, behaviour) : text(value, loc, behaviour);

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
  duration: optional(text),
  password: optional(password),
  ...LIMIT_FIELDS,
};

export const LICENSE_MESSAGE = 'License is over limit. Please contact support@berri.ai to upgrade your license.';

export function newUser(call: Call): unknown {
  const { state, body } = call;
  const userId = textOf(body, 'user_id') ?? newId();
  refuseDuplicates(call, userId, textOf(body, 'user_email'));
  refuseBadPeriods(call);
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
    budget_duration: user.budgetDuration,
  };
}

/** A bad lifetime of the key refuses the user, too. */
function refuseBadPeriods({ body, behaviour }: Call): void {
  const fault = periodFault(body, behaviour);
  if (fault !== null) {
    throw behaviour.periodsChecked ? wrappedError(400, fault) : proxyError(500, fault, 'internal_server_error', null);
  }
  if (body.auto_create_key !== false && expiryOf(textOf(body, 'duration')) === undefined) throw badLifetime();
}

/** What the answer says of teams: those joined (from 1.106 on), nothing (from 1.75 on), those asked for (1.55). */
function answeredTeams({ behaviour, body }: Call, user: UserRow, wanted: readonly string[] | null): unknown {
  if (behaviour.newUserAnswersTeams) return wanted === null ? null : user.teams;
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
export function userRowOf(
  call: Pick<Call, 'newUserDefaults' | 'internalUserBudget'>,
  body: Body,
  userId: string,
): NewUserRow {
  const role = textOf(body, 'user_role') ?? call.newUserDefaults.role ?? null;
  const limits = limitsOf(body);
  return {
    userId,
    email: textOf(body, 'user_email'),
    alias: textOf(body, 'user_alias'),
    role,
    teamId: textOf(body, 'team_id'),
    spend: numberOf(body, 'spend') ?? 0,
    metadata: (body.metadata ?? {}) as Record<string, unknown>,
    ...limits,
    ...internalBudget(role, filled(limits), call.internalUserBudget),
  };
}

/** Without what is `null`: a new user's `null` keeps no default away. */
function filled(limits: Limits): Partial<Limits> {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== null));
}

/** Teams to join: `team_id` wins over `teams`; neither: the proxy's defaults, or `null` where it has none. */
export function wantedTeams(call: Pick<Call, 'newUserDefaults'>, body: Body): readonly string[] | null {
  const teamId = textOf(body, 'team_id');
  return teamId === null ? (teamIdsOf(body) ?? call.newUserDefaults.teams ?? null) : [teamId];
}

/**
 * The key that is made along with a user: bound to a team by `team_id` only, its alias not checked, with a copy of the
 * user's limits but for the budget. `null` for a lifetime that LiteLLM cannot read.
 */
export function keyAlong(call: Call, body: Body, userId: string): { secret: string; row: KeyRow } | null {
  const expires = expiryOf(textOf(body, 'duration'));
  if (expires === undefined) return null;
  const secret = makeKey();
  const named = { alias: textOf(body, 'key_alias'), teamId: textOf(body, 'team_id') };
  const { tpmLimit, rpmLimit, maxParallelRequests, models } = limitsOf(body);
  const limits = { tpmLimit, rpmLimit, maxParallelRequests, models };
  const metadata = { ...(body.metadata as Record<string, unknown> | null) };
  const row = call.state.addKey({ secret, userId, createdBy: null, ...named, ...limits, metadata, expires });
  return { secret, row };
}
