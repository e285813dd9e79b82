import { existsSync } from 'node:fs';
import { applyPlan } from '../apply/apply.ts';
import { badEmails, type UserList } from '../core/desired.ts';
import { Lookup } from '../core/index.ts';
import { emailKey } from '../core/inventory.ts';
import type { Outcome } from '../core/outcome.ts';
import { problemsOfFile, type RowPlan, Rows } from '../core/row-plan.ts';
import type { ExitCode, Handover, RowsHost } from '../host/port.ts';
import type { Inputs } from '../inputs.ts';
import { FileJournal } from '../journal/journal.ts';
import type { ProxyClient } from '../litellm/client.ts';
import { applyOptions } from './apply-options.ts';
import { connectProxy } from './connection.ts';
import { readCsvFile } from './file.ts';
import { FileProblemsError, failureOf } from './problems.ts';
import { proxyHash, settleLeftovers } from './settle.ts';
import { withdrawSecrets } from './withdraw.ts';

export interface RowContext {
  readonly inputs: Inputs;
  readonly host: RowsHost;
  readonly proxy: ProxyClient;
}

/** A run that applies. */
export interface RowRun extends RowContext {
  readonly journal: FileJournal;
  readonly plan: RowPlan;
  /** Whether `onboarding_links.csv` is this run's own: then it is not left behind empty. */
  readonly ownsLinks: boolean;
}

/** Files that were written. */
export interface Written {
  readonly files: readonly string[];
  /** Those of them that hold secrets. */
  readonly secretFiles: readonly string[];
}

/** What `add`, `delete` and `onboard` do each in their own way. */
export interface RowCommand {
  readonly action: 'ADDED' | 'DELETED';
  read(bytes: Uint8Array): UserList;
  /** Sorts the rows; those that are left out are in `rows` afterwards. */
  plan(rows: Rows, lookup: Lookup, context: RowContext): Promise<Omit<RowPlan, 'rows'>>;
  /** What is to be done beside the plan. */
  beside(run: RowRun): Promise<readonly Outcome[]>;
  /** The outcome of a change in the command's own words. */
  word(outcome: Outcome): Outcome;
  /** Writes what may hold secrets: it has to be there before it can be handed over. */
  write(outcomes: readonly Outcome[], run: RowRun): Promise<Written>;
  /** Writes what tells of failures, the last thing that is known. */
  writeErrors(outcomes: readonly Outcome[], run: RowRun): Promise<readonly string[]>;
  /** Tells of what is neither added nor deleted. */
  notes(outcomes: readonly Outcome[], run: RowRun): readonly string[];
}

/** Carries out the rows of a file one by one: bad rows are left out and told, the others go on. */
export async function runRows(command: RowCommand, inputs: Inputs, host: RowsHost): Promise<ExitCode> {
  try {
    const list = command.read(await readCsvFile(inputs.csvPath, inputs.csvFile));
    const broken = problemsOfFile(list);
    if (broken.length > 0) throw new FileProblemsError(inputs.csvFile, list.problems);
    if (host.mode.kind === 'offline') return await checkOffline(list, inputs, host);
    const context = { inputs, host, proxy: connectProxy(inputs, host) };
    if (host.mode.kind === 'plan') return await show(await planRows(command, list, context), host);
    const { outcomes: settled } = await settleLeftovers(inputs, host, context.proxy);
    return await carryOut(command, await planRows(command, list, context), settled, context);
  } catch (error) {
    await host.failed(failureOf(error));
    throw error;
  }
}

async function checkOffline(list: UserList, inputs: Inputs, host: RowsHost): Promise<ExitCode> {
  const problems = [...list.problems, ...badEmails(list.rows, new Set())];
  if (problems.length > 0) throw new FileProblemsError(inputs.csvFile, problems);
  await host.checkedOffline(list.rows.length);
  return 0;
}

async function planRows(command: RowCommand, list: UserList, context: RowContext): Promise<RowPlan> {
  const { proxy, inputs, host } = context;
  if (list.rows.length === 0) host.log.warning(`${inputs.csvFile} holds no users: there is nothing to do.`);
  const [inventory] = await Promise.all([proxy.inventory(), proxy.checkVersion()]);
  const rows = new Rows(list.rows, command.action, command.action === 'ADDED' ? inputs.userRole : '');
  rows.refuse(list.problems);
  return { ...(await command.plan(rows, new Lookup(inventory, inputs), context)), rows };
}

