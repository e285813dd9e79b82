import type { ProxyUser, Role } from '../core/inventory.ts';
import type { TeamRef } from '../core/plan.ts';
import { failureOf, pieces, type RowAnswer, writeInBulk } from './bulk.ts';
import { type FailureReason, reasonOf } from './messages.ts';
import {
  missingSteps,
  type Observed,
  observe,
  plannedUser,
  type Step,
  teamIdsOf,
  type UpdateTarget,
  updatedOutcome,
} from './observed.ts';
import type { Blocked, RowResult } from './ports.ts';
import type { Run } from './run.ts';

export interface UpdateRow {
  readonly index: number;
  readonly target: UpdateTarget;
}

/** An update that the proxy verifiably does not take: recreating the user may help. */
export interface RejectedUpdate extends UpdateRow {
  readonly observed: Observed;
  readonly failure: FailureReason;
}

interface Tries {
  count: number;
  /** How often the proxy said no, in contrast to not being heard. */
  refusals: number;
  /** It was not sent, nor will be. */
  blocked: boolean;
  /** The proxy has judged this very row: neither a lost answer nor a call that failed as a whole. */
  judged: boolean;
  failure: FailureReason;
}

interface PendingUpdate extends UpdateRow {
  readonly userId: string;
  readonly tries: Map<string, Tries>;
  /** The role that the proxy's answer shows, where nothing but the role was missing: no need to look again. */
  answered: Role | null;
}

/** A refusal is tried once more (two writes of one roster may have met), then it counts. */
const REFUSALS = 2;

/**
 * Updates in rounds: look at the proxy, write what it lacks, look again, until it lacks nothing or stays as it is. So
 * a lost answer needs no treatment of its own, nothing that is there already is written, and success is always seen.
 * Records every row but those that it returns.
 * @param isFresh the plan has just been made: to begin with, rosters are enough to see who is still there
 */
export async function applyUpdates(
  run: Run,
  rows: readonly UpdateRow[],
  isFresh: boolean,
  progress: (done: number, total: number) => void,
): Promise<RejectedUpdate[]> {
  const rejected: RejectedUpdate[] = [];
  let pending: PendingUpdate[] = rows.map((row) => ({
    ...row,
    userId: row.target.userId,
    tries: new Map(),
    answered: null,
  }));
  if (run.blocked() === null) await run.persist(run.options.journal.intend(pending));
  for (let isFirst = isFresh; pending.length > 0; isFirst = false) {
    const observed = await tryObserving(run, pending, isFirst ? observeRosters : observeAll);
    if (observed === null) break;
    const round = new Round();
    for (const row of pending) triage(run, row, observed, round, rejected);
    progress(rows.length - round.rows.length, rows.length);
    if (round.repeats > 0) await run.pause(round.repeats - 1);
    await round.write(run);
    pending = recordAnswered(run, round.rows, observed);
    progress(rows.length - pending.length, rows.length);
  }
  return rejected;
}

/** What is left pending of them. */
function recordAnswered(run: Run, rows: readonly PendingUpdate[], observed: Observed): PendingUpdate[] {
  for (const row of rows) {
    const user = observed.users.get(row.userId);
    if (row.answered === null || user === undefined) continue;
    const now = { ...observed, users: new Map([[row.userId, { ...user, role: row.answered }]]) };
    run.record(row.index, updatedOutcome(row.index, row.target, now, null));
  }
  return rows.filter((row) => row.answered === null);
}

/** `null` where the proxy cannot be read: what is known then stands in the rows. */
async function tryObserving(
  run: Run,
  pending: readonly PendingUpdate[],
  how: typeof observeAll,
): Promise<Observed | null> {
  const blocked = run.blocked();
  try {
    if (blocked === null || pending.some(wasTried)) {
      return await how(run, pending);
    }
  } catch (error) {
    run.haltIfFatal(error);
    for (const row of pending) {
      run.record(row.index, updatedOutcome(row.index, row.target, null, unobserved(row, reasonOf(error))));
    }
    return null;
  }
  const failure: FailureReason = { code: 'not attempted', reason: `not attempted: ${blocked}` };
  for (const row of pending) run.record(row.index, updatedOutcome(row.index, row.target, null, failure));
  return null;
}

