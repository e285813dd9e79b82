import type { z } from 'zod';
import type { Team } from '../core/user.ts';
import { mapConcurrent } from './concurrency.ts';
import type { Http } from './http.ts';
import { type Listing, PAGE_SIZE, type Page, readAll } from './paging.ts';
import { teamPage, type teamRow, teamRows } from './schemas.ts';

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
