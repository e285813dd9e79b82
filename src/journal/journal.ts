import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { OnboardingRow, Outcome } from '../core/outcome.ts';
import type { Plan } from '../core/plan.ts';
import { AppendFile, type FlushTime, textOf } from '../files/write.ts';
import {
  auditMark,
  isJournalOver,
  type JournalLine,
  type MailState,
  parseJournal,
  type RunHead,
  toRecord,
} from './format.ts';
import { OnboardingFile } from './onboarding-file.ts';

export const JOURNAL_FILE = 'journal.jsonl';

/** A write that is about to begin: the change by its index in the plan, and the user id that it is about. */
export interface Intent {
  readonly index: number;
  /** An add's (or a recreation's) new id; else the change's own. */
  readonly userId: string;
}

/** What a run leaves behind as it goes, so that a cut-off one can be completed. Promises resolve once it is on disk. */
export interface Journal {
  begin(plan: Plan, head: RunHead): Promise<void>;
  /** Before the write begins. */
  intend(rows: readonly Intent[]): Promise<void>;
  /** Keys and links, as soon as they are there. */
  onboarding(rows: readonly OnboardingRow[], when?: FlushTime): Promise<void>;
  /** Before the mail of a change is sent, and after its server has answered. */
  mail(index: number, state: MailState): Promise<void>;
  /** Nothing is left to do for these changes. */
  recorded(rows: readonly { readonly index: number; readonly outcome: Outcome }[]): Promise<void>;
  /** The run is over. `complete`: every change has its outcome; else the journal stays for recovery. */
  finish(complete: boolean): Promise<void>;
}

/** A run before this one was cut off in the same output directory, and was not recovered. */
export class UnrecoveredJournalError extends Error {
  override readonly name = 'UnrecoveredJournalError';

  constructor(path: string) {
    super(
      `${path} tells of a run that was cut off and not recovered yet: nothing new may begin in this directory. ` +
        'Run once with a key that may write, or use another output-directory.',
    );
  }
}

/** `journal.jsonl` (no secrets) and `onboarding_links.csv` (all secrets) in the output directory, both mode 0600. */
export class FileJournal implements Journal {
  readonly onboardingFile: OnboardingFile;
  readonly #path: string;
  #file: Promise<AppendFile> | null = null;

  private constructor(directory: string) {
    this.#path = join(directory, JOURNAL_FILE);
    this.onboardingFile = new OnboardingFile(directory);
  }

  /**
   * For a new run: the journal of a finished one is dropped.
   * @throws UnrecoveredJournalError where `recover` is due first.
   */
  static async create(directory: string): Promise<FileJournal> {
    const journal = new FileJournal(directory);
    if (!(await journal.isOver())) throw new UnrecoveredJournalError(journal.#path);
    await journal.remove();
    return journal;
  }

  /** For recovery: goes on in the journal that is there. */
  static resume(directory: string): FileJournal {
    return new FileJournal(directory);
  }

  /** What the journal says; a line that was cut is left out. */
  async lines(): Promise<JournalLine[]> {
    return parseJournal(await textOf(this.#path));
  }

  /** Whether recovery has nothing to do here. */
  async isOver(): Promise<boolean> {
    return isJournalOver(await textOf(this.#path));
  }

  async begin(plan: Plan, { rows, ...head }: RunHead): Promise<void> {
    const onboardingRows = await this.onboardingFile.countRows();
    const entries = (rows ?? []).map((row): JournalLine => ({ t: 'row', row }));
    const changes = plan.changes.map(
      (change, index): JournalLine => ({ t: 'change', index, record: toRecord(change) }),
    );
    await this.#append([{ t: 'run', ...head, onboardingRows, hasRows: rows !== null }, ...entries, ...changes]);
  }

  intend(rows: readonly Intent[]): Promise<void> {
    return this.#append([{ t: 'intend', rows: rows.map(({ index, userId }) => [index, userId]) }]);
  }

  onboarding(rows: readonly OnboardingRow[], when?: FlushTime): Promise<void> {
    return this.onboardingFile.append(rows, when);
  }

  recorded(rows: readonly { readonly index: number; readonly outcome: Outcome }[]): Promise<void> {
    return this.#append(
      rows.map(({ index, outcome }) => ({ t: 'outcome', index, outcome })),
      'soon',
    );
  }

  mail(index: number, mail: MailState): Promise<void> {
    return this.#append([{ t: 'mail', index, mail }]);
  }

  /** Before secrets of these users are taken back, and once that is done and told. */
  revocation(userIds: readonly string[], done: boolean): Promise<void> {
    return this.#append([{ t: 'revocation', userIds, done }]);
  }

  /** After they were written there: recovery does not tell them again. */
  audited(outcomes: readonly Outcome[]): Promise<void> {
    const rows = outcomes.flatMap((outcome): [number, string][] =>
      outcome.index === null ? [] : [[outcome.index, auditMark(outcome)]],
    );
    return this.#append([{ t: 'audited', rows }]);
  }

  async finish(complete: boolean): Promise<void> {
    await this.onboardingFile.compact();
    if (complete) await this.#append([{ t: 'finished' }]);
    await this.close();
  }

  /** Removes `journal.jsonl`: its rows are in the result files, and these are where they should be. */
  async remove(): Promise<void> {
    await this.close();
    await rm(this.#path, { force: true });
  }

  async close(): Promise<void> {
    await this.onboardingFile.close();
    const file = await this.#file?.catch(() => null);
    this.#file = null;
    await file?.close();
  }

  async #append(lines: readonly JournalLine[], when?: FlushTime): Promise<void> {
    this.#file ??= AppendFile.open(this.#path);
    const file = await this.#file;
    await file.append(lines.map((line) => `${JSON.stringify(line)}\n`).join(''), when);
  }
}
