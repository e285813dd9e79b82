import type { Log } from '../core/log.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Plan } from '../core/plan.ts';
import type { Problem } from '../core/problem.ts';
import type { RowPlan } from '../core/row-plan.ts';

/** Whether a run may write, and if not, why. */
export type Mode =
  | { readonly kind: 'plan' }
  | { readonly kind: 'apply' }
  /** No key: the file is checked on its own. */
  | { readonly kind: 'offline'; readonly reason: string };

/** 0 done or nothing to do, 1 something failed or a limit was breached, 2 wrong usage or bad file, 3 changes found. */
export type ExitCode = 0 | 1 | 2 | 3;

export interface Progress {
  /** What is being done, as a reader says it: `adding users`. */
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

/** Where a command runs: a terminal or a job. Commands speak to it and know neither. */
export interface Host {
  readonly log: Log;
  readonly mode: Mode;
  /** Absolute; exists. */
  readonly outputDirectory: string;
  /** Set by SIGINT and SIGTERM: start no new write. */
  readonly stop: { readonly requested: boolean };
  /** Called with every secret the moment it is received. */
  readonly onSecret: (value: string) => void;
  /** Files with emails for others to see are written masked. */
  readonly redacts: boolean;
  /** A document that somebody asked for: the plan, a list. */
  print(document: string): void;
  progress(progress: Progress): void;
  failed(failure: Failure): Promise<void>;
  /** The file is fine, but there is no plan. */
  checkedOffline(users: number): Promise<void>;
  /** Uploads files that hold secrets, where somebody waits for them. */
  handOver(secretFiles: readonly string[]): Promise<Handover>;
}

/** Why there is no plan. */
export type Failure =
  | { readonly kind: 'file'; readonly problems: readonly Problem[] }
  | { readonly kind: 'error'; readonly message: string };

/** What a review lets through. */
export type Review =
  | { readonly kind: 'go'; readonly plan: Plan }
  /** Nothing is written, and that is well: the run ends green. */
  | { readonly kind: 'superseded' }
  | { readonly kind: 'refused'; readonly reason: string };

export interface SyncResult {
  /** With what was withheld; `null`: of a killed run, of which only the rows are known. */
  readonly plan: Plan | null;
  readonly outcomes: readonly Outcome[];
  readonly resultFile: string;
  /** Holds the secrets of this run and of earlier ones in the same directory. */
  readonly secretFile: string;
}

/** Whether the secrets reached somebody. `isLost`: the file goes with the job, nobody will ever see it. */
export type Handover =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly reason: string; readonly isLost: boolean };

/** What `sync` tells and asks beyond that: comment, review and artifacts in a job, little in a terminal. */
export interface SyncHost extends Host {
  /** Nothing will be written by this run. */
  planned(plan: Plan): Promise<void>;
  /** Withholds what was not reviewed. Also where the run finds out that a newer file is there. */
  review(plan: Plan): Promise<Review>;
  /**
   * Everything that would make a write regrettable, before the first one.
   * @throws if the secrets that the plan creates could not be handed over
   */
  beforeWrites(plan: Plan): Promise<void>;
  isSuperseded(): Promise<boolean>;
  applied(result: SyncResult): Promise<void>;
}

export interface RowsResult {
  /** In the order of the file. */
  readonly outcomes: readonly Outcome[];
  /** Messages to the reader; they may hold values. */
  readonly notes: readonly string[];
  /** The first is the command's result file. */
  readonly files: readonly string[];
  /** Those of them that hold secrets, and no others. */
  readonly secretFiles: readonly string[];
}

/** What `add`, `delete` and `onboard` tell: no comment and no review. */
export interface RowsHost extends Host {
  /** Shows the plan and the rows that are left out of it. `applying`: it is about to be carried out. */
  showRows(plan: RowPlan, applying: boolean): Promise<void>;
  /**
   * Everything that would make a write regrettable, before the first one.
   * @throws if the secrets that the plan creates could not be handed over
   */
  beforeRows(plan: RowPlan): Promise<void>;
  rowsDone(result: RowsResult): Promise<void>;
}

/** What `list` found. */
export interface Listing {
  /** As asked for: TSV, CSV or JSON. */
  readonly text: string;
  readonly fileName: string;
  readonly columns: readonly string[];
  readonly count: number;
  /** For a table; the same cells as in the text. */
  readonly row: (index: number) => readonly string[];
}

/** What `export` did. */
export interface Exported {
  /** Absolute; `null` where the file went to stdout. */
  readonly path: string | null;
  readonly users: number;
  /** Whether the file is another one now, or would be. */
  readonly changed: boolean;
  /** Sentences about the file and about users that are left out; they may hold values. */
  readonly notes: readonly string[];
  /** The same about users who need somebody's attention. */
  readonly warnings: readonly string[];
}

/** What `list` and `export` tell. */
export interface ReadingHost extends Host {
  listed(listing: Listing): Promise<void>;
  exported(exported: Exported): Promise<void>;
}

/** Where every command can run. */
export interface AnyHost extends SyncHost, RowsHost, ReadingHost {}
