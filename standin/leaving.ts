import type { JoinCall } from './joining.ts';
import type { State } from './state.ts';
import type { Member, TeamRow, UserRow } from './types.ts';

/** Whom a request means. */
interface Named {
  readonly userId: string | null;
  readonly email: string | null;
}

/**
 * Takes the named out of a team: roster entries that have the id or the email, the team from `user.teams`, from 1.82 on
 * the keys of that team. `false`: there was nobody to take out. Without an entry in the roster, the team is taken off
 * `user.teams` from 1.106 on: by an email then, which no longer is the one in the roster, the roster's half stays.
 */
export function removeFromTeam(call: JoinCall, team: TeamRow, named: Named): boolean {
  const { state, behaviour } = call;
  const entries = [...team.roster.values()].filter((entry) => isMeant(entry, named));
  const users = addressed(state, named, behaviour.leavingClearsAll ? entries : []);
  const strays = users.filter((user) => user.teams.includes(team.teamId));
  if (entries.length === 0 && !(behaviour.leavingMendsUserTeams && strays.length > 0)) return false;
  for (const entry of entries) state.removeMember(team, entry.userId);
  for (const user of strays) leaveUserTeams(call, user, team.teamId);
  const left = entries.length > 0 ? users : strays;
  for (const userId of new Set([named.userId ?? [], left.map((user) => user.userId)].flat())) {
    state.removeMembership(userId, team.teamId);
    if (behaviour.leavingDeletesKeys) removeKeys(call, userId, team.teamId);
  }
  return true;
}

function isMeant(entry: Member, { userId, email }: Named): boolean {
  return entry.userId === userId || (email !== null && entry.email === email);
}

/** The users behind the roster's entries where there are any, else those of the id, else those of the email. */
function addressed(state: State, { userId, email }: Named, entries: readonly Member[]): UserRow[] {
  const ids = entries.length > 0 ? entries.map((entry) => entry.userId) : userId === null ? [] : [userId];
  if (ids.length > 0) return ids.flatMap((id) => state.users.get(id) ?? []);
  return state.usersByEmail(email ?? '').filter((user) => user.email === email);
}

function leaveUserTeams({ state, behaviour }: JoinCall, user: UserRow, teamId: string): void {
  const first = user.teams.indexOf(teamId);
  const leaves = (id: string, index: number) => id === teamId && (behaviour.leavingClearsAll || index === first);
  state.changeUser(user, { teams: user.teams.filter((id, index) => !leaves(id, index)) });
}

function removeKeys({ state, cache }: JoinCall, userId: string, teamId: string): void {
  for (const key of state.keysOfUser(userId)) {
    if (key.teamId !== teamId) continue;
    state.removeKey(key);
    cache.forget(key);
  }
}