async function show(plan: RowPlan, host: RowsHost): Promise<ExitCode> {
  await host.showRows(plan, false);
  for (const breach of plan.plan.breaches) host.log.error(breach.message);
  return plan.plan.breaches.length > 0 || plan.rows.problems.length > 0 ? 1 : 0;
}

async function carryOut(
  command: RowCommand,
  plan: RowPlan,
  settled: readonly Outcome[],
  context: RowContext,
): Promise<ExitCode> {
  const { host } = context;
  if (plan.plan.breaches.length > 0) return show(plan, host);
  await host.showRows(plan, true);
  await host.beforeRows(plan);
  const journal = await FileJournal.create(host.outputDirectory, proxyHash(context.inputs));
  const ownsLinks = settled.length > 0 || !existsSync(journal.onboardingFile.path);
  const run = { ...context, plan, journal, ownsLinks };
  const applied = await applyPlan(plan.plan, await applyOptions(run.journal, run, async () => true));
  const done = [...applied.map(command.word), ...(await command.beside(run))];
  return deliver(command, inFileOrder(plan.rows, done, settled), run);
}

async function deliver(command: RowCommand, outcomes: readonly Outcome[], run: RowRun): Promise<ExitCode> {
  const { files, secretFiles } = await command.write(outcomes, run);
  const told = secretFiles.length === 0 ? outcomes : await handOver(outcomes, secretFiles, run);
  const all = [...files, ...(await command.writeErrors(told, run))];
  await run.host.rowsDone({ outcomes: told, notes: command.notes(told, run), files: all, secretFiles });
  if ((await run.journal.lines()).some((line) => line.t === 'finished')) await run.journal.remove();
  return told.some((outcome) => outcome.status === 'FAILED') ? 1 : 0;
}

/** Takes users out of `onboarding_links.csv` whose secrets stand elsewhere by now; not while recovery may need them. */
export async function clearLinks({ journal, ownsLinks }: RowRun, userIds: readonly string[]): Promise<void> {
  const isOver = (await journal.lines()).some((line) => line.t === 'finished');
  if (isOver) await journal.onboardingFile.drop(new Set(userIds), ownsLinks);
}

/** Gives the secrets to whoever waits for them; a key that nobody will ever see is worse than none. */
async function handOver(
  outcomes: readonly Outcome[],
  secretFiles: readonly string[],
  { host, proxy, plan }: RowRun,
): Promise<readonly Outcome[]> {
  const handover = await host.handOver(secretFiles);
  if (handover.kind === 'done') return outcomes;
  const invited = new Set(plan.invited.map((user) => user.userId));
  const withdrawn = await withdrawSecrets(outcomes, handover, proxy);
  return withdrawn.map((outcome) => (invited.has(outcome.userId) ? withoutLink(outcome, handover) : outcome));
}

function withoutLink(outcome: Outcome, handover: Extract<Handover, { kind: 'failed' }>): Outcome {
  if (outcome.status !== 'SUCCESS') return outcome;
  const where = handover.isLost
    ? 'Nobody has seen the link: run onboard again.'
    : 'The link is in the output directory.';
  return { ...outcome, status: 'FAILED', reason: `${handover.reason} ${where}` };
}

/** One outcome a row, as the file has them; before them what a killed run did for users that the file lacks by now. */
function inFileOrder(rows: Rows, done: readonly Outcome[], settled: readonly Outcome[]): Outcome[] {
  const applied = new Map(done.map((outcome) => [emailKey(outcome.email), outcome]));
  const earlier = new Map(settled.map((outcome) => [emailKey(outcome.email), outcome]));
  const told = rows.all.flatMap((row) => {
    const key = emailKey(row.email);
    const left = rows.left.get(row);
    if (left === undefined) {
      earlier.delete(key);
      return applied.get(key) ?? [];
    }
    const found = left.status === 'SKIPPED' ? earlier.get(key) : undefined;
    if (found !== undefined) earlier.delete(key);
    return found ?? left;
  });
  return [...earlier.values(), ...told];
}
