import { AnswerLostError } from '../../core/errors.ts';
import type { ProxyKey } from '../../core/inventory.ts';
import { reasonOf, withWayOut } from '../messages.ts';
import type { Run } from '../run.ts';
import { missingTeams, type Newcomer, onboardingRow } from './new-user.ts';

/** Team of the keys that the proxy makes for a login to its admin pages. */
const LOGIN_TEAM = 'litellm-dashboard';

/**
 * Makes sure that a new user has one key, and that it is in the onboarding file. Keys of his that a lost answer may
 * have made are deleted: nobody can ever see them.
 */
export async function completeKey(run: Run, newcomer: Newcomer): Promise<void> {
  if (!newcomer.candidate.user.withKey || newcomer.gone) return;
  for (let attempt = 0; newcomer.key === null || newcomer.keysUnseen; attempt++) {
    const blocked = run.blocked();
    if (blocked !== null) return missing(newcomer, `not attempted: ${blocked}`);
    try {
      if (newcomer.keysUnseen) await deleteUnseenKeys(run, newcomer);
      newcomer.keysUnseen = false;
      if (newcomer.key === null) await createKey(run, newcomer);
    } catch (error) {
      if (error instanceof AnswerLostError) newcomer.keysUnseen = true;
      else run.isFatal(error);
      if (!(error instanceof AnswerLostError) || attempt >= run.options.retries)
        return missing(newcomer, reasonOf(error));
      await run.pause(attempt);
    }
  }
}

/** @throws AnswerLostError, and whatever else the proxy throws; none of them tells of a key that was seen */
async function createKey(run: Run, newcomer: Newcomer): Promise<void> {
  const { user, teams } = newcomer.candidate;
  const blocked = run.blocked();
  if (blocked !== null) return missing(newcomer, `not attempted: ${blocked}`);
  const [team] = teams ?? [];
  const inTeam = teams?.length === 1 && missingTeams(newcomer).length === 0;
  newcomer.key = await run.options.proxy.createKey({
    userId: user.userId,
    teamId: inTeam ? (team?.teamId ?? null) : null,
    alias: user.keyAlias,
  });
  await saveKeys(run, [newcomer]);
}

/** The keys go to disk at once; a user whose key cannot be saved is left to recovery. */
export async function saveKeys(run: Run, newcomers: readonly Newcomer[]): Promise<void> {
  const rows = newcomers
    .filter((newcomer) => newcomer.key !== null)
    .map((newcomer) => onboardingRow(newcomer, run.options.linkFor));
  if (rows.length === 0 || (await run.keep(run.options.journal.onboarding(rows)))) return;
  for (const newcomer of newcomers) {
    newcomer.open = true;
    newcomer.problems.push('the key could not be saved: run again in the same output-directory to replace it');
  }
}

async function deleteUnseenKeys(run: Run, newcomer: Newcomer): Promise<void> {
  const keys = await run.options.proxy.keysOfUser(newcomer.candidate.user.userId);
  const unseen = keys.filter((key) => isOurs(key, newcomer) && key.name !== newcomer.key?.abbreviated());
  if (unseen.length > 0) await run.options.proxy.deleteKeys(unseen.map((key) => key.hash));
}

/** Made by this run for this user: with our alias, and not by a login. */
function isOurs(key: ProxyKey, { candidate }: Newcomer): boolean {
  return key.teamId !== LOGIN_TEAM && (key.alias ?? '') === (candidate.user.keyAlias ?? '');
}

function missing(newcomer: Newcomer, reason: string): void {
  if (newcomer.keysUnseen) newcomer.open = true;
  if (newcomer.key !== null) return;
  newcomer.problems.push(
    `without a key: ${withWayOut(reason)}; create one in the proxy's UI, or let the user do so after signing in`,
  );
}
