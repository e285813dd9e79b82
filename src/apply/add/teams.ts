import { pieces, writeInBulk } from '../bulk.ts';
import { oneLine, reasonOf } from '../messages.ts';
import { isMember, type Observed, observe } from '../observed.ts';
import type { Run } from '../run.ts';
import { missingTeams, type NewUserState } from './new-user.ts';

/**
 * Makes sure that new users are in their teams: those whose answer did not say so are looked up, those that miss a
 * team join it once, and what is still missing becomes a problem of the row. Few requests for many users, none for
 * users whose answer was fine.
 */
export async function completeTeams(run: Run, users: readonly NewUserState[]): Promise<void> {
  const unclear = users.filter((user) => user.joined === null || user.role === null);
  for (const user of users) {
    if (user.candidate.teams === null && user.warning !== null) {
      user.problems.push(`the proxy says: ${oneLine(user.warning)}`);
    }
  }
  const failure = await lookUp(run, unclear);
  if (failure !== null) blameTeams(unclear, failure);
  const lacking = users.filter((user) => user.joined !== null && missingTeams(user).length > 0);
  const present = lacking.filter((user) => !user.gone);
  const reasons = await joinMissing(run, present);
  const unverified = await lookUp(run, present);
  for (const user of present) {
    for (const team of missingTeams(user)) {
      const why = reasons.get(pair(team.teamId, user)) ?? unverified ?? wordsOf(user);
      user.problems.push(`not in team ${team.name}: ${why}; run again, the next plan adds the membership`);
    }
  }
}

function wordsOf({ warning }: NewUserState): string {
  return warning === null ? 'the proxy lists no such member' : oneLine(warning);
}

function blameTeams(users: readonly NewUserState[], reason: string): void {
  for (const user of users) {
    if (user.joined !== null || missingTeams(user).length === 0) continue;
    user.problems.push(`the teams could not be verified (${reason}): run again, the next plan shows them`);
  }
}

/** Reads roles and memberships; answers why that failed, `null` where it did not. */
async function lookUp(run: Run, users: readonly NewUserState[]): Promise<string | null> {
  try {
    const ids = users.map((user) => user.candidate.user.userId);
    const teamIds = users.flatMap((user) => user.candidate.user.teams ?? []);
    const observed = await observe(run.options.proxy, ids, teamIds);
    for (const user of users) takeOver(user, observed);
    return null;
  } catch (error) {
    run.haltIfFatal(error);
    return reasonOf(error);
  }
}

function takeOver(state: NewUserState, observed: Observed): void {
  const { userId, teams } = state.candidate.user;
  const user = observed.users.get(userId);
  if (user === undefined) {
    state.gone = true;
    state.joined = [];
    state.problems.push('the user is no longer on the proxy: run again, the next run adds the user');
    return;
  }
  state.role = user.role;
  state.joined = user.teams.filter((id) => teams === null || !teams.includes(id) || isMember(observed, userId, id));
}

async function joinMissing(run: Run, users: readonly NewUserState[]): Promise<Map<string, string>> {
  const byTeam = new Map<string, NewUserState[]>();
  for (const user of users) {
    for (const { teamId } of missingTeams(user)) {
      const members = byTeam.get(teamId);
      if (members === undefined) byTeam.set(teamId, [user]);
      else members.push(user);
    }
  }
  const reasons = new Map<string, string>();
  for (const [teamId, members] of byTeam) {
    for (const piece of pieces(members, run.options.proxy.joinBatchSize)) {
      const rows = piece.map((user) => user.candidate.user);
      const answers = await writeInBulk(run, rows, (some) => run.options.proxy.joinTeam(teamId, idsOf(some)));
      for (const user of piece) {
        const answer = answers.get(user.candidate.user.userId);
        if (answer !== undefined && answer.kind !== 'answered') reasons.set(pair(teamId, user), answer.reason);
      }
    }
  }
  return reasons;
}

function idsOf(rows: readonly { readonly userId: string }[]): string[] {
  return rows.map((row) => row.userId);
}

function pair(teamId: string, { candidate }: NewUserState): string {
  return `${teamId} ${candidate.user.userId}`;
}
