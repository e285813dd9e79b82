import type { Outcome } from '../core/outcome.ts';
import type { UnchangedUser } from '../core/plan-types.ts';
import { Secret } from '../core/secret.ts';
import { invite } from './invite.ts';
import type { ApplyOptions } from './options.ts';
import { teamNames, userOutcome } from './outcomes.ts';
import { Pool } from './pool.ts';
import { Run } from './run.ts';

/**
 * Makes a fresh link for users who exist already; their roles, teams and keys are not touched. Links go to the
 * onboarding file one by one, so that a killed run loses none that it made.
 * @returns one outcome a user, in the order given: `UNCHANGED`, or `FAILED` without a link
 */
export async function inviteUsers(users: readonly UnchangedUser[], options: ApplyOptions): Promise<Outcome[]> {
  const run = new Run(options);
  const pool = new Pool(options.concurrency);
  const outcomes = users.map((user) => userOutcome('UNCHANGED', user, 'not attempted'));
  let done = 0;
  users.forEach((user, index) => {
    pool.add(async () => {
      outcomes[index] = userOutcome('UNCHANGED', user, await freshLink(run, user));
      options.onProgress({ phase: 'invite', done: ++done, total: users.length });
    });
  });
  await pool.idle();
  return outcomes;
}

/** @returns why there is none; `null` where it is there and on disk */
async function freshLink(run: Run, user: UnchangedUser): Promise<string | null> {
  const made = await invite(run, user.userId);
  if ('reason' in made) return `without a link: ${made.reason}; run \`onboard\` again`;
  const row = {
    email: user.email,
    userId: user.userId,
    role: user.role ?? '',
    teamName: teamNames(user.teams),
    keyName: '',
    apiKey: null,
    invitationId: made.id,
    expiresAt: made.expiresAt,
    link: new Secret(run.options.linkFor(made.id.reveal())),
  };
  const kept = await run.keep(run.options.journal.onboarding([row]));
  return kept ? null : 'without a link: it could not be saved; run `onboard` again';
}
