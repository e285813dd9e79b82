import { MASTER_USER_ID } from './context.ts';
import { makeKey, type State } from './state.ts';
import type { Seed, SeedUser } from './types.ts';
import type { Behaviour } from './versions.ts';

/** Puts a seed's teams, users and keys into an empty state, with `default_user_id` as the proxy makes it. */
export function plant(state: State, seed: Seed, { masterUserRole }: Behaviour): void {
  const teams = seed.teams ?? [];
  if (teams.length > 0 || masterUserRole === 'proxy_admin') {
    state.addUser({ userId: MASTER_USER_ID, role: masterUserRole, teams: teams.map(({ teamId }) => teamId) });
  }
  for (const { teamId, alias } of teams) {
    const team = state.addTeam(teamId, alias ?? null);
    state.setMember(team, { userId: MASTER_USER_ID, email: null, role: 'admin', times: 1 });
    state.addMembership(MASTER_USER_ID, teamId);
  }
  const at = state.now();
  for (const user of seed.users ?? []) plantUser(state, user, at);
}

function plantUser(state: State, user: SeedUser, at: string): void {
  const { userId, teams = [], teamsOnly = [], rosterOnly = [] } = user;
  const email = user.email ?? null;
  const row = {
    userId,
    email,
    alias: user.alias ?? null,
    role: user.role ?? null,
    teams: [...teams, ...teamsOnly],
    spend: user.spend ?? 0,
    metadata: { ...user.metadata },
    passwordHash: user.passwordHash ?? null,
    maxBudget: user.maxBudget ?? null,
    budgetDuration: user.budgetDuration ?? null,
    tpmLimit: user.tpmLimit ?? null,
    rpmLimit: user.rpmLimit ?? null,
    maxParallelRequests: user.maxParallelRequests ?? null,
    models: [...(user.models ?? [])],
  };
  state.addUser(row, at);
  for (const teamId of [...teams, ...rosterOnly]) {
    const team = state.teams.get(teamId);
    if (team === undefined) throw new Error(`Seed: user ${userId} is in team ${teamId}, which the seed does not have.`);
    state.setMember(team, { userId, email, role: 'user', times: 1 });
    state.addMembership(userId, teamId);
  }
  for (const { key, alias, teamId, spend, maxBudget } of user.keys ?? []) {
    const limits = { spend: spend ?? 0, maxBudget: maxBudget ?? null };
    const values = { alias: alias ?? null, teamId: teamId ?? null, ...limits };
    state.addKey({ secret: key ?? makeKey(), userId, createdBy: MASTER_USER_ID, ...values });
  }
}
