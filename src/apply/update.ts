import { Pool } from '../concurrency.ts';
import { emailKey, type ProxyUser } from '../core/inventory.ts';
import { LIMIT_HEADERS } from '../core/user-limits.ts';
import type { Run } from './apply-run.ts';
import { failureOf, pieces, type RowAnswer, writeInBulk, writeOne } from './bulk.ts';
import { movedAway } from './keys.ts';
import { type FailureReason, NOT_SO, reasonOf } from './messages.ts';
import {
  isPlainRole,
  missingSteps,
  type Observed,
  observe,
  plannedUser,
  type Step,
  teamIdsOf,
  type UpdateTarget,
  updatedOutcome,
} from './observed.ts';
import type { Blocked, FailedRow, RoleRow, RowResult, UserFields } from './ports.ts';

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
  /** How often the proxy said no, or yes without effect, in contrast to not being heard. */
  refusals: number;
  /** It was not sent, nor will be. */
  blocked: boolean;
  /** A new account would help: the proxy has judged this very row, and nothing but its role or teams. */
  recreatable: boolean;
  failure: FailureReason;
}

interface PendingUpdate extends UpdateRow {
  readonly userId: string;
  readonly tries: Map<string, Tries>;
  /** The user as the proxy's answer shows them, where that answers everything: no need to look again. */
  answered: ProxyUser | null;
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
  let pending = rows.map((row): PendingUpdate => {
    return { ...row, userId: row.target.userId, tries: new Map(), answered: null };
  });
  if (rows.length > 0 && run.blocked() === null) await run.persist(run.options.journal.intend(pending));
  for (let isFirst = isFresh; pending.length > 0; isFirst = false) {
    const observed = await tryObserving(run, pending, isFirst ? observeRosters : observeAll);
    if (observed === null) break;
    const round = new Round(run, observed);
    for (const row of pending) triage(run, row, observed, round, rejected);
    progress(rows.length - round.rows.length, rows.length);
    if (round.repeats > 0) await run.pause(round.repeats - 1);
    await round.write();
    pending = recordAnswered(run, round.rows, observed);
    progress(rows.length - pending.length, rows.length);
  }
  return rejected;
}

/** @returns those that the answers leave open */
function recordAnswered(run: Run, rows: readonly PendingUpdate[], observed: Observed): PendingUpdate[] {
  return rows.filter((row) => {
    if (row.answered === null) return true;
    const now = { ...observed, users: new Map([[row.userId, row.answered]]) };
    run.record(row.index, updatedOutcome(row.index, row.target, now, null));
    return false;
  });
}

/** `null` where the proxy cannot be read: the rows then tell what is known. */
async function tryObserving(
  run: Run,
  pending: readonly PendingUpdate[],
  how: typeof observeAll,
): Promise<Observed | null> {
  const blocked = run.blocked();
  try {
    if (blocked === null || pending.some(wasTried)) return await how(run, pending);
  } catch (error) {
    run.haltIfFatal(error);
    for (const row of pending) recordFailed(run, row, null, unobserved(row, reasonOf(error)));
    return null;
  }
  const failure: FailureReason = { code: run.blockedCode, reason: `not attempted: ${blocked}` };
  for (const row of pending) recordFailed(run, row, null, failure);
  return null;
}

/**
 * Where keys were to follow their user and the proxy has not refused it, recovery goes on with it: the next plan might
 * have no team for them any more.
 */
function recordFailed(run: Run, row: PendingUpdate, observed: Observed | null, failure: FailureReason): void {
  const outcome = updatedOutcome(row.index, row.target, observed, failure);
  const movesKeys = row.target.keyFates.some(({ fate }) => fate === 'moves');
  if (movesKeys && wasTried(row) && !isMoveRefused(row)) run.recordUnresolved(row.index, outcome);
  else run.record(row.index, outcome);
}

