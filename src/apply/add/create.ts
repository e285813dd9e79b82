import { Pool } from '../../concurrency.ts';
import { AnswerLostError } from '../../core/errors.ts';
import { emailKey, type ProxyKey, type ProxyUser } from '../../core/inventory.ts';
import type { Run } from '../apply-run.ts';
import { failureOf, type RowAnswer, unsent, writeInBulk } from '../bulk.ts';
import { codeOf, type FailureReason, reasonOf, withWayOut } from '../messages.ts';
import type { CreatedUser } from '../ports.ts';
import {
  type Candidate,
  missingTeams,
  type NewUserState,
  newUserState,
  onboardingRow,
  recordLack,
} from './new-user.ts';

/** What became of one who was to be created. */
export type Creation =
  | { readonly kind: 'created'; readonly user: NewUserState }
  /** `late`: an answer was lost, so the proxy may still be at it. */
  | { readonly kind: 'absent'; readonly candidate: Candidate; readonly failure: FailureReason; readonly late: boolean }
  /** The answer was lost and the look-up failed too. */
  | { readonly kind: 'unknown'; readonly candidate: Candidate; readonly failure: FailureReason };

interface Doubt {
  readonly candidate: Candidate;
  readonly failure: FailureReason;
  readonly repeat: boolean;
}

/**
 * Creates users whose ids are in the journal already, at most `batchSize` of them. After a lost answer they are looked
 * up by these ids: who is there was created, who is not is created again, unless somebody else has the email by now.
 */
export async function createUsers(run: Run, candidates: readonly Candidate[]): Promise<Creation[]> {
  const done: Creation[] = [];
  let pending = candidates;
  for (let attempt = 0; pending.length > 0; attempt++) {
    const byId = new Map(pending.map((candidate) => [candidate.user.userId, candidate]));
    const users = pending.map((candidate) => candidate.user);
    const answers = await writeInBulk(run, users, (some, blocked) => run.options.proxy.createUsers(some, blocked));
    const doubts: Doubt[] = [];
    for (const [userId, candidate] of byId) {
      const answer = answers.get(userId);
      if (answer !== undefined) triage(answer, candidate, { attempt, done, doubts });
    }
    pending = doubts.length === 0 ? [] : await resolveDoubts(run, doubts, attempt, done);
  }
  return done;
}

function triage(
  answer: RowAnswer<Extract<CreatedUser, { ok: true }>>,
  candidate: Candidate,
  to: { attempt: number; done: Creation[]; doubts: Doubt[] },
): void {
  if (answer.kind === 'answered') {
    const user = newUserState(candidate, answer.row);
    // An earlier call, or one within this call, whose answer was lost, may have made a key.
    user.keysUnseen = to.attempt > 0 || (candidate.user.withKey && user.key === null);
    to.done.push({ kind: 'created', user });
  } else if (answer.kind === 'lost') {
    to.doubts.push({ candidate, failure: { code: 'lost', reason: answer.reason }, repeat: true });
  } else {
    const failure = answer.kind === 'blocked' ? failureOf(answer) : notCreatedFor(answer.code, answer.reason);
    // Refused when repeated, as "already exists" for one: the call that was lost may have come through since.
    if (to.attempt > 0) to.doubts.push({ candidate, failure, repeat: false });
    else to.done.push({ kind: 'absent', candidate, failure, late: false });
  }
}

/** Looks up who exists. @returns those who must be created again */
async function resolveDoubts(
  run: Run,
  doubts: readonly Doubt[],
  attempt: number,
  done: Creation[],
): Promise<Candidate[]> {
  run.options.log.warning(`The answer for ${doubts.length} new users was lost: looking up which of them exist.`);
  const again: Candidate[] = [];
  try {
    const found = await presentUsers(run, doubts, attempt);
    for (const doubt of doubts) {
      const user = found.get(doubt.candidate.user.userId);
      if (user !== undefined) done.push({ kind: 'created', user: foundUser(doubt.candidate, user) });
      else if (doubt.repeat && attempt < run.options.retries) again.push(doubt.candidate);
      else done.push(lostFor(doubt));
    }
  } catch (error) {
    run.haltIfFatal(error);
    const resolved = new Set(done.map((creation) => idOf(creation)));
    for (const doubt of doubts) {
      if (!resolved.has(doubt.candidate.user.userId)) done.push(unknown(doubt.candidate, error));
    }
    return [];
  }
  return withFreeEmail(run, again, done);
}

async function withFreeEmail(run: Run, candidates: readonly Candidate[], done: Creation[]): Promise<Candidate[]> {
  const free: Candidate[] = [];
  const pool = new Pool(run.options.concurrency);
  for (const candidate of candidates) {
    pool.add(async () => {
      const obstacle = await emailObstacle(run, candidate);
      if (obstacle === null) free.push(candidate);
      else done.push(obstacle);
    });
  }
  await pool.idle();
  return free;
}

/** Looks until no further user turns up: the proxy may still work on a call that we gave up. */
async function presentUsers(run: Run, doubts: readonly Doubt[], attempt: number): Promise<Map<string, ProxyUser>> {
  const ids = doubts.map((doubt) => doubt.candidate.user.userId);
  let found: readonly ProxyUser[] = [];
  for (let look = 0, before = -1; found.length < ids.length && found.length !== before; look++) {
    before = look === 0 ? -1 : found.length;
    await run.pause(attempt + look);
    found = await run.options.proxy.findUsers(ids);
  }
  return new Map(found.map((user) => [user.userId, user]));
}

