import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { Blocked, RowResult } from '../apply/ports.ts';
import { mapConcurrent } from '../concurrency.ts';
import { StoppedError } from '../core/errors.ts';
import { emailKey, type ProxyUser, rosterHolder, type Team } from '../core/inventory.ts';
import { failedRow, givenReason, ProxyResponseError, rowResults, unsentIfBlocked } from './errors.ts';
import type { Http } from './http.ts';
import { keysOfUser } from './keys.ts';
import { type Listing, PAGE_SIZE, type Page, readAll } from './paging.ts';
import { anyJson, joined, resultData, teamInfo, teamPage, type teamRow, teamRows } from './schemas.ts';
import { findUsers, type WriteContext } from './users.ts';

/**
 * Being a member already is fine; where only the roster says so, the other half (`user.teams`) is mended. Whom an entry
 * with their email but another id keeps out is told so, and nothing is written for them.
 * @param known Users with their emails, and rosters, where those are at hand.
 */
export async function joinTeam(
  context: WriteContext,
  teamId: string,
  userIds: readonly string[],
  known?: { readonly users: readonly WithEmail[]; readonly teams: readonly Team[] },
): Promise<RowResult[]> {
  if (userIds.length === 0) return [];
  const kept = (await context.capabilities.writesHalfMemberships())
    ? await keptOut(teamId, known ?? (await halvesOf(context.http, teamId, userIds)))
    : new Map<string, RowResult>();
  const free = userIds.filter((userId) => !kept.has(userId));
  const answers = free.length === 0 ? [] : await addMembers(context, teamId, free);
  const unclear = answers.filter(isUnclear).flatMap((answer) => answer.user_id ?? []);
  const confirmed = await confirmMembers(context, teamId, unclear);
  const rows = new Map(rowResults(free, answers).map((row) => [row.userId, confirmed.get(row.userId) ?? row]));
  return userIds.map((userId) => (kept.get(userId) ?? rows.get(userId)) as RowResult);
}

/**
 * Asked before the write on proxies that add the team to the user's record and only then find the roster occupied: at
 * each try the record would grow by one more copy of the team (seen on 1.82 and 1.90).
 */
function keptOut(
  teamId: string,
  { users, teams }: { readonly users: readonly WithEmail[]; readonly teams: readonly Team[] },
): Map<string, RowResult> {
  const team = teams.find((one) => one.teamId === teamId);
  const rows = team === undefined ? [] : users.flatMap((user) => occupied(team, user) ?? []);
  return new Map(rows.map((row) => [row.userId, row]));
}

async function halvesOf(http: Http, teamId: string, userIds: readonly string[]) {
  const [users, teams] = await Promise.all([findUsers(http, userIds), findTeams(http, [teamId])]);
  return { users, teams };
}

type WithEmail = Pick<ProxyUser, 'userId' | 'email'>;

function occupied(team: Team, user: WithEmail): RowResult | null {
  const holder = rosterHolder(team, user);
  if (holder === null) return null;
  const whose = holder.userId === null ? 'without a user id' : `of user id ${holder.userId}`;
  const reason = `The roster of team ${team.teamId} holds this user's email in an entry ${whose}, and the proxy lets no second one in. Remove that member in the Admin UI, and add them again if they are somebody whose email has changed (their keys of this team go with that); then run again.`;
  return { userId: user.userId, ok: false, reason };
}

const ROUTE = '/team/bulk_member_add';

/**
 * The route takes 500, but in one transaction that ends after 5 seconds (Prisma's default): measured on two cores, at
 * 30 ms a user, 250 did not get through.
 */
export const JOIN_BATCH = 50;

interface Joined {
  readonly user_id: string | null;
  readonly success: boolean;
  readonly error: string | null;
  readonly updated_user?: unknown;
}

async function addMembers(
  { http, locks }: WriteContext,
  teamId: string,
  userIds: readonly string[],
): Promise<readonly Joined[]> {
  const members = userIds.map((user_id) => ({ user_id, role: 'user' }));
  const body = { team_id: teamId, members };
  const call = { method: 'POST', path: ROUTE, body, rows: userIds.length } as const;
  const { results } = await locks.run([teamId], () => http.requestJson(call, joined));
  const reason = reasonOfAll(results);
  if (reason !== null) throw new ProxyResponseError(`POST ${ROUTE}: ${reason}`, `POST ${ROUTE}`, 200, reason);
  return results;
}

/**
 * Why nobody joined, where all of several rows tell the same, or one tells of a transaction that took too long: then the
 * proxy means the call, and has rolled it back. It names one user in the words of all.
 */
function reasonOfAll(results: readonly Joined[]): string | null {
  const [first, ...others] = results;
  if (first === undefined || first.success || isUnclear(first)) return null;
  if (others.length === 0 && !/transaction/i.test(first.error ?? '')) return null;
  return results.every((one) => !one.success && one.error === first.error) ? givenReason(first.error) : null;
}

