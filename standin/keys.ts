import { type Call, numberOf, type Route, textOf, textsOf } from './context.ts';
import { listKeys } from './key-list.ts';
import { authError, proxyError, type Refusal, wrappedError } from './refusal.ts';
import { keyShape } from './shapes.ts';
import { makeKey } from './state.ts';
import type { KeyRow } from './types.ts';
import { list, object, optional, rule, text } from './validate.ts';
import type { Behaviour } from './versions.ts';

const isFilled = (value: unknown): boolean => Array.isArray(value) && value.length > 0;

export const keyRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/key/generate',
    access: 'key',
    body: object({ user_id: optional(text), team_id: optional(text), key_alias: optional(text), key: optional(text) }),
    answer: generateKey,
  },
  {
    method: 'POST',
    path: '/key/update',
    access: 'key',
    body: object(
      { key: optional(text), team_id: optional(text), key_alias: optional(text) },
      {
        rule: rule((body) => (body.key ?? body.key_alias ?? null) !== null, 'either key or key_alias must be provided'),
      },
    ),
    answer: updateKey,
  },
  {
    method: 'POST',
    path: '/key/delete',
    access: 'key',
    body: object(
      { keys: optional(list(text)), key_aliases: optional(list(text)) },
      {
        rule: rule(
          (body) => isFilled(body.keys) || isFilled(body.key_aliases),
          "At least one of 'keys' or 'key_aliases' must be provided.",
        ),
      },
    ),
    answer: deleteKeys,
  },
  { method: 'GET', path: '/key/list', access: 'key', answer: listKeys },
  { method: 'GET', path: '/key/info', access: 'key', answer: keyInfo },
];

/** A new key as `/key/generate` and `/user/new` answer it; without a row: that no key was made. */
export function newKeyShape(row: KeyRow | null, secret: string, userId: string | null): Record<string, unknown> {
  const named = row?.createdBy ?? null;
  return {
    key: secret,
    key_alias: row?.alias ?? null,
    key_name: row?.name ?? null,
    token: named === null ? null : (row?.hash ?? null),
    token_id: named === null ? null : (row?.hash ?? null),
    user_id: userId,
    team_id: row?.teamId ?? null,
    duration: null,
    expires: null,
    models: [],
    spend: 0,
    max_budget: row?.maxBudget ?? null,
    metadata: {},
    created_by: named,
    updated_by: named,
    created_at: row?.createdAt ?? null,
    updated_at: row?.updatedAt ?? null,
  };
}

/** A `key` value that exists already: 200 that claims success and changes nothing. */
function generateKey(call: Call): unknown {
  const { state, body, caller } = call;
  const userId = textOf(body, 'user_id') ?? (caller.keyHash === null ? null : caller.userId);
  if (caller.role !== 'proxy_admin' && userId !== caller.userId) {
    const message = `User can only create keys for themselves. Got user_id=${userId}, Your ID=${caller.userId}`;
    throw proxyError(403, message, 'internal_server_error', null);
  }
  const alias = textOf(body, 'key_alias');
  if (alias !== null) refuseTakenAlias(call, alias, null);
  const secret = textOf(body, 'key') ?? makeKey();
  refuseBadKey(secret);
  const wanted = { alias, teamId: textOf(body, 'team_id'), maxBudget: numberOf(body, 'max_budget') };
  const existing = state.findKey(secret);
  if (existing !== undefined) return newKeyShape({ ...existing, ...wanted, userId }, secret, userId);
  return newKeyShape(state.addKey({ secret, userId, createdBy: caller.userId, ...wanted }), secret, userId);
}

function refuseBadKey(secret: string): void {
  if (!secret.startsWith('sk-')) {
    const shown = `${secret.slice(0, 4)}****${secret.slice(-4)}`;
    throw wrappedError(400, `Invalid key format. LiteLLM Virtual Key must start with 'sk-'. Received: ${shown}`);
  }
  if (secret.length < 16) {
    throw wrappedError(400, 'Invalid key format. LiteLLM Virtual Key must be at least 16 characters long.');
  }
}

function refuseTakenAlias({ state }: Call, alias: string, own: KeyRow | null): void {
  if (state.keysByAlias(alias).every((key) => key === own)) return;
  const message = `Key with alias '${alias}' already exists. Unique key aliases across all keys are required.`;
  throw proxyError(400, message, 'bad_request_error', 'key_alias');
}

/** A key moves to a team once its owner stands in that team's roster. */
function updateKey(call: Call): unknown {
  const { state, body, behaviour } = call;
  const named = textOf(body, 'key') ?? state.keysByAlias(textOf(body, 'key_alias') ?? '')[0]?.hash ?? '';
  const key = state.findKey(named);
  if (key === undefined || !owns(call, key)) throw noSuchKey(behaviour, named);
  const alias = textOf(body, 'key_alias');
  if (alias !== null) refuseTakenAlias(call, alias, key);
  const teamId = textOf(body, 'team_id');
  if (teamId !== null && behaviour.managementV1) refuseForeignTeam(call, key, teamId);
  state.changeKey(key, { ...(alias === null ? {} : { alias }), ...(teamId === null ? {} : { teamId }) });
  return { key: named, ...keyShape(key) };
}

function noSuchKey(behaviour: Behaviour, named: string): Refusal {
  if (behaviour.managementV1) return proxyError(404, 'Key not found.', 'not_found_error', 'key');
  const reason = `invalid user key - user key does not exist in db. User Key=${named}`;
  return authError(401, `Authentication Error: ${reason}`);
}

function refuseForeignTeam({ state }: Call, key: KeyRow, teamId: string): void {
  const team = state.teams.get(teamId);
  if (team === undefined) {
    const error = `"Team doesn't exist in db. Team=${teamId}. Create team via \`/team/new\` call."`;
    throw authError(404, `{'error': ${error}}`);
  }
  if (key.userId !== null && !team.roster.has(key.userId)) {
    throw authError(
      403,
      `User=${key.userId} is not a member of the team=${teamId}. Check team members via \`/team/info\`.`,
    );
  }
}

/** Deletes what it finds; answers with the names as given. None found: 404. */
function deleteKeys(call: Call): unknown {
  const { state, body } = call;
  const names = [...textsOf(body, 'keys'), ...textsOf(body, 'key_aliases')];
  const byName = textsOf(body, 'keys').flatMap((name) => state.findKey(name) ?? []);
  const byAlias = textsOf(body, 'key_aliases').flatMap((alias) => state.keysByAlias(alias));
  const keys = [...byName, ...byAlias].filter((key) => owns(call, key));
  if (keys.length === 0) throw wrappedError(404, 'No keys found');
  for (const key of keys) state.removeKey(key);
  return { deleted_keys: names };
}

function owns({ caller }: Call, key: KeyRow): boolean {
  return caller.role === 'proxy_admin' || (key.userId !== null && key.userId === caller.userId);
}

/** Without `key`: the caller's own. The master key is in no database: 404. */
function keyInfo(call: Call): unknown {
  const named = call.query.get('key') ?? call.caller.keyHash;
  const key = named === null ? undefined : call.state.findKey(named);
  if (key === undefined) throw proxyError(404, 'Key not found in database', 'not_found_error', 'key');
  const { token: _token, ...info } = keyShape(key);
  return { key: named, info };
}
