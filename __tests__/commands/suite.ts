import { afterEach, beforeEach, expect } from 'vitest';
import type { Api } from '../contract/api.ts';
import { contract } from '../contract/suite.ts';
import type { RunningTarget } from '../contract/targets.ts';
import { Workplace } from './workplace.ts';

/** Defines tests of a command against the stand-in and, where there is one, the real proxy: each on an empty one. */
export function commands(
  title: string,
  define: (place: () => Workplace, api: () => Api, target: () => RunningTarget) => void,
): void {
  contract(title, (api, target) => {
    let place: Workplace;
    beforeEach(() => {
      place = new Workplace(target());
    });
    afterEach(() => place.remove());
    define(() => place, api, target);
  });
}

/** Teams of these names; their ids are `t-<name>`. */
export async function makeTeams(api: Api, ...names: readonly string[]): Promise<void> {
  for (const name of names) await api.ok('/team/new', { team_id: `t-${name}`, team_alias: name });
}

/** Emails of all users, sorted. */
export async function emails(api: Api): Promise<string[]> {
  const { body } = await api.get('/user/list?sort_by=user_id&page_size=100');
  return body.users.flatMap((user: { user_email: string | null }) => user.user_email ?? []).sort();
}

/** In bulk, or one by one where there is no such route (1.75). */
export async function makeUsers(api: Api, users: readonly object[]): Promise<void> {
  const { status, body } = await api.post('/management/v1/users/bulk', { users });
  if (status === 404) {
    for (const user of users) await api.ok('/user/new', user);
  } else {
    expect(body.data.filter((row: { success: boolean }) => !row.success)).toEqual([]);
  }
}

/** Roles and teams of everybody: what a plan could change. */
export async function stateOf(api: Api): Promise<string[]> {
  const pages = await Promise.all(
    [1, 2, 3, 4].map((page) => api.get(`/user/list?sort_by=user_id&sort_order=asc&page_size=100&page=${page}`)),
  );
  return pages
    .flatMap(({ body }) => body.users)
    .map((user) => JSON.stringify([user.user_id, user.user_email, user.user_role, [...user.teams].sort()]));
}