/**
 * A user of the roster already is left alone, `user.teams` too, and shown as done without `updated_user`, or, where all
 * of the call's users are, as failed: with "already in team", on 1.75 with an empty error.
 */
function isUnclear(answer: Joined): boolean {
  if (answer.success) return answer.updated_user === null;
  return answer.error === null || answer.error === '' || /already in team/i.test(answer.error);
}

async function confirmMembers(
  context: WriteContext,
  teamId: string,
  userIds: readonly string[],
): Promise<Map<string, RowResult>> {
  const confirmed = new Map<string, RowResult>();
  if (userIds.length === 0) return confirmed;
  const { users, teams } = await halvesOf(context.http, teamId, userIds);
  const [team] = teams;
  const byId = new Map(users.map((user) => [user.userId, user]));
  for (const userId of userIds) {
    const user = byId.get(userId);
    if (team === undefined) confirmed.set(userId, { userId, ok: false, reason: `There is no team ${teamId}.` });
    else if (!team.members.has(userId)) confirmed.set(userId, outside(team, userId, user));
    else if (user?.teams.includes(teamId)) confirmed.set(userId, { userId, ok: true });
    else confirmed.set(userId, await mend(context, teamId, userId));
  }
  return confirmed;
}

function outside(team: Team, userId: string, user: ProxyUser | undefined): RowResult {
  return (user && occupied(team, user)) ?? { userId, ok: false, reason: givenReason(null) };
}

/** Of the two halves only the roster's is there, and no route adds the other: they must leave and join again. */
async function mend(context: WriteContext, teamId: string, userId: string): Promise<RowResult> {
  if ((await context.capabilities.facts()).leavingDeletesKeys) {
    const keys = (await keysOfUser(context.http, userId)).filter((key) => key.teamId === teamId);
    if (keys.length > 0) {
      const reason = `The user stands in the team's roster, but the team not in the user's record. Mending that means leaving and joining again, and leaving would delete their keys of this team (${keys.map((key) => key.name).join(', ')}). Give those keys another team or none in the Admin UI, or delete them; then run again.`;
      return { userId, ok: false, reason };
    }
  }
  const [left] = await leaveTeam(context, teamId, [userId]);
  if (left !== undefined && !left.ok) return left;
  return rowResults([userId], await addMembers(context, teamId, [userId]))[0] as RowResult;
}

/** Users outside the team are fine. */
export async function leaveTeam(
  { http, locks, capabilities }: WriteContext,
  teamId: string,
  userIds: readonly string[],
  blocked: Blocked = () => null,
): Promise<RowResult[]> {
  if (userIds.length === 0) return [];
  const bulk = fitsPath(teamId) && (await capabilities.bulk('leave'));
  return locks.run([teamId], () =>
    bulk ? leaveInBulk(http, teamId, userIds) : leaveOneByOne(http, teamId, userIds, blocked),
  );
}

/** Whether the id can stand in a path: the proxy decodes `%2F` before it looks for the route. */
function fitsPath(teamId: string): boolean {
  return !teamId.includes('/') && teamId !== '.' && teamId !== '..';
}

async function leaveInBulk(http: Http, teamId: string, userIds: readonly string[]): Promise<RowResult[]> {
  const call = {
    method: 'POST',
    path: `/management/v1/teams/${encodeURIComponent(teamId)}/members/bulk_delete`,
    shownPath: '/management/v1/teams/{team_id}/members/bulk_delete',
    body: { members: userIds.map((user_id) => ({ user_id })) },
    rows: userIds.length,
  } as const;
  const { data } = await http.requestJson(call, resultData);
  return rowResults(userIds, data, (error) => /not found in team/i.test(error));
}

async function leaveOneByOne(
  http: Http,
  teamId: string,
  userIds: readonly string[],
  blocked: Blocked,
): Promise<RowResult[]> {
  const rows: RowResult[] = [];
  for (const userId of userIds) rows.push(unsentIfBlocked(userId, blocked) ?? (await leaveOne(http, teamId, userId)));
  return rows;
}

async function leaveOne(http: Http, teamId: string, userId: string): Promise<RowResult> {
  try {
    const body = { team_id: teamId, user_id: userId };
    await http.requestJson({ method: 'POST', path: '/team/member_delete', body }, anyJson);
    return { userId, ok: true };
  } catch (error) {
    // Thrown on, it would take the rows along that are done.
    if (error instanceof StoppedError) return failedRow(userId, error);
    if (!(error instanceof ProxyResponseError)) throw error;
    if (/not found in team/i.test(error.proxyMessage ?? '')) return outOfRoster(http, teamId, userId);
    return { userId, ok: false, reason: error.proxyMessage ?? error.message };
  }
}