function isMoveRefused(row: PendingUpdate): boolean {
  return [...row.tries].some(([step, { refusals }]) => step !== 'fields' && refusals >= REFUSALS);
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
 * request, users take the proxy some milliseconds each. Whoever has half a membership is looked up: the roster may be
 * the half that is there, and says nothing of the other.
 */
async function observeRosters(run: Run, pending: readonly PendingUpdate[]): Promise<Observed> {
  if (!(await run.options.proxy.cleansRosters())) return observeAll(run, pending);
  const current = pending.flatMap((row) => row.target.currentTeams.map((team) => team.teamId));
  const wanted = pending.flatMap((row) => teamIdsOf(row.target));
  const { teams } = await observe(run.options.proxy, [], [...current, ...wanted]);
  const known = pending.map((row) => plannedUser(row.target));
  const mended = new Set(pending.filter((row) => isMended(row.target)).map((row) => row.userId));
  const isListed = (user: ProxyUser): boolean =>
    !mended.has(user.userId) &&
    user.teams.length > 0 &&
    user.teams.every((id) => teams.get(id)?.members.has(user.userId));
  const unlisted = known.filter((user) => !isListed(user)).map((user) => user.userId);
  const others = await observe(run.options.proxy, unlisted, []);
  const users = known.filter(isListed).map((user): [string, ProxyUser] => [user.userId, user]);
  return { users: new Map([...users, ...others.users]), teams };
}

/** A team that is joined though the user has it: half of the membership is missing. */
function isMended({ teams, currentTeams }: UpdateTarget): boolean {
  const current = new Set(currentTeams.map((team) => team.teamId));
  return teams?.join.some((team) => current.has(team.teamId)) ?? false;
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
    round.add(row, possible, steps.length === 1);
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
  const { index, target } = row;
  const tries = steps.map((step) => row.tries.get(nameOf(step)));
  const reason = steps.map((step, at) => complaint(step, tries[at]?.failure.reason ?? '')).join('; ');
  const failure: FailureReason = { code: tries[0]?.failure.code ?? 'other', reason };
  if (tries.every((one) => one?.recreatable)) rejected.push({ index, target, observed, failure });
  else recordFailed(run, row, observed, failure);
}

function isExhausted(tries: Tries | undefined, retries: number): boolean {
  if (tries === undefined) return false;
  return tries.blocked || tries.refusals >= REFUSALS || tries.count > retries;
}

function nameOf(step: Step): string {
  return 'team' in step ? `${step.kind} ${step.team.teamId}` : step.kind;
}

function complaint(step: Step, reason: string): string {
  switch (step.kind) {
    case 'fields':
      return `${namesOfFields(step.fields)} not set${step.fields.role === undefined ? '' : ` to ${step.fields.role}`}: ${reason}`;
    case 'join':
      return `team ${step.team.name} not joined, the teams to leave were kept: ${reason}`;
    case 'leave':
      return `team ${step.team.name} not left: ${reason}`;
    case 'reactivate':
      return `not reactivated: ${reason}`;
  }
}

const COLUMNS: Readonly<Record<string, string>> = { role: 'role', email: 'email', ...LIMIT_HEADERS };

/** A role's budget and period are what it carries along: they are named where they alone are missing. */
function namesOfFields(fields: UserFields): string {
  if (fields.role !== undefined) return 'role';
  return Object.keys(fields)
    .map((field) => COLUMNS[field] ?? field)
    .join(', ');
}

type StepOf<K extends Step['kind']> = Extract<Step, { kind: K }>;

interface RowStep<S extends Step = Step> {
  readonly row: PendingUpdate;
  readonly userId: string;
  readonly step: S;
  /** Nothing else is missing: an answer that shows the step done is the end of the row. */
  readonly alone: boolean;
}

/** The writes of one round, grouped so that few calls do for many users. */
class Round {
  readonly rows: PendingUpdate[] = [];
  /** The most often that one of its writes was tried before. */
  repeats = 0;
  readonly #run: Run;
  readonly #observed: Observed;
  readonly #roles: RowStep<StepOf<'fields'>>[] = [];
  readonly #fields: RowStep<StepOf<'fields'>>[] = [];
  readonly #joins = new Map<string, RowStep<StepOf<'join'>>[]>();
  readonly #leaves = new Map<string, RowStep<StepOf<'leave'>>[]>();
  readonly #reactivations: RowStep<StepOf<'reactivate'>>[] = [];

  constructor(run: Run, observed: Observed) {
    this.#run = run;
    this.#observed = observed;
  }

  /** @param alone the row lacks nothing but this one step */
  add(row: PendingUpdate, steps: readonly Step[], alone: boolean): void {
    this.rows.push(row);
    for (const step of steps) {
      this.repeats = Math.max(this.repeats, row.tries.get(nameOf(step))?.count ?? 0);
      const of = { row, userId: row.userId, alone };
      if (step.kind === 'fields') {
        (isPlainRole(step, row.target) ? this.#roles : this.#fields).push({ ...of, step });
      } else if (step.kind === 'join') group(this.#joins, step.team.teamId, { ...of, step });
      else if (step.kind === 'leave') group(this.#leaves, step.team.teamId, { ...of, step });
      else this.#reactivations.push({ ...of, step });
    }
  }

  /** Teams one after the other: older proxies rewrite users and rosters without a lock. */
  async write(): Promise<void> {
    const { proxy } = this.#run.options;
    await this.#writeRoles();
    await this.#oneByOne(this.#fields, (of) => this.#writeFields(of));
    for (const [teamId, rows] of this.#joins) {
      await this.#writeTeam(rows, proxy.joinBatchSize, (ids) => proxy.joinTeam(teamId, ids));
    }
    for (const [teamId, rows] of this.#leaves) {
      const able = await this.#withoutKeys(rows);
      await this.#writeTeam(able, proxy.batchSize, (ids, blocked) => proxy.leaveTeam(teamId, ids, blocked));
    }
    await this.#oneByOne(this.#reactivations, (of) => this.#reactivate(of));
  }

  async #writeRoles(): Promise<void> {
    const { proxy } = this.#run.options;
    for (const piece of pieces(this.#roles, proxy.batchSize)) {
      const answers = await writeInBulk(this.#run, piece, (some) => proxy.updateRoles(some.map(roleRow)));
      for (const of of piece) {
        const answer = answers.get(of.userId);
        if (answer?.kind === 'answered') this.#takeAnswer(of, answer.row.role ?? null, answer.row.limits ?? null);
        note(of, answer);
      }
    }
  }

  #takeAnswer(of: RowStep<StepOf<'fields'>>, role: string | null, limits: Partial<ProxyUser['limits']> | null): void {
    const user = this.#observed.users.get(of.userId);
    if (user !== undefined && role !== null && limits !== null) {
      this.#answered(of, { ...user, role, limits: { ...user.limits, ...limits } });
    }
  }

  /** The row is done with where the answer shows a user whom nothing is missing. */
  #answered({ row, alone }: RowStep, user: ProxyUser): void {
    const now = { ...this.#observed, users: new Map([[row.userId, user]]) };
    if (alone && missingSteps(row.target, now).length === 0) row.answered = user;
  }

  async #writeFields(of: RowStep<StepOf<'fields'>>): Promise<void> {
    const { proxy } = this.#run.options;
    const { fields } = of.step;
    const answer = await writeOne(this.#run, async () => {
      const taken = fields.email === undefined ? null : await holderOf(this.#run, of.userId, fields.email);
      if (taken !== null) return taken;
      return { ok: true as const, ...(await proxy.updateUser(of.userId, fields)) };
    });
    const user = this.#observed.users.get(of.userId);
    if (answer.kind === 'answered' && user !== undefined) {
      const { email, role, limits } = answer.row;
      this.#answered(of, { ...user, email, role, limits });
    }
    note(of, answer);
  }

  async #reactivate(of: RowStep<StepOf<'reactivate'>>): Promise<void> {
    const answer = await writeOne(this.#run, () => this.#run.options.proxy.setActivity(of.userId, true));
    const user = this.#observed.users.get(of.userId);
    if (answer.kind === 'answered' && user !== undefined) {
      this.#answered(of, { ...user, activity: answer.row.user.activity });
    }
    note(of, answer);
  }

  /** Those whose keys are out of the team as the plan says: moved, or deleted where leaving it would not do that. */
  async #withoutKeys(rows: readonly RowStep<StepOf<'leave'>>[]): Promise<readonly RowStep<StepOf<'leave'>>[]> {
    const { leavingDeletesKeys } = await this.#run.options.proxy.facts();
    const moving = rows.flatMap(({ row, userId, step: { team, keysTo, deletesKeys } }) => {
      const deletedNext = leavingDeletesKeys && (row.target.teams?.to.length ?? 0) > 1;
      return keysTo !== null || (deletesKeys && !leavingDeletesKeys) ? { userId, team, keysTo, deletedNext } : [];
    });
    const failures = await movedAway(this.#run, moving);
    return rows.filter((of) => {
      const failure = failures.get(of.userId);
      if (failure !== undefined) note(of, failure);
      return failure === undefined;
    });
  }

  async #oneByOne<T>(rows: readonly T[], write: (of: T) => Promise<void>): Promise<void> {
    const pool = new Pool(this.#run.options.concurrency);
    for (const of of rows) pool.add(() => write(of));
    await pool.idle();
  }

  async #writeTeam(
    rows: readonly RowStep<StepOf<'join' | 'leave'>>[],
    size: number,
    call: (userIds: readonly string[], blocked: Blocked) => Promise<readonly RowResult[]>,
  ): Promise<void> {
    for (const piece of pieces(rows, size)) {
      const ids = (some: readonly RowStep<StepOf<'join' | 'leave'>>[]): string[] => some.map((of) => of.userId);
      const answers = await writeInBulk(this.#run, piece, (some, blocked) => call(ids(some), blocked));
      for (const of of piece) note(of, answers.get(of.userId));
    }
  }
}

function roleRow({ userId, step, row }: RowStep<StepOf<'fields'>>): RoleRow {
  const { role } = row.target;
  if (role === null) throw new Error(`No role for user ${userId}: a defect of this tool`);
  const { maxBudget = null, budgetDuration = null } = step.fields;
  return { userId, role: role.to, limits: { maxBudget, budgetDuration } };
}

/** The proxy checks nothing when an email changes (all versions): two users with one email could not be told apart. */
async function holderOf(run: Run, userId: string, email: string): Promise<FailedRow | null> {
  const found = await run.options.proxy.findUsersByEmail(email);
  const other = found.find((user) => user.userId !== userId && emailKey(user.email ?? '') === emailKey(email));
  if (other === undefined) return null;
  const reason = `user ${other.userId} has the email ${email} by now; run again, the next plan tells what to do`;
  return { userId, ok: false, code: 'exists', reason };
}

function group<T>(groups: Map<string, T[]>, key: string, item: T): void {
  const known = groups.get(key);
  if (known === undefined) groups.set(key, [item]);
  else known.push(item);
}

function note({ row, step }: RowStep, answer: RowAnswer<unknown> | undefined): void {
  const before = row.tries.get(nameOf(step));
  const blocked = answer?.kind === 'blocked';
  const judged = answer?.kind === 'answered' || (answer?.kind === 'refused' && !answer.wholeCall);
  row.tries.set(nameOf(step), {
    count: (before?.count ?? 0) + (blocked ? 0 : 1),
    refusals: (before?.refusals ?? 0) + (answer?.kind === 'refused' || answer?.kind === 'answered' ? 1 : 0),
    blocked,
    recreatable: judged && isRecreatable(step, row.target),
    failure: answer === undefined || answer.kind === 'answered' ? NOT_SO : failureOf(answer),
  });
}

/** Failures of keys, limits, renames and reactivations never cost anybody their account. */
function isRecreatable(step: Step, { rename, limits, reactivates }: UpdateTarget): boolean {
  if (rename !== null || limits.length > 0 || reactivates) return false;
  if (step.kind === 'fields') return step.fields.role !== undefined;
  return step.kind === 'join' || (step.kind === 'leave' && step.keysTo === null);
}
