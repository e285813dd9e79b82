// biome-ignore-all lint/suspicious/noExplicitAny: what the proxy answers is compared as it comes
import type { Api } from '../contract/api.ts';
import type { ChangeJson, PlanJson } from './job.ts';

/** All that a proxy holds which a run could change, without times. */
export interface People {
  readonly users: Record<string, any>;
  /** By alias. */
  readonly keys: Record<string, any>;
  /** User ids and team roles by team. */
  readonly rosters: Record<string, Record<string, string>>;
}

const USER_FIELDS = [
  'user_id', 'user_email', 'user_role', 'spend', 'max_budget', 'budget_duration', 'tpm_limit', 'rpm_limit', 'models', 'metadata',
] as const; // biome-ignore format: a list
const KEY_FIELDS = [
  'token', 'key_name', 'key_alias', 'user_id', 'team_id', 'spend', 'max_budget', 'budget_duration', 'budget_reset_at', 'tpm_limit', 'rpm_limit', 'models', 'metadata', 'blocked', 'expires',
] as const; // biome-ignore format: a list

/** Up to 1.90 the proxy writes a team twice into a record that is mended: teams are compared as a set. */
export async function look(api: Api, teamIds: readonly string[]): Promise<People> {
  const [{ body: users }, { body: keys }] = await Promise.all([
    api.get('/user/list?sort_by=user_id&sort_order=asc&page_size=100'),
    api.get('/key/list?return_full_object=true&size=100'),
  ]);
  const named = users.users.filter((user: any) => user.user_email !== null);
  const rosters = await Promise.all(teamIds.map((id) => rosterOf(api, id)));
  return {
    users: Object.fromEntries(
      named.map((user: any) => [user.user_id, { ...only(user, USER_FIELDS), teams: [...new Set(user.teams)].sort() }]),
    ),
    keys: Object.fromEntries(keys.keys.map((key: any) => [key.key_alias ?? key.token, only(key, KEY_FIELDS)])),
    rosters: Object.fromEntries(rosters),
  };
}

async function rosterOf(api: Api, teamId: string): Promise<[string, Record<string, string>]> {
  const { body } = await api.get(`/team/info?team_id=${teamId}`);
  const members = body.team_info.members_with_roles.filter((one: any) => one.user_id !== 'default_user_id');
  return [teamId, Object.fromEntries(members.map((one: any) => [one.user_id, one.role]))];
}

function only(row: any, fields: readonly string[]): any {
  return Object.fromEntries(fields.map((field) => [field, row[field] ?? null]));
}

/** What the proxy must hold after a plan, from its words alone: whatever it does not name stays as it was. */
export function afterwards(before: People, plan: PlanJson): People {
  const after = structuredClone(before);
  for (const change of plan.changes) {
    if (change.action === 'delete') leave(after, change);
    else if (change.action === 'deactivate') switchOff(after.users[change.user_id]);
    else if (change.action === 'update') update(after, change);
  }
  return after;
}

function leave({ users, keys, rosters }: People, { user_id }: ChangeJson): void {
  delete users[user_id];
  for (const [alias, key] of Object.entries(keys)) if (key.user_id === user_id) delete keys[alias];
  for (const roster of Object.values(rosters)) delete roster[user_id];
}

function switchOff(user: any): void {
  user.metadata = { ...user.metadata, scim_active: false, litellm_user_sync: { deactivated_at: DAY } };
}

/** In place of the moment that the run notes. */
const DAY = '<time>';

function update({ users, keys, rosters }: People, change: ChangeJson): void {
  const user = users[change.user_id];
  const { role, teams, limits, cost } = change as any;
  if (role !== null) user.user_role = role.to;
  if (change.previous_email !== null) user.user_email = change.email;
  for (const [field, { to }] of Object.entries<any>(limits)) user[field] = to;
  if (change.reactivates) {
    const { litellm_user_sync: _, ...others } = user.metadata;
    user.metadata = { ...others, scim_active: true };
  }
  if (teams !== null) {
    user.teams = teams.to.map((team: any) => team.team_id).sort();
    for (const { team_id } of teams.leave) delete rosters[team_id]?.[change.user_id];
    for (const { team_id } of teams.join) (rosters[team_id] as Record<string, string>)[change.user_id] = 'user';
  }
  for (const { alias, fate, to } of cost.team_keys) {
    if (fate === 'deleted') delete keys[alias];
    else if (fate === 'moves') keys[alias].team_id = to.team_id;
  }
}

/** With the moments that runs note replaced. */
export function settled(people: People): People {
  const text = JSON.stringify(people).replace(/("deactivated_at":)"[^"]*"/g, `$1"${DAY}"`);
  return JSON.parse(text) as People;
}
