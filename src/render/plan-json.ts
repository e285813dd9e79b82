import type { Change, Plan, TeamRef, UpdateChange } from '../core/plan.ts';
import { adminChange, planCounts } from './labels.ts';

export interface PlanJsonOptions {
  readonly csvFile: string;
  /** Name of the proxy where there are several. */
  readonly target: string | null;
}

/**
 * The plan for machines, indented JSON with a line break at the end. `format_version` goes up when a field is renamed,
 * removed or changes its meaning; fields may be added without that.
 *
 * ```
 * { format_version: 1, csv_file, target,
 *   summary: { add, delete, update, unchanged, managed, admins, not_applied },
 *   changes: [
 *     { action: "add", email, role, teams, key_name, administrator, not_applied },
 *     { action: "delete", email, user_id, role, teams, cost: { keys, spend }, administrator, not_applied },
 *     { action: "update", email, user_id, role: { from, to } | null,
 *       teams: { from, to, join, leave } | null,
 *       cost: { team_keys: [{ name, alias, team_id }], team_keys_deleted }, administrator, not_applied } ],
 *   unmanaged: { without_email, other_role, own_user, protected },
 *   breaches: [{ limit, message }] }
 * ```
 * `managed` and `admins` count users before the plan; `role` is `null` where the proxy decides (add) or has none;
 * `teams` of an add is `null` where they are the proxy's default; a team is `{ team_id, name }`; `spend` is in US
 * dollars; `administrator` is `"gained"`, `"lost"` or `null`; `not_applied` is the reason why a change is not applied,
 * or `null`.
 */
export function planJson(plan: Plan, options: PlanJsonOptions): string {
  const json = {
    format_version: 1,
    csv_file: options.csvFile,
    target: options.target,
    summary: {
      ...planCounts(plan),
      managed: plan.managed,
      admins: plan.admins,
      not_applied: plan.changes.filter(({ withheld }) => withheld !== null).length,
    },
    changes: plan.changes.map(changeJson),
    unmanaged: {
      without_email: plan.unmanaged.withoutEmail,
      other_role: plan.unmanaged.otherRole,
      own_user: plan.unmanaged.ownUser,
      protected: plan.unmanaged.protected,
    },
    breaches: plan.breaches.map(({ limit, message }) => ({ limit, message })),
  };
  return `${escapeUnseen(JSON.stringify(json, null, 2))}\n`;
}

function changeJson(change: Change) {
  const last = { administrator: adminChange(change), not_applied: change.withheld };
  const { email } = change;
  switch (change.kind) {
    case 'add':
      return {
        action: change.kind,
        email,
        role: change.role,
        teams: change.teams?.map(teamJson) ?? null,
        key_name: change.keyName,
        ...last,
      };
    case 'delete':
      return {
        action: change.kind,
        email,
        user_id: change.userId,
        role: change.role,
        teams: change.teams.map(teamJson),
        cost: { keys: change.keyCount, spend: change.spend },
        ...last,
      };
    case 'update':
      return { action: change.kind, email, user_id: change.userId, ...updateJson(change), ...last };
  }
}

function updateJson({ role, teams, teamKeys, teamKeysDeleted }: UpdateChange) {
  return {
    role: role && { from: role.from, to: role.to },
    teams: teams && {
      from: teams.from.map(teamJson),
      to: teams.to.map(teamJson),
      join: teams.join.map(teamJson),
      leave: teams.leave.map(teamJson),
    },
    cost: {
      team_keys: teamKeys.map(({ name, alias, teamId }) => ({ name, alias, team_id: teamId })),
      team_keys_deleted: teamKeysDeleted,
    },
  };
}

function teamJson({ teamId, name }: TeamRef) {
  return { team_id: teamId, name };
}

/** JSON allows bidi overrides and C1 controls in strings, a terminal acts on them: the same JSON with `\uXXXX`. */
function escapeUnseen(json: string): string {
  return json.replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
