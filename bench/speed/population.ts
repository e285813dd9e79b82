import { fire, type Load } from './floor.ts';

export interface Member {
  readonly id: string;
  readonly email: string;
  readonly role: string;
  readonly team: string;
}

export const TEAMS = ['t0', 't1', 't2', 't3', 't4'] as const;
const MOST = 500;

export function members(count: number, name = 'u', role = 'internal_user'): Member[] {
  return Array.from({ length: count }, (_, at) => {
    const id = `${name}-${String(at).padStart(6, '0')}`;
    return { id, email: `${id}@example.com`, role, team: TEAMS[at % TEAMS.length] as string };
  });
}

export function csvOf(users: readonly Member[]): string {
  return `email,role,team_name\n${users.map(({ email, role, team }) => `${email},${role},${team}\n`).join('')}`;
}

export function* pieces<T>(rows: readonly T[], size = MOST): Generator<readonly T[]> {
  for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size);
}

/** The bodies of bulk creations, of 500 users each. */
export function creations(users: readonly Member[], withKeys: boolean): { readonly users: readonly object[] }[] {
  return [...pieces(users)].map((piece) => ({
    users: piece.map(({ id, email, role, team }) => ({
      user_id: id,
      user_email: email,
      user_role: role,
      auto_create_key: withKeys,
      ...(withKeys ? { team_id: team } : { teams: [team] }),
    })),
  }));
}

/** Exactly these users on the proxy, and the five teams. */
export async function populate(load: Load, users: readonly Member[]): Promise<void> {
  await makeTeams(load);
  await empty(load);
  if (await load.hasBulk()) {
    for (const body of creations(users, false)) await load.post('/management/v1/users/bulk', body);
  } else {
    await createOneByOne(load, users, 8);
    await joinTeams(load, users, 8);
  }
}

/** As they are made without bulk routes: users side by side, none of them in a team. */
export function createOneByOne(load: Load, users: readonly Member[], width: number): Promise<number> {
  return fire(users, width, ({ id, email, role }) =>
    load.post('/user/new', { user_id: id, user_email: email, user_role: role, auto_create_key: false }),
  );
}

/** The route takes 500, but its transaction ends after 5 seconds: on two cores 250 fail. */
const MOST_JOINING = 50;

/** Teams side by side; the calls for one team one after the other, as rosters are rewritten without a lock. */
export function joinTeams(load: Load, users: readonly Member[], width: number): Promise<number> {
  return fire(TEAMS, width, async (team) => {
    for (const piece of pieces(
      users.filter((user) => user.team === team),
      MOST_JOINING,
    )) {
      const joining = piece.map(({ id }) => ({ user_id: id, role: 'user' }));
      await load.post('/team/bulk_member_add', { team_id: team, members: joining });
    }
  });
}

/** Deletes users, 500 a call. */
export function deleteAll(load: Load, ids: readonly string[]): Promise<number> {
  return fire([...pieces(ids)], 1, async (piece) =>
    load.post((await load.hasBulk()) ? '/management/v1/users/bulk_delete' : '/user/delete', { user_ids: piece }),
  );
}

async function makeTeams(load: Load): Promise<void> {
  const { teams } = JSON.parse(await load.get('/v2/team/list?page_size=100'));
  const known = new Set(teams.map((team: { team_id: string }) => team.team_id));
  const others = [...known].filter((id) => !TEAMS.includes(id as (typeof TEAMS)[number]));
  if (others.length > 0) await load.post('/team/delete', { team_ids: others });
  for (const team of TEAMS) if (!known.has(team)) await load.post('/team/new', { team_id: team, team_alias: team });
}

async function empty(load: Load): Promise<void> {
  for (;;) {
    const pages = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((page) => load.get(`/user/list?sort_by=user_id&page_size=100&page=${page}`)),
    );
    const ids = pages
      .flatMap((text) => JSON.parse(text).users.map((user: { user_id: string }) => user.user_id))
      .filter((id: string) => id !== 'default_user_id');
    if (ids.length === 0) return;
    await deleteAll(load, ids);
  }
}
