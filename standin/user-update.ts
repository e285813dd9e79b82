import { type Call, newId, objectsOf, textOf } from './context.ts';
import { authError, detailError, Refusal } from './refusal.ts';
import { userShape } from './shapes.ts';
import type { UserRow } from './types.ts';
import type { Body } from './validate.ts';

/** `/user/update`: `teams` is ignored; an unknown user id or email makes a user. */
export function updateUser(call: Omit<Call, 'body'>, body: Body): unknown {
  const { state } = call;
  const userId = textOf(body, 'user_id');
  const email = textOf(body, 'user_email');
  const known =
    userId === null ? state.usersByEmail(email ?? '').find((user) => user.email === email) : state.users.get(userId);
  const user = known ?? state.addUser({ userId: userId ?? newId(), email });
  state.changeUser(user, changesOf(body));
  if (known === undefined && userId === null) {
    throw authError(400, `Authentication Error, ${NO_GET}`);
  }
  return { user_id: user.userId, data: userShape(user) };
}

const NO_GET = "'LiteLLM_UserTable' object has no attribute 'get'";

function changesOf(body: Body): Partial<UserRow> {
  const email = textOf(body, 'user_email');
  const alias = textOf(body, 'user_alias');
  const newRole = textOf(body, 'user_role');
  const metadata = body.metadata;
  return {
    ...(email === null ? {} : { email }),
    ...(alias === null ? {} : { alias }),
    ...(newRole === null ? {} : { role: newRole }),
    ...(metadata ? { metadata: metadata as Record<string, unknown> } : {}),
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
  try {
    const updated = updateUser(call, body) as { user_id: string };
    return { ...row, user_id: updated.user_id, success: true, error: null, updated_user: updated };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { ...row, success: false, error: NO_GET, updated_user: null };
  }
}
