import { pieces, writeInBulk } from '../bulk.ts';
import { oneLine, reasonOf } from '../messages.ts';
import { isMember, look, type Seen } from '../observed.ts';
import type { Run } from '../run.ts';
import { missingTeams, type Newcomer } from './new-user.ts';

/**
 * Makes sure that new users are in their teams: those whose answer did not say so are looked up, those that miss a
 * team join it once, and what is still missing becomes a problem of the row. Few requests for many users, none for
 * users whose answer was fine.
 */
export async function completeTeams(run: Run, newcomers: readonly Newcomer[]): Promise<void> {
  const unclear = newcomers.filter((newcomer) => newcomer.joined === null || newcomer.role === null);
  for (const newcomer of newcomers) {
    if (newcomer.candidate.teams === null && newcomer.warning !== null) {
      newcomer.problems.push(`the proxy says: ${oneLine(newcomer.warning)}`);
    }
  }
  const failure = await lookUp(run, unclear);
  if (failure !== null) blameTeams(unclear, failure);
  const lacking = newcomers.filter((newcomer) => newcomer.joined !== null && missingTeams(newcomer).length > 0);
  const present = lacking.filter((newcomer) => !newcomer.gone);
  const reasons = await joinMissing(run, present);
  const unverified = await lookUp(run, present);
  for (const newcomer of present) {
    for (const team of missingTeams(newcomer)) {
      const why = reasons.get(pair(team.teamId, newcomer)) ?? unverified ?? wordsOf(newcomer);
      newcomer.problems.push(`not in team ${team.name}: ${why}; run again, the next plan adds the membership`);
    }
  }
}

function wordsOf({ warning }: Newcomer): string {
  return warning === null ? 'the proxy lists no such member' : oneLine(warning);
}

function blameTeams(newcomers: readonly Newcomer[], reason: string): void {
  for (const newcomer of newcomers) {
    if (newcomer.joined !== null || missingTeams(newcomer).length === 0) continue;
    newcomer.problems.push(`the teams could not be verified (${reason}): run again, the next plan shows them`);
  }
}

/** Reads roles and memberships; answers why that failed, `null` where it did not. */
async function lookUp(run: Run, newcomers: readonly Newcomer[]): Promise<string | null> {
  try {
    const ids = newcomers.map((newcomer) => newcomer.candidate.user.userId);
    const teamIds = newcomers.flatMap((newcomer) => newcomer.candidate.user.teams ?? []);
    const seen = await look(run.options.proxy, ids, teamIds);
    for (const newcomer of newcomers) take(newcomer, seen);
    return null;
  } catch (error) {
    run.isFatal(error);
    return reasonOf(error);
  }
}

function take(newcomer: Newcomer, seen: Seen): void {
  const { userId, teams } = newcomer.candidate.user;
  const user = seen.users.get(userId);
  if (user === undefined) {
    newcomer.gone = true;
    newcomer.joined = [];
    newcomer.problems.push('the user is no longer on the proxy: run again, the next run adds the user');
    return;
  }
  newcomer.role = user.role;
  newcomer.joined = user.teams.filter((id) => teams === null || !teams.includes(id) || isMember(seen, userId, id));
}

async function joinMissing(run: Run, newcomers: readonly Newcomer[]): Promise<Map<string, string>> {
  const byTeam = new Map<string, Newcomer[]>();
  for (const newcomer of newcomers) {
    for (const { teamId } of missingTeams(newcomer)) {
      const members = byTeam.get(teamId);
      if (members === undefined) byTeam.set(teamId, [newcomer]);
      else members.push(newcomer);
    }
  }
  const reasons = new Map<string, string>();
  for (const [teamId, members] of byTeam) {
    for (const piece of pieces(members, run.options.proxy.joinBatchSize)) {
      const rows = piece.map((newcomer) => newcomer.candidate.user);
      const answers = await writeInBulk(run, rows, (some) => run.options.proxy.joinTeam(teamId, idsOf(some)));
      for (const newcomer of piece) {
        const answer = answers.get(newcomer.candidate.user.userId);
        if (answer !== undefined && answer.kind !== 'answered') reasons.set(pair(teamId, newcomer), answer.reason);
      }
    }
  }
  return reasons;
}

function idsOf(rows: readonly { readonly userId: string }[]): string[] {
  return rows.map((row) => row.userId);
}

function pair(teamId: string, { candidate }: Newcomer): string {
  return `${teamId} ${candidate.user.userId}`;
}
