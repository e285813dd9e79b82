import { type Call, objectsOf, textOf } from './context.ts';
import { unknownTeamMessage } from './joining.ts';
import { limitChanges } from './limits.ts';
import { authError, detailError, proxyError, pythonString, Refusal } from './refusal.ts';
import { keyShape } from './shapes.ts';
import { hashKey } from './state.ts';
import type { KeyRow, TeamRow } from './types.ts';
import type { Body } from './validate.ts';

export function owns({ caller }: Call, key: KeyRow): boolean {
  return caller.role === 'proxy_admin' || (key.userId !== null && key.userId === caller.userId);
}

export function refuseTakenAlias({ state }: Call, alias: string, own: KeyRow | null): void {
  if (state.keysByAlias(alias).every((key) => key === own)) return;
  const message = `Key with alias '${alias}' already exists. Unique key aliases across all keys are required.`;
  throw proxyError(400, message, 'bad_request_error', 'key_alias');
}

/** `/key/update`: a key moves to a team once its owner stands in that team's roster. */
export function updateKey(call: Call): unknown {
  const { state, body, behaviour } = call;
  const named = textOf(body, 'key') ?? state.keysByAlias(textOf(body, 'key_alias') ?? '')[0]?.hash ?? '';
  const key = state.findKey(named);
  if (key === undefined || (behaviour.keysGuarded && !owns(call, key))) throw noSuchKey(call, named);
  const alias = textOf(body, 'key_alias');
  if (alias !== null) refuseTakenAlias(call, alias, key);
  const team = teamChange(call, key, body);
  state.changeKey(key, {
    ...(alias === null ? {} : { alias }),
    ...team,
    ...(typeof body.blocked === 'boolean' ? { blocked: body.blocked } : {}),
    ...limitChanges(body, behaviour),
  });
  call.cache.dropKey(key.hash);
  return { key: named, ...keyShape(key) };
}

function noSuchKey({ behaviour }: Call, named: string): Refusal {
  if (behaviour.keysGuarded) return proxyError(404, 'Key not found.', 'not_found_error', 'key');
  const reason = `invalid user key - user key does not exist in db. User Key=${named}`;
  return authError(401, `Authentication Error: ${reason}`);
}

/** `team_id: null` makes a key personal. */
function teamChange(call: Call, key: KeyRow, body: Body): { teamId?: string | null } {
  if (!('team_id' in body)) return {};
  const teamId = textOf(body, 'team_id');
  if (teamId === null) return { teamId };
  if (teamId === '') return emptyTeam(call, key);
  refuseTeam(call, key, teamId);
  return { teamId };
}

function emptyTeam(call: Call, key: KeyRow): { teamId?: string } {
  const { emptyTeamId } = call.behaviour;
  if (emptyTeamId === 'refused') throw noSuchTeam(call, '');
  if (emptyTeamId === 'ignored') return {};
  if (key.teamId !== null) return { teamId: '' };
  throw authError(500, "{'error': 'Team object not found for team change validation'}");
}

function noSuchTeam({ behaviour }: Call, teamId: string): Refusal {
  const message = unknownTeamMessage(teamId);
  if (!behaviour.unknownTeamIs404) return authError(400, `Authentication Error, ${message}`);
  return authError(404, `{'error': ${pythonString(message)}}`);
}

/** The team must be there, serve the key's models, allow its limits and have its owner. */
function refuseTeam(call: Call, key: KeyRow, teamId: string): void {
  const team = call.state.teams.get(teamId);
  if (team === undefined) throw noSuchTeam(call, teamId);
  const lacking = key.models.find((model) => team.models.length > 0 && !team.models.includes(model));
  if (lacking !== undefined) throw modelRefused(call, team, lacking);
  const limit = excess(key, team);
  if (limit !== null) throw authError(403, `Key=${key.hash} has a ${limit}.`);
  if (key.userId === null || team.roster.has(key.userId)) return;
  throw authError(
    403,
    `User=${key.userId} is not a member of the team=${teamId}. Check team members via \`/team/info\`.`,
  );
}

