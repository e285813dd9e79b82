import type { Seed } from '../standin/types.ts';

/** The users of a small company as they stand on its proxy before the demo. */
export const COMPANY: Seed = {
  teams: [
    { teamId: 'team-engineering', alias: 'engineering' },
    { teamId: 'team-research', alias: 'research' },
    { teamId: 'team-customer-support', alias: 'customer support' },
    { teamId: 'team-finance', alias: 'finance' },
  ],
  users: [
    person('ada', 'proxy_admin', ['team-engineering'], 182.4),
    person('grace', 'proxy_admin', ['team-engineering', 'team-research'], 96.1),
    person('linus', 'internal_user', ['team-engineering'], 41.75),
    person('margaret', 'internal_user', ['team-engineering'], 12.3),
    person('barbara', 'internal_user', ['team-research'], 64.02),
    person('alan', 'internal_user', ['team-research'], 8.5),
    person('katherine', 'internal_user', ['team-research', 'team-finance'], 23),
    person('tim', 'internal_user', ['team-customer-support'], 1.2),
    person('radia', 'internal_user_viewer', ['team-customer-support'], 0),
    person('edsger', 'internal_user', ['team-finance'], 5.61),
    person('ken', 'internal_user', ['team-engineering'], 33.9),
    { userId: 'svc-build', email: 'build-bot@example.com', role: 'internal_user', keys: [{ alias: 'build-bot' }] },
  ],
};

/** What a pull request makes of it: somebody joins, somebody leaves, somebody moves, somebody is promoted. */
export const USER_LIST = `# Users of the LiteLLM proxy. Edit in a pull request; the merge applies it.
email,role,team_name,key_name
ada@example.com,proxy_admin,engineering,
grace@example.com,proxy_admin,engineering;research,
linus@example.com,proxy_admin,engineering,
margaret@example.com,internal_user,engineering,
barbara@example.com,internal_user,research,
alan@example.com,internal_user,engineering,
katherine@example.com,internal_user,research;finance,
tim@example.com,internal_user,customer support,
radia@example.com,internal_user,customer support,
edsger@example.com,internal_user,finance,
donald@example.com,internal_user,research,donald-notebook
frances@example.com,,engineering;research,
shafi@example.com,internal_user_viewer,-,
`;

function person(name: string, role: string, teams: readonly string[], spend: number) {
  const [teamId] = teams as [string];
  const keys = spend > 0 ? [{ alias: `${name}-main`, teamId, spend }] : [];
  return { userId: `user-${name}`, email: `${name}@example.com`, role, teams, spend, keys };
}
