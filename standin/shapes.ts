import type { State } from './state.ts';
import type { InvitationRow, KeyRow, Limits, Member, TeamRow, UserRow } from './types.ts';
import type { Behaviour } from './versions.ts';

function limitsShape(limits: Limits): Record<string, unknown> {
  return {
    max_budget: limits.maxBudget,
    budget_duration: limits.budgetDuration,
    budget_reset_at: limits.budgetResetAt,
    tpm_limit: limits.tpmLimit,
    rpm_limit: limits.rpmLimit,
    max_parallel_requests: limits.maxParallelRequests,
    models: limits.models,
  };
}

/** A user as the routes print it that do not pick columns. */
export function wholeUserShape(user: UserRow, { passwordsHidden }: Behaviour): Record<string, unknown> {
  return { ...userShape(user), ...(passwordsHidden ? {} : { password: user.passwordHash }) };
}

/** A user as every route prints it (`/user/list` adds `key_count`). */
export function userShape(user: UserRow): Record<string, unknown> {
  return {
    user_id: user.userId,
    user_alias: user.alias,
    team_id: user.teamId,
    sso_user_id: null,
    organization_id: null,
    teams: user.teams,
    user_role: user.role,
    ...limitsShape(user),
    spend: user.spend,
    user_email: user.email,
    metadata: user.metadata,
    model_spend: {},
    model_max_budget: {},
    created_at: user.createdAt,
    updated_at: user.updatedAt,
    object_permission: null,
  };
}

/** Columns that `/user/list` and the joining of teams did not show before 1.90. */
const LATER_COLUMNS = ['team_id', 'organization_id', 'max_parallel_requests'];

/** A user as a list shows it. */
export function listedUserShape(user: UserRow, { fullUserList }: Behaviour): Record<string, unknown> {
  const shape = userShape(user);
  if (!fullUserList) for (const column of LATER_COLUMNS) delete shape[column];
  return shape;
}

export function memberShapes(team: TeamRow): Record<string, unknown>[] {
  return [...team.roster.values()].flatMap((member) => new Array(member.times).fill(memberShape(member)));
}

function memberShape(member: Member): Record<string, unknown> {
  return { user_id: member.userId, user_email: member.email, role: member.role };
}

export function teamShape(team: TeamRow): Record<string, unknown> {
  return {
    team_alias: team.alias,
    team_id: team.teamId,
    organization_id: null,
    admins: [],
    members: [],
    members_with_roles: memberShapes(team),
    metadata: team.metadata,
    tpm_limit: team.tpmLimit,
    rpm_limit: team.rpmLimit,
    max_budget: team.maxBudget,
    budget_duration: null,
    models: team.models,
    blocked: false,
    spend: 0,
    max_parallel_requests: null,
    budget_reset_at: null,
    model_id: null,
    updated_at: team.updatedAt,
    created_at: team.createdAt,
  };
}

/** The records of membership that `/team/info` and `/team/list` show beside the roster. */
export function membershipShapes(state: State, team: TeamRow): Record<string, unknown>[] {
  return state.membershipsOf(team.teamId).map((userId) => membershipShape(userId, team.teamId));
}

export function membershipShape(userId: string, teamId: string): Record<string, unknown> {
  return { user_id: userId, team_id: teamId, budget_id: null, spend: 0, litellm_budget_table: null };
}

/** A stored key as `/key/list`, `/key/info` and `/key/update` print it: never the key itself. */
export function keyShape(key: KeyRow): Record<string, unknown> {
  return {
    token: key.hash,
    key_name: key.name,
    key_alias: key.alias,
    spend: key.spend,
    expires: key.expires,
    ...limitsShape(key),
    aliases: {},
    config: {},
    user_id: key.userId,
    team_id: key.teamId,
    permissions: {},
    metadata: key.metadata,
    blocked: key.blocked,
    created_at: key.createdAt,
    created_by: key.createdBy,
    updated_at: key.updatedAt,
    updated_by: key.createdBy,
  };
}

export function invitationShape(invitation: InvitationRow): Record<string, unknown> {
  return {
    id: invitation.id,
    user_id: invitation.userId,
    is_accepted: false,
    accepted_at: null,
    expires_at: invitation.expiresAt,
    created_at: invitation.createdAt,
    created_by: invitation.createdBy,
    updated_at: invitation.createdAt,
    updated_by: invitation.createdBy,
  };
}
