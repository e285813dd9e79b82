import { Pool } from '../../concurrency.ts';
import type { LimitSettings, UserLimits } from '../../core/inventory.ts';
import type { LimitField } from '../../core/plan.ts';
import { sameLimit } from '../../core/user-limits.ts';
import type { Run } from '../apply-run.ts';
import { failureOf, pieces, writeInBulk, writeOne } from '../bulk.ts';
import { codeOf, type FailureReason, NOT_SO, oneLine, reasonOf } from '../messages.ts';
import { isMember, type Observed, observe } from '../observed.ts';
import { missingTeams, type NewUserState, recordLack } from './new-user.ts';

/**
 * Makes sure that new users are as their rows ask: those whose answer did not say so are looked up, those that miss a
 * team join it, limits that the proxy's configuration has replaced are set again, and what is still missing becomes
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
  if (failure !== null) recordUnverified(run, unclear, failure);
  await completeLimitsOf(run, users);
  const lacking = users.filter((user) => user.joined !== null && missingTeams(user).length > 0);
  await completeTeams(run, lacking, 1);
}

/** @param repeats how often a join is made again of which no answer came and that, as a look shows, was not made */
async function completeTeams(run: Run, lacking: readonly NewUserState[], repeats: number): Promise<void> {
  if (lacking.length === 0) return;
  await awaitLate(run, lacking);
  const present = lacking.filter((user) => !user.gone && missingTeams(user).length > 0);
  const reasons = await joinMissing(run, present);
  const unverified = await lookUp(run, present);
  const again: NewUserState[] = [];
  for (const user of present) {
    const failures = missingTeams(user).map((team) => ({ team, failure: reasons.get(pair(team.teamId, user)) }));
    const isLost = failures.some(({ failure }) => failure?.code === 'lost');
    if (isLost && unverified === null && repeats > 0 && run.blocked() === null) {
      again.push(user);
      user.lost = true;
      continue;
    }
    for (const { team, failure } of failures) {
      recordUnfinished(run, user, failure ?? unverified ?? wordsOf(user), {
        lack: `not in team ${team.name}`,
        brings: 'adds the membership',
        otherwise: "add the user to the team in the proxy's UI",
      });
    }
  }
  await completeTeams(run, again, repeats - 1);
}

/** How often one looks whether a join came through whose answer was lost. */
const LOOKS = 2;

/**
 * Up to 1.82 a join that is made twice lists the team twice in the user's record, and leaving takes one of them away: what
 * may still be under way gets some seconds before it is made again.
 */
async function awaitLate(run: Run, lacking: readonly NewUserState[]): Promise<void> {
  const isDoubtful = (user: NewUserState): boolean => user.lost && !user.gone && missingTeams(user).length > 0;
  for (let look = 0; look < LOOKS && run.blocked() === null; look++) {
    const doubtful = lacking.filter(isDoubtful);
    if (doubtful.length === 0) return;
    await run.pause(look);
    await lookUp(run, doubtful);
  }
}

interface Words {
  readonly lack: string;
  /** What the next plan, or recovery, does about it. */
  readonly brings: string;
  /** What is left to a person. */
  readonly otherwise: string;
}

/** The next plan of `sync` brings what somebody lacks who exists; the other commands leave who exists alone. */
function recordUnfinished(run: Run, user: NewUserState, failure: FailureReason, words: Words): void {
  if (run.options.command === 'sync') {
    user.problems.push(`${words.lack}: ${failure.reason}; run again, the next plan ${words.brings}`);
  } else {
    recordLack(run, user, failure, words);
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
  let failure: FailureReason = NOT_SO;
  for (let attempt = 0; !isLimited(state.limits, asked) && attempt <= run.options.retries; attempt++) {
    const answer = await writeOne(run, async () => ({
      ok: true as const,
      ...(await run.options.proxy.updateUser(userId, asked)),
    }));
    failure = answer.kind === 'answered' ? OVERRIDDEN : failureOf(answer);
    if (answer.kind === 'answered') state.limits = answer.row.limits;
    if (answer.kind !== 'lost') break;
    await run.pause(attempt);
    const unseen = await lookUp(run, [state]);
    if (state.gone) return;
    if (unseen !== null) break;
  }
  if (isLimited(state.limits, asked)) return;
  recordUnfinished(run, state, failure, {
    lack: 'without the limits of the row',
    brings: 'sets them',
    otherwise: "set them in the proxy's UI",
  });
}

const OVERRIDDEN: FailureReason = { code: 'unverified', reason: "the proxy's configuration sets others" };

function isLimited(limits: UserLimits, asked: LimitSettings): boolean {
  return (Object.keys(asked) as LimitField[]).every((field) => {
    const value = asked[field];
    return value === undefined || sameLimit(limits[field], value);
  });
}

function wordsOf({ warning }: NewUserState): FailureReason {
  return { code: 'unverified', reason: warning === null ? 'the proxy lists no such member' : oneLine(warning) };
}

function recordUnverified(run: Run, users: readonly NewUserState[], failure: FailureReason): void {
  const wayOut = { brings: 'sees to them', otherwise: "look at the user in the proxy's UI" };
  for (const user of users) {
    if (user.joined === null && missingTeams(user).length > 0) {
      recordUnfinished(run, user, failure, { lack: 'the teams could not be verified', ...wayOut });
    } else if (lacksLimits(user)) {
      recordUnfinished(run, user, failure, { lack: 'the limits could not be verified', ...wayOut });
    }
  }
}

/** Reads roles and memberships; answers why that failed, `null` where it did not. */
async function lookUp(run: Run, users: readonly NewUserState[]): Promise<FailureReason | null> {
  try {
    const ids = users.map((user) => user.candidate.user.userId);
    const teamIds = users.flatMap((user) => user.candidate.user.teams ?? []);
    const observed = await observe(run.options.proxy, ids, teamIds);
    for (const user of users) takeOver(user, observed);
    return null;
  } catch (error) {
    run.haltIfFatal(error);
    const code = codeOf(error);
    // A read that fails without being refused, on a broken connection or with a 500, may well succeed another time.
    return { code: code === 'other' ? 'unknown' : code, reason: reasonOf(error) };
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

async function joinMissing(run: Run, users: readonly NewUserState[]): Promise<Map<string, FailureReason>> {
  const byTeam = new Map<string, NewUserState[]>();
  for (const user of users) {
    for (const { teamId } of missingTeams(user)) {
      const members = byTeam.get(teamId);
      if (members === undefined) byTeam.set(teamId, [user]);
      else members.push(user);
    }
  }
  const reasons = new Map<string, FailureReason>();
  for (const [teamId, members] of byTeam) {
    for (const piece of pieces(members, run.options.proxy.joinBatchSize)) {
      const rows = piece.map((user) => user.candidate.user);
      const answers = await writeInBulk(run, rows, (some) => run.options.proxy.joinTeam(teamId, idsOf(some)));
      for (const user of piece) {
        const answer = answers.get(user.candidate.user.userId);
        if (answer !== undefined && answer.kind !== 'answered') reasons.set(pair(teamId, user), failureOf(answer));
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
