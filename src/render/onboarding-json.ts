import { DELIVERED } from '../core/delivery.ts';
import { hasLink, type OnboardingRow, type Outcome } from '../core/outcome.ts';

/** What became of one user: a link, or why there is none. */
export interface OnboardingEntry {
  readonly outcome: Outcome;
  /** `null` where there is no link. */
  readonly row: OnboardingRow | null;
}

/**
 * `onboarding_results.json`, in the form of the onboarding guide: holds links in the clear.
 *
 * ```
 * [ { email, user_id, invitation_id, expires_at, onboarding_link, status: "success" },
 *   { email, status: "failed", error } ]
 * ```
 */
export function onboardingJson(entries: readonly OnboardingEntry[]): string {
  return `${JSON.stringify(entries.map(entryOf), null, 2)}\n`;
}

function entryOf({ outcome, row }: OnboardingEntry): Record<string, string> {
  const { email, userId, reason } = outcome;
  if (row === null || !(row.delivered || hasLink(row))) return { email, status: 'failed', error: reason };
  return {
    email,
    user_id: userId,
    invitation_id: row.invitationId?.reveal() ?? DELIVERED,
    expires_at: row.expiresAt,
    onboarding_link: row.link?.reveal() ?? DELIVERED,
    status: 'success',
    ...(row.delivery === '' ? {} : { delivery: row.delivery }),
  };
}
