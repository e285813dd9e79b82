import type { Secret } from './secret.ts';

export type OutcomeAction = 'ADDED' | 'DELETED' | 'UPDATED' | 'UNCHANGED' | 'DEACTIVATED' | 'REACTIVATED';

/** What became of one user: a row of `user_sync_result.csv`. */
export interface Outcome {
  /** Index of the change in the plan; `null`: of no change. */
  readonly index?: number | null;
  readonly action: OutcomeAction;
  readonly email: string;
  /** Empty where no user came to be. */
  readonly userId: string;
  /** Empty where the proxy has none. */
  readonly role: string;
  /** Team names joined by `;`. */
  readonly teamName: string;
  /** `sk-...abcd`, never the key; empty where none was made. */
  readonly keyShown: string;
  /** `SKIPPED`: planned, but withheld (`no-*`, not reviewed): nothing was written. */
  readonly status: 'SUCCESS' | 'FAILED' | 'SKIPPED';
  /** Empty on success; else what happened and the way out. */
  readonly reason: string;
}

/** A row of `onboarding_links.csv`: the only place of these secrets. */
export interface OnboardingRow {
  readonly email: string;
  readonly userId: string;
  readonly role: string;
  readonly teamName: string;
  readonly keyName: string;
  readonly apiKey: Secret | null;
  readonly invitationId: Secret | null;
  /** ISO 8601, as the proxy gives it. */
  readonly expiresAt: string;
  readonly link: Secret | null;
}
