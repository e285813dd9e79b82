import type { Api } from '../contract/api.ts';

export interface SeenUser {
  readonly id: string;
  readonly email: string | null;
  readonly role: string | null;
  /** Sorted. */
  readonly teams: readonly string[];
  readonly limits: SeenLimits;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** By the proxy's own names. */
export interface SeenLimits {
  readonly max_budget: number | null;
  readonly budget_duration: string | null;
  readonly tpm_limit: number | null;
  readonly rpm_limit: number | null;
  /** Sorted. */
  readonly models: readonly string[];
}

export interface SeenKey {
  /** SHA-256 of the key. */
  readonly hash: string;
  readonly userId: string | null;
  readonly teamId: string | null;
  readonly alias: string | null;
  readonly maxBudget: number | null;
}

/** All that a proxy holds, by its own API. */
export interface Snapshot {
  readonly users: ReadonlyMap<string, SeenUser>;
  /** User ids by team id. */
  readonly rosters: ReadonlyMap<string, ReadonlySet<string>>;
  readonly keys: readonly SeenKey[];
}

interface Row {
  readonly user_id: string;
  readonly user_email: string | null;
  readonly user_role: string | null;
  readonly teams: readonly string[] | null;
  readonly max_budget: number | null;
  readonly budget_duration: string | null;
  readonly tpm_limit: number | null;
  readonly rpm_limit: number | null;
  readonly models: readonly string[] | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
}

interface TeamRow {
  readonly team_id: string;
  readonly members_with_roles: readonly { readonly user_id: string }[];
}

interface KeyRow {
  readonly token: string;
  readonly user_id: string | null;
  readonly team_id: string | null;
  readonly key_alias: string | null;
  readonly max_budget: number | null;
}

const NOBODY = 'default_user_id';

export async function snapshot(api: Api): Promise<Snapshot> {
  const rows = await pages<Row>(api, '/user/list?sort_by=user_id&sort_order=asc&page_size=100', 'users', 'total');
  const teams = await pages<TeamRow>(api, '/v2/team/list?sort_by=team_id&page_size=100', 'teams', 'total');
  const keys = await pages<KeyRow>(api, '/key/list?return_full_object=true&size=100', 'keys', 'total_count');
  const users = rows.filter((row) => row.user_id !== NOBODY).map(seen);
  return {
    users: new Map(users.map((user) => [user.id, user])),
    rosters: new Map(teams.map((team) => [team.team_id, new Set(team.members_with_roles.map((one) => one.user_id))])),
    keys: keys.map((key) => ({
      hash: key.token,
      userId: key.user_id,
      teamId: key.team_id,
      alias: key.key_alias,
      maxBudget: key.max_budget,
    })),
  };
}

function seen(row: Row): SeenUser {
  const { max_budget, budget_duration, tpm_limit, rpm_limit, models } = row;
  return {
    id: row.user_id,
    email: row.user_email,
    role: row.user_role,
    teams: [...(row.teams ?? [])].toSorted(),
    limits: { max_budget, budget_duration, tpm_limit, rpm_limit, models: [...(models ?? [])].toSorted() },
    metadata: row.metadata ?? {},
  };
}

async function pages<T>(api: Api, path: string, name: string, total: string): Promise<T[]> {
  const rows: T[] = [];
  for (let page = 1; ; page++) {
    const { status, body } = await api.get(`${path}&page=${page}`);
    if (status !== 200) throw new Error(`${path} answered ${status}: ${JSON.stringify(body)}`);
    rows.push(...body[name]);
    if (rows.length >= body[total] || body[name].length === 0) return rows;
  }
}

/** Teams of which both halves of the user's membership are there, sorted. */
export function fullTeams({ users, rosters }: Snapshot, userId: string): string[] {
  return (users.get(userId)?.teams ?? []).filter((team) => rosters.get(team)?.has(userId));
}

/** Teams of which at least one half is there, sorted. */
export function anyTeams({ users, rosters }: Snapshot, userId: string): string[] {
  const listed = [...rosters].flatMap(([team, members]) => (members.has(userId) ? [team] : []));
  return [...new Set([...(users.get(userId)?.teams ?? []), ...listed])].toSorted();
}

export function keysOf({ keys }: Snapshot, userId: string): SeenKey[] {
  return keys.filter((key) => key.userId === userId);
}
