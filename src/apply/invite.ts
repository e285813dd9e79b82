import { Pool } from '../concurrency.ts';
import { AnswerLostError } from '../core/errors.ts';
import type { Outcome } from '../core/outcome.ts';
import type { UnchangedUser } from '../core/plan.ts';
import { Secret } from '../core/secret.ts';
import type { Newcomer } from './add/new-user.ts';
import { reasonOf, teamNames, userOutcome, withWayOut } from './messages.ts';
import type { Invitation } from './ports.ts';
import { type ApplyOptions, Run } from './run.ts';

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

/** Makes the invitation of a new user, unless he has one; a failure becomes a problem of the row. */
export async function completeInvitation(run: Run, newcomer: Newcomer): Promise<void> {
  if (!run.options.invitations || newcomer.linked || newcomer.gone) return;
  const made = await invite(run, newcomer.candidate.user.userId);
  if ('reason' in made) {
    newcomer.problems.push(`without a link: ${made.reason}; run \`onboard\` for a fresh link`);
  } else {
    newcomer.invitation = made;
  }
}

/**
 * An invitation for an existing user. After a lost answer another one is made: the first may be there, but nobody has
 * seen it, and it dies after 7 days; the proxy has no list of invitations to look it up in.
 */
async function invite(run: Run, userId: string): Promise<Invitation | { readonly reason: string }> {
  for (let attempt = 0; ; attempt++) {
    const blocked = run.blocked();
    if (blocked !== null) return { reason: `not attempted: ${blocked}` };
    try {
      return await run.options.proxy.createInvitation(userId);
    } catch (error) {
      const lost = error instanceof AnswerLostError;
      if (!lost) run.isFatal(error);
      if (!lost || attempt >= run.options.retries) return { reason: withWayOut(reasonOf(error)) };
      await run.pause(attempt);
    }
  }
}
