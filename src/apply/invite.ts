import { AnswerLostError } from '../core/errors.ts';
import type { Newcomer } from './newcomer.ts';
import type { Invitation } from './ports.ts';
import { reasonOf, withWayOut } from './reasons.ts';
import type { Run } from './run.ts';

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
export async function invite(run: Run, userId: string): Promise<Invitation | { readonly reason: string }> {
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
