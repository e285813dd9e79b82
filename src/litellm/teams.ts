import type { z } from 'zod';
import type { Blocked, RowResult } from '../apply/ports.ts';
import { mapConcurrent } from '../concurrency.ts';
import type { Team } from '../core/inventory.ts';
import { ProxyResponseError } from './errors.ts';
import type { Http } from './http.ts';
import { keysOfUser } from './keys.ts';
import { type Listing, PAGE_SIZE, type Page, readAll } from './paging.ts';
import { reasonOf, rowResults, unsent } from './row-results.ts';
import { anyJson, joined, resultData, teamPage, type teamRow, teamRows } from './schemas.ts';
import { findUsers, type WriteContext } from './users.ts';

/** Being a member already is fine; where only the roster says so, the other half (`user.teams`) is mended. */
export async function joinTeam(
  context: WriteContext,
  teamId: string,
  userIds: readonly string[],
): Promise<RowResult[]> {
  if (userIds.length === 0) return [];
  const answers = await addMembers(context, teamId, userIds);
  const unclear = answers.filter(isUnclear).flatMap((answer) => answer.user_id ?? []);
  const settled = await settle(context, teamId, unclear);
  return rowResults(userIds, answers).map((row) => settled.get(row.userId) ?? row);
}

const ROUTE = '/team/bulk_member_add';

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
  const { results } = await locks.run([teamId], () => http.json(call, joined));
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
  return results.every((one) => !one.success && one.error === first.error) ? reasonOf(first.error) : null;
}

/**
 * A user of the roster already is left alone, `user.teams` too, and shown as done without `updated_user`, or, where all
 * of the call's users are, as failed: with "already in team", on 1.75 with an empty error.
 */
function isUnclear(answer: Joined): boolean {
  if (answer.success) return answer.updated_user === null;
  return answer.error === null || answer.error === '' || /already in team/i.test(answer.error);
}

async function settle(
  context: WriteContext,
  teamId: string,
  userIds: readonly string[],
): Promise<Map<string, RowResult>> {
  const settled = new Map<string, RowResult>();
  if (userIds.length === 0) return settled;
  const [users, teams] = await Promise.all([findUsers(context.http, userIds), findTeams(context.http, [teamId])]);
  const roster = teams[0]?.members;
  const complete = new Set(users.filter((user) => user.teams.includes(teamId)).map((user) => user.userId));
  for (const userId of userIds) {
    if (roster === undefined) settled.set(userId, { userId, ok: false, reason: `There is no team ${teamId}.` });
    else if (!roster.has(userId)) settled.set(userId, { userId, ok: false, reason: reasonOf(null) });
    else if (complete.has(userId)) settled.set(userId, { userId, ok: true });
    else settled.set(userId, await mend(context, teamId, userId));
  }
  return settled;
}

/** Of the two halves only the roster's is there, and no route adds the other: he must leave and join again. */
async function mend(context: WriteContext, teamId: string, userId: string): Promise<RowResult> {
  if (await context.capabilities.bulk('leave')) {
    const keys = (await keysOfUser(context.http, userId)).filter((key) => key.teamId === teamId);
    if (keys.length > 0) {
      const reason = `The user stands in the team's roster, but the team not in the user's record. Mending that means leaving and joining again, and leaving deletes the ${keys.length} keys of this team: delete those keys first, or remove and add the user in the Admin UI.`;
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
  const { data } = await http.json(call, resultData);
  return rowResults(userIds, data, (error) => /not found in team/i.test(error));
}

async function leaveOneByOne(
  http: Http,
  teamId: string,
  userIds: readonly string[],
  blocked: Blocked,
): Promise<RowResult[]> {
  const rows: RowResult[] = [];
  for (const userId of userIds) rows.push(unsent(userId, blocked) ?? (await leaveOne(http, teamId, userId)));
  return rows;
}

async function leaveOne(http: Http, teamId: string, userId: string): Promise<RowResult> {
  try {
    const body = { team_id: teamId, user_id: userId };
    await http.json({ method: 'POST', path: '/team/member_delete', body }, anyJson);
    return { userId, ok: true };
  } catch (error) {
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
  const members = (row.members_with_roles ?? []).flatMap((member) => member.user_id ?? []);
  return { teamId: row.team_id, alias: row.team_alias, members: new Set(members) };
}

function listing(http: Http, filter: Readonly<Record<string, string>> = {}): Listing<Team> {
  return {
    route: 'GET /v2/team/list',
    concurrency: http.concurrency,
    page: async (page): Promise<Page<Team>> => {
      const query = { ...filter, page, page_size: PAGE_SIZE, ...ORDER };
      const { teams, total } = await http.json({ method: 'GET', path: '/v2/team/list', query }, teamPage);
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
  const rows = await http.json({ method: 'GET', path: '/team/list', rows: 1000 }, teamRows);
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
