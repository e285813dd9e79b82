import type { DesiredUser, UserRow } from '../core/desired.ts';
import type { Log } from '../core/log.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Change, Plan } from '../core/plan.ts';
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
  /** `null`: not known yet. */
  readonly total: number | null;
}

/** What a run is about to do: for a file as a whole (`sync`), or for its rows one by one. */
export type RunPlan =
  | {
      readonly kind: 'file';
      readonly plan: Plan;
      /** The rows of the file. */
      readonly rows: readonly UserRow[];
      /** What they ask for, with their teams as the proxy has them. */
      readonly desired: readonly DesiredUser[];
    }
  | { readonly kind: 'rows'; readonly plan: Plan; readonly rowPlan: RowPlan };

/** Why there is no plan, or why it was not applied. */
export type Failure =
  | { readonly kind: 'file'; readonly problems: readonly Problem[] }
  | { readonly kind: 'error'; readonly message: string };

/** Where a change comes from, for the audit record. */
export interface Provenance {
  /** See `changeDigest`; `null` for commands without review. */
  readonly digest: string | null;
  /** The pull request whose comment showed the change; `null`: none did. */
  readonly pullRequest: { readonly number: number; readonly author: string } | null;
}

/** Of a change that no review was asked about. */
export const NOT_REVIEWED: Provenance = { digest: null, pullRequest: null };

/** What a review lets through. `evidence` is the host's own: it gets it back with the result. */
export type Review<E> =
  | {
      readonly kind: 'go';
      readonly plan: RunPlan;
      readonly evidence: E;
      readonly provenanceOf: (change: Change) => Provenance;
    }
  /** Nothing is written, and that is well: the run ends green. */
  | { readonly kind: 'superseded' }
  | { readonly kind: 'refused'; readonly reason: string };

/** Whether the secrets reached somebody. `isLost`: the file goes with the job, nobody will ever see it. */
export type PublishResult =
  | { readonly published: true; readonly url: string }
  | { readonly published: false; readonly reason: string; readonly isLost: boolean };

/** What a run told the audit record. */
export interface AuditRecord {
  /** The file, to which other runs may have written before. */
  readonly path: string;
  /** What this run has appended to it. */
  readonly text: string;
}

/** What became of a run. */
export interface RunResult<E> {
  readonly command: string;
  /** With what was withheld; `null`: of an interrupted run, of which only its journal is known. */
  readonly plan: RunPlan | null;
  /** `null` where nothing was reviewed: an interrupted run. */
  readonly evidence: E | null;
  /** One per user or row, as the result files have them. */
  readonly outcomes: readonly Outcome[];
  /** Messages to the reader; they may hold values. */
  readonly notes: readonly string[];
  /** The first is the command's result file. */
  readonly files: readonly string[];
  /** Files that hold secrets, `files` or others. */
  readonly secretFiles: readonly string[];
  /** The first day on which a link of this run no longer opens, `YYYY-MM-DD`; `null`: it made none. */
  readonly linksExpire: string | null;
  /** The audit record; `null`: none was written. */
  readonly audit: AuditRecord | null;
  /** Where the recipients find the secrets; blank: only on this machine. */
  readonly secretsUrl: string;
  /** Whether the journal is still needed: something is left to recover. */
  readonly isUnfinished: boolean;
}

/** Something that was read and is shown. */
export type Shown =
  /** What `list` found. */
  | {
      readonly kind: 'list';
      /** As asked for: TSV, CSV or JSON. */
      readonly text: string;
      readonly fileName: string;
      readonly columns: readonly string[];
      readonly count: number;
      /** For a table; the same cells as in the text. */
      readonly row: (index: number) => readonly string[];
    }
  /** What `export` did. */
  | {
      readonly kind: 'export';
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
  /** A file without a key at hand: it is fine, but there is no plan. */
  | { readonly kind: 'offline'; readonly users: number };

/**
 * Where a command runs: a terminal or a job. Commands speak to it and know neither. In the order of a run; facts go
 * from one call to the next through arguments.
 */
export interface Host<E = unknown> {
  readonly log: Log;
  readonly mode: Mode;
  /** Absolute; exists in a run that writes. */
  readonly outputDirectory: string;
  /** Address of the run and the commit that it applies, for the audit record; `null` in a terminal. */
  readonly origin: { readonly run: string | null; readonly commit: string | null };
  /** Aborted by SIGINT and SIGTERM: start no new write. */
  readonly signal: AbortSignal;
  /** Files with emails for others to see are written masked. */
  readonly redacts: boolean;
  /** Called with every secret the moment it is received. */
  readonly onSecret: (value: string) => void;
  /** A document that somebody asked for: a plan, a list. */
  print(document: string): void;
  progress(progress: Progress): void;

  /**
   * The plan of a run that writes nothing. The host tells of its breaches, as errors, and of what it returns, each once.
   * @param evidence of the review of a plan that was to be applied, and may not; else `null`
   * @returns why applying it would be refused, as far as the host can tell; `null`: it would not
   */
  planned(plan: RunPlan, evidence: E | null): Promise<string | null>;
  /** Withholds what was not reviewed. Also where the run finds out that a newer file is there. */
  review(plan: RunPlan): Promise<Review<E>>;
  /**
   * Last chance to refuse, before the first write.
   * @throws RefusedError
   */
  beforeWrites(plan: RunPlan): Promise<void>;
  isSuperseded(): Promise<boolean>;
  /** Hands files that hold secrets to their recipients. */
  publishSecrets(secretFiles: readonly string[]): Promise<PublishResult>;
  /** Breaches that withheld a part of the plan are told here, as errors. */
  finished(result: RunResult<E>): Promise<void>;
  /** The run ends here. @param evidence of the review, if it came so far; `null` also once something was written */
  failed(failure: Failure, evidence: E | null, hasWritten: boolean): Promise<void>;
  shown(shown: Shown): Promise<void>;
}
