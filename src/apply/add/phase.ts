import { Pool } from '../../concurrency.ts';
import { pieces } from '../bulk.ts';
import { completeInvitation } from '../invite.ts';
import type { Run } from '../run.ts';
import { type Creation, createUsers, foundNewcomer } from './create.ts';
import { completeKey, saveKeys } from './key.ts';
import { type Candidate, type Newcomer, notCreated, onboardingRow, outcomeOf } from './new-user.ts';
import { completeTeams } from './teams.ts';

export interface AddProgress {
  /** Users whose creation was tried, of how many. */
  readonly created: (done: number, total: number) => void;
  /** Users who are complete, of those that were created so far. */
  readonly completed: (done: number, total: number) => void;
}

/**
 * Creates users in bulk; keys and links that bulk does not give are made in a pool while the next ones are created, so
 * that the proxy never waits for us.
 */
export class Newcomers {
  readonly #run: Run;
  readonly #progress: AddProgress;
  readonly #pool: Pool;
  /** Whose answer was lost: looked at once more when all the others are through. */
  readonly #late: Extract<Creation, { kind: 'absent' }>[] = [];
  readonly #doubtful = new Set<Newcomer>();
  #created = 0;
  #completed = 0;

  constructor(run: Run, progress: AddProgress) {
    this.#run = run;
    this.#progress = progress;
    this.#pool = new Pool(run.options.concurrency);
  }

  /** Every candidate's outcome is in the run when this resolves. */
  async add<T>(rows: readonly T[], toCandidate: (row: T) => Candidate): Promise<void> {
    const { batchSize } = this.#run.options.proxy;
    let done = 0;
    for (const piece of pieces(rows, batchSize)) {
      await this.#addPiece(piece.map(toCandidate));
      done += piece.length;
      this.#progress.created(done, rows.length);
      // Work enough for the proxy; more would be users who wait long for their links, and lack them after a signal.
      await this.#pool.backlog(batchSize);
    }
    await this.#pool.idle();
    await this.#lookOnceMore();
  }

  /** Users who exist already, half finished: recovery brings them. */
  async complete(newcomers: readonly Newcomer[]): Promise<void> {
    await this.#complete(newcomers);
    await this.#pool.idle();
    await this.#lookOnceMore();
  }

  async #addPiece(piece: readonly Candidate[]): Promise<void> {
    const run = this.#run;
    const intents = piece.map((candidate) => ({ change: candidate.change, userId: candidate.user.userId }));
    if (run.blocked() === null) await run.keep(run.options.journal.intend(intents));
    const creations = await createUsers(run, piece);
    const newcomers: Newcomer[] = [];
    for (const creation of creations) {
      if (creation.kind === 'created') newcomers.push(creation.newcomer);
      else this.#settleMissing(creation);
    }
    await saveKeys(run, newcomers);
    await this.#complete(newcomers);
  }

  #settleMissing(creation: Exclude<Creation, { kind: 'created' }>): void {
    const { candidate, reason } = creation;
    const outcome = notCreated(candidate, reason);
    if (creation.kind === 'unknown') this.#run.leaveOpen(candidate.change, outcome);
    else if (creation.late) this.#late.push(creation);
    else this.#run.settle(candidate.change, outcome);
  }

  async #complete(newcomers: readonly Newcomer[]): Promise<void> {
    this.#created += newcomers.length;
    // Before the next users are created: the proxy rewrites a team's roster without a lock.
    await completeTeams(this.#run, newcomers);
    for (const newcomer of newcomers) {
      if (newcomer.keysUnseen) this.#doubtful.add(newcomer);
      this.#pool.add(() => this.#finish(newcomer));
    }
  }

  async #finish(newcomer: Newcomer): Promise<void> {
    await completeKey(this.#run, newcomer);
    await completeInvitation(this.#run, newcomer);
    if (!this.#doubtful.has(newcomer)) this.#settle(newcomer);
    this.#progress.completed(++this.#completed, this.#created);
  }

  #settle(newcomer: Newcomer): void {
    const run = this.#run;
    const { change } = newcomer.candidate;
    const outcome = outcomeOf(newcomer);
    const settle = (): void => (newcomer.open ? run.leaveOpen(change, outcome) : run.settle(change, outcome));
    if (newcomer.invitation === null) {
      settle();
    } else {
      const row = onboardingRow(newcomer, run.options.linkFor);
      const problem = 'without a link: it could not be saved; run `onboard` for a fresh link';
      run.saveFirst(row, change, outcomeOf({ ...newcomer, problems: [...newcomer.problems, problem] }), settle);
    }
  }

  /** A call that we gave up may have come through long after: users, and keys, that turned up since. */
  async #lookOnceMore(): Promise<void> {
    const late = this.#late.splice(0);
    if (late.length > 0) await this.#lookForLate(late);
    await this.#pool.idle();
    for (const newcomer of this.#doubtful) this.#pool.add(() => this.#checkKeys(newcomer));
    await this.#pool.idle();
    this.#doubtful.clear();
  }

  async #checkKeys(newcomer: Newcomer): Promise<void> {
    if (newcomer.key !== null && !newcomer.open) {
      newcomer.keysUnseen = true;
      await completeKey(this.#run, newcomer);
    }
    this.#settle(newcomer);
  }

  async #lookForLate(late: readonly Extract<Creation, { kind: 'absent' }>[]): Promise<void> {
    const run = this.#run;
    try {
      const users = await run.options.proxy.findUsers(late.map(({ candidate }) => candidate.user.userId));
      const found = new Map(users.map((user) => [user.userId, user]));
      const newcomers: Newcomer[] = [];
      for (const { candidate, reason } of late) {
        const user = found.get(candidate.user.userId);
        if (user !== undefined) newcomers.push(foundNewcomer(candidate, user));
        else run.settle(candidate.change, notCreated(candidate, reason));
      }
      await this.#complete(newcomers);
    } catch (error) {
      run.isFatal(error);
      for (const { candidate, reason } of late) run.leaveOpen(candidate.change, notCreated(candidate, reason));
    }
  }
}
