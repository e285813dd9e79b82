import { type DesiredUser, readUserList, resolveTeams, type UserRow } from '../../src/core/desired.ts';
import { makePlan, type Planned, type Policy } from '../../src/core/diff.ts';
import {
  emailKey,
  type Inventory,
  type ProxyFacts,
  type ProxyUser,
  type Team,
  type UserLimits,
} from '../../src/core/inventory.ts';
import type { Change } from '../../src/core/plan.ts';
import { UsersByEmail } from '../../src/core/scope.ts';
import { teamDirectory } from '../../src/core/teams.ts';

export const POLICY: Policy = {
  userRole: 'internal_user',
  noAdd: false,
  noDelete: false,
  noUpdate: false,
  maxDeletes: null,
  minAdmins: 0,
  protectedUsers: [],
  onMissing: 'delete',
  teamKeys: 'move',
  apiKeys: true,
};

/** Of a file that has the column `email` alone. */
export const COLUMNS: UserRow['columns'] = {
  email: 1,
  team: 1,
  key: 1,
  limits: { maxBudget: 1, budgetDuration: 1, tpmLimit: 1, rpmLimit: 1, models: 1 },
  previousEmail: 1,
  expires: 1,
};

/** As of the newest proxies. */
export const FACTS: ProxyFacts = {
  version: '1.110.2',
  leavingDeletesKeys: true,
  enforcesDeactivation: true,
  clearsBudget: true,
  clearsDurationAndRates: true,
  defaultBudget: 'unknown',
};

export const UNLIMITED: UserLimits = {
  maxBudget: null,
  budgetDuration: null,
  tpmLimit: null,
  rpmLimit: null,
  models: [],
};

export const TODAY = '2026-06-15';

export function user(userId: string, over: Partial<ProxyUser> = {}): ProxyUser {
  return {
    userId,
    email: `${userId}@x.io`,
    role: 'internal_user',
    teams: [],
    keyCount: 0,
    spend: 0,
    limits: UNLIMITED,
    activity: 'active',
    ...over,
  };
}

export function team(
  teamId: string,
  members: readonly string[] = [],
  alias: string | null = teamId,
  over: Partial<Team> = {},
): Team {
  return { teamId, alias, members: new Set(members), admins: new Set(), rosterEmails: new Map(), ...over };
}

export function inventory(
  users: readonly ProxyUser[],
  teams: readonly Team[] = [],
  ownUserId: string | null = null,
): Inventory {
  return { users, teams, ownUserId };
}

/** What else a plan may be told. `rows`: cells of rows, by email. */
export interface PlanMore {
  readonly facts?: Partial<ProxyFacts>;
  readonly rows?: Readonly<Record<string, Partial<DesiredUser>>>;
  readonly modelNames?: readonly string[];
  readonly today?: string;
}

/** The plan for a CSV text. */
export function planOf(csv: string, have: Inventory, policy: Partial<Policy> = {}, more: PlanMore = {}): Planned {
  const list = readUserList(new TextEncoder().encode(csv));
  const directory = teamDirectory(have.teams);
  const { users, problems } = resolveTeams(list.rows, directory);
  const rows = users.map((row) => ({ ...row, ...more.rows?.[emailKey(row.email)] }));
  const modelNames = more.modelNames === undefined ? null : new Set(more.modelNames);
  const byEmail = new UsersByEmail(have.users);
  const proxy = { inventory: have, users: byEmail, directory, facts: { ...FACTS, ...more.facts }, modelNames };
  const planned = makePlan(rows, proxy, { ...POLICY, ...policy }, more.today ?? TODAY);
  return { ...planned, problems: [...list.problems, ...problems, ...planned.problems] };
}

/** One line a change: short to write down, exact enough to tell plans apart. */
export function short(change: Change): string {
  const withheld = change.withheld === null ? '' : ` (${change.withheld})`;
  return shortOf(change) + withheld;
}

const names = (teams: readonly { name: string }[]): string => teams.map((one) => one.name).join(';') || '-';

function shortOf(change: Change): string {
  switch (change.kind) {
    case 'add': {
      const limits = Object.keys(change.limits).length === 0 ? '' : ` ${JSON.stringify(change.limits)}`;
      return `+ ${change.email} ${change.role} ${change.teams === null ? 'default' : names(change.teams)} ${change.keyName}${limits}`;
    }
    case 'delete':
    case 'deactivate': {
      const sign = change.kind === 'delete' ? '-' : 'x';
      const expired = change.expired === null ? '' : ` expired ${change.expired}`;
      return `${sign} ${change.userId} ${change.role} ${names(change.teams)} ${change.keyCount} ${change.spend}${expired}`;
    }
    case 'update':
      return [
        `~ ${change.userId}`,
        ...(change.rename ? [`${change.rename.from}→${change.rename.to}`] : []),
        ...(change.role ? [`${change.role.from}→${change.role.to}`] : []),
        ...(change.teams ? [`join ${names(change.teams.join)} leave ${names(change.teams.leave)}`] : []),
        ...change.limits.map(({ field, from, to }) => `${field} ${from}→${to}`),
        ...(change.reactivates ? ['reactivates'] : []),
      ].join(' ');
    case 'invite':
      return `= ${change.email} ${change.userId} ${change.role} ${names(change.teams)}`;
  }
}
