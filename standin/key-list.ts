import type { Call } from './context.ts';
import { authError, proxyError, wrappedError } from './refusal.ts';
import { keyShape } from './shapes.ts';
import { by } from './sorting.ts';
import type { KeyRow } from './types.ts';
import { booleanOf, pageOf, slice } from './validate.ts';

const SORT_COLUMNS: Readonly<Record<string, (key: KeyRow) => string | number | null>> = {
  spend: (key) => key.spend,
  max_budget: (key) => key.maxBudget,
  created_at: (key) => key.createdAt,
  updated_at: (key) => key.updatedAt,
  token: (key) => key.hash,
  key_alias: (key) => key.alias,
};
const MORE_COLUMNS: typeof SORT_COLUMNS = {
  expires: (key) => key.expires,
  last_active: () => null,
  budget_reset_at: (key) => key.budgetResetAt,
  total_spend: (key) => key.spend,
  tpm_limit: (key) => key.tpmLimit,
  rpm_limit: (key) => key.rpmLimit,
};

export function listKeys(call: Call): unknown {
  const { query, behaviour } = call;
  const page = pageOf(query, 'size', 10);
  const full = booleanOf(query, 'return_full_object');
  refuseUnsupported(call);
  const column = query.get('sort_by') ?? 'created_at';
  const columns = behaviour.moreSortColumns ? { ...SORT_COLUMNS, ...MORE_COLUMNS } : SORT_COLUMNS;
  const value = Object.hasOwn(columns, column) ? columns[column] : undefined;
  if (value === undefined) {
    throw wrappedError(400, `Invalid sort column. Must be one of: ${Object.keys(columns).join(', ')}`, 'None');
  }
  const descending = query.get('sort_order')?.toLowerCase() !== 'asc';
  const keys = filteredKeys(call).sort((a, b) => by(value, descending)(a, b) || b.seq - a.seq);
  const shown = slice(keys, page).map((key) => (full && behaviour.fullKeyList ? keyShape(key) : key.hash));
  const pages = Math.ceil(keys.length / page.size);
  return { keys: shown, total_count: keys.length, current_page: page.page, total_pages: pages };
}

/** 1.55 knows five parameters and refuses others; only the master key may ask. */
function refuseUnsupported({ query, behaviour, caller }: Call): void {
  if (behaviour.fullKeyList) return;
  if (caller.keyHash !== null) {
    throw authError(401, 'Authentication Error, Tried to access route=/key/list, which is only for MASTER KEY');
  }
  const supported = ['user_id', 'size', 'key_alias', 'team_id', 'page'];
  const unknown = [...new Set(query.keys())].filter((name) => !supported.includes(name));
  if (unknown.length === 0) return;
  const message = `Unsupported parameter(s): ${unknown.join(', ')}. Supported parameters: ${supported.join(', ')}`;
  throw proxyError(400, message, 'bad_request_error', unknown.join(', '));
}

/** 403 for a filter by another user or a team: a viewer may list all keys, but not ask by name before 1.106. */
function refuseFilters({ state, query, caller, behaviour }: Call): void {
  if (caller.role === 'proxy_admin') return;
  if (caller.role === 'proxy_admin_viewer' && behaviour.viewerReadsOthers) return;
  const userId = query.get('user_id');
  if (userId !== null && userId !== caller.userId) {
    throw proxyError(403, "You are not authorized to check another user's keys", 'bad_request_error', 'user_id');
  }
  const teamId = query.get('team_id');
  if (teamId !== null && !state.teams.get(teamId)?.roster.has(caller.userId ?? '')) {
    throw proxyError(403, "You are not authorized to check this team's keys", 'bad_request_error', 'team_id');
  }
}

function filteredKeys(call: Call): KeyRow[] {
  const { state, query, caller } = call;
  refuseFilters(call);
  const reads = caller.role === 'proxy_admin' || caller.role === 'proxy_admin_viewer';
  const userId = query.get('user_id') ?? (reads ? null : caller.userId);
  const teamId = query.get('team_id');
  const alias = query.get('key_alias');
  const hash = query.get('key_hash');
  const part = booleanOf(query, 'substring_matching') && reads;
  const matches = (value: string | null, wanted: string | null) =>
    wanted === null || (part ? (value?.toLowerCase().includes(wanted.toLowerCase()) ?? false) : value === wanted);
  return candidates().filter(
    (key) =>
      matches(key.userId, userId) &&
      matches(key.alias, alias) &&
      (teamId ?? key.teamId) === key.teamId &&
      (hash ?? key.hash) === key.hash,
  );

  function candidates(): KeyRow[] {
    if (userId !== null && !part) return state.keysOfUser(userId);
    return teamId === null ? [...state.keys.values()] : state.keysOfTeam(teamId);
  }
}
