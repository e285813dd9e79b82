import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { OnboardingRow, Outcome } from '../core/outcome.ts';
import type { Plan } from '../core/plan.ts';
import { AppendFile } from '../files/append.ts';
import { type JournalLine, parseJournal, toRecord } from './format.ts';
import { OnboardingFile, textOf } from './onboarding-file.ts';

export const JOURNAL_FILE = 'journal.jsonl';

/** A write that is about to begin: the change by its number in the plan, and the user id that it is about. */
export interface Intent {
  readonly change: number;
  /** An add's (or a recreation's) new id; else the change's own. */
  readonly userId: string;
}

/** What a run leaves behind as it goes, so that a killed one can be settled. Every promise resolves once it is on disk. */
export interface Journal {
  begin(plan: Plan, wants: { readonly apiKeys: boolean; readonly invitations: boolean }): Promise<void>;
  /** Before the write begins. */
  intend(rows: readonly Intent[]): Promise<void>;
  /** Keys and links, as soon as they are there. */
  onboarding(rows: readonly OnboardingRow[]): Promise<void>;
  /** Nothing is left to do for these changes. */
  settled(rows: readonly { readonly change: number; readonly outcome: Outcome }[]): Promise<void>;
  /** The run is over. `complete`: every change is settled; else the journal stays open for recovery. */
  finish(complete: boolean): Promise<void>;
}

/** A run before this one was killed, or left something open, in the same output directory. */
export class UnsettledJournalError extends Error {
  override readonly name = 'UnsettledJournalError';

  constructor(path: string) {
    super(
      `${path} tells of a run that was killed and not settled yet: nothing new may begin in this directory. ` +
        'Settle it with a key that may write, or use another output-directory.',
    );
  }
}

/** `journal.jsonl` (no secrets) and `onboarding_links.csv` (all secrets) in the output directory, both mode 0600. */
export class FileJournal implements Journal {
  readonly onboardingFile: OnboardingFile;
  readonly #path: string;
  readonly #proxy: string;
  #file: Promise<AppendFile> | null = null;

  private constructor(directory: string, proxy: string) {
    this.#proxy = proxy;
    this.#path = join(directory, JOURNAL_FILE);
    this.onboardingFile = new OnboardingFile(directory);
  }

  /**
   * For a new run: the journal of a finished one is dropped.
   * @param proxy a hash that tells the run's proxy from others
   * @throws UnsettledJournalError where `recover` is due first.
   */
  static async create(directory: string, proxy: string): Promise<FileJournal> {
    const journal = new FileJournal(directory, proxy);
    const lines = await journal.lines();
    if (lines.length > 0 && !lines.some((line) => line.t === 'finished'))
      throw new UnsettledJournalError(journal.#path);
    await journal.remove();
    return journal;
  }

  /** For recovery: goes on in the journal that is there. */
  static resume(directory: string): FileJournal {
    return new FileJournal(directory, '');
  }

  /** The file with this run's secrets; `null` where it had none. */
  get secretFile(): string | null {
    return this.onboardingFile.grew ? this.onboardingFile.path : null;
  }

  /** What the journal says; a line that was cut is left out. */
  async lines(): Promise<JournalLine[]> {
    return parseJournal(await textOf(this.#path));
  }

  begin(plan: Plan, wants: { readonly apiKeys: boolean; readonly invitations: boolean }): Promise<void> {
    const changes = plan.changes.map((change, number): JournalLine => {
      return { t: 'change', change: number, record: toRecord(change) };
    });
    return this.#append([
      { t: 'run', proxy: this.#proxy, apiKeys: wants.apiKeys, invitations: wants.invitations },
      ...changes,
    ]);
  }

  intend(rows: readonly Intent[]): Promise<void> {
    return this.#append([{ t: 'intend', rows: rows.map(({ change, userId }) => [change, userId]) }]);
  }

  onboarding(rows: readonly OnboardingRow[]): Promise<void> {
    return this.onboardingFile.append(rows);
  }

  settled(rows: readonly { readonly change: number; readonly outcome: Outcome }[]): Promise<void> {
    return this.#append(rows.map(({ change, outcome }) => ({ t: 'outcome', change, outcome })));
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

  async #append(lines: readonly JournalLine[]): Promise<void> {
    this.#file ??= AppendFile.open(this.#path);
    const file = await this.#file;
    await file.append(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }
}
