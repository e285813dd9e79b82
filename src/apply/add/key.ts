import { AnswerLostError } from '../../core/errors.ts';
import type { ProxyKey } from '../../core/inventory.ts';
import { unsent } from '../bulk.ts';
import { codeOf, type FailureReason, reasonOf, withWayOut } from '../messages.ts';
import type { Run } from '../run.ts';
import { missingTeams, type NewUserState, onboardingRow, recordLack } from './new-user.ts';

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
  await saveKeys(run, [state]);
}

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
