import type { Outcome } from '../core/outcome.ts';
import {
  type AddChange,
  type Change,
  type DeactivateChange,
  type DeleteChange,
  type InviteChange,
  isApplied,
  isStopped,
  type Plan,
  type UpdateChange,
  type Withheld,
} from '../core/plan.ts';
import type { ChangeRecord } from '../journal/format.ts';
import { candidateOf, notCreated } from './add/new-user.ts';
import { AddPhase } from './add/phase.ts';
import { type ApplyOptions, type Phase, Run } from './apply-run.ts';
import { applyInvites, deliverLinks, invitedOutcome } from './links.ts';
import { type FailureReason, reasonOf, userOutcome } from './messages.ts';
import { updatedOutcome } from './observed.ts';
import { fail, recreate } from './recreate.ts';
import { applyDeactivations, applyDeletes } from './remove.ts';
import { applyUpdates } from './update.ts';

export type { ApplyOptions } from './apply-run.ts';

interface Indexed<C extends Change> {
  readonly index: number;
  readonly change: C;
}

interface Work {
  readonly adds: Indexed<AddChange>[];
  readonly deletes: Indexed<DeleteChange>[];
  readonly deactivations: Indexed<DeactivateChange>[];
  /** Updates that take an administrator's rights, and those that make one. */
  readonly demotions: Indexed<UpdateChange>[];
  readonly promotions: Indexed<UpdateChange>[];
  readonly updates: Indexed<UpdateChange>[];
  readonly invites: Indexed<InviteChange>[];
}

/**
 * Carries out a plan: administrators who are demoted first, then adds, fresh links, deletes and deactivations, updates.
 * One user's failure never stops the others: it is an outcome of its own. A write whose answer was lost is looked up
 * before it is repeated.
 * @returns one outcome per change and per unchanged user, in the plan's order; withheld changes are `SKIPPED`
 * @throws where a limit stops the plan; before any write
 */
export async function applyPlan(plan: Plan, options: ApplyOptions): Promise<Outcome[]> {
  if (isStopped(plan)) throw new Error(`The plan breaches a limit: ${plan.breaches[0]?.message}`);
  const run = new Run(options);
  const { command, apiKeys, invitations } = options;
  await run.persist(options.journal.begin(plan, { ...options.head, command, apiKeys, invitations }));
  const work = partition(run, plan);
  const retired = [...work.demotions, ...leavingAdmins(work)];
  const successorsFirst = retired.length > 0 && plan.admins - retired.length < Math.max(options.minAdmins, 1);
  if (!successorsFirst) await update(run, work.demotions, true);
  await add(run, work.adds);
  await applyInvites(run, work.invites, progressOf(run, 'invite'));
  if (successorsFirst) {
    await update(run, work.promotions, work.adds.length === 0);
    keepAdmins(run, plan, work, retired);
    await update(run, openOf(run, work.demotions), false);
  }
  if (await mayDelete(run, work)) {
    await applyDeletes(run, openOf(run, work.deletes), progressOf(run, 'delete'));
    await applyDeactivations(run, openOf(run, work.deactivations), progressOf(run, 'delete'));
    await update(run, successorsFirst ? work.updates : [...work.promotions, ...work.updates], isFresh(work));
  }
  await deliverLinks(run, options.journal, new Map());
  await run.flush();
  await finish(run);
  return [...outcomesOf(run, plan), ...plan.unchanged.map((user) => userOutcome('UNCHANGED', null, user, null))];
}

/** Nothing was written since the plan was made. */
function isFresh({ adds, deletes, deactivations, demotions }: Work): boolean {
  return adds.length + deletes.length + deactivations.length + demotions.length === 0;
}

/** Administrators whom the plan deletes or deactivates; those who are inactive already count for nothing. */
function leavingAdmins({ deletes, deactivations }: Work): Indexed<DeleteChange | DeactivateChange>[] {
  return [...deletes, ...deactivations].filter(({ change }) => change.role === 'proxy_admin' && change.active);
}

/** Whose successors were to come first: where these failed, and too few administrators would be left, they stay. */
function keepAdmins(
  run: Run<ApplyOptions>,
  plan: Plan,
  { promotions, adds }: Work,
  retired: readonly Indexed<Change>[],
): void {
  const newAdmins = [...promotions, ...adds.filter(({ change }) => change.role === 'proxy_admin')];
  const failed = newAdmins.filter(({ index }) => run.outcomes.get(index)?.status === 'FAILED').length;
  const remaining = plan.admins + newAdmins.length - failed - retired.length;
  if (failed === 0 || remaining >= Math.max(run.options.minAdmins, 1)) return;
  const reason = 'not attempted: an administrator who was to come instead could not be made; run again';
  for (const { index, change } of retired) {
    run.record(index, untouched(index, change, { code: 'not attempted', reason }));
  }
}

