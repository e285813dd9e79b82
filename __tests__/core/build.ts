import { readUserList, resolveTeams } from '../../src/core/desired.ts';
import { makePlan, type Planned, type Policy } from '../../src/core/diff.ts';
import type { Inventory, ProxyUser, Team } from '../../src/core/inventory.ts';
import type { Change } from '../../src/core/plan.ts';
import { teamDirectory } from '../../src/core/teams.ts';

export const POLICY: Policy = {
  userRole: 'internal_user',
  noAdd: false,
  noDelete: false,
  noUpdate: false,
  maxDeletes: null,
  minAdmins: 0,
  protectedUsers: [],
};

export function user(userId: string, over: Partial<ProxyUser> = {}): ProxyUser {
  return { userId, email: `${userId}@x.io`, role: 'internal_user', teams: [], keyCount: 0, spend: 0, ...over };
}

export function team(teamId: string, members: readonly string[] = [], alias: string | null = teamId): Team {
  return { teamId, alias, members: new Set(members) };
}

export function inventory(
  users: readonly ProxyUser[],
  teams: readonly Team[] = [],
  ownUserId: string | null = null,
): Inventory {
  return { users, teams, ownUserId };
}

/** The plan for a CSV text. */
export function planOf(csv: string, have: Inventory, policy: Partial<Policy> = {}): Planned {
  const list = readUserList(new TextEncoder().encode(csv));
  const directory = teamDirectory(have.teams);
  const { users, problems } = resolveTeams(list.rows, directory);
  const planned = makePlan(users, have, directory, { ...POLICY, ...policy });
  return { ...planned, problems: [...list.problems, ...problems, ...planned.problems] };
}

/** One line a change: short to write down, exact enough to tell plans apart. */
export function short(change: Change): string {
  const names = (teams: readonly { name: string }[]): string => teams.map((one) => one.name).join(';') || '-';
  const withheld = change.withheld === null ? '' : ` (${change.withheld})`;
  switch (change.kind) {
    case 'add':
      return `+ ${change.email} ${change.role} ${change.teams === null ? 'default' : names(change.teams)} ${change.keyName}${withheld}`;
    case 'delete':
      return `- ${change.userId} ${change.role} ${names(change.teams)} ${change.keyCount} ${change.spend}${withheld}`;
    case 'invite':
      return `= ${change.email} ${change.userId} ${change.role} ${names(change.teams)}${withheld}`;
    case 'update':
      return (
        [
          `~ ${change.userId}`,
          ...(change.role ? [`${change.role.from}→${change.role.to}`] : []),
          ...(change.teams ? [`join ${names(change.teams.join)} leave ${names(change.teams.leave)}`] : []),
        ].join(' ') + withheld
      );
  }
}
