import { isDeepStrictEqual } from 'node:util';
import type { ActivityResult } from '../apply/ports.ts';
import { AnswerLostError } from '../core/errors.ts';
import type { Http } from './http.ts';
import { findUsers, type Metadata, readMetadata, writeMetadata } from './users.ts';

/** What marks a deactivation as ours, beside LiteLLM's own `scim_active`. */
const MARK = 'litellm_user_sync';

const GONE = 'the user is no longer on the proxy';
const BY_OTHERS = 'somebody else has deactivated the user meanwhile, and only they may take that back';

/**
 * Switches a user's keys off or on. The proxy replaces metadata as a whole, so it is read right before, merged into, and
 * compared after; that takes others' entries as they are, which may be secrets, and prints none of them.
 * @param now When the user is deactivated, as ISO 8601.
 */
export async function setActivity(http: Http, userId: string, active: boolean, now: string): Promise<ActivityResult> {
  const before = await readMetadata(http, userId);
  if (before === null) return failed(userId, GONE);
  if (isInactive(before) && !hasMark(before)) return failed(userId, BY_OTHERS);
  if (isInactive(before) === active || (active && hasMark(before))) {
    const lost = await written(http, userId, active ? reactivated(before) : deactivated(before, now));
    const after = await readMetadata(http, userId);
    if (after === null) return failed(userId, GONE);
    if (!isUntouched(before, after)) return failed(userId, TOUCHED);
    if (isInactive(after) === active) return lost ?? failed(userId, 'the proxy reports success, but it is not so');
  }
  const [user] = await findUsers(http, [userId]);
  return user === undefined ? failed(userId, GONE) : { userId, ok: true, user };
}

const TOUCHED =
  "other entries of the user's metadata changed while ours was written: see in the Admin UI whether one of them is missing";

/** The row of a write whose answer was lost: what it has done is looked up all the same. */
async function written(http: Http, userId: string, metadata: Metadata): Promise<ActivityResult | null> {
  try {
    await writeMetadata(http, userId, metadata);
    return null;
  } catch (error) {
    if (error instanceof AnswerLostError) return { userId, ok: false, lost: true, reason: error.message };
    throw error;
  }
}

function failed(userId: string, reason: string): ActivityResult {
  return { userId, ok: false, reason };
}

/** Source: only the boolean counts (`user_api_key_auth`). */
function isInactive(metadata: Metadata): boolean {
  return metadata.scim_active === false;
}

function markOf(metadata: Metadata): Metadata {
  const mark = metadata[MARK];
  return typeof mark === 'object' && mark !== null ? (mark as Metadata) : {};
}

function hasMark(metadata: Metadata): boolean {
  return typeof markOf(metadata).deactivated_at === 'string';
}

function deactivated(metadata: Metadata, now: string): Metadata {
  return { ...metadata, scim_active: false, [MARK]: { ...markOf(metadata), deactivated_at: now } };
}

/** `scim_active: true` stays, as metadata without any entry would not be written. */
function reactivated(metadata: Metadata): Metadata {
  const { [MARK]: _, ...others } = metadata;
  const { deactivated_at: __, ...mark } = markOf(metadata);
  return { ...others, scim_active: true, ...(Object.keys(mark).length === 0 ? {} : { [MARK]: mark }) };
}

function isUntouched(before: Metadata, after: Metadata): boolean {
  const others = ({ scim_active: _, [MARK]: __, ...rest }: Metadata): Metadata => rest;
  return isDeepStrictEqual(comparable(others(before)), comparable(others(after)));
}

/** From 1.90 on the proxy encrypts what `logging[].callback_vars` holds when it is written: no change of ours. */
function comparable(value: unknown, inVariables = false): unknown {
  if (Array.isArray(value)) return value.map((item) => comparable(item, inVariables));
  if (typeof value !== 'object' || value === null) return inVariables ? null : value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, comparable(item, inVariables || key === 'callback_vars')]),
  );
}
