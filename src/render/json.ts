import type { LimitSettings } from '../core/inventory.ts';
import { DELIVERED, hasLink, type OnboardingRow, type Outcome } from '../core/outcome.ts';
import { type Change, isApplied, type LeftKey, type Plan, type TeamRef, type UpdateChange } from '../core/plan.ts';
import { LIMIT_HEADERS } from '../core/user-limits.ts';
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
 *   summary: { add, delete, deactivate, update, reactivate, invite, unchanged, managed, admins, deactivated, not_applied },
 *   changes: [
 *     { action: "add", line, email, role, teams, key_name, limits, roster_conflicts, administrator, not_applied },
 *     { action: "delete" | "deactivate", line, email, user_id, role, teams, expired, active,
 *       cost: { keys, spend }, administrator, not_applied },
 *     { action: "update", line, email, user_id, previous_email, role: { from, to } | null,
 *       teams: { from, to, join, rejoin, leave } | null, limits: { <column>: { from, to } }, reactivates, spend,
 *       cost: { team_keys: [{ name, alias, team_id, fate, to }], team_keys_known, team_keys_deleted,
 *               teams: [{ team, fate, to }], losses: [{ team, what }] },
 *       roster_conflicts, administrator, not_applied },
 *     { action: "invite", email, user_id, role, teams, administrator, not_applied } ],
 *   unmanaged: { without_email, other_role, own_user, protected, deactivated },
 *   breaches: [{ limit, stops, message }], warnings, notes, leaving_soon: [{ line, email, expires }] }
 * ```
 * `managed` and `admins` count active users before the plan, `deactivated` those who stay so; `role` is `null` where the
 * proxy decides (add) or has none; `teams` of an add is `null` where they are the proxy's default; a team is
 * `{ team_id, name }`; `limits` holds the columns that a row asks for, or that change; `spend` is in US dollars; `keys`
 * is `null` where it is not known, and `team_keys` is empty then (`team_keys_known`); `fate` is `"moves"` (then `to` is a
 * team), `"deleted"` or `"survives"`, and `team_keys_deleted` tells whether any team's keys are; `administrator` is
 * `"gained"`, `"lost"`, `"renamed"` or `null`; `not_applied` is the reason why a change is not applied, or `null`; a
 * breach that `stops` keeps all of the plan from being applied.
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
      deactivated: plan.deactivated,
      not_applied: plan.changes.filter((change) => !isApplied(change)).length,
    },
    changes: plan.changes.map(changeJson),
    unmanaged: {
      without_email: plan.unmanaged.withoutEmail,
      other_role: plan.unmanaged.otherRole,
      own_user: plan.unmanaged.ownUser,
      protected: plan.unmanaged.protected,
      deactivated: plan.unmanaged.deactivated,
    },
    breaches: plan.breaches.map(({ limit, stops, message }) => ({ limit, stops, message })),
    warnings: plan.warnings,
    notes: plan.notes,
    leaving_soon: plan.leavingSoon.map(({ line, email, expires }) => ({ line, email, expires })),
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
        line: change.line,
        email,
        role: change.role,
        teams: change.teams?.map(teamJson) ?? null,
        key_name: change.keyName,
        limits: settingsJson(change.limits),
        roster_conflicts: conflictsJson(change),
        ...last,
      };
    case 'delete':
    case 'deactivate':
      return {
        action: change.kind,
        line: change.line,
        email,
        user_id: change.userId,
        role: change.role,
        teams: change.teams.map(teamJson),
        expired: change.expired,
        active: change.active,
        cost: { keys: change.keyCount, spend: change.spend },
        ...last,
      };
    case 'invite': {
      const { role, teams } = change;
      return { action: change.kind, email, user_id: change.userId, role, teams: teams.map(teamJson), ...last };
    }
    case 'update':
      return { action: change.kind, line: change.line, email, user_id: change.userId, ...updateJson(change), ...last };
  }
}

function updateJson(change: UpdateChange) {
  const { rename, role, teams, limits, reactivates, spend } = change;
  return {
    previous_email: rename?.from ?? null,
    role: role && { from: role.from, to: role.to },
    teams: teams && {
      from: teams.from.map(teamJson),
      to: teams.to.map(teamJson),
      join: teams.join.map(teamJson),
      rejoin: teams.rejoin.map(teamJson),
      leave: teams.leave.map(teamJson),
    },
    limits: Object.fromEntries(limits.map(({ field, from, to }) => [LIMIT_HEADERS[field], { from, to }])),
    reactivates,
    spend,
    cost: costJson(change),
    roster_conflicts: conflictsJson(change),
  };
}

function costJson({ keyFates, leftKeys, losses }: UpdateChange) {
  return {
    team_keys: leftKeys === 'unknown' ? [] : leftKeys.map(keyJson),
    team_keys_known: leftKeys !== 'unknown',
    team_keys_deleted: keyFates.some(({ fate }) => fate === 'deleted'),
    teams: keyFates.map(({ team, fate, to }) => ({ team: teamJson(team), fate, to: to && teamJson(to) })),
    losses: losses.map(({ team, what }) => ({ team: teamJson(team), what })),
  };
}

function keyJson({ key, fate, to }: LeftKey) {
  return { name: key.name, alias: key.alias, team_id: key.teamId, fate, to: to && teamJson(to) };
}

function settingsJson(limits: LimitSettings) {
  const named = Object.entries(LIMIT_HEADERS).map(([field, header]) => [header, limits[field as keyof LimitSettings]]);
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

function conflictsJson({ conflicts }: Pick<UpdateChange, 'conflicts'>) {
  return conflicts.map(({ team, userId }) => ({ team: teamJson(team), user_id: userId }));
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

/** What became of one user: a link, or why there is none. */
export interface OnboardingEntry {
  readonly outcome: Outcome;
  /** `null` where there is no link. */
  readonly row: OnboardingRow | null;
}

/**
 * `onboarding_results.json`, in the form of the onboarding guide: holds links in the clear.
 *
 * ```
 * [ { email, user_id, invitation_id, expires_at, onboarding_link, status: "success" },
 *   { email, status: "failed", error } ]
 * ```
 */
export function onboardingJson(entries: readonly OnboardingEntry[]): string {
  return `${JSON.stringify(entries.map(entryOf), null, 2)}\n`;
}

function entryOf({ outcome, row }: OnboardingEntry): Record<string, string> {
  const { email, userId, reason } = outcome;
  if (row === null || !(row.delivered || hasLink(row))) return { email, status: 'failed', error: reason };
  return {
    email,
    user_id: userId,
    invitation_id: row.invitationId?.reveal() ?? DELIVERED,
    expires_at: row.expiresAt,
    onboarding_link: row.link?.reveal() ?? DELIVERED,
    status: 'success',
    ...(row.delivery === '' ? {} : { delivery: row.delivery }),
  };
}
