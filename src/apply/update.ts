import type { ProxyUser, Role } from '../core/inventory.ts';
import type { TeamRef } from '../core/plan.ts';
import { type Answer, pieces, writeInBulk } from './bulk.ts';
import { reasonOf } from './messages.ts';
import {
  look,
  missingSteps,
  plannedUser,
  type Seen,
  type Step,
  teamIdsOf,
  type UpdateTarget,
  updatedOutcome,
} from './observed.ts';
import type { Blocked, RowResult } from './ports.ts';
import type { Run } from './run.ts';

export interface UpdateRow {
  readonly change: number;
  readonly target: UpdateTarget;
}

/** An update that the proxy verifiably does not take: recreating the user may help. */
export interface Stuck extends UpdateRow {
  readonly seen: Seen;
  readonly reason: string;
}

interface Tries {
  count: number;
  /** How often the proxy said no, in contrast to not being heard. */
  refusals: number;
  /** It was not sent, nor will be. */
  blocked: boolean;
  /** The proxy has judged this very row: neither a lost answer nor a call that failed as a whole. */
  judged: boolean;
  reason: string;
}

interface Open extends UpdateRow {
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
 * Settles every row but those that it returns.
 * @param isFresh the plan has just been made: to begin with, rosters are enough to see who is still there
 */
export async function applyUpdates(
  run: Run,
  rows: readonly UpdateRow[],
  isFresh: boolean,
  progress: (done: number, total: number) => void,
): Promise<Stuck[]> {
  const stuck: Stuck[] = [];
  let open: Open[] = rows.map((row) => ({ ...row, userId: row.target.userId, tries: new Map(), answered: null }));
  if (run.blocked() === null) await run.keep(run.options.journal.intend(open));
  for (let glance = isFresh; open.length > 0; glance = false) {
    const seen = await lookAt(run, open, glance ? glanceAt : lookAtAll);
    if (seen === null) break;
    const round = new Round();
    for (const row of open) sort(run, row, seen, round, stuck);
    progress(rows.length - round.rows.length, rows.length);
    if (round.repeats > 0) await run.pause(round.repeats - 1);
    await round.write(run);
    open = settleAnswered(run, round.rows, seen);
    progress(rows.length - open.length, rows.length);
  }
  return stuck;
}

/** What is left open of them. */
function settleAnswered(run: Run, rows: readonly Open[], seen: Seen): Open[] {
  for (const row of rows) {
    const user = seen.users.get(row.userId);
    if (row.answered === null || user === undefined) continue;
    const now = { ...seen, users: new Map([[row.userId, { ...user, role: row.answered }]]) };
    run.settle(row.change, updatedOutcome(row.target, now, null));
  }
  return rows.filter((row) => row.answered === null);
}

/** `null` where the proxy cannot be read: what is known then stands in the rows. */
async function lookAt(run: Run, open: readonly Open[], eyes: typeof lookAtAll): Promise<Seen | null> {
  const blocked = run.blocked();
  try {
    if (blocked === null || open.some(wasTried)) {
      return await eyes(run, open);
    }
  } catch (error) {
    run.isFatal(error);
    for (const row of open) {
      const reason = wasTried(row)
        ? `what was written could not be verified (${reasonOf(error)}): run again, the next plan shows what is missing`
        : `not attempted: the user could not be looked up (${reasonOf(error)})`;
      run.settle(row.change, updatedOutcome(row.target, null, reason));
    }
    return null;
  }
  for (const row of open) run.settle(row.change, updatedOutcome(row.target, null, `not attempted: ${blocked}`));
  return null;
}

function lookAtAll({ options }: Run, open: readonly Open[]): Promise<Seen> {
  return look(
    options.proxy,
    open.map((row) => row.userId),
    open.flatMap((row) => teamIdsOf(row.target)),
  );
}

/**
 * As the plan saw them, where all their teams still list them: a deleted user is in no roster. Rosters come 100 teams a
 * request, users take the proxy some milliseconds each.
 */
async function glanceAt(run: Run, open: readonly Open[]): Promise<Seen> {
  if (!(await run.options.proxy.cleansRosters())) return lookAtAll(run, open);
  const current = open.flatMap((row) => row.target.currentTeams.map((team) => team.teamId));
  const { teams } = await look(run.options.proxy, [], [...current, ...open.flatMap((row) => teamIdsOf(row.target))]);
  const known = open.map((row) => plannedUser(row.target));
  const isListed = (user: ProxyUser): boolean =>
    user.teams.length > 0 && user.teams.every((id) => teams.get(id)?.members.has(user.userId));
  const others = await look(run.options.proxy, ids(known.filter((user) => !isListed(user))), []);
  const users = known.filter(isListed).map((user): [string, ProxyUser] => [user.userId, user]);
  return { users: new Map([...users, ...others.users]), teams };
}

function ids(users: readonly ProxyUser[]): string[] {
  return users.map((user) => user.userId);
}

function wasTried(row: Open): boolean {
  return [...row.tries.values()].some((tries) => tries.count > 0);
}

function sort(run: Run, row: Open, seen: Seen, round: Round, stuck: Stuck[]): void {
  const steps = missingSteps(row.target, seen);
  const possible = steps.filter((step) => !isExhausted(row.tries.get(nameOf(step)), run.options.retries));
  if (!seen.users.has(row.userId)) {
    const reason = 'the user is no longer on the proxy: run again, the next plan takes that into account';
    run.settle(row.change, updatedOutcome(row.target, seen, reason));
  } else if (steps.length === 0) {
    run.settle(row.change, updatedOutcome(row.target, seen, null));
  } else if (possible.length > 0) {
    round.add(row, possible);
  } else {
    giveUp(run, row, steps, seen, stuck);
  }
}

function giveUp(run: Run, row: Open, steps: readonly Step[], seen: Seen, stuck: Stuck[]): void {
  const tries = steps.map((step) => row.tries.get(nameOf(step)));
  const reason = steps.map((step, at) => complaint(step, tries[at]?.reason ?? '')).join('; ');
  if (tries.every((one) => one?.judged)) stuck.push({ change: row.change, target: row.target, seen, reason });
  else run.settle(row.change, updatedOutcome(row.target, seen, reason));
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
  readonly rows: Open[] = [];
  /** The most often that one of its writes was tried before. */
  repeats = 0;
  readonly #roles: { readonly row: Open; readonly userId: string; readonly role: Role; readonly alone: boolean }[] = [];
  readonly #joins = new Map<string, { team: TeamRef; rows: Open[] }>();
  readonly #leaves = new Map<string, { team: TeamRef; rows: Open[] }>();

  add(row: Open, steps: readonly Step[]): void {
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
    rows: readonly Open[],
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

function group(teams: Map<string, { team: TeamRef; rows: Open[] }>, team: TeamRef, row: Open): void {
  const known = teams.get(team.teamId);
  if (known === undefined) teams.set(team.teamId, { team, rows: [row] });
  else known.rows.push(row);
}

function note(row: Open, step: Step, answer: Answer<RowResult> | undefined): void {
  const before = row.tries.get(nameOf(step));
  const blocked = answer?.kind === 'blocked';
  const reason =
    answer === undefined || answer.kind === 'answered' ? 'the proxy reports success, but it is not so' : answer.reason;
  row.tries.set(nameOf(step), {
    count: (before?.count ?? 0) + (blocked ? 0 : 1),
    refusals: (before?.refusals ?? 0) + (answer?.kind === 'refused' ? 1 : 0),
    blocked,
    judged: answer?.kind === 'answered' || (answer?.kind === 'refused' && !answer.wholeCall),
    reason: blocked ? `not attempted: ${reason}` : reason,
  });
}
