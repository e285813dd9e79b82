import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { applyPlan } from '../apply/apply.ts';
import { FileJournal } from '../apply/journal.ts';
import type { Phase } from '../apply/options.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Plan } from '../core/plan-types.ts';
import { RefusedError } from '../core/refused.ts';
import { readUserList, type UserList } from '../core/user-list.ts';
import type { ExitCode, Failure, SyncHost, SyncResult } from '../host/host.ts';
import type { Inputs } from '../inputs.ts';
import { ProxyAuthError } from '../litellm/errors.ts';
import type { Proxy } from '../litellm/proxy.ts';
import { outcomesCsv } from '../render/csv.ts';
import { redactOutcomes } from '../render/redact.ts';
import { connectProxy, onboardingLinks } from './connection.ts';
import { readCsvFile } from './file.ts';
import { planFor, problemsOffline } from './planning.ts';
import { FileProblemsError } from './problems.ts';
import { settleLeftovers } from './settle.ts';
import { withdrawSecrets } from './withdraw.ts';

const RESULT_FILE = 'user_sync_result.csv';
const PHASES: Readonly<Record<Phase, string>> = {
  add: 'Adding users',
  invite: 'Creating onboarding links',
  delete: 'Deleting users',
  update: 'Updating users',
};

/** Makes the proxy's users match the file; shows what that takes, or does it. */
export async function sync(inputs: Inputs, host: SyncHost): Promise<ExitCode> {
  try {
    const list = readUserList(await readCsvFile(inputs.csvPath, inputs.csvFile));
    if (host.mode.kind === 'offline') return await checkOffline(list, inputs, host);
    const proxy = connectProxy(inputs, host);
    if (host.mode.kind === 'plan') return await show(await planFor(list, inputs, proxy), host);
    const settled = await settleLeftovers(inputs, host, proxy);
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
  readonly proxy: Proxy;
  /** Rows of a killed run that was settled first. */
  readonly settled: readonly Outcome[];
}

async function carryOut(plan: Plan, run: Run): Promise<ExitCode> {
  const review = await run.host.review(plan);
  if (review.kind === 'superseded') return 0;
  if (review.kind === 'refused') throw new RefusedError(review.reason);
  if (review.plan.breaches.length > 0) return show(review.plan, run.host);
  await run.host.beforeWrites(review.plan);
  const journal = await FileJournal.create(run.host.outputDirectory);
  const applied = await applyPlan(review.plan, await applyOptions(journal, run));
  const secretFile = journal.onboardingFile.path;
  const outcomes = await handOver(mergeSettled(run.settled, applied), secretFile, run);
  await journal.remove();
  return report({ plan: review.plan, outcomes, secretFile }, run);
}

async function applyOptions(journal: FileJournal, { inputs, host, proxy }: Run) {
  return {
    proxy,
    journal,
    log: host.log,
    apiKeys: inputs.apiKeys,
    invitations: inputs.invitations,
    recreateOnFailure: inputs.recreateOnFailure,
    concurrency: inputs.concurrency,
    retries: inputs.retries,
    newUserId: randomUUID,
    linkFor: await onboardingLinks(inputs, proxy),
    stop: host.stop,
    isFatal: (error: unknown) => error instanceof ProxyAuthError,
    beforeDeletes: async () => !(await host.isSuperseded()),
    onProgress: (progress: { phase: Phase; done: number; total: number }) =>
      host.progress({ ...progress, phase: PHASES[progress.phase] }),
    sleep: async (milliseconds: number) => void (await sleep(milliseconds)),
  };
}

/** Gives the secrets to whoever waits for them; a key that nobody will ever see is worse than none. */
async function handOver(outcomes: readonly Outcome[], secretFile: string, run: Run): Promise<readonly Outcome[]> {
  const newcomers = outcomes.filter((outcome) => outcome.action === 'ADDED' && outcome.userId !== '');
  if (newcomers.length === 0) return outcomes;
  const handover = await run.host.handOver(secretFile);
  if (handover.kind === 'done') return outcomes;
  return withdrawSecrets(outcomes, handover, run.proxy);
}

async function report(result: Omit<SyncResult, 'resultFile'>, { host }: Run): Promise<ExitCode> {
  const resultFile = join(host.outputDirectory, RESULT_FILE);
  await writeFile(resultFile, outcomesCsv(host.redacts ? redactOutcomes(result.outcomes) : result.outcomes));
  await host.applied({ ...result, resultFile });
  return result.outcomes.some((outcome) => outcome.status === 'FAILED') ? 1 : 0;
}

/** A settled row tells more of its user than this run's row, which finds him unchanged. */
function mergeSettled(settled: readonly Outcome[], outcomes: readonly Outcome[]): readonly Outcome[] {
  const told = new Set(settled.flatMap((outcome) => outcome.userId || []));
  return [...settled, ...outcomes.filter((outcome) => outcome.action !== 'UNCHANGED' || !told.has(outcome.userId))];
}

function failureOf(error: unknown): Failure {
  if (error instanceof FileProblemsError) return { kind: 'file', problems: error.problems };
  return { kind: 'error', message: error instanceof Error ? error.message : String(error) };
}
