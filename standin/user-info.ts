import type { Call } from './context.ts';
import { authError, detailError, proxyError } from './refusal.ts';
import { keyShape, teamShape, userShape, wholeUserShape } from './shapes.ts';
import { by } from './sorting.ts';
import type { UserRow } from './types.ts';

/** Without `user_id`: the caller, and to an administrator every key and every team. A stranger is no error on the old ones. */
export function userInfo(call: Call): unknown {
  const { state, query, caller, behaviour } = call;
  const userId = query.get('user_id') ?? caller.userId ?? '';
  if (!mayRead(call) && userId !== caller.userId) {
    throw authError(
      403,
      `key not allowed to access this user's info. user_id=${userId}, key's user_id=${caller.userId}`,
    );
  }
  const user = state.users.get(userId);
  if (user === undefined && !behaviour.unknownUserRefused)
    return { user_id: userId, user_info: { spend: 0 }, keys: [], teams: [] };
  if (user === undefined) throw proxyError(404, `User ${userId} not found`, 'internal_server_error', null);
  const everything = mayRead(call) && !query.has('user_id');
  const keys = everything ? [...state.keys.values()] : state.keysOfUser(userId);
  const teamRows = everything
    ? [...state.teams.values()]
    : user.teams.flatMap((teamId) => state.teams.get(teamId) ?? []);
  const info = wholeUserShape(user, behaviour);
  return { user_id: userId, user_info: info, keys: keys.map(keyShape), teams: teamRows.map(teamShape) };
}

export function userInfoV2(call: Call): unknown {
  const { state, query, caller, behaviour } = call;
  const userId = query.get('user_id') ?? caller.userId ?? '';
  const user = readsAll(call) || userId === caller.userId ? state.users.get(userId) : undefined;
  if (user === undefined) throw proxyError(404, `User not found: ${userId}`, 'internal_server_error', null);
  const { team_id: _teamId, organization_id: _organizationId, model_spend: _modelSpend, ...shape } = userShape(user);
  for (const field of behaviour.managementV1 ? LATER_FIELDS.slice(0, 1) : LATER_FIELDS) delete shape[field];
  return shape;
}

/** Fields that `/v2/user/info` does not show; before 1.106 all of these, then the first only. */
const LATER_FIELDS = ['max_parallel_requests', 'tpm_limit', 'rpm_limit', 'model_max_budget', 'object_permission'];

/**
 * `/spend/users`: everybody in one array, whoever spent most first. Before 1.90 to anybody's key, with the hashes of
 * passwords; from then on to an ordinary key its own user. By `user_id` one user, `[null]` for a stranger.
 */
export function spendOfUsers(call: Call): unknown {
  const { state, query, caller, behaviour } = call;
  const asked = query.get('user_id');
  const ownOnly = behaviour.passwordsHidden && !readsAll(call);
  if (ownOnly && asked !== null && asked !== caller.userId) {
    throw detailError(403, 'Not authorized to view spend for another user.');
  }
  const userId = ownOnly ? (caller.userId ?? '') : asked;
  if (userId !== null) {
    const user = state.users.get(userId);
    return [user === undefined ? null : wholeUserShape(user, behaviour)];
  }
  return [...state.users.values()].sort(by((user) => user.spend, true)).map((user) => spendShape(call, user));
}

function spendShape({ state, behaviour }: Call, user: UserRow): Record<string, unknown> {
  const { object_permission: _objectPermission, ...shape } = wholeUserShape(user, behaviour);
  const aliases = state.keysOfUser(user.userId).map((key) => key.alias);
  const times = { created_at: sqlTime(user.createdAt), updated_at: sqlTime(user.updatedAt) };
  const resetAt = user.budgetResetAt === null ? null : sqlTime(user.budgetResetAt);
  return { ...shape, ...times, budget_reset_at: resetAt, key_aliases: aliases.length === 0 ? [null] : aliases };
}

/** As the database prints it. */
function sqlTime(time: string): string {
  return time.replace('Z', '+00:00');
}

function mayRead(call: Call): boolean {
  return call.caller.role === 'proxy_admin' || (call.behaviour.viewerReadsOthers && readsAll(call));
}

function readsAll({ caller }: Call): boolean {
  return caller.role === 'proxy_admin' || caller.role === 'proxy_admin_viewer';
}
