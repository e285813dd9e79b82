import type { Blocked, CreatedUser, FailedRow, NewUser } from '../apply/ports.ts';
import { mapConcurrent } from '../concurrency.ts';
import { emailKey, type LimitSettings, type Team } from '../core/inventory.ts';
import { Secret } from '../core/secret.ts';
import { failedRow, givenReason, leftOut, ProxyAuthError, refusedRow, unsentIfBlocked } from './errors.ts';
import { createKey } from './keys.ts';
import { bulkCreated, created } from './schemas.ts';
import { findTeams, JOIN_BATCH, joinTeam } from './teams.ts';
import { findUsers, limitsBody, limitsOf, type WriteContext } from './users.ts';

/** In bulk, or as the classic routes do it fastest. Whoever was created has a row, complete or not. */
export async function createUsers(
  context: WriteContext,
  users: readonly NewUser[],
  blocked: Blocked = () => null,
): Promise<CreatedUser[]> {
  if (users.length === 0) return [];
  if (await context.capabilities.bulk('create')) {
    const rows = await createInBulk(context, users);
    return withKeys(context, users.filter(isKeyLeft), rows, blocked);
  }
  const rows = await withTeams(context, users, await createOneByOne(context, users, blocked), blocked);
  return withKeys(
    context,
    users.filter((user) => isKeyLeft(user) || (user.withKey && hasOwnTeams(user))),
    rows,
    blocked,
  );
}

async function createInBulk({ http, onSecret }: WriteContext, users: readonly NewUser[]): Promise<CreatedUser[]> {
  const body = { users: users.map((user) => newUserBody(user, isMadeAlong(user))) };
  const call = { method: 'POST', path: '/management/v1/users/bulk', body, rows: users.length, isHeavy: true } as const;
  const { data } = await http.requestJson(call, bulkCreated);
  for (const row of data) if (isKey(row.key)) onSecret(row.key);
  const byId = new Map(data.map((row) => [row.user_id, row]));
  return users.map(({ userId }) => {
    const row = byId.get(userId);
    if (row === undefined) return leftOut(userId);
    if (!row.success) return refusedRow(userId, givenReason(row.error));
    const warning = row.error === null || row.error === '' ? null : givenReason(row.error);
    return { userId, ok: true, key: secretKey(row.key), teams: row.teams ?? null, limits: null, warning };
  });
}

/** Stands for the proxy's default teams, which a user without `teams` joins. */
const DEFAULT_TEAMS = ' default teams';

/**
 * Side by side, without the teams that were asked for: `/user/new` rewrites rosters without a lock, so that two at once
 * for one team lose a member. Where the proxy has default teams, users who are to join them come one after the other.
 */
async function createOneByOne(
  context: WriteContext,
  users: readonly NewUser[],
  blocked: Blocked,
): Promise<CreatedUser[]> {
  const create = async (user: NewUser): Promise<CreatedUser> =>
    unsentIfBlocked(user.userId, blocked) ?? (await createOne(context, user));
  const first = users.find((user) => user.teams === null);
  const probe = first === undefined || context.defaults.teams !== undefined ? null : await create(first);
  if (probe?.ok) context.defaults.teams = await hasTeams(context, probe.userId);
  return mapConcurrent(users, context.http.concurrency, (user) => {
    if (user === first && probe !== null) return Promise.resolve(probe);
    if (user.teams !== null || context.defaults.teams === false) return create(user);
    return context.locks.run([DEFAULT_TEAMS], () => create(user));
  });
}

async function hasTeams({ http }: WriteContext, userId: string): Promise<boolean> {
  const users = await findUsers(http, [userId]).catch(() => []);
  return users.length === 0 || users.some((user) => user.teams.length > 0);
}

async function createOne({ http, onSecret }: WriteContext, user: NewUser): Promise<CreatedUser> {
  const body = newUserBody({ ...user, teams: user.teams && [] }, isMadeAlong(user) && !hasOwnTeams(user));
  try {
    const answer = await http.requestJson({ method: 'POST', path: '/user/new', body }, created);
    if (isKey(answer.key)) onSecret(answer.key);
    const { teams = null } = answer;
    return {
      userId: user.userId,
      ok: true,
      key: secretKey(answer.key),
      teams,
      limits: limitsOf(answer),
      warning: null,
    };
  } catch (error) {
    return failedRow(user.userId, error);
  }
}

type Created = Extract<CreatedUser, { ok: true }>;

