import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { applyPlan } from '../apply/apply.ts';
import { type Recovered, recover } from '../apply/recover.ts';
import type { UserList } from '../core/desired.ts';
import { RefusedError, UsageError } from '../core/errors.ts';
import { emailKey } from '../core/inventory.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Problem } from '../core/problem.ts';
import { outcomesOfRows, type RowEntry } from '../core/row-plan.ts';
import { holdDirectory } from '../files/lock.ts';
import type { ExitCode, Host, PublishResult, RunPlan } from '../host/port.ts';
import type { Inputs } from '../inputs.ts';
import type { WritingCommand } from '../journal/format.ts';
import { FileJournal, JOURNAL_FILE } from '../journal/journal.ts';
import type { ProxyClient } from '../litellm/client.ts';
import { connectProxy, PHASES, proxyHash, writeOptions } from './connection.ts';
import { problemsOffline } from './plan-sync.ts';
import { FileProblemsError, failureOf } from './problems.ts';
import { revokeUnseenKeys } from './revoke.ts';

export interface RunContext<E = unknown> {
  readonly inputs: Inputs;
  readonly host: Host<E>;
  readonly proxy: ProxyClient;
}

/** A run whose writes are done: what its files are made with. */
export interface EndingRun {
  readonly inputs: Inputs;
  readonly host: Host;
  /** `null`: no key at hand; nothing can be looked up or revoked. */
  readonly proxy: ProxyClient | null;
  readonly journal: FileJournal;
}

/** Files that were written. */
export interface WrittenFiles {
  readonly files: readonly string[];
  /** Those that hold secrets; they need not be among `files`. */
  readonly secretFiles: readonly string[];
}

/** What a command that writes does in its own way; everything else is the life-cycle's. */
export interface Writing {
  readonly command: WritingCommand;
  /** @throws UsageError where an input is wrong */
  read(bytes: Uint8Array, inputs: Inputs): UserList;
  /** What is wrong with the file as a whole: nothing of it can be carried out. */
  problemsOfFile(list: UserList): readonly Problem[];
  /** @throws FileProblemsError, UsageError, and what the proxy throws */
  plan(list: UserList, context: RunContext): Promise<RunPlan>;
  /** An outcome in the words of the command's manual. */
  word(outcome: Outcome): Outcome;
  /** Writes what may hold secrets: it has to be there before it can be published. */
  writeSecrets(outcomes: readonly Outcome[], run: EndingRun): Promise<WrittenFiles>;
  /** Writes the results, which also tell what could not be published. */
  writeResults(outcomes: readonly Outcome[], run: EndingRun): Promise<readonly string[]>;
  /** Tells a reader of what no count shows. */
  notes(outcomes: readonly Outcome[]): readonly string[];
}

/**
 * The one way of every command that writes: read, plan, and either show the plan or recover what an interrupted run
 * left, review, apply, publish secrets, write files.
 * @param others every command that writes, for what an interrupted run of another one left
 */
export async function runWriting<E>(
  writing: Writing,
  others: Writings,
  inputs: Inputs,
  host: Host<E>,
): Promise<ExitCode> {
  try {
    const list = writing.read(await readCsvFile(inputs.csvPath, inputs.csvFile), inputs);
    const broken = writing.problemsOfFile(list);
    if (broken.length > 0) throw new FileProblemsError(inputs.csvFile, [...new Set([...list.problems, ...broken])]);
    if (host.mode.kind === 'offline') return await checkOffline(list, inputs, host);
    const context = { inputs, host, proxy: connectProxy(inputs, host) };
    if (host.mode.kind === 'plan') return await showPlan(await writing.plan(list, context), host);
    const earlier = await recoverFirst(writing, others, context);
    return await applyReviewed(writing, await writing.plan(list, context), earlier, context);
  } catch (error) {
    await host.failed(failureOf(error));
    throw error;
  }
}

/** Every command that writes, by its name. */
export type Writings = Readonly<Record<WritingCommand, Writing>>;

/**
 * Completes a run that was cut off, and ends it as it would have ended itself: its rows, keys and links, in its own
 * command's files.
 * @returns 0 where nothing was left
 */
export async function finishInterrupted<E>(writings: Writings, inputs: Inputs, host: Host<E>): Promise<ExitCode> {
  const proxy = inputs.masterKey === null ? null : connectProxy(inputs, host);
  const recovered = await recoverInterruptedRun(inputs, host, proxy);
  return recovered === null ? 0 : finishRecovered(writings, recovered, { inputs, host, proxy });
}