/** Those that nothing has been decided of yet. */
function openOf<C extends Change>({ outcomes }: Run, rows: readonly Indexed<C>[]): Indexed<C>[] {
  return rows.filter(({ index }) => !outcomes.has(index));
}

function progressOf({ options }: Run<ApplyOptions>, phase: Phase): (done: number, total: number) => void {
  return (done, total) => options.onProgress({ phase, done, total });
}

/** The rows are worth more than a tidy file: a failure is told, not thrown. */
async function finish(run: Run): Promise<void> {
  const { journal, log } = run.options;
  try {
    await journal.finish(run.isComplete);
  } catch (error) {
    log.error(`The files of this run could not be put in order: ${reasonOf(error)}`);
  }
}

/** Withheld changes are done with before anything begins. */
function partition(run: Run, plan: Plan): Work {
  const work: Work = {
    adds: [],
    deletes: [],
    deactivations: [],
    demotions: [],
    promotions: [],
    updates: [],
    invites: [],
  };
  plan.changes.forEach((change, index) => {
    if (!isApplied(change)) run.record(index, skipped(index, change, withheldReason(change.withheld as Withheld)));
    else if (change.kind === 'add') work.adds.push({ index, change });
    else if (change.kind === 'delete') work.deletes.push({ index, change });
    else if (change.kind === 'deactivate') work.deactivations.push({ index, change });
    else if (change.kind === 'invite') work.invites.push({ index, change });
    else updatesOf(work, change).push({ index, change });
  });
  return work;
}

function updatesOf(work: Work, { role, reactivates }: UpdateChange): Indexed<UpdateChange>[] {
  if (role?.from === 'proxy_admin' && !reactivates) return work.demotions;
  return role?.to === 'proxy_admin' ? work.promotions : work.updates;
}

function add(run: Run<ApplyOptions>, adds: readonly Indexed<AddChange>[]): Promise<void> {
  const { apiKeys, newUserId } = run.options;
  const phase = new AddPhase(run, { created: progressOf(run, 'add'), completed: progressOf(run, 'invite') });
  return phase.add(adds, ({ index, change }) => candidateOf(change, index, newUserId(), apiKeys));
}

async function update(
  run: Run<ApplyOptions>,
  updates: readonly Indexed<UpdateChange>[],
  isPlanFresh: boolean,
): Promise<void> {
  const rows = updates.map(({ index, change }) => ({ index, target: change }));
  const rejected = await applyUpdates(run, rows, isPlanFresh, progressOf(run, 'update'));
  if (run.options.recreateOnFailure && rejected.length > 0) return recreate(run, rejected);
  for (const row of rejected) fail(run, row, '');
}

/** Asked once, after the adds: whether the file is still the newest. Where not, or not known, nothing is taken away. */
async function mayDelete(run: Run<ApplyOptions>, work: Work): Promise<boolean> {
  const due = [...work.deletes, ...work.deactivations, ...work.promotions, ...work.updates];
  const rest = openOf<Change>(run, due);
  if (rest.length === 0) return false;
  if (run.blocked() !== null) return true;
  try {
    if (await run.options.beforeDeletes()) return true;
    const reason = 'superseded: the file has changed on the branch in the meantime, its own run takes over';
    for (const { index, change } of rest) run.record(index, skipped(index, change, reason, 'superseded'));
  } catch (error) {
    const reason = `not attempted: whether the file is still the newest could not be found out (${reasonOf(error)})`;
    for (const { index, change } of rest)
      run.record(index, untouched(index, change, { code: 'not attempted', reason }));
  }
  return false;
}

function withheldReason(withheld: Withheld): string {
  switch (withheld) {
    case 'not reviewed':
      return 'not reviewed: no comment on a merged pull request showed this change';
    case 'max-deletes':
      return 'not applied: more accounts have expired than max-deletes allows';
    default:
      return `not applied: ${withheld} is set`;
  }
}

function skipped(index: number, change: Change, reason: string, code: 'withheld' | 'superseded' = 'withheld'): Outcome {
  return { ...untouched(index, change, null), status: 'SKIPPED', code, reason };
}

/** The outcome of a change of which nothing was written. */
export function untouched(index: number, change: ChangeRecord, failure: FailureReason | null): Outcome {
  switch (change.kind) {
    case 'add':
      return notCreated(candidateOf(change, index, '', false), failure ?? NOTHING);
    case 'delete':
      return userOutcome('DELETED', index, change, failure);
    case 'deactivate':
      return userOutcome('DEACTIVATED', index, change, failure);
    case 'invite':
      return invitedOutcome(index, change, failure);
    case 'update':
      return updatedOutcome(index, change, null, failure);
  }
}

const NOTHING: FailureReason = { code: 'not attempted', reason: '' };

function outcomesOf(run: Run, plan: Plan): Outcome[] {
  return plan.changes.map((change, index) => {
    const outcome = run.outcomes.get(index);
    if (outcome === undefined) {
      throw new Error(`No outcome for change ${index} (${change.kind}): a defect of this tool`);
    }
    return outcome;
  });
}