/** Team by team, many users a call; the rosters are read when all is written. */
async function withTeams(
  context: WriteContext,
  users: readonly NewUser[],
  rows: readonly CreatedUser[],
  blocked: Blocked,
): Promise<CreatedUser[]> {
  const wanted = new Map(users.map((user) => [user.userId, user.teams ?? []]));
  const present = rows.filter((row) => row.ok);
  const isPresent = new Set(present.map((row) => row.userId));
  const teamIds = [...new Set(present.flatMap((row) => wanted.get(row.userId) ?? []))];
  if (teamIds.length === 0) return [...rows];
  const problems = new Map<string, FailedRow>();
  // Once for all calls, as nobody else should be adding these emails meanwhile. If that fails, each call asks for
  // itself.
  // An error must not get out of here: it would say of users who are there that they were not created.
  const rosters = (await context.capabilities.writesHalfMemberships().catch(() => false))
    ? await findTeams(context.http, teamIds).catch(() => null)
    : null;
  await mapConcurrent(teamIds, context.http.concurrency, async (teamId) => {
    const members = users.filter((user) => user.teams?.includes(teamId) && isPresent.has(user.userId));
    for (const row of await notJoined(context, teamId, members, rosters, blocked)) problems.set(row.userId, row);
  });
  const teams = await findTeams(context.http, teamIds).catch(() => null);
  return rows.map((row) => {
    const own = wanted.get(row.userId) ?? [];
    if (!row.ok || own.length === 0) return row;
    const joined = teams?.filter((team) => own.includes(team.teamId) && team.members.has(row.userId)) ?? null;
    const { reason = null, lost = false } = problems.get(row.userId) ?? {};
    return { ...row, teams: joined?.map((team) => team.teamId) ?? null, warning: reason, lost };
  });
}

/** Who did not join, and why. A failure costs its own call alone: who is created must have a row. */
async function notJoined(
  context: WriteContext,
  teamId: string,
  users: readonly NewUser[],
  rosters: readonly Team[] | null,
  blocked: Blocked,
): Promise<FailedRow[]> {
  const failed: FailedRow[] = [];
  for (let at = 0; at < users.length && blocked() === null; at += JOIN_BATCH) {
    const some = users.slice(at, at + JOIN_BATCH);
    const ids = some.map((user) => user.userId);
    try {
      const known = rosters === null ? undefined : { users: some, teams: rosters };
      for (const row of await joinTeam(context, teamId, ids, known)) if (!row.ok) failed.push(row);
    } catch (error) {
      for (const userId of ids) failed.push(failedRow(userId, error));
    }
  }
  return failed;
}

/** Makes the keys of those whose key was not to be made along; one that cannot be made is missing in its row. */
function withKeys(
  context: WriteContext,
  users: readonly NewUser[],
  rows: readonly CreatedUser[],
  blocked: Blocked,
): Promise<CreatedUser[]> {
  const keyless = new Map(users.map((user) => [user.userId, user]));
  let refused = false;
  return mapConcurrent(rows, context.http.concurrency, async (row) => {
    const user = keyless.get(row.userId);
    if (!row.ok || user === undefined || !isReady(row, user) || refused || blocked() !== null) return row;
    try {
      const [teamId = null] = user.teams?.length === 1 ? user.teams : [];
      const key = { userId: user.userId, teamId, alias: user.keyAlias };
      return { ...row, key: await createKey(context.http, key, context.onSecret) };
    } catch (error) {
      refused ||= error instanceof ProxyAuthError;
      // Its words come again where the key is made once more; what is no failure of the proxy's is thrown on.
      const { lost = row.lost ?? false } = failedRow(row.userId, error);
      return { ...row, lost };
    }
  });
}

/** Not where something of the creation failed, or a team is missing that the key may belong to. */
function isReady(row: Created, user: NewUser): boolean {
  return row.warning === null && (user.teams ?? []).every((team) => row.teams?.includes(team));
}

function isKeyLeft(user: NewUser): boolean {
  return user.withKey && !isMadeAlong(user);
}

function hasOwnTeams({ teams }: NewUser): boolean {
  return teams !== null && teams.length > 0;
}

/** Source: `/user/new` copies rates and models, but no budget, to the key that it makes (1.75 to 1.110, each tried). */
function isMadeAlong({ withKey, limits = {} }: NewUser): boolean {
  const { tpmLimit, rpmLimit, models }: LimitSettings = limits;
  return withKey && (tpmLimit ?? null) === null && (rpmLimit ?? null) === null && !models?.length;
}

/**
 * `team_id` binds the key to the team and makes a member too; `teams` alone makes a personal key. The email is stored in
 * lower case: up to 1.75 neither log-in nor SSO finds another.
 */
function newUserBody(user: NewUser, withKey: boolean): Record<string, unknown> {
  const team = withKey && user.teams?.length === 1 ? user.teams[0] : undefined;
  return {
    user_id: user.userId,
    user_email: emailKey(user.email),
    auto_create_key: withKey,
    ...(user.role === null ? {} : { user_role: user.role }),
    ...(team !== undefined ? { team_id: team } : user.teams === null ? {} : { teams: user.teams }),
    ...(withKey && user.keyAlias !== null ? { key_alias: user.keyAlias } : {}),
    ...limitsBody(user.limits ?? {}),
  };
}

function isKey(key: string | null): key is string {
  return key !== null && key !== '';
}

function secretKey(key: string | null): Secret | null {
  return isKey(key) ? new Secret(key) : null;
}