function unobserved(row: PendingUpdate, why: string): FailureReason {
  return wasTried(row)
    ? {
        code: 'unverified',
        reason: `what was written could not be verified (${why}): run again, the next plan shows what is missing`,
      }
    : { code: 'not attempted', reason: `not attempted: the user could not be looked up (${why})` };
}

function observeAll({ options }: Run, pending: readonly PendingUpdate[]): Promise<Observed> {
  return observe(
    options.proxy,
    pending.map((row) => row.userId),
    pending.flatMap((row) => teamIdsOf(row.target)),
  );
}

/**
 * As the plan saw them, where all their teams still list them: a deleted user is in no roster. Rosters come 100 teams a
 * request, users take the proxy some milliseconds each.
 */
async function observeRosters(run: Run, pending: readonly PendingUpdate[]): Promise<Observed> {
  if (!(await run.options.proxy.cleansRosters())) return observeAll(run, pending);
  const current = pending.flatMap((row) => row.target.currentTeams.map((team) => team.teamId));
  const { teams } = await observe(
    run.options.proxy,
    [],
    [...current, ...pending.flatMap((row) => teamIdsOf(row.target))],
  );
  const known = pending.map((row) => plannedUser(row.target));
  const isListed = (user: ProxyUser): boolean =>
    user.teams.length > 0 && user.teams.every((id) => teams.get(id)?.members.has(user.userId));
  const others = await observe(run.options.proxy, ids(known.filter((user) => !isListed(user))), []);
  const users = known.filter(isListed).map((user): [string, ProxyUser] => [user.userId, user]);
  return { users: new Map([...users, ...others.users]), teams };
}

function ids(users: readonly ProxyUser[]): string[] {
  return users.map((user) => user.userId);
}

function wasTried(row: PendingUpdate): boolean {
  return [...row.tries.values()].some((tries) => tries.count > 0);
}

function triage(run: Run, row: PendingUpdate, observed: Observed, round: Round, rejected: RejectedUpdate[]): void {
  const steps = missingSteps(row.target, observed);
  const possible = steps.filter((step) => !isExhausted(row.tries.get(nameOf(step)), run.options.retries));
  if (!observed.users.has(row.userId)) {
    const reason = 'the user is no longer on the proxy: run again, the next plan takes that into account';
    run.record(row.index, updatedOutcome(row.index, row.target, observed, { code: 'gone', reason }));
  } else if (steps.length === 0) {
    run.record(row.index, updatedOutcome(row.index, row.target, observed, null));
  } else if (possible.length > 0) {
    round.add(row, possible);
  } else {
    giveUp(run, row, steps, observed, rejected);
  }
}

function giveUp(
  run: Run,
  row: PendingUpdate,
  steps: readonly Step[],
  observed: Observed,
  rejected: RejectedUpdate[],
): void {
  const tries = steps.map((step) => row.tries.get(nameOf(step)));
  const reason = steps.map((step, at) => complaint(step, tries[at]?.failure.reason ?? '')).join('; ');
  const failure: FailureReason = { code: tries[0]?.failure.code ?? 'other', reason };
  if (tries.every((one) => one?.judged)) rejected.push({ index: row.index, target: row.target, observed, failure });
  else run.record(row.index, updatedOutcome(row.index, row.target, observed, failure));
}

function isExhausted(tries: Tries | undefined, retries: number): boolean {
  if (tries === undefined) return false;
  return tries.blocked || tries.refusals >= REFUSALS || tries.count > retries;
}

function nameOf(step: Step): string {
  return step.kind === 'role' ? 'role' : `${step.kind} ${step.team.teamId}`;
}