function modelRefused({ behaviour }: Call, team: TeamRow, model: string): Refusal {
  const models = `[${team.models.map(pythonString).join(', ')}]`;
  const old = `team not allowed to access model. This team can only access models=${models}. Tried to access ${model}`;
  const check = 'Check the models available to you and try again.';
  const recent = `The requested model '${model}' is not available for this API key, or the model name is invalid. ${check}`;
  const message = behaviour.modelRefusalNamesTeam ? old : recent;
  return proxyError(behaviour.modelRefusal, message, 'team_model_access_denied', 'model');
}

/** LiteLLM looks at requests a minute only of a key that has tokens a minute, too. */
function excess(key: KeyRow, team: TeamRow): string | null {
  if (key.tpmLimit === null) return null;
  for (const [name, own, most] of [
    ['tpm_limit', key.tpmLimit, team.tpmLimit],
    ['rpm_limit', key.rpmLimit, team.rpmLimit],
  ] as const) {
    if (own && most && own > most) return `${name}=${own} which is greater than the team's ${name}=${most}`;
  }
  return null;
}

/** `/key/bulk_update`: of an item only team and budget count; 200 even when every item failed. */
export function bulkUpdateKeys(call: Call): unknown {
  if (call.caller.role !== 'proxy_admin') throw detailError(403, 'Only proxy admins can perform bulk key updates');
  const items = objectsOf(call.body, 'keys');
  if (items.length === 0) throw detailError(400, 'No keys provided for update');
  if (items.length > 500) {
    throw detailError(400, `Maximum 500 keys can be updated at once. Found ${items.length} keys.`);
  }
  const successful: unknown[] = [];
  const failed: unknown[] = [];
  for (const item of items) {
    const named = textOf(item, 'key') ?? '';
    const key = call.state.findKey(named);
    const reason = key === undefined ? 'Key not found.' : refusedItem(call, key, item);
    const info = key === undefined ? null : withoutToken(key);
    if (reason === null) successful.push({ key: named, key_info: info });
    else failed.push({ key: named, key_info: info, failed_reason: reason });
  }
  return { total_requested: items.length, successful_updates: successful, failed_updates: failed };
}

function withoutToken(key: KeyRow): Record<string, unknown> {
  const { token: _token, ...info } = keyShape(key);
  return info;
}

/** Carries an item out; the proxy's reason where it refuses. Before 1.106 what the item lacks is cleared. */
function refusedItem(call: Call, key: KeyRow, item: Body): string | null {
  const clears = call.behaviour.bulkKeyUpdateClears;
  const full: Body = clears ? { team_id: null, max_budget: null, ...item } : item;
  try {
    const team = teamChange(call, key, full);
    const budget = limitChanges('max_budget' in full ? { max_budget: full.max_budget } : {}, call.behaviour);
    call.state.changeKey(key, { ...team, ...budget });
    call.cache.dropKey(key.hash);
    return null;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { error: refused } = error.body as { error: { message: string } };
    return refused.message.replace(/^\{'error': ["'](.*)["']\}$/, '$1');
  }
}

/** `/key/block`. */
export function blockKey(call: Call): unknown {
  return setBlocked(call, true);
}

/** `/key/unblock`: before 1.82 for the key itself only, not for its hash. */
export function unblockKey(call: Call): unknown {
  return setBlocked(call, false);
}

function setBlocked(call: Call, blocked: boolean): unknown {
  const { state, body, behaviour } = call;
  const named = textOf(body, 'key') ?? '';
  const isHash = !named.startsWith('sk-');
  const key = isHash && !blocked && !behaviour.unblocksByHash ? undefined : state.findKey(named);
  if (key === undefined || (behaviour.keysGuarded && !owns(call, key))) throw notThere(call, named, blocked);
  state.changeKey(key, { blocked });
  call.cache.dropKey(key.hash);
  return keyShape(key);
}

/** Before 1.82 `/key/unblock` hashes whatever it is given. */
function notThere({ behaviour, caller }: Call, named: string, blocked: boolean): Refusal {
  if (!behaviour.keysGuarded) {
    const hash = named.startsWith('sk-') || !blocked ? hashKey(named) : named;
    const reason = `key=${hash}, not found in db. Create key via \`/key/generate\` call.`;
    const message = `Authentication Error, Invalid proxy server token passed. ${reason}`;
    return proxyError(401, message, 'token_not_found_in_db', 'key');
  }
  if (caller.role === 'proxy_admin') return proxyError(404, 'Key not found.', 'not_found_error', 'key');
  return detailError(404, `Key not found: ${named}`);
}
