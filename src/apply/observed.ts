import { emailKey, type LimitSettings, type ProxyUser, type Team } from '../core/inventory.ts';
import { compare } from '../core/order.ts';
import type { Outcome } from '../core/outcome.ts';
import type { LimitField, TeamKeysFate, TeamRef, UpdateChange } from '../core/plan.ts';
import { sameLimit } from '../core/user-limits.ts';
import { type FailureReason, withResult } from './messages.ts';
import type { ProxyWrites, UserFields } from './ports.ts';

/** The proxy's present state of some users and teams. */
export interface Observed {
  readonly users: ReadonlyMap<string, ProxyUser>;
  readonly teams: ReadonlyMap<string, Team>;
}

/** Reads users and rosters; throws what the proxy throws. */
export async function observe(
  proxy: ProxyWrites,
  userIds: readonly string[],
  teamIds: Iterable<string>,
): Promise<Observed> {
  const wanted = [...new Set(teamIds)];
  const [users, teams] = await Promise.all([
    userIds.length > 0 ? proxy.findUsers(userIds) : [],
    wanted.length > 0 ? proxy.findTeams(wanted) : [],
  ]);
  return {
    users: new Map(users.map((user) => [user.userId, user])),
    teams: new Map(teams.map((team) => [team.teamId, team])),
  };
}

/** A member stands in `user.teams` and in the team's roster: the proxy keeps both, and they can disagree. */
export function isMember(observed: Observed, userId: string, teamId: string): boolean {
  return standsInUser(observed, userId, teamId) && standsInRoster(observed, userId, teamId);
}

/** Neither half of a membership is left. */
function isOutside(observed: Observed, userId: string, teamId: string): boolean {
  return !standsInUser(observed, userId, teamId) && !standsInRoster(observed, userId, teamId);
}

function standsInUser(observed: Observed, userId: string, teamId: string): boolean {
  return observed.users.get(userId)?.teams.includes(teamId) ?? false;
}

function standsInRoster(observed: Observed, userId: string, teamId: string): boolean {
  return observed.teams.get(teamId)?.members.has(userId) ?? false;
}

/** What an update wants, without what it costs. */
export type UpdateTarget = Pick<
  UpdateChange,
  'email' | 'userId' | 'role' | 'rename' | 'limits' | 'reactivates' | 'currentRole' | 'currentTeams' | 'currentLimits'
> & {
  readonly teams: Pick<NonNullable<UpdateChange['teams']>, 'from' | 'to' | 'join' | 'leave'> | null;
  readonly keyFates: readonly TeamKeysFate[];
};

/** One write that is still missing for a user. */
export type Step =
  | { readonly kind: 'fields'; readonly fields: UserFields }
  | { readonly kind: 'join'; readonly team: TeamRef }
  /**
   * `keysTo`: where the user's keys of the team go first; `null`: nowhere, as the plan has shown. `deletesKeys`: they are
   * to be gone then, whether or not the proxy deletes them by itself.
   */
  | { readonly kind: 'leave'; readonly team: TeamRef; readonly keysTo: TeamRef | null; readonly deletesKeys: boolean }
  | { readonly kind: 'reactivate' };

/**
 * What the proxy's present state lacks. A team is left only once every other is joined: never out of both. Keys work
 * again last, when everything else about the user is as the file wants it.
 */
export function missingSteps(target: UpdateTarget, observed: Observed): Step[] {
  const user = observed.users.get(target.userId);
  const fields = user === undefined ? null : missingFields(target, user);
  const steps: Step[] = [
    ...(fields === null ? [] : [{ kind: 'fields', fields } as const]),
    ...teamSteps(target, observed),
  ];
  if (steps.length > 0 || !target.reactivates || user?.activity === 'active') return steps;
  return [{ kind: 'reactivate' }];
}