/** One of ours whom a look-up found: what of them is there has yet to be seen. */
export function foundUser(candidate: Candidate, user: ProxyUser): NewUserState {
  return { ...newUserState(candidate, null), role: user.role };
}

/** Somebody else with the email, or a look-up that failed, forbids the repetition: it could make a second user. */
async function emailObstacle(run: Run, candidate: Candidate): Promise<Creation | null> {
  const { email, userId } = candidate.user;
  try {
    const others = await run.options.proxy.findUsersByEmail(email);
    const same = others.find((user) => user.email !== null && emailKey(user.email) === emailKey(email));
    if (same === undefined || same.userId === userId) return null;
    const reason = `user ${same.userId} has this email by now; run again, the next plan works with the user as they are`;
    return { kind: 'absent', candidate, failure: notCreatedFor('exists', reason), late: true };
  } catch (error) {
    run.haltIfFatal(error);
    return unknown(candidate, error);
  }
}

function lostFor({ candidate, failure, repeat }: Doubt): Creation {
  const told = repeat ? notCreatedFor('lost', `${failure.reason}; the next run adds the user`) : failure;
  return { kind: 'absent', candidate, failure: told, late: true };
}

function notCreatedFor(code: FailureReason['code'], reason: string): FailureReason {
  return { code, reason: `not created: ${reason}` };
}

function unknown(candidate: Candidate, error: unknown): Creation {
  const reason = `the proxy's answer was lost and the look-up failed (${reasonOf(error)}): the user may exist; run again, the next run finds out`;
  return { kind: 'unknown', candidate, failure: { code: 'unknown', reason } };
}

function idOf(creation: Creation): string {
  return (creation.kind === 'created' ? creation.user.candidate : creation.candidate).user.userId;
}

/** Team of the keys that the proxy makes for a login to its admin pages. */
const LOGIN_TEAM = 'litellm-dashboard';

/**
 * Makes sure that a new user has one key, and that it is in the onboarding file. Keys of theirs that a lost answer may
 * have made are deleted: nobody can ever see them.
 */
export async function completeKey(run: Run, user: NewUserState): Promise<void> {
  if (!user.candidate.user.withKey || user.gone) return;
  let wasLost = user.lost;
  for (let attempt = 0; user.key === null || user.keysUnseen; attempt++) {
    const blocked = run.blocked();
    if (blocked !== null) return recordMissing(run, user, unsent(run, blocked));
    try {
      if (user.keysUnseen) await deleteUnseenKeys(run, user);
      user.keysUnseen = false;
      if (user.key === null) await createKey(run, user);
    } catch (error) {
      const lost = error instanceof AnswerLostError;
      if (lost) user.keysUnseen = true;
      else run.haltIfFatal(error);
      // Refused after a lost answer, as its alias is taken for one: the call that was lost may have come through since.
      if (!(lost || wasLost) || attempt >= run.options.retries)
        return recordMissing(run, user, { code: codeOf(error), reason: withWayOut(reasonOf(error)) });
      wasLost = lost;
      user.keysUnseen = true;
      await run.pause(attempt);
    }
  }
}

/** @throws AnswerLostError, and whatever else the proxy throws; none of them tells of a key that was seen */
async function createKey(run: Run, state: NewUserState): Promise<void> {
  const { user, teams } = state.candidate;
  const blocked = run.blocked();
  if (blocked !== null) return recordMissing(run, state, unsent(run, blocked));
  const [team] = teams ?? [];
  const inTeam = teams?.length === 1 && missingTeams(state).length === 0;
  state.key = await run.options.proxy.createKey({
    userId: user.userId,
    teamId: inTeam ? (team?.teamId ?? null) : null,
    alias: user.keyAlias,
  });
  if (teams?.length === 1 && !inTeam) state.problems.push(PERSONAL);
  await saveKeys(run, [state]);
}

const PERSONAL = 'the key is a personal one, of no team: give it the team in the Admin UI once they are a member';

/** The keys go to disk at once; a user whose key cannot be saved is left to recovery. */
export async function saveKeys(run: Run, users: readonly NewUserState[]): Promise<void> {
  const rows = users.filter((user) => user.key !== null).map((user) => onboardingRow(user, run.options.linkFor));
  if (rows.length === 0 || (await run.persist(run.options.journal.onboarding(rows)))) return;
  for (const user of users) {
    user.unresolved = true;
    user.problems.push('the key could not be saved: run again in the same output-directory to replace it');
  }
}

async function deleteUnseenKeys(run: Run, user: NewUserState): Promise<void> {
  const keys = await run.options.proxy.keysOfUser(user.candidate.user.userId);
  const unseen = keys.filter((key) => isOurs(key, user) && key.hash !== user.key?.hash());
  if (unseen.length > 0) await run.options.proxy.deleteKeys(unseen.map((key) => key.hash));
}

/** Made by this run for this user: with our alias, and not by a login. */
function isOurs(key: ProxyKey, { candidate }: NewUserState): boolean {
  return key.teamId !== LOGIN_TEAM && (key.alias ?? '') === (candidate.user.keyAlias ?? '');
}

function recordMissing(run: Run, user: NewUserState, failure: FailureReason): void {
  if (user.keysUnseen) user.unresolved = true;
  if (user.key === null) recordLack(run, user, failure, WITHOUT_KEY);
  else if (run.isStopped) user.unresolved = true;
}

const WITHOUT_KEY = {
  lack: 'without a key',
  brings: 'makes one',
  otherwise: "create one in the proxy's UI, or let the user do so after signing in",
};
