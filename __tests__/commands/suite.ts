import { afterEach, beforeEach } from 'vitest';
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
