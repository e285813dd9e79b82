import { type Call, newId, objectsOf, textOf } from './context.ts';
import { internalBudget, LIMIT_FIELDS, limitChanges, periodFault } from './limits.ts';
import { authError, detailError, pythonString, Refusal } from './refusal.ts';
import { wholeUserShape } from './shapes.ts';
import type { UserRow } from './types.ts';
import { type Body, namesUser, object, optional, role, text } from './validate.ts';

/** A body of `/user/update`, or a row of `/user/bulk_update`. */
export const UPDATE = object(
  { user_id: optional(text), user_email: optional(text), user_role: optional(role), ...LIMIT_FIELDS },
  { rule: namesUser },
);

/** `/user/update`. */
export function updateUser(call: Call): unknown {
  const fault = periodFault(call.body, call.behaviour);
  if (fault !== null) {
    throw authError(400, call.behaviour.periodsChecked ? wrapped(fault) : `Authentication Error, ${fault}`);
  }
  const updated = update(call, call.body);
  call.cache.dropUser(updated.user_id);
  return updated;
}

function wrapped(error: string): string {
  return `{'error': ${pythonString(error)}}`;
}

/** `teams` is ignored; an unknown user id or email makes a user. */
function update(call: Call, body: Body): { user_id: string; data: unknown } {
  const { state } = call;
  const userId = textOf(body, 'user_id');
  const email = textOf(body, 'user_email');
  const known =
    userId === null ? state.usersByEmail(email ?? '').find((user) => user.email === email) : state.users.get(userId);
  const user = known ?? state.addUser({ userId: userId ?? newId(), email });
  state.changeUser(user, changesOf(call, body));
  if (known === undefined && userId === null) {
    throw authError(400, `Authentication Error, ${NO_GET}`);
  }
  return { user_id: user.userId, data: wholeUserShape(user, call.behaviour) };
}

const NO_GET = "'LiteLLM_UserTable' object has no attribute 'get'";

function changesOf({ behaviour, internalUserBudget }: Call, body: Body): Partial<UserRow> {
  const email = textOf(body, 'user_email');
  const alias = textOf(body, 'user_alias');
  const newRole = textOf(body, 'user_role');
  const metadata = Object.entries(body.metadata ?? {}).length > 0 ? body.metadata : null;
  const limits = limitChanges(body, behaviour);
  return {
    ...(email === null ? {} : { email }),
    ...(alias === null || !behaviour.aliasByUpdate ? {} : { alias }),
    ...(newRole === null ? {} : { role: newRole }),
    ...(metadata ? { metadata: metadata as Record<string, unknown> } : {}),
    ...limits,
    ...internalBudget(newRole, limits, internalUserBudget),
  };
}

/** `/user/bulk_update`: 200 even when every row failed. */
export function bulkUpdate(call: Call): unknown {
  const users = objectsOf(call.body, 'users');
  if (users.length === 0) {
    const ways = "'users' for individual updates or 'all_users=True' with 'user_updates' for bulk updates";
    throw detailError(400, `Must specify either ${ways}`);
  }
  if (users.length > 500) {
    throw detailError(400, `Maximum 500 users can be updated at once. Found ${users.length} users.`);
  }
  const results = users.map((body) => bulkUpdateRow(call, body));
  const successful = results.filter(({ success }) => success).length;
  const counts = { successful_updates: successful, failed_updates: users.length - successful };
  return { results, total_requested: users.length, ...counts };
}

function bulkUpdateRow(call: Call, body: Body) {
  const row = { user_id: textOf(body, 'user_id'), user_email: textOf(body, 'user_email') };
  const fault = periodFault(body, call.behaviour);
  if (fault !== null) {
    const error = call.behaviour.periodsChecked ? `400: ${wrapped(fault)}` : fault;
    return { ...row, success: false, error, updated_user: null };
  }
  try {
    const updated = update(call, body);
    call.cache.mend(updated.user_id);
    return { ...row, user_id: updated.user_id, success: true, error: null, updated_user: updated };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { ...row, success: false, error: NO_GET, updated_user: null };
  }
}
