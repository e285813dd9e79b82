import { type Call, MASTER_USER_ID, newId, type Route, textOf } from './context.ts';
import { detailError, type Refusal, wrappedError } from './refusal.ts';
import { invitationShape } from './shapes.ts';
import { timestamp } from './state.ts';
import type { InvitationRow } from './types.ts';
import { object, refuseIssues, required, text } from './validate.ts';

const SEVEN_DAYS = 7 * 24 * 60 * 60 * 1000;

export const invitationRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/invitation/new',
    access: 'key',
    body: object({ user_id: required(text) }),
    answer: newInvitation,
  },
  { method: 'GET', path: '/invitation/info', access: 'admin-read', answer: invitationInfo },
  {
    method: 'POST',
    path: '/invitation/delete',
    access: 'key',
    body: object({ invitation_id: required(text) }),
    answer: deleteInvitation,
  },
];

/**
 * Every call makes another one; the older ones stay. Who issues it must be a user, too: the master key's user becomes one
 * with the first team that is made, and until then its invitations are refused as if the invited was not there.
 */
function newInvitation(call: Call): unknown {
  const { state, body, caller } = call;
  const userId = textOf(body, 'user_id') ?? '';
  refuseNonAdmin(call, (error) => wrappedError(400, error));
  const createdBy = caller.userId ?? MASTER_USER_ID;
  if (!(state.users.has(userId) && state.users.has(createdBy))) {
    const message = "User id does not exist in 'LiteLLM_UserTable'. Fix this by creating user via `/user/new`.";
    throw call.behaviour.version === '1.55' ? detailError(400, message) : wrappedError(400, message);
  }
  const now = Date.now();
  const invitation: InvitationRow = {
    id: newId(),
    userId,
    createdBy,
    createdAt: timestamp(now),
    expiresAt: timestamp(now + SEVEN_DAYS),
  };
  state.addInvitation(invitation);
  return invitationShape(invitation);
}

function invitationInfo({ state, query, behaviour }: Call): unknown {
  const id = query.get('invitation_id');
  refuseIssues(required(text)(id ?? undefined, ['query', 'invitation_id'], behaviour), false);
  return invitationShape(known(state.invitations.get(id ?? '')));
}

function deleteInvitation(call: Call): unknown {
  refuseNonAdmin(call, (error) => detailError(400, error));
  const invitation = known(call.state.invitations.get(textOf(call.body, 'invitation_id') ?? ''));
  call.state.removeInvitation(invitation.id);
  return invitationShape(invitation);
}

function known(invitation: InvitationRow | undefined): InvitationRow {
  if (invitation === undefined) throw detailError(400, 'Invitation id does not exist in the database.');
  return invitation;
}

function refuseNonAdmin({ caller }: Call, refusal: (error: string) => Refusal): void {
  if (caller.role === 'proxy_admin') return;
  throw refusal(`Admin-only endpoint. Not allowed to access this., your role=${caller.role ?? 'internal_user'}`);
}
