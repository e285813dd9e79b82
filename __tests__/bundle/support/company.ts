import type { Seed } from '../../../standin/types.ts';

/** A small company as it stands on its proxy. */
export const COMPANY: Seed = {
  teams: [
    { teamId: 'team-eng', alias: 'engineering' },
    { teamId: 'team-res', alias: 'research' },
  ],
  users: [
    { userId: 'user-ann', email: 'ann@example.com', role: 'proxy_admin', teams: ['team-eng'] },
    { userId: 'user-bob', email: 'bob@example.com', role: 'internal_user', teams: ['team-eng'] },
    {
      userId: 'user-cat',
      email: 'cat@example.com',
      role: 'internal_user',
      teams: ['team-res'],
      keys: [{ alias: 'cat-notebook', teamId: 'team-res', spend: 4.5 }],
      spend: 4.5,
    },
    { userId: 'user-dan', email: 'dan@example.com', role: 'internal_user', teams: ['team-res'] },
    { userId: 'user-fay', email: 'fay@example.com', role: 'internal_user_viewer' },
  ],
};

const HEADER = 'email,role,team_name,key_name\n';

/** The company as a file: nothing to do. */
export const SAME = `${HEADER}ann@example.com,proxy_admin,engineering,
bob@example.com,internal_user,engineering,
cat@example.com,internal_user,research,
dan@example.com,internal_user,research,
fay@example.com,internal_user_viewer,,
`;

/** One more, one less, one moves: eve joins, dan leaves, cat goes to engineering. */
export const USER_LIST = `${HEADER}ann@example.com,proxy_admin,engineering,
bob@example.com,internal_user,engineering,
cat@example.com,internal_user,engineering,
eve@example.com,internal_user,engineering,eve-laptop
fay@example.com,internal_user_viewer,,
`;
