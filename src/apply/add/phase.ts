import { Pool } from '../../concurrency.ts';
import type { Run } from '../apply-run.ts';
import { pieces } from '../bulk.ts';
import { completeInvitation } from '../links.ts';
import { type Creation, completeKey, createUsers, foundUser, saveKeys } from './create.ts';
import { type Candidate, createdOutcome, type NewUserState, notCreated, onboardingRow } from './new-user.ts';
import { completeUsers } from './verify.ts';

export interface AddProgress {
  /** Users whose creation was tried, of how many. */
  readonly created: (done: number, total: number) => void;
  /** Users who are complete, of those that were created so far. */
  readonly completed: (done: number, total: number) => void;
}

/** Pauses, each longer, that a key of which no answer came is given to turn up: once for all users. */
const LATE = 4;

/**
 * Creates users in bulk; keys and links that bulk does not give are made in a pool while the next ones are created, so
 * that the proxy never waits for us.
 */
export class AddPhase {
  readonly #run: Run;
  readonly #progress: AddProgress;
  readonly #pool: Pool;
  /** Whose answer was lost: looked at once more when all the others are through. */
  readonly #late: Extract<Creation, { kind: 'absent' }>[] = [];
  readonly #doubtful = new Set<NewUserState>();
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

  /** Completes users who exist already; recovery brings them. */
  async complete(users: readonly NewUserState[]): Promise<void> {
    await this.#complete(users);
    await this.#pool.idle();
    await this.#lookOnceMore();
  }

  async #addPiece(piece: readonly Candidate[]): Promise<void> {
    const run = this.#run;
    const intents = piece.map((candidate) => ({ index: candidate.index, userId: candidate.user.userId }));
    if (run.blocked() === null) await run.persist(run.options.journal.intend(intents));
    const creations = await createUsers(run, piece);
    const users: NewUserState[] = [];
    for (const creation of creations) {
      if (creation.kind === 'created') users.push(creation.user);
      else this.#recordMissing(creation);
    }
    await saveKeys(run, users);
    await this.#complete(users);
  }

  #recordMissing(creation: Exclude<Creation, { kind: 'created' }>): void {
    const { candidate, failure } = creation;
    const outcome = notCreated(candidate, failure);
    if (creation.kind === 'unknown') this.#run.recordUnresolved(candidate.index, outcome);
    else if (creation.late) this.#late.push(creation);
    else this.#run.record(candidate.index, outcome);
  }

  async #complete(users: readonly NewUserState[]): Promise<void> {
    this.#created += users.length;
    // Before the next users are created: the proxy rewrites a team's roster without a lock.
    await completeUsers(this.#run, users);
    for (const user of users) {
      if (user.keysUnseen) this.#doubtful.add(user);
      this.#pool.add(() => this.#finish(user));
    }
  }

  async #finish(user: NewUserState): Promise<void> {
    await completeKey(this.#run, user);
    await completeInvitation(this.#run, user);
    if (!this.#doubtful.has(user)) this.#record(user);
    this.#progress.completed(++this.#completed, this.#created);
  }

  #record(user: NewUserState): void {
    const run = this.#run;
    const { index } = user.candidate;
    const outcome = createdOutcome(user);
    const record = (): void => (user.unresolved ? run.recordUnresolved(index, outcome) : run.record(index, outcome));
    if (user.invitation === null) {
      record();
    } else {
      const row = onboardingRow(user, run.options.linkFor);
      const problem = 'without a link: it could not be saved; run `onboard` for a fresh link';
      run.persistThenRecord(row, index, createdOutcome({ ...user, problems: [...user.problems, problem] }), record);
    }
  }

  /** A call that we gave up may have come through long after: users, and keys, that turned up since. */
  async #lookOnceMore(): Promise<void> {
    const late = this.#late.splice(0);
    if (late.length > 0) await this.#lookForLate(late);
    await this.#pool.idle();
    const mayCome = [...this.#doubtful].some((user) => user.lost);
    for (let look = 0; mayCome && look < LATE && this.#run.blocked() === null; look++) await this.#run.pause(look);
    for (const user of this.#doubtful) this.#pool.add(() => this.#checkKeys(user));
    await this.#pool.idle();
    this.#doubtful.clear();
  }

  async #checkKeys(user: NewUserState): Promise<void> {
    if (user.key !== null && !user.unresolved) {
      user.keysUnseen = true;
      await completeKey(this.#run, user);
    }
    this.#record(user);
  }

  async #lookForLate(late: readonly Extract<Creation, { kind: 'absent' }>[]): Promise<void> {
    const run = this.#run;
    try {
      const present = await run.options.proxy.findUsers(late.map(({ candidate }) => candidate.user.userId));
      const found = new Map(present.map((user) => [user.userId, user]));
      const users: NewUserState[] = [];
      for (const { candidate, failure } of late) {
        const user = found.get(candidate.user.userId);
        if (user !== undefined) users.push(foundUser(candidate, user));
        else run.record(candidate.index, notCreated(candidate, failure));
      }
      await this.#complete(users);
    } catch (error) {
      run.haltIfFatal(error);
      for (const { candidate, failure } of late) run.recordUnresolved(candidate.index, notCreated(candidate, failure));
    }
  }
}
