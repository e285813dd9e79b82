import { applyPlan } from '../apply/apply.ts';
import { readUserList, type UserList } from '../core/desired.ts';
import { RefusedError } from '../core/errors.ts';
import { emailKey } from '../core/inventory.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Plan } from '../core/plan.ts';
import type { ExitCode, SyncHost } from '../host/port.ts';
import type { Inputs } from '../inputs.ts';
import { FileJournal } from '../journal/journal.ts';
import type { ProxyClient } from '../litellm/client.ts';
import { applyOptions } from './apply-options.ts';
import { connectProxy } from './connection.ts';
import { deliver } from './deliver.ts';
import { readCsvFile } from './file.ts';
import { planFor, problemsOffline } from './plan-sync.ts';
import { FileProblemsError, failureOf } from './problems.ts';
import { proxyHash, settleLeftovers } from './settle.ts';

/** Makes the proxy's users match the file; shows what that takes, or does it. */
export async function sync(inputs: Inputs, host: SyncHost): Promise<ExitCode> {
  try {
    const list = readUserList(await readCsvFile(inputs.csvPath, inputs.csvFile));
    if (host.mode.kind === 'offline') return await checkOffline(list, inputs, host);
    const proxy = connectProxy(inputs, host);
    if (host.mode.kind === 'plan') return await show(await planFor(list, inputs, proxy), host);
    const { outcomes: settled } = await settleLeftovers(inputs, host, proxy);
    return await carryOut(await planFor(list, inputs, proxy), { inputs, host, proxy, settled });
  } catch (error) {
    await host.failed(failureOf(error));
    throw error;
  }
}

async function checkOffline(list: UserList, inputs: Inputs, host: SyncHost): Promise<ExitCode> {
  const problems = problemsOffline(list);
  if (problems.length > 0) throw new FileProblemsError(inputs.csvFile, problems);
  await host.checkedOffline(list.rows.length);
  return 0;
}

async function show(plan: Plan, host: SyncHost): Promise<ExitCode> {
  await host.planned(plan);
  for (const breach of plan.breaches) host.log.error(breach.message);
  return plan.breaches.length > 0 ? 1 : 0;
}

interface Run {
  readonly inputs: Inputs;
  readonly host: SyncHost;
  readonly proxy: ProxyClient;
  /** Rows of a killed run that was settled first. */
  readonly settled: readonly Outcome[];
}

async function carryOut(plan: Plan, run: Run): Promise<ExitCode> {
  const review = await run.host.review(plan);
  if (review.kind === 'superseded') return 0;
  if (review.kind === 'refused') throw new RefusedError(review.reason);
  if (review.plan.breaches.length > 0) return show(review.plan, run.host);
  await run.host.beforeWrites(review.plan);
  const journal = await FileJournal.create(run.host.outputDirectory, proxyHash(run.inputs));
  const applied = await applyPlan(
    review.plan,
    await applyOptions(journal, run, async () => !(await run.host.isSuperseded())),
  );
  return deliver(mergeSettled(run.settled, applied), { ...run, plan: review.plan });
}

/**
 * One row a user: what this run did counts before what was settled, and that before finding him unchanged. A failed
 * delete or update of then counts no more: what was still missing of it, this run's plan has done.
 */
function mergeSettled(settled: readonly Outcome[], outcomes: readonly Outcome[]): readonly Outcome[] {
  const emails = (rows: readonly Outcome[]): Set<string> => new Set(rows.map((row) => emailKey(row.email)));
  const changed = emails(outcomes.filter((outcome) => outcome.action !== 'UNCHANGED'));
  const isStale = ({ action, status }: Outcome): boolean => status === 'FAILED' && action !== 'ADDED';
  const older = settled.filter((outcome) => !changed.has(emailKey(outcome.email)) && !isStale(outcome));
  const told = emails(older);
  return [...older, ...outcomes.filter((outcome) => !told.has(emailKey(outcome.email)))];
}
