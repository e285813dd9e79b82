import { type Access, MASTER_USER_ID } from './context.ts';
import { authError, proxyError } from './refusal.ts';
import { hashKey, type State } from './state.ts';
import type { Caller } from './types.ts';
import type { Behaviour } from './versions.ts';

/** Whose key this is; 401 without one, with a malformed or an unknown one. */
export function identify(state: State, masterKey: string, authorization: string | undefined): Caller {
  if (authorization === undefined) throw authError(401, 'Authentication Error, No api key passed in.');
  const key = authorization.replace(/^bearer\s+/i, '').trim();
  if (key === '' || key.toLowerCase() === 'bearer') {
    const reason = 'Malformed API Key passed in. Ensure Key has `Bearer ` prefix.';
    throw authError(401, `Authentication Error, ${reason}`);
  }
  if (key === masterKey) return { userId: MASTER_USER_ID, role: 'proxy_admin', keyHash: null };
  if (!key.startsWith('sk-')) {
    throw authError(401, "LiteLLM Virtual Key expected. Received=****, expected to start with 'sk-'.");
  }
  const row = state.findKey(key);
  if (row === undefined) throw unknownKey(key);
  const user = row.userId === null ? undefined : state.users.get(row.userId);
  return { userId: row.userId, role: user?.role ?? null, keyHash: row.hash };
}

function unknownKey(key: string): Error {
  const received = `Received API Key = sk-...${key.slice(-4)}, Key Hash (Token) =${hashKey(key)}.`;
  const reason = 'Unable to find token in cache or `LiteLLM_VerificationTokenTable`';
  const message = `Authentication Error, Invalid proxy server token passed. ${received} ${reason}`;
  return proxyError(401, message, 'token_not_found_in_db', 'key');
}

/** Own matters of anybody with a key; on these the route decides. */
const SELF_SERVICE = [
  '/user/info',
  '/v2/user/info',
  '/key/info',
  '/key/list',
  '/team/info',
  '/team/list',
  '/v2/team/list',
];
const VIEWER_READS = [...SELF_SERVICE, '/user/list', '/invitation/info'];

/** Before 1.106 these did not get to decide. */
const ONCE_ADMIN_ONLY = ['/user/list', '/invitation/new', '/invitation/delete'];

/** 401 or 403 where the caller's role may not use the route at all. */
export function authorize(caller: Caller, path: string, access: Access, behaviour: Behaviour): void {
  if (caller.role === 'proxy_admin') return;
  if (caller.role === 'proxy_admin_viewer') {
    if (VIEWER_READS.includes(path)) return;
    throw authError(403, viewerMessage(path));
  }
  const viewsOnly = caller.role === 'internal_user_viewer' && /^\/key\/(generate|update|delete)$/.test(path);
  const onceAdminOnly = !behaviour.managementV1 && ONCE_ADMIN_ONLY.includes(path);
  if (access === 'key' && !viewsOnly && !onceAdminOnly) return;
  const rule = 'Only proxy admin can be used to generate, delete, update info for new keys/users/teams.';
  const who = `Your role=${caller.role ?? 'unknown'}. Your user_id=${masked(caller.userId ?? '')}`;
  throw authError(401, `Authentication Error, ${rule} Route=${path}. ${who}`);
}

/** LiteLLM shows six characters at the front and two at the end, and nothing of a short id. */
function masked(userId: string): string {
  const hidden = userId.length - 8;
  return hidden > 0 ? `${userId.slice(0, 6)}${'*'.repeat(hidden)}${userId.slice(-2)}` : '*'.repeat(userId.length);
}

function viewerMessage(path: string): string {
  const message = `user not allowed to access this route, role= proxy_admin_viewer. Trying to access: ${path}`;
  if (path !== '/user/update') return message;
  return `${message} and updating invalid param: user_id. only user_email can be updated`;
}