function teamSteps({ userId, teams, keyFates }: UpdateTarget, observed: Observed): Step[] {
  const joins = (teams?.join ?? []).filter((team) => !isMember(observed, userId, team.teamId));
  if (joins.length > 0) return joins.map((team) => ({ kind: 'join', team }));
  const leaves = (teams?.leave ?? []).filter((team) => !isOutside(observed, userId, team.teamId));
  return leaves.map((team) => {
    const fate = keyFates.find((one) => one.team.teamId === team.teamId);
    return { kind: 'leave', team, keysTo: fate?.to ?? null, deletesKeys: fate?.fate === 'deleted' };
  });
}

/** `null`: nothing is missing. A role goes with budget and period, or the proxy's configured defaults replace them. */
function missingFields(target: UpdateTarget, user: ProxyUser): UserFields | null {
  const { role, rename } = target;
  const wanted = wantedLimits(target);
  const differing = (Object.keys(wanted) as LimitField[]).filter((name) => !isAsWanted(user, wanted, name));
  const limits: LimitSettings = Object.fromEntries(differing.map((name) => [name, wanted[name]]));
  const email = rename !== null && emailKey(user.email ?? '') !== emailKey(rename.to) ? { email: rename.to } : {};
  if (role !== null && user.role !== role.to) {
    const { maxBudget = null, budgetDuration = null } = wanted;
    return { ...email, ...limits, role: role.to, maxBudget, budgetDuration };
  }
  const fields = { ...email, ...limits };
  return Object.keys(fields).length === 0 ? null : fields;
}

function isAsWanted(user: ProxyUser, wanted: LimitSettings, name: LimitField): boolean {
  const value = wanted[name];
  return value === undefined || sameLimit(user.limits[name], value);
}

/** The limits that the change asks for, and with a role those that it must not lose. */
function wantedLimits({ role, limits, currentLimits }: UpdateTarget): LimitSettings {
  const { maxBudget, budgetDuration } = currentLimits;
  const asked = Object.fromEntries(limits.map(({ field, to }) => [field, to]));
  return { ...(role === null ? {} : { maxBudget, budgetDuration }), ...asked };
}

/** Whether the step is about nothing but a role that gives no rights away: many of these go in one call. */
export function isPlainRole(step: Step, { role, limits }: UpdateTarget): boolean {
  if (step.kind !== 'fields' || role === null || limits.length > 0) return false;
  return step.fields.role !== undefined && step.fields.email === undefined && role.from !== 'proxy_admin';
}

/** A user as the plan saw them. */
export function plannedUser(target: UpdateTarget): ProxyUser {
  return {
    userId: target.userId,
    email: target.rename?.from ?? target.email,
    role: target.currentRole,
    teams: target.currentTeams.map((team) => team.teamId),
    keyCount: null,
    spend: 0,
    limits: target.currentLimits,
    activity: target.reactivates ? 'deactivated by us' : 'active',
  };
}

/** The teams whose rosters an update needs to see. */
export function teamIdsOf({ teams }: UpdateTarget): string[] {
  return [...(teams?.join ?? []), ...(teams?.leave ?? [])].map((team) => team.teamId);
}

/** The outcome of an update, with the role and teams that the user has now; those of the plan where they are not known. */
export function updatedOutcome(
  index: number,
  target: UpdateTarget,
  observed: Observed | null,
  failure: FailureReason | null,
): Outcome {
  const user = observed?.users.get(target.userId);
  const known = [...target.currentTeams, ...(target.teams?.to ?? []), ...(target.teams?.join ?? [])];
  const names = new Map(known.map((team) => [team.teamId, team.name]));
  const teams = user?.teams ?? target.currentTeams.map((team) => team.teamId);
  const base = {
    index,
    action: target.reactivates ? 'REACTIVATED' : 'UPDATED',
    email: target.email,
    userId: target.userId,
    role: (user === undefined ? target.currentRole : user.role) ?? '',
    teamName: teams
      .map((id) => names.get(id) ?? id)
      .sort(compare)
      .join(';'),
    key: null,
  } as const;
  return withResult(base, failure);
}