function complaint(step: Step, reason: string): string {
  switch (step.kind) {
    case 'role':
      return `role not set to ${step.role}: ${reason}`;
    case 'join':
      return `team ${step.team.name} not joined, the teams to leave were kept: ${reason}`;
    case 'leave':
      return `team ${step.team.name} not left: ${reason}`;
  }
}

/** The writes of one round, grouped so that few calls do for many users. */
class Round {
  readonly rows: PendingUpdate[] = [];
  /** The most often that one of its writes was tried before. */
  repeats = 0;
  readonly #roles: {
    readonly row: PendingUpdate;
    readonly userId: string;
    readonly role: Role;
    readonly alone: boolean;
  }[] = [];
  readonly #joins = new Map<string, { team: TeamRef; rows: PendingUpdate[] }>();
  readonly #leaves = new Map<string, { team: TeamRef; rows: PendingUpdate[] }>();

  add(row: PendingUpdate, steps: readonly Step[]): void {
    this.rows.push(row);
    for (const step of steps) {
      this.repeats = Math.max(this.repeats, row.tries.get(nameOf(step))?.count ?? 0);
      if (step.kind === 'role')
        this.#roles.push({ row, userId: row.userId, role: step.role, alone: steps.length === 1 });
      else group(step.kind === 'join' ? this.#joins : this.#leaves, step.team, row);
    }
  }

  /** One call after the other: the proxy rewrites users and rosters without a lock. */
  async write(run: Run): Promise<void> {
    const { proxy } = run.options;
    for (const piece of pieces(this.#roles, proxy.batchSize)) {
      const answers = await writeInBulk(run, piece, (some) =>
        proxy.updateRoles(some.map(({ userId, role }) => ({ userId, role }))),
      );
      for (const { row, role, alone } of piece) {
        const answer = answers.get(row.userId);
        if (alone && answer?.kind === 'answered' && answer.row.role === role) row.answered = role;
        else note(row, { kind: 'role', role }, answer);
      }
    }
    for (const { team, rows } of this.#joins.values()) {
      const step: Step = { kind: 'join', team };
      await this.#writeTeam(run, rows, step, proxy.joinBatchSize, (ids) => proxy.joinTeam(team.teamId, ids));
    }
    for (const { team, rows } of this.#leaves.values()) {
      const step: Step = { kind: 'leave', team };
      await this.#writeTeam(run, rows, step, proxy.batchSize, (ids, blocked) =>
        proxy.leaveTeam(team.teamId, ids, blocked),
      );
    }
  }

  async #writeTeam(
    run: Run,
    rows: readonly PendingUpdate[],
    step: Step,
    size: number,
    call: (userIds: readonly string[], blocked: Blocked) => Promise<readonly RowResult[]>,
  ): Promise<void> {
    for (const piece of pieces(rows, size)) {
      const answers = await writeInBulk(run, piece, (some, blocked) =>
        call(
          some.map((row) => row.userId),
          blocked,
        ),
      );
      for (const row of piece) note(row, step, answers.get(row.userId));
    }
  }
}

function group(teams: Map<string, { team: TeamRef; rows: PendingUpdate[] }>, team: TeamRef, row: PendingUpdate): void {
  const known = teams.get(team.teamId);
  if (known === undefined) teams.set(team.teamId, { team, rows: [row] });
  else known.rows.push(row);
}

function note(row: PendingUpdate, step: Step, answer: RowAnswer<RowResult> | undefined): void {
  const before = row.tries.get(nameOf(step));
  const blocked = answer?.kind === 'blocked';
  row.tries.set(nameOf(step), {
    count: (before?.count ?? 0) + (blocked ? 0 : 1),
    refusals: (before?.refusals ?? 0) + (answer?.kind === 'refused' ? 1 : 0),
    blocked,
    judged: answer?.kind === 'answered' || (answer?.kind === 'refused' && !answer.wholeCall),
    failure: answer === undefined || answer.kind === 'answered' ? NOT_SO : failureOf(answer),
  });
}

const NOT_SO: FailureReason = { code: 'unverified', reason: 'the proxy reports success, but it is not so' };
