import type { AuthCache } from './auth-cache.ts';
import { type Access, MASTER_USER_ID } from './context.ts';
import { authError, proxyError } from './refusal.ts';
import { hashKey } from './state.ts';
import type { Caller } from './types.ts';
import type { Behaviour } from './versions.ts';

/** Whose key this is; 401 without one, with a malformed, an unknown or a blocked one, and for a deactivated owner. */
export function identify(
  cache: AuthCache,
  behaviour: Behaviour,
  masterKey: string,
  authorization: string | undefined,
): Caller {
  if (authorization === undefined) throw authError(401, 'Authentication Error, No api key passed in.');
  const key = authorization.replace(/^bearer\s+/i, '').trim();
  if (key === '' || key.toLowerCase() === 'bearer') {
    const reason = 'Malformed API Key passed in. Ensure Key has `Bearer ` prefix.';
    throw authError(401, `Authentication Error, ${reason}`);
  }
  if (key === masterKey) return { userId: MASTER_USER_ID, role: 'proxy_admin', keyHash: null };
  if (!key.startsWith('sk-')) throw noVirtualKey(key, behaviour);
  const found = cache.find(hashKey(key));
  if (found === undefined) throw unknownKey(key);
  const { userId, hash, blocked } = found.key;
  if (blocked) {
    const hint = `Key is blocked. Update via \`/key/unblock\` if ${behaviour.blockedKeyHint}`;
    throw authError(401, `Authentication Error, ${hint}`);
  }
  if (found.deactivated && behaviour.deactivationEnforced) {
    const reason = `User=${userId} has been deactivated via SCIM. Keys owned by this user cannot be used.`;
    throw authError(401, `Authentication Error, ${reason}`);
  }
  return { userId, role: found.role, keyHash: hash };
}

function noVirtualKey(key: string, { maskedKeys, namesServerErrors }: Behaviour): Error {
  const shown = maskedKeys ? '****' : key;
  const message = `LiteLLM Virtual Key expected. Received=${shown}, expected to start with 'sk-'.`;
  return authError(401, namesServerErrors ? `Authentication Error, ${message}` : message);
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
  '/v1/models',
  '/chat/completions',
];
const VIEWER_READS = [...SELF_SERVICE, '/user/list', '/health/readiness/details'];
const VIEWER_READS_MORE = [...VIEWER_READS, '/invitation/info', '/spend/users'];

/** Before 1.82 these did not get to decide. */
const ONCE_ADMIN_ONLY = ['/user/list', '/invitation/new', '/invitation/delete'];
const KEY_WRITES = /^\/key\/(generate|update|delete|block|unblock|bulk_update)$/;

/** 401 or 403 where the caller's role may not use the route at all. */
export function authorize(caller: Caller, path: string, access: Access, behaviour: Behaviour): void {
  if (caller.role === 'proxy_admin') return;
  if (caller.role === 'proxy_admin_viewer') {
    const reads = behaviour.viewerReadsMore ? VIEWER_READS_MORE : VIEWER_READS;
    const decides = path === '/key/bulk_update' && !behaviour.viewerReadsMore;
    if (reads.includes(path) || decides) return;
    throw authError(403, viewerMessage(path, behaviour));
  }
  const viewsOnly = caller.role === 'internal_user_viewer' && KEY_WRITES.test(path);
  const onceAdminOnly = !behaviour.routesDecide && ONCE_ADMIN_ONLY.includes(path);
  if (access === 'key' && !viewsOnly && !onceAdminOnly) return;
  const rule = 'Only proxy admin can be used to generate, delete, update info for new keys/users/teams.';
  const who = `Your role=${caller.role ?? 'unknown'}. Your user_id=${masked(caller.userId ?? '', behaviour)}`;
  throw authError(401, `Authentication Error, ${rule} Route=${path}. ${who}`);
}

/** LiteLLM shows six characters at the front and two at the end; newer ones nothing of a short id. */
function masked(userId: string, { shortIdsMasked }: Behaviour): string {
  const hidden = userId.length - 8;
  if (hidden > 0) return `${userId.slice(0, 6)}${'*'.repeat(hidden)}${userId.slice(-2)}`;
  return shortIdsMasked ? '*'.repeat(userId.length) : userId;
}

function viewerMessage(path: string, { passwordRefused }: Behaviour): string {
  const message = `user not allowed to access this route, role= proxy_admin_viewer. Trying to access: ${path}`;
  if (path !== '/user/update') return message;
  const allowed = passwordRefused ? 'user_email' : 'user_email and password';
  return `${message} and updating invalid param: user_id. only ${allowed} can be updated`;
}