async function checkOffline(list: UserList, inputs: Inputs, host: Host): Promise<ExitCode> {
  const problems = problemsOffline(list);
  if (problems.length > 0) throw new FileProblemsError(inputs.csvFile, problems);
  await host.shown({ kind: 'offline', users: list.rows.length });
  return 0;
}

async function showPlan(plan: RunPlan, host: Host): Promise<ExitCode> {
  await host.planned(plan);
  for (const breach of plan.plan.breaches) host.log.error(breach.message);
  const hasBadRows = plan.kind === 'rows' && plan.rows.problems.length > 0;
  return plan.plan.breaches.length > 0 || hasBadRows ? 1 : 0;
}

/**
 * What an interrupted run of this command did, for the files of this one; an interrupted run of another command is
 * ended with files of its own.
 */
async function recoverFirst<E>(
  writing: Writing,
  others: Writings,
  context: RunContext<E>,
): Promise<readonly Outcome[]> {
  const recovered = await recoverInterruptedRun(context.inputs, context.host, context.proxy);
  if (recovered === null) return [];
  if (recovered.command === writing.command) return wordedEarlier(writing, recovered.outcomes);
  await finishRecovered(others, recovered, context);
  return [];
}

/** The indexes are those of another plan: they mean nothing in this one. */
function wordedEarlier(writing: Writing, outcomes: readonly Outcome[]): readonly Outcome[] {
  return outcomes.map((outcome) => ({ ...writing.word(outcome), index: null }));
}

async function finishRecovered<E>(
  writings: Writings,
  recovered: Recovered,
  run: Omit<EndingRun, 'journal' | 'host'> & { readonly host: Host<E> },
): Promise<ExitCode> {
  const writing = writings[recovered.command];
  const worded = recovered.outcomes.map(writing.word);
  const outcomes = recovered.rows === null ? worded : outcomesOfRows(recovered.rows, worded);
  const journal = FileJournal.resume(run.host.outputDirectory);
  return endRun(writing, outcomes, { ...run, journal }, { plan: null, evidence: null });
}

/**
 * Completes what an interrupted run left in the output directory. Asks nothing of the proxy where nothing was left.
 * The directory is this process's own from here on.
 * @param proxy `null`: no key at hand, the files stay as they are and the rows say so
 * @throws RefusedError where that run was on another proxy, whose users this one cannot tell of
 */
async function recoverInterruptedRun(inputs: Inputs, host: Host, proxy: ProxyClient | null): Promise<Recovered | null> {
  await holdDirectory(host.outputDirectory);
  const left = await FileJournal.resume(host.outputDirectory).lines();
  const head = left.find((line) => line.t === 'run');
  if (head === undefined) return null;
  if (head.proxy !== proxyHash(inputs)) throw anotherProxy(host);
  host.log.info(`An earlier run was interrupted here (${host.outputDirectory}): completing what it left.`);
  if (proxy === null) return recover(host.outputDirectory, { ...NO_PROXY, log: host.log, signal: host.signal });
  return recover(host.outputDirectory, await writeOptions(head.command, { inputs, host, proxy }));
}

const NO_PROXY = { proxy: null, concurrency: 1, retries: 0, linkFor: String, isFatal: () => true };

function anotherProxy({ outputDirectory }: Host): RefusedError {
  return new RefusedError(
    `${join(outputDirectory, JOURNAL_FILE)} tells of a run on another proxy that was interrupted. Run once with that ` +
      "proxy's base-url, which completes it, or use another output-directory. Nothing was written.",
  );
}

