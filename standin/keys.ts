import { type Call, type Route, textOf, textsOf } from './context.ts';
import { blockKey, bulkUpdateKeys, owns, refuseTakenAlias, unblockKey, updateKey } from './key-changes.ts';
import { listKeys } from './key-list.ts';
import { badLifetime, expiryOf, LIMIT_FIELDS, limitsOf, periodFault } from './limits.ts';
import { proxyError, wrappedError } from './refusal.ts';
import { keyShape } from './shapes.ts';
import { makeKey } from './state.ts';
import type { KeyRow } from './types.ts';
import { type Check, flag, list, object, optional, required, rule, text } from './validate.ts';
import type { Behaviour } from './versions.ts';

const isFilled = (value: unknown): boolean => Array.isArray(value) && value.length > 0;

const CHANGES = { team_id: optional(text), key_alias: optional(text), blocked: optional(flag), ...LIMIT_FIELDS };
const byName = object(
  { key: optional(text), ...CHANGES },
  { rule: rule((body) => (body.key ?? body.key_alias ?? null) !== null, 'either key or key_alias must be provided') },
);
const byKey = object({ key: required(text), ...CHANGES });
const keyUpdate: Check = (value, loc, behaviour) =>
  (behaviour.keyUpdateByAlias ? byName : byKey)(value, loc, behaviour);
const named = object({ key: required(text) });

export const keyRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/key/generate',
    access: 'key',
    body: object({
      user_id: optional(text),
      team_id: optional(text),
      key_alias: optional(text),
      key: optional(text),
      duration: optional(text),
      ...LIMIT_FIELDS,
    }),
    answer: generateKey,
  },
  { method: 'POST', path: '/key/update', access: 'key', body: keyUpdate, answer: updateKey },
  {
    method: 'POST',
    path: '/key/bulk_update',
    access: 'key',
    body: object({ keys: required(list(object({ key: required(text), ...CHANGES }))) }),
    answer: bulkUpdateKeys,
    since: (behaviour) => behaviour.bulkKeyUpdate,
  },
  { method: 'POST', path: '/key/block', access: 'key', body: named, answer: blockKey },
  { method: 'POST', path: '/key/unblock', access: 'key', body: named, answer: unblockKey },
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
  const creator = row?.createdBy ?? null;
  return {
    key: secret,
    key_alias: row?.alias ?? null,
    key_name: row?.name ?? null,
    token: creator === null ? null : (row?.hash ?? null),
    token_id: creator === null ? null : (row?.hash ?? null),
    user_id: userId,
    team_id: row?.teamId ?? null,
    duration: null,
    expires: row?.expires ?? null,
    models: row?.models ?? [],
    spend: 0,
    max_budget: row?.maxBudget ?? null,
    budget_duration: row?.budgetDuration ?? null,
    tpm_limit: row?.tpmLimit ?? null,
    rpm_limit: row?.rpmLimit ?? null,
    metadata: row?.metadata ?? {},
    created_by: creator,
    updated_by: creator,
    created_at: row?.createdAt ?? null,
    updated_at: row?.updatedAt ?? null,
  };
}

/** A `key` value that exists already: 200 that claims success and changes nothing. */
function generateKey(call: Call): unknown {
  const { state, body, caller, behaviour } = call;
  const userId = textOf(body, 'user_id') ?? (caller.keyHash === null ? null : caller.userId);
  if (caller.role !== 'proxy_admin' && userId !== caller.userId) {
    const message = `User can only create keys for themselves. Got user_id=${userId}, Your ID=${caller.userId}`;
    throw proxyError(403, message, 'internal_server_error', null);
  }
  const alias = textOf(body, 'key_alias');
  if (alias !== null) refuseTakenAlias(call, alias, null);
  const secret = textOf(body, 'key') ?? makeKey();
  refuseBadKey(secret, behaviour);
  const expires = lifetimeOf(call);
  const metadata = { ...(body.metadata as Record<string, unknown> | null) };
  const wanted = { alias, teamId: textOf(body, 'team_id'), ...limitsOf(body), expires, metadata };
  const existing = state.findKey(secret);
  if (existing !== undefined) return newKeyShape({ ...existing, ...wanted, userId }, secret, userId);
  return newKeyShape(state.addKey({ secret, userId, createdBy: caller.userId, ...wanted }), secret, userId);
}

/** When the key expires; 400 and 500 for a lifetime or a budget's period that cannot be. */
function lifetimeOf({ body, behaviour }: Call): string | null {
  const expires = expiryOf(textOf(body, 'duration'));
  const period = behaviour.keyPeriodChecked === 'as an expiry' ? expiryOf(textOf(body, 'budget_duration')) : null;
  if (expires === undefined || period === undefined) {
    throw badLifetime();
  }
  const fault = behaviour.keyPeriodChecked === 'yes' ? periodFault(body, behaviour) : null;
  if (fault !== null) throw wrappedError(400, fault);
  return expires;
}

function refuseBadKey(secret: string, { keyFormat }: Behaviour): void {
  if (keyFormat === 'any') return;
  if (!secret.startsWith('sk-')) {
    const shown = `${secret.slice(0, 4)}****${secret.slice(-4)}`;
    throw wrappedError(400, `Invalid key format. LiteLLM Virtual Key must start with 'sk-'. Received: ${shown}`);
  }
  if (secret.length < 16 && keyFormat !== 'prefix') {
    throw wrappedError(400, 'Invalid key format. LiteLLM Virtual Key must be at least 16 characters long.');
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
  for (const key of keys) {
    state.removeKey(key);
    call.cache.dropKey(key.hash);
  }
  return { deleted_keys: names };
}

/** Without `key`: the caller's own. The master key is in no database: 404. From 1.106 on deleted keys are shown, too. */
function keyInfo({ state, query, caller, behaviour }: Call): unknown {
  const name = query.get('key') ?? caller.keyHash;
  const key = name === null ? undefined : state.findKey(name);
  const deleted = name === null || !behaviour.deletedKeysShown ? undefined : state.archive.get(name);
  const row = key ?? deleted;
  if (row === undefined) throw proxyError(404, 'Key not found in database', 'not_found_error', 'key');
  const { token: _token, ...info } = keyShape(row);
  const status = behaviour.deletedKeysShown ? { status: key === undefined ? 'deleted' : 'active' } : {};
  return { key: name, info: { ...info, ...status } };
}
