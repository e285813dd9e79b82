import type { RowResult } from '../apply/ports.ts';
import { ProxyResponseError } from './errors.ts';
import type { Http } from './http.ts';
import { rowResults } from './rows.ts';
import { resultData, resultList } from './schemas.ts';
import type { WriteContext } from './user-writes.ts';

/** Users of the team already are fine. */
export async function joinTeam(
  { http, locks }: WriteContext,
  teamId: string,
  userIds: readonly string[],
): Promise<RowResult[]> {
  if (userIds.length === 0) return [];
  const members = userIds.map((user_id) => ({ user_id, role: 'user' }));
  const body = { team_id: teamId, members };
  const call = { method: 'POST', path: '/team/bulk_member_add', body, rows: userIds.length } as const;
  const { results } = await locks.run([teamId], () => http.json(call, resultList));
  return rowResults(userIds, results, (error) => /already in team/i.test(error));
}

/** Users outside the team are fine. */
export async function leaveTeam(
  { http, locks, capabilities }: WriteContext,
  teamId: string,
  userIds: readonly string[],
): Promise<RowResult[]> {
  if (userIds.length === 0) return [];
  const bulk = fitsPath(teamId) && (await capabilities.bulk('leave'));
  return locks.run([teamId], () => (bulk ? leaveInBulk(http, teamId, userIds) : leaveOneByOne(http, teamId, userIds)));
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

async function leaveOneByOne(http: Http, teamId: string, userIds: readonly string[]): Promise<RowResult[]> {
  const rows: RowResult[] = [];
  for (const userId of userIds) rows.push(await leaveOne(http, teamId, userId));
  return rows;
}

async function leaveOne(http: Http, teamId: string, userId: string): Promise<RowResult> {
  try {
    await http.send({ method: 'POST', path: '/team/member_delete', body: { team_id: teamId, user_id: userId } });
    return { userId, ok: true };
  } catch (error) {
    if (!(error instanceof ProxyResponseError)) throw error;
    if (/not found in team/i.test(error.proxyMessage ?? '')) return { userId, ok: true };
    return { userId, ok: false, reason: error.proxyMessage ?? error.message };
  }
}
