import type { Outcome } from '../core/outcome.ts';
import type { AddChange, Change, DeleteChange, Plan, UpdateChange, Withheld } from '../core/plan.ts';
import { candidateOf } from './add/new-user.ts';
import { Newcomers } from './add/phase.ts';
import { applyDeletes, deletedOutcome } from './delete.ts';
import { reasonOf, userOutcome } from './messages.ts';
import { updatedOutcome } from './observed.ts';
import { fail, recreate } from './recreate.ts';
import { type ApplyOptions, Run } from './run.ts';
import { applyUpdates } from './update.ts';

export type { ApplyOptions } from './run.ts';

interface Numbered<C extends Change> {
  readonly change: number;
  readonly plan: C;
}

interface Work {
  readonly adds: Numbered<AddChange>[];
  readonly deletes: Numbered<DeleteChange>[];
  readonly updates: Numbered<UpdateChange>[];
}

/**
 * Carries out a plan: adds, deletes, updates. One user's failure never stops the others: it is his row. A write whose
 * answer was lost is looked up before it is repeated.
 * @returns one outcome per change and per unchanged user, in the plan's order; withheld changes are `SKIPPED`
 * @throws where the plan breaches a limit; before any write
 */
export async function applyPlan(plan: Plan, options: ApplyOptions): Promise<Outcome[]> {
  if (plan.breaches.length > 0) throw new Error(`The plan breaches a limit: ${plan.breaches[0]?.message}`);
  const run = new Run(options);
  await run.keep(options.journal.begin(plan, { apiKeys: options.apiKeys, invitations: options.invitations }));
  const work = sortOut(run, plan);
  await add(run, work.adds);
  const isFresh = work.adds.length + work.deletes.length === 0;
  if (await mayDelete(run, work)) {
    await applyDeletes(run, work.deletes, (done, total) => options.onProgress({ phase: 'delete', done, total }));
    await update(run, work.updates, isFresh);
  }
  await run.saved();
  await finish(run);
  return [...outcomesOf(run, plan), ...plan.unchanged.map((user) => userOutcome('UNCHANGED', user, null))];
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
function sortOut(run: Run, plan: Plan): Work {
  const work: Work = { adds: [], deletes: [], updates: [] };
  plan.changes.forEach((planned, change) => {
    if (planned.withheld !== null) run.settle(change, skipped(planned, withheldReason(planned.withheld)));
    else if (planned.kind === 'add') work.adds.push({ change, plan: planned });
    else if (planned.kind === 'delete') work.deletes.push({ change, plan: planned });
    else work.updates.push({ change, plan: planned });
  });
  return work;
}

function add(run: Run<ApplyOptions>, adds: readonly Numbered<AddChange>[]): Promise<void> {
  const { apiKeys, newUserId, onProgress } = run.options;
  const newcomers = new Newcomers(run, {
    created: (done, total) => onProgress({ phase: 'add', done, total }),
    completed: (done, total) => onProgress({ phase: 'invite', done, total }),
  });
  return newcomers.add(adds, ({ change, plan }) => candidateOf(plan, change, newUserId(), apiKeys));
}

async function update(
  run: Run<ApplyOptions>,
  updates: readonly Numbered<UpdateChange>[],
  isFresh: boolean,
): Promise<void> {
  const rows = updates.map(({ change, plan }) => ({ change, target: plan }));
  const stuck = await applyUpdates(run, rows, isFresh, (done, total) =>
    run.options.onProgress({ phase: 'update', done, total }),
  );
  if (run.options.recreateOnFailure && stuck.length > 0) return recreate(run, stuck);
  for (const row of stuck) fail(run, row, '');
}

/** Asked once, after the adds: whether the file is still the newest. Where not, or not known, nothing is taken away. */
async function mayDelete(run: Run<ApplyOptions>, work: Work): Promise<boolean> {
  const rest = [...work.deletes, ...work.updates];
  if (rest.length === 0) return false;
  if (run.blocked() !== null) return true;
  try {
    if (await run.options.beforeDeletes()) return true;
    const reason = 'superseded: the file has changed on the branch meanwhile, its own run takes over';
    for (const { change, plan } of rest) run.settle(change, skipped(plan, reason));
  } catch (error) {
    const reason = `not attempted: whether the file is still the newest could not be found out (${reasonOf(error)})`;
    for (const { change, plan } of rest) run.settle(change, { ...skipped(plan, reason), status: 'FAILED' });
  }
  return false;
}

function withheldReason(withheld: Withheld): string {
  return withheld === 'not reviewed'
    ? 'not reviewed: no comment on a merged pull request showed this change'
    : `not applied: ${withheld} is set`;
}

function skipped(change: Change, reason: string): Outcome {
  return { ...untouched(change), status: 'SKIPPED', reason };
}

function untouched(change: Change): Outcome {
  if (change.kind === 'delete') return deletedOutcome(change, { gone: false, reason: '' });
  if (change.kind === 'update') return updatedOutcome(change, null, '');
  const teamName = change.teams?.map((team) => team.name).join(';') ?? '';
  const row = { email: change.email, userId: '', role: change.role ?? '', teamName, keyShown: '' };
  return { action: 'ADDED', ...row, status: 'SKIPPED', reason: '' };
}

function outcomesOf(run: Run, plan: Plan): Outcome[] {
  return plan.changes.map((change, number) => {
    const outcome = run.outcomes.get(number);
    if (outcome === undefined)
      throw new Error(`No outcome for change ${number} (${change.kind}): a defect of this tool`);
    return outcome;
  });
}
