import type { Outcome, OutcomeAction } from '../core/outcome.ts';
import type { TeamRef, UnchangedUser } from '../core/plan-types.ts';

/** The row of a user whom the proxy has and who gets no key. `null`: nothing went wrong. */
export function userOutcome(
  action: OutcomeAction,
  user: Pick<UnchangedUser, 'email' | 'userId' | 'role' | 'teams'>,
  failure: string | null,
): Outcome {
  return {
    action,
    email: user.email,
    userId: user.userId,
    role: user.role ?? '',
    teamName: teamNames(user.teams),
    keyShown: '',
    status: failure === null ? 'SUCCESS' : 'FAILED',
    reason: failure ?? '',
  };
}

/** As the `team_name` column has them. */
export function teamNames(teams: readonly TeamRef[]): string {
  return teams.map((team) => team.name).join(';');
}
