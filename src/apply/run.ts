import type { Log } from '../core/log.ts';
import type { OnboardingRow, Outcome } from '../core/outcome.ts';
import type { Journal } from '../journal/journal.ts';
import { reasonOf } from './messages.ts';
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

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 15_000;

/** What all steps of one run share: whether writing may go on, and what became of each change. */
export class Run<O extends WriteOptions = WriteOptions> {
  readonly options: O;
  readonly outcomes = new Map<number, Outcome>();
  readonly #open = new Set<number>();
  readonly #saving = new Set<Promise<void>>();
  #halted: string | null = null;
  #kept = true;

  constructor(options: O) {
    this.options = options;
  }

  /** Why no further write may begin; `null`: it may. Asked before every write. */
  blocked(): string | null {
    if (this.#halted !== null) return this.#halted;
    return this.options.stop.requested ? 'the run was stopped' : null;
  }

  /** No further write; the first reason is the one that rows tell. */
  halt(reason: string): void {
    if (this.#halted === null) this.options.log.error(`No further writes: ${reason}`);
    this.#halted ??= reason;
  }

  /** Whether every further write would fail alike: then none is tried any more. */
  isFatal(error: unknown): boolean {
    const fatal = this.options.isFatal(error);
    if (fatal) this.halt(reasonOf(error));
    return fatal;
  }

  /** Before the look-up or the repetition of a write: longer each time, so that a slow proxy can finish. */
  pause(attempt: number): Promise<void> {
    return this.options.sleep(Math.min(FIRST_PAUSE * 2 ** attempt, LONGEST_PAUSE));
  }

  /** The journal must hold before anything is written: a run that cannot keep one writes no further. */
  async keep(writing: Promise<void>): Promise<boolean> {
    try {
      await writing;
      return true;
    } catch (error) {
      this.#kept = false;
      this.halt(`the journal or the onboarding file cannot be written (${reasonOf(error)})`);
      return false;
    }
  }

  /** The change is done with: its row goes to the journal. */
  settle(change: number, outcome: Outcome): void {
    this.outcomes.set(change, outcome);
    this.#later(this.keep(this.options.journal.settled([{ change, outcome }])));
  }

  /** Puts the secrets of a row on disk, then does `next`; `unsaved` is the outcome where they cannot be put there. */
  saveFirst(row: OnboardingRow, change: number, unsaved: Outcome, next: () => void): void {
    this.#later(
      this.keep(this.options.journal.onboarding([row])).then((kept) => {
        if (kept) next();
        else this.leaveOpen(change, unsaved);
      }),
    );
  }

  /** Something of the change is unknown: the row says so, and the journal stays open for recovery to settle it. */
  leaveOpen(change: number, outcome: Outcome): void {
    this.outcomes.set(change, outcome);
    this.#open.add(change);
  }

  /** Waits for what is still on its way to disk. */
  async saved(): Promise<void> {
    while (this.#saving.size > 0) await Promise.all(this.#saving);
  }

  /** Whether recovery has nothing left to do. */
  get isComplete(): boolean {
    return this.#open.size === 0 && this.#kept;
  }

  #later(task: Promise<unknown>): void {
    const tracked: Promise<void> = task.then(() => {
      this.#saving.delete(tracked);
    });
    this.#saving.add(tracked);
  }
}
