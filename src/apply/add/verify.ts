import { Pool } from '../../concurrency.ts';
import type { LimitSettings, UserLimits } from '../../core/inventory.ts';
import type { LimitField } from '../../core/plan.ts';
import { sameLimit } from '../../core/user-limits.ts';
import { pieces, writeInBulk, writeOne } from '../bulk.ts';
import { oneLine, reasonOf } from '../messages.ts';
import { isMember, type Observed, observe } from '../observed.ts';
import type { Run } from '../run.ts';
import { missingTeams, type NewUserState } from './new-user.ts';

/**
 * Makes sure that new users are as their rows ask: those whose answer did not say so are looked up, those that miss a
 * team join it once, limits that the proxy's configuration has replaced are set again, and what is still missing becomes
 * a problem of the row. Few requests for many users, none for users whose answer was fine.
 */
export async function completeUsers(run: Run, users: readonly NewUserState[]): Promise<void> {
  const unclear = users.filter((user) => user.joined === null || user.role === null || lacksLimits(user));
  for (const user of users) {
    if (user.candidate.teams === null && user.warning !== null) {
      user.problems.push(`the proxy says: ${oneLine(user.warning)}`);
    }
  }
  const failure = await lookUp(run, unclear);
  if (failure !== null) recordUnverified(unclear, failure);
  await completeLimitsOf(run, users);
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

/** Whether the row asks for limits of which nothing is known yet. */
function lacksLimits({ candidate, limits }: NewUserState): boolean {
  return limits === null && Object.keys(candidate.user.limits ?? {}).length > 0;
}

async function completeLimitsOf(run: Run, users: readonly NewUserState[]): Promise<void> {
  const pool = new Pool(run.options.concurrency);
  for (const user of users) pool.add(() => completeLimits(run, user));
  await pool.idle();
}

/**
 * Source: with `max_internal_user_budget` in its configuration the proxy fills in a budget and a period at creation.
 * After a lost answer the user is looked up, and the limits are set again where they are not as asked.
 */
async function completeLimits(run: Run, state: NewUserState): Promise<void> {
  const { userId, limits: asked = {} } = state.candidate.user;
  if (state.limits === null || state.gone) return;
  let why = '';
  for (let attempt = 0; !isLimited(state.limits, asked) && attempt <= run.options.retries; attempt++) {
    const answer = await writeOne(run, async () => ({
      ok: true as const,
      ...(await run.options.proxy.updateUser(userId, asked)),
    }));
    why = answer.kind === 'answered' ? "the proxy's configuration sets others" : answer.reason;
    if (answer.kind === 'answered') state.limits = answer.row.limits;
    if (answer.kind !== 'lost') break;
    await run.pause(attempt);
    const failure = await lookUp(run, [state]);
    if (state.gone) return;
    if (failure !== null) break;
  }
  if (isLimited(state.limits, asked)) return;
  state.problems.push(`without the limits of the row: ${why}; run again, the next plan shows them`);
}

function isLimited(limits: UserLimits, asked: LimitSettings): boolean {
  return (Object.keys(asked) as LimitField[]).every((field) => {
    const value = asked[field];
    return value === undefined || sameLimit(limits[field], value);
  });
}

function wordsOf({ warning }: NewUserState): string {
  return warning === null ? 'the proxy lists no such member' : oneLine(warning);
}

function recordUnverified(users: readonly NewUserState[], reason: string): void {
  for (const user of users) {
    if (user.joined === null && missingTeams(user).length > 0) {
      user.problems.push(`the teams could not be verified (${reason}): run again, the next plan shows them`);
    } else if (lacksLimits(user)) {
      user.problems.push(`the limits could not be verified (${reason}): run again, the next plan shows them`);
    }
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
  state.limits = user.limits;
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