/** 1.75 looks at the roster alone: who stands only in `user.teams` is refused and stays there. */
async function outOfRoster(http: Http, teamId: string, userId: string): Promise<RowResult> {
  const [user] = await findUsers(http, [userId]);
  if (user === undefined || !user.teams.includes(teamId)) return { userId, ok: true };
  const reason =
    "The team stands in the user's record, but the user not in its roster, and this version of the proxy has no way to mend that: update the proxy, or let the user be recreated (recreate-on-failure).";
  return { userId, ok: false, reason };
}

/** Source: `list_team_v2` sorts by created_at alone unless told otherwise; team_id is the primary key. */
const ORDER = { sort_by: 'team_id', sort_order: 'asc' } as const;

function team(row: z.output<typeof teamRow>): Team {
  const roster = row.members_with_roles ?? [];
  const rosterEmails = new Map<string, string | null>();
  for (const { user_id: userId = null, user_email: email = null } of roster) {
    if (email !== null) rosterEmails.set(emailKey(email), userId);
  }
  const ids = (members: typeof roster): Set<string> => new Set(members.flatMap((member) => member.user_id ?? []));
  return {
    teamId: row.team_id,
    alias: row.team_alias,
    members: ids(roster),
    admins: ids(roster.filter((member) => member.role === 'admin')),
    rosterEmails,
  };
}

function listing(http: Http, filter: Readonly<Record<string, string>> = {}): Listing<Team> {
  return {
    route: 'GET /v2/team/list',
    concurrency: http.concurrency,
    page: async (page): Promise<Page<Team>> => {
      const query = { ...filter, page, page_size: PAGE_SIZE, ...ORDER };
      const call = { method: 'GET', path: '/v2/team/list', query, lookUp: filter.team_id !== undefined } as const;
      const { teams, total } = await http.requestJson(call, teamPage);
      return { ids: teams.map((row) => row.team_id), rows: teams.map(team), total };
    },
  };
}

export function listTeams(http: Http): Promise<Team[]> {
  return readAll(listing(http));
}

/**
 * All teams in one answer. Slow (the proxy makes a query per team), but the only way for a proxy_admin_viewer's key on
 * 1.75, where `/v2/team/list` silently shows any key but a proxy_admin's its own user's teams (source: `list_team_v2`).
 */
export async function listTeamsUnpaged(http: Http): Promise<Team[]> {
  const rows = await http.requestJson({ method: 'GET', path: '/team/list', rows: 1000 }, teamRows);
  return rows.map(team);
}

/** Up to this many teams are asked for one by one without finding out how many there are in all. */
const FEW = 3;

/** Exactly these teams, as many as exist: one by one, or all of the proxy's where that takes fewer requests. */
export async function findTeams(http: Http, teamIds: readonly string[]): Promise<Team[]> {
  const wanted = [...new Set(teamIds)];
  const found = (await teamsAmong(http, wanted)).filter((team) => wanted.includes(team.teamId));
  return [...new Map(found.map((team) => [team.teamId, team])).values()];
}

async function teamsAmong(http: Http, teamIds: readonly string[]): Promise<Team[]> {
  if (teamIds.length > FEW) {
    const all = listing(http);
    const first = await all.page(1);
    if (first.total <= teamIds.length * PAGE_SIZE) return readAll(all, first);
  }
  const found = await mapConcurrent(teamIds, http.concurrency, (id) => readAll(listing(http, { team_id: id })));
  return found.flat();
}

/**
 * Which of these members have a budget of their own in a team, that leaving takes away for good: one `/team/info` a
 * team. The budget that the team gives to each is none; on 1.90 every member has a copy of it.
 */
export async function ownBudgets<P extends { readonly userId: string; readonly teamId: string }>(
  http: Http,
  pairs: readonly P[],
): Promise<P[]> {
  const teamIds = [...new Set(pairs.map((pair) => pair.teamId))];
  const owners = await mapConcurrent(
    teamIds,
    http.concurrency,
    async (team_id): Promise<[string, Set<string | null>]> => {
      const info = await http.requestJson({ method: 'GET', path: '/team/info', query: { team_id } }, teamInfo);
      return [team_id, budgetOwners(info)];
    },
  );
  const byTeam = new Map(owners);
  return pairs.filter(({ userId, teamId }) => byTeam.get(teamId)?.has(userId));
}

const NO_BUDGET = { max_budget: null, budget_duration: null, tpm_limit: null, rpm_limit: null };

function budgetOwners({ team_info, team_memberships }: z.output<typeof teamInfo>): Set<string | null> {
  const given = team_info.team_member_budget_table ?? NO_BUDGET;
  const owns = team_memberships.filter(
    ({ litellm_budget_table: own }) => own && !isDeepStrictEqual(own, NO_BUDGET) && !isDeepStrictEqual(own, given),
  );
  return new Set(owns.map((membership) => membership.user_id));
}
