import { setTimeout as sleep } from 'node:timers/promises';
import { backoff } from '../concurrency.ts';
import { refusalCode, StoppedError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { FailureCode, OnboardingRow, Outcome } from '../core/outcome.ts';
import type { RunHead, WritingCommand } from '../journal/format.ts';
import { reasonOf } from './messages.ts';
import type { Deliver, LinkJournal, ProxyWrites } from './ports.ts';

export type Phase = 'add' | 'invite' | 'delete' | 'update';

/** What completing new users takes; recovery needs no more than this. */
export interface WriteOptions {
  readonly proxy: ProxyWrites;
  readonly log: Log;
  readonly journal: LinkJournal;
  /** Whose run it is, also where another one completes it. */
  readonly command: WritingCommand;
  /** Whether an earlier run is completed. What fails of it once more is told and left so: it must not stay open for ever. */
  readonly isRecovery?: boolean;
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
  /** Sends a link to its user; `null`: links are handed over in files. Never throws. */
  readonly deliver: Deliver | null;
  /** Aborted by SIGINT and SIGTERM: no new write is started, and every wait ends. */
  readonly signal: AbortSignal;
  /** An error that every further write would meet, too (401): none is tried. */
  readonly isFatal: (error: unknown) => boolean;
  /** Waits, or rejects once the signal is aborted; tests bring their own clock. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface ApplyOptions extends WriteOptions {
  /** What the journal's first lines tell of the run, so that another process can finish it. */
  readonly head: Pick<RunHead, 'proxy' | 'rows'>;
  /** Delete and recreate a user whose verified update still fails: keys and spend are lost. */
  readonly recreateOnFailure: boolean;
  /** Administrators who must stay at every moment; at least one does where there is one. */
  readonly minAdmins: number;
  readonly newUserId: () => string;
  /** Asked once, before the first delete or update. `false`: superseded, none of them is written. */
  readonly beforeDeletes: () => Promise<boolean>;
  readonly onProgress: (progress: { readonly phase: Phase; readonly done: number; readonly total: number }) => void;
}

/** Failures that tell of the moment and not of the write. */
const PASSING: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'unavailable',
  'unauthorized',
  'lost',
  'unknown',
  'not attempted',
]);

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 15_000;

function sleepUnlessAborted(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal });
}

/** What all steps of one run share: whether writing may go on, and what became of each change. */
export class Run<O extends WriteOptions = WriteOptions> {
  readonly options: O;
  readonly outcomes = new Map<number, Outcome>();
  readonly #unresolved = new Set<number>();
  readonly #persisting = new Set<Promise<void>>();
  #halted: string | null = null;
  #haltedFor: FailureCode = 'not attempted';
  #persisted = true;

  constructor(options: O) {
    this.options = options;
  }

  /** Why no further write may begin; `null`: it may. Asked before every write. */
  blocked(): string | null {
    if (this.#halted !== null) return this.#halted;
    return this.isStopped ? new StoppedError().message : null;
  }

  /** What kind of failure it is that nothing more is written. */
  get blockedCode(): FailureCode {
    return this.#haltedFor;
  }

  /** Whether the run was asked to end: what is missing is left to the next one. */
  get isStopped(): boolean {
    return this.options.signal.aborted;
  }

  /** No further write; the first reason is the one that rows tell. */
  halt(reason: string): void {
    if (this.#halted === null) this.options.log.error(`No further writes: ${reason}`);
    this.#halted ??= reason;
  }

  /** Halts where every further write would fail alike. @returns whether none may follow */
  haltIfFatal(error: unknown): boolean {
    if (error instanceof StoppedError) return true;
    const fatal = this.options.isFatal(error);
    if (fatal) {
      if (this.#halted === null) this.#haltedFor = refusalCode(error);
      this.halt(reasonOf(error));
    }
    return fatal;
  }

  /** Before the look-up or the repetition of a write: longer each time, so that a slow proxy can finish. */
  async pause(attempt: number): Promise<void> {
    const { signal, pause = sleepUnlessAborted } = this.options;
    await pause(backoff(attempt, FIRST_PAUSE, LONGEST_PAUSE), signal).catch(() => undefined);
  }

  /** The journal must hold before anything is written: a run that cannot keep one writes no further. */
  async persist(writing: Promise<void>): Promise<boolean> {
    try {
      await writing;
      return true;
    } catch (error) {
      this.#persisted = false;
      this.halt(`the journal or the onboarding file cannot be written (${reasonOf(error)})`);
      return false;
    }
  }

  /** The change is done with: its outcome goes to the journal. */
  record(index: number, outcome: Outcome): void {
    this.outcomes.set(index, outcome);
    this.#unresolved.delete(index);
    this.#later(this.persist(this.options.journal.recorded([{ index, outcome }])));
  }

  /** Puts the secrets of a row on disk, then does `next`; `unsaved` is the outcome where they cannot be put there. */
  persistThenRecord(row: OnboardingRow, index: number, unsaved: Outcome, next: () => void): void {
    this.#later(
      this.persist(this.options.journal.onboarding([row], 'soon')).then((saved) => {
        if (saved) next();
        else this.recordUnresolved(index, unsaved);
      }),
    );
  }

  /**
   * Whether recovery tries again a step of a new user that failed with this code: the proxy took nothing at the time,
   * or its answer was lost. What it refused, it would refuse again.
   */
  isForRecovery(code: FailureCode): boolean {
    if (this.isStopped) return true;
    return this.options.isRecovery !== true && PASSING.has(code);
  }

  /** Something is unknown or left to the next run: the row says so, and the journal stays for recovery to complete it. */
  recordUnresolved(index: number, outcome: Outcome): void {
    this.outcomes.set(index, outcome);
    this.#unresolved.add(index);
  }

  /** Waits for what is still on its way to disk. */
  async flush(): Promise<void> {
    while (this.#persisting.size > 0) await Promise.all(this.#persisting);
  }

  /** Whether recovery has nothing left to do. */
  get isComplete(): boolean {
    return this.#unresolved.size === 0 && this.#persisted;
  }

  #later(task: Promise<unknown>): void {
    const tracked: Promise<void> = task.then(() => {
      this.#persisting.delete(tracked);
    });
    this.#persisting.add(tracked);
  }
}