async function applyReviewed<E>(
  writing: Writing,
  planned: RunPlan,
  earlier: readonly Outcome[],
  context: RunContext<E>,
): Promise<ExitCode> {
  const { host, inputs, proxy } = context;
  const review = await host.review(planned);
  if (review.kind === 'superseded') return 0;
  if (review.kind === 'refused') throw new RefusedError(review.reason);
  const { plan, evidence } = review;
  if (plan.plan.breaches.length > 0) return showPlan(plan, host);
  await host.beforeWrites(plan);
  const journal = await FileJournal.create(host.outputDirectory);
  const rows = plan.kind === 'rows' ? plan.rows.entries : null;
  const applied = await applyPlan(plan.plan, {
    ...(await writeOptions(writing.command, context)),
    journal,
    head: { command: writing.command, proxy: proxyHash(inputs), rows },
    apiKeys: inputs.apiKeys,
    invitations: inputs.invitations,
    recreateOnFailure: inputs.recreateOnFailure,
    newUserId: randomUUID,
    beforeDeletes: async () => !(await host.isSuperseded()),
    onProgress: (progress) => host.progress({ ...progress, phase: PHASES[progress.phase] }),
  });
  const worded = applied.map(writing.word);
  const outcomes = rows === null ? withEarlier(earlier, worded) : rowsWithEarlier(earlier, rows, worded);
  return endRun(writing, outcomes, { inputs, host, proxy, journal }, { plan, evidence });
}

/** The same end for every run: secrets are published, results written, the host told, the journal dropped. */
async function endRun<E>(
  writing: Writing,
  applied: readonly Outcome[],
  run: Omit<EndingRun, 'host'> & { readonly host: Host<E> },
  reviewed: { readonly plan: RunPlan | null; readonly evidence: E | null },
): Promise<ExitCode> {
  const { host, journal, proxy } = run;
  const { files, secretFiles } = await writing.writeSecrets(applied, run);
  const published: PublishResult =
    secretFiles.length === 0 ? NOTHING_TO_PUBLISH : await host.publishSecrets(secretFiles);
  const outcomes = published.published ? applied : await revokeUnseenKeys(applied, published, proxy);
  const results = await writing.writeResults(outcomes, run);
  await host.finished({
    command: writing.command,
    ...reviewed,
    outcomes,
    notes: writing.notes(outcomes),
    files: [...files, ...results],
    secretFiles,
    secretsUrl: published.published ? published.url : '',
    isUnfinished: !(await journal.isOver()),
  });
  if (await journal.isOver()) await journal.remove();
  return outcomes.some((outcome) => outcome.status === 'FAILED') ? 1 : 0;
}

const NOTHING_TO_PUBLISH: PublishResult = { published: true, url: '' };

/**
 * One row a user: what this run did counts before what was recovered, and that before finding them unchanged. A failed
 * delete or update of then counts no more: what was still missing of it, this run's plan has done. The two runs had
 * plans of their own, and a failed add has no user id: what they share is the email.
 */
function withEarlier(earlier: readonly Outcome[], outcomes: readonly Outcome[]): readonly Outcome[] {
  const emails = (rows: readonly Outcome[]): Set<string> => new Set(rows.map((row) => emailKey(row.email)));
  const changed = emails(outcomes.filter((outcome) => outcome.action !== 'UNCHANGED'));
  const isStale = ({ action, status }: Outcome): boolean => status === 'FAILED' && action !== 'ADDED';
  const older = earlier.filter((outcome) => !changed.has(emailKey(outcome.email)) && !isStale(outcome));
  const told = emails(older);
  return [...older, ...outcomes.filter((outcome) => !told.has(emailKey(outcome.email)))];
}

/** One outcome a row, in the order of the file; before them what an interrupted run did for users whom the file lacks by now. */
function rowsWithEarlier(
  earlier: readonly Outcome[],
  entries: readonly RowEntry[],
  outcomes: readonly Outcome[],
): readonly Outcome[] {
  const byEmail = new Map(earlier.map((outcome) => [emailKey(outcome.email), outcome]));
  const told = outcomesOfRows(entries, outcomes).map((outcome) => {
    const key = emailKey(outcome.email);
    const isSkippedRow = outcome.index === null && outcome.status === 'SKIPPED';
    const before = outcome.index === null && !isSkippedRow ? undefined : byEmail.get(key);
    if (before !== undefined) byEmail.delete(key);
    return isSkippedRow ? (before ?? outcome) : outcome;
  });
  return [...byEmail.values(), ...told];
}

/**
 * The bytes of the CSV file.
 * @throws UsageError if it is missing or cannot be read
 */
async function readCsvFile(path: string, shownAs: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw new UsageError(`ERROR: CSV file '${shownAs}' not found.`, { cause: error });
    const why = code === 'EISDIR' ? 'is a folder' : `cannot be read (${code})`;
    throw new UsageError(`ERROR: CSV file '${shownAs}' ${why}.`, { cause: error });
  }
}
