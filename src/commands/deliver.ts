import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outcome } from '../core/outcome.ts';
import type { Plan } from '../core/plan.ts';
import type { ExitCode, SyncHost } from '../host/port.ts';
import { FileJournal } from '../journal/journal.ts';
import type { ProxyClient } from '../litellm/client.ts';
import { outcomesCsv } from '../render/csv.ts';
import { redactOutcomes } from '../render/redact.ts';
import { withdrawSecrets } from './withdraw.ts';

const RESULT_FILE = 'user_sync_result.csv';

export interface Delivery {
  readonly host: SyncHost;
  /** `null`: keys that could not be handed over cannot be withdrawn either. */
  readonly proxy: ProxyClient | null;
  /** `null`: the plan of a killed run, of which only its rows are known. */
  readonly plan: Plan | null;
}

/** Hands the secrets over, writes the result file, tells what became of the plan, and drops the journal behind it. */
export async function deliver(applied: readonly Outcome[], { host, proxy, plan }: Delivery): Promise<ExitCode> {
  const journal = FileJournal.resume(host.outputDirectory);
  const secretFile = journal.onboardingFile.path;
  const outcomes = await handOver(applied, secretFile, host, proxy);
  const resultFile = join(host.outputDirectory, RESULT_FILE);
  await writeFile(resultFile, outcomesCsv(host.redacts ? redactOutcomes(outcomes) : outcomes));
  await host.applied({ plan, outcomes, resultFile, secretFile });
  if ((await journal.lines()).some((line) => line.t === 'finished')) await journal.remove();
  return outcomes.some((outcome) => outcome.status === 'FAILED') ? 1 : 0;
}

/** Gives the secrets to whoever waits for them; a key that nobody will ever see is worse than none. */
async function handOver(
  outcomes: readonly Outcome[],
  secretFile: string,
  host: SyncHost,
  proxy: ProxyClient | null,
): Promise<readonly Outcome[]> {
  const hasNewcomers = outcomes.some((outcome) => outcome.action === 'ADDED' && outcome.userId !== '');
  if (!hasNewcomers) return outcomes;
  const handover = await host.handOver([secretFile]);
  if (handover.kind === 'done' || proxy === null) return outcomes;
  return withdrawSecrets(outcomes, handover, proxy);
}
