import type { Call } from './context.ts';
import { authError, proxyError } from './refusal.ts';
import { keyShape, teamShape, userShape } from './shapes.ts';

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
  if (user === undefined && !behaviour.managementV1)
    return { user_id: userId, user_info: { spend: 0 }, keys: [], teams: [] };
  if (user === undefined) throw proxyError(404, `User ${userId} not found`, 'internal_server_error', null);
  const everything = mayRead(call) && !query.has('user_id');
  const keys = everything ? [...state.keys.values()] : state.keysOfUser(userId);
  const teamRows = everything
    ? [...state.teams.values()]
    : user.teams.flatMap((teamId) => state.teams.get(teamId) ?? []);
  return { user_id: userId, user_info: userShape(user), keys: keys.map(keyShape), teams: teamRows.map(teamShape) };
}

export function userInfoV2(call: Call): unknown {
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
