import type { Log } from '../core/log.ts';
import type { Journal } from './journal.ts';
import type { ProxyWrites } from './ports.ts';

export type Phase = 'add' | 'invite' | 'delete' | 'update';

/** What finishing new users takes; recovery needs no more than this. */
export interface WriteOptions {
  readonly proxy: ProxyWrites;
  readonly log: Log;
  readonly journal: Journal;
  /** Whether new users get a key. */
  readonly apiKeys: boolean;
  /** Whether new users get an onboarding link. */
  readonly invitations: boolean;
  /** Most invitations and keys that are made at once. */
  readonly concurrency: number;
  /** How often a write is repeated after a look-up has shown that it had no effect. */
  readonly retries: number;
  /** The onboarding link, in the form that the proxy and the command want. */
  readonly linkFor: (invitationId: string) => string;
  /** Set by SIGINT and SIGTERM: no new write is started. */
  readonly stop: { readonly requested: boolean };
  /** An error after which every further write would fail alike (401): none is tried. */
  readonly isFatal: (error: unknown) => boolean;
  /** Milliseconds. */
  readonly sleep: (milliseconds: number) => Promise<void>;
}

export interface ApplyOptions extends WriteOptions {
  /** Delete and create anew a user whose verified update still fails: keys and spend are lost. */
  readonly recreateOnFailure: boolean;
  readonly newUserId: () => string;
  /** Asked once, before the first delete or update. `false`: superseded, none of them is written. */
  readonly beforeDeletes: () => Promise<boolean>;
  readonly onProgress: (progress: { readonly phase: Phase; readonly done: number; readonly total: number }) => void;
}
