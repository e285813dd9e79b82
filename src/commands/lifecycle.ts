import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { applyPlan } from '../apply/apply.ts';
import { type Recovered, recover } from '../apply/recover.ts';
import type { UserList } from '../core/desired.ts';
import { RefusedError, UsageError } from '../core/errors.ts';
import { emailKey } from '../core/inventory.ts';
import { hasLink, isCreated, isFreshLink, type LinkRow, type OnboardingRow, type Outcome } from '../core/outcome.ts';
import { isStopped, type Plan } from '../core/plan.ts';
import type { Problem } from '../core/problem.ts';
import { approvedAsAddNote } from '../core/review.ts';
import { outcomesOfRows, type RowEntry } from '../core/row-plan.ts';
import { holdDirectory } from '../files/lock.ts';
import {
  type ExitCode,
  type Host,
  NOT_REVIEWED,
  type Provenance,
  type PublishResult,
  type RunPlan,
} from '../host/port.ts';
import type { Inputs } from '../inputs.ts';
import { auditMark, usersRevoked, type WritingCommand } from '../journal/format.ts';
import { FileJournal, JOURNAL_FILE } from '../journal/journal.ts';
import type { ProxyClient } from '../litellm/client.ts';
import { redactOutcomes } from '../render/redact.ts';
import { connectProxy, PHASES, proxyHash, warnOfLinks, writeOptions } from './connection.ts';
import { isMailDue, type LinkMailer, linkMailer, mailForm } from './delivery.ts';
import { FileProblemsError, runFailureOf } from './problems.ts';
import { type RecordedChange, writeRecord } from './record.ts';
import { revokeUnseen } from './revoke.ts';

export interface RunContext<E = unknown> {
  /** `YYYY-MM-DD`, UTC, fixed when the run starts. */
  readonly today: string;
  readonly inputs: Inputs;
  readonly host: Host<E>;
  readonly proxy: ProxyClient;
}

/** How far a run has come, for the report of its end. */
interface Stage<E> {
  evidence: E | null;
  hasWritten: boolean;
}

interface ApplyingContext<E> extends RunContext<E> {
  readonly stage: Stage<E>;
  /** `null`: links are handed over in files. */
  readonly mailer: LinkMailer | null;
}

type RecoveringContext = Pick<ApplyingContext<unknown>, 'inputs' | 'mailer'> & {
  readonly host: Host;
  /** `null`: no key at hand, the files stay as they are and the rows say so. */
  readonly proxy: ProxyClient | null;
};

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
  /** Users whose secrets stand in a file of the command's own form, and not in `onboarding_links.csv` for long. */
  readonly moved?: readonly string[];
}

/** What a command that writes does in its own way; everything else is the life-cycle's. */
export interface Writing {
  readonly command: WritingCommand;
  /** @throws UsageError where an input is wrong */
  read(bytes: Uint8Array, inputs: Inputs): UserList;
  /** What is wrong with the file as a whole: nothing of it can be carried out. */
  problemsOfFile(list: UserList): readonly Problem[];
  /** What is wrong with the file as far as that can be told without the proxy. */
  problemsOffline(list: UserList, today: string): readonly Problem[];
  /** @throws FileProblemsError, UsageError, and what the proxy throws */
  plan(list: UserList, context: RunContext): Promise<RunPlan>;
  /** An outcome in the words of the command's manual. */
  word(outcome: Outcome): Outcome;
  /** Writes what may hold secrets: it has to be there before it can be published. */
  writeSecrets(outcomes: readonly Outcome[], run: EndingRun): Promise<WrittenFiles>;
  /** Writes the results, which also tell what could not be published. @param outcomes masked where others see the files */
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
  const today = new Date().toISOString().slice(0, 10);
  const stage: Stage<E> = { evidence: null, hasWritten: false };
  let mailer: LinkMailer | null = null;
  try {
    const form = await mailForm(inputs);
    const list = await readList(writing, inputs);
    if (writing.problemsOfFile(list).length > 0) throw new FileProblemsError(inputs.csvFile, list.problems);
    if (host.mode.kind === 'offline')
      return await checkOffline(writing.problemsOffline(list, today), list, { inputs, host });
    const context = { today, inputs, host, proxy: connectProxy(inputs, host) };
    if (host.mode.kind === 'plan') return await showPlan(await planned(writing, list, context), host, null);
    mailer = form === null ? null : linkMailer(form, inputs, host);
    const applying = { ...context, mailer, stage };
    const earlier = await recoverFirst(writing, others, applying);
    return await applyReviewed(writing, await planned(writing, list, context), earlier, applying);
  } catch (error) {
    await host.failed(runFailureOf(error), stage.evidence, stage.hasWritten);
    throw error;
  } finally {
    mailer?.close();
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
  const form = await mailForm(inputs);
  const mailer = form === null ? null : linkMailer(form, inputs, host);
  try {
    const recovered = await recoverInterruptedRun({ inputs, host, proxy, mailer });
    return recovered === null ? 0 : await finishRecovered(writings, recovered, { inputs, host, proxy });
  } finally {
    mailer?.close();
  }
}

async function checkOffline(
  problems: readonly Problem[],
  list: UserList,
  { inputs, host }: Pick<RunContext, 'inputs' | 'host'>,
): Promise<ExitCode> {
  if (problems.length > 0) throw new FileProblemsError(inputs.csvFile, problems);
  await host.shown({ kind: 'offline', users: list.rows.length });
  return 0;
}

async function planned(writing: Writing, list: UserList, context: RunContext): Promise<RunPlan> {
  const plan = await writing.plan(list, context);
  warnOfLinks(plan.plan, context.inputs, context.host);
  return plan;
}

async function showPlan<E>(plan: RunPlan, host: Host<E>, evidence: E | null): Promise<ExitCode> {
  const refusal = await host.planned(plan, evidence);
  const hasBadRows = plan.kind === 'rows' && plan.rowPlan.problems.length > 0;
  return plan.plan.breaches.length > 0 || hasBadRows || refusal !== null ? 1 : 0;
}

/**
 * What an interrupted run of this command did, for the files of this one; an interrupted run of another command is
 * ended with files of its own.
 */
async function recoverFirst<E>(writing: Writing, others: Writings, context: ApplyingContext<E>): Promise<Earlier> {
  const recovered = await recoverInterruptedRun(context);
  if (recovered === null) return NOTHING_EARLIER;
  if (recovered.command === writing.command) return earlierOf(writing, recovered);
  await finishRecovered(others, recovered, context);
  return NOTHING_EARLIER;
}

/** What an interrupted run of this command did. */
interface Earlier {
  readonly outcomes: readonly Outcome[];
  readonly changes: readonly RecordedChange[];
}

const NOTHING_EARLIER: Earlier = { outcomes: [], changes: [] };

/** The indexes are those of another plan: they mean nothing in this one. */
function earlierOf(writing: Writing, recovered: Recovered): Earlier {
  const worded = recovered.outcomes.map(writing.word);
  const told = new Map(worded.map((outcome) => [outcome, { ...outcome, index: null }]));
  const changes = recoveredChanges(worded, recovered);
  return {
    outcomes: [...told.values()],
    changes: changes.map((entry) => ({ ...entry, outcome: told.get(entry.outcome) ?? entry.outcome })),
  };
}

/** Without those that the audit record has already. */
function recoveredChanges(outcomes: readonly Outcome[], { changes, audited }: Recovered): RecordedChange[] {
  const isNews = (outcome: Outcome): boolean =>
    outcome.index === null || audited.get(outcome.index) !== auditMark(outcome);
  return recordedChanges(
    outcomes.filter(isNews),
    (index) => changes.get(index),
    () => NOT_REVIEWED,
  );
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
  const changes = recoveredChanges(worded, recovered);
  return endRun(writing, outcomes, { ...run, journal }, { plan: null, evidence: null, changes });
}

/**
 * Completes what an interrupted run left in the output directory. Asks nothing of the proxy where nothing was left.
 * The directory is this process's own from here on.
 * @throws RefusedError where that run was on another proxy, whose users this one cannot tell of
 */
async function recoverInterruptedRun({ inputs, host, proxy, mailer }: RecoveringContext): Promise<Recovered | null> {
  await holdDirectory(host.outputDirectory);
  const left = await FileJournal.resume(host.outputDirectory).lines();
  const head = left.find((line) => line.t === 'run');
  if (head === undefined) return null;
  if (head.proxy !== proxyHash(inputs)) throw anotherProxy(host);
  host.log.info(`An earlier run was interrupted here (${host.outputDirectory}): completing what it left.`);
  if (proxy === null) return recover(host.outputDirectory, { ...NO_PROXY, log: host.log, signal: host.signal });
  const options = await writeOptions(head.command, { inputs, host, proxy });
  return recover(host.outputDirectory, { ...options, deliver: deliverWith(mailer) });
}

const NO_PROXY = { proxy: null, concurrency: 1, retries: 0, linkFor: String, deliver: null, isFatal: () => true };

function deliverWith(mailer: LinkMailer | null) {
  return mailer === null ? null : (row: LinkRow, begin: () => Promise<boolean>) => mailer.deliver(row, begin);
}

function anotherProxy({ outputDirectory }: Host): RefusedError {
  return new RefusedError(
    `${join(outputDirectory, JOURNAL_FILE)} tells of a run on another proxy that was interrupted. Run once with that ` +
      "proxy's base-url, which completes it, or use another output-directory. Nothing was written.",
  );
}

async function applyReviewed<E>(
  writing: Writing,
  wanted: RunPlan,
  earlier: Earlier,
  context: ApplyingContext<E>,
): Promise<ExitCode> {
  const { host, inputs, proxy, mailer, stage } = context;
  const review = await host.review(wanted);
  if (review.kind === 'superseded') return 0;
  if (review.kind === 'refused') throw new RefusedError(review.reason);
  const { plan, evidence, provenanceOf } = review;
  stage.evidence = evidence;
  if (isStopped(plan.plan)) return showPlan(plan, host, evidence);
  await host.beforeWrites(plan);
  if (mailer !== null && isMailDue(plan.plan, inputs)) await mailer.verify();
  const journal = await FileJournal.create(host.outputDirectory);
  const rows = plan.kind === 'rows' ? plan.rowPlan.entries : null;
  stage.hasWritten = true;
  const applied = await applyPlan(plan.plan, {
    ...(await writeOptions(writing.command, context)),
    journal,
    head: { proxy: proxyHash(inputs), rows },
    apiKeys: inputs.apiKeys,
    invitations: inputs.invitations,
    recreateOnFailure: inputs.recreateOnFailure,
    minAdmins: inputs.minAdmins,
    deliver: deliverWith(mailer),
    newUserId: randomUUID,
    beforeDeletes: async () => !(await host.isSuperseded()),
    onProgress: (progress) => host.progress({ ...progress, phase: PHASES[progress.phase] }),
  });
  const worded = applied.map((outcome) => withNote(writing.word(outcome), plan.plan));
  const outcomes =
    rows === null ? withEarlier(earlier.outcomes, worded) : rowsWithEarlier(earlier.outcomes, rows, worded);
  const kept = new Set(outcomes);
  const changes = [
    // What this run has done again is told once.
    ...earlier.changes.filter((entry) => kept.has(entry.outcome)),
    ...recordedChanges(worded, (index) => plan.plan.changes[index], provenanceOf),
  ];
  const code = await endRun(writing, outcomes, { inputs, host, proxy, journal }, { plan, evidence, changes });
  return plan.plan.breaches.length > 0 ? 1 : code;
}

/** Outcomes of changes, each with its change: other rows have nothing to record. */
function recordedChanges<C extends RecordedChange['change']>(
  outcomes: readonly Outcome[],
  changeOf: (index: number) => C | undefined,
  provenanceOf: (change: C) => Provenance,
): RecordedChange[] {
  return outcomes.flatMap((outcome) => {
    const change = outcome.index === null ? undefined : changeOf(outcome.index);
    return change === undefined ? [] : [{ change, outcome, provenance: provenanceOf(change) }];
  });
}

/** A success that was approved as something else says so in its row. */
function withNote(outcome: Outcome, { changes }: Plan): Outcome {
  const change = outcome.index === null ? undefined : changes[outcome.index];
  const note = change === undefined ? null : approvedAsAddNote(change);
  return note !== null && outcome.status === 'SUCCESS' ? { ...outcome, reason: note } : outcome;
}

/** What is known of a run's plan at its end. */
interface Ended<E> {
  readonly plan: RunPlan | null;
  readonly evidence: E | null;
  readonly changes: readonly RecordedChange[];
}

/** The same end for every run: secrets are published, results written, the host told, the journal dropped. */
async function endRun<E>(
  writing: Writing,
  applied: readonly Outcome[],
  run: Omit<EndingRun, 'host'> & { readonly host: Host<E> },
  { plan, evidence, changes }: Ended<E>,
): Promise<ExitCode> {
  const { host, journal, proxy } = run;
  const links = await journal.onboardingFile.read();
  // What was being taken back, and cannot be without a key, may be dead: it is handed over to nobody.
  const isWithheld = proxy === null && usersRevoked(await journal.lines()).size > 0;
  const { files, secretFiles, moved } = isWithheld ? NO_SECRETS : await writing.writeSecrets(applied, run);
  const published: PublishResult =
    secretFiles.length === 0 ? NOTHING_TO_PUBLISH : await host.publishSecrets(secretFiles);
  const outcomes = published.published ? applied : await revokeUnseen(applied, links, published, proxy, journal);
  const told = new Map<unknown, Outcome>(outcomes.map((outcome, at) => [outcome.index ?? applied[at], outcome]));
  const toldOf = (outcome: Outcome): Outcome => told.get(outcome.index ?? outcome) ?? outcome;
  const recorded = changes.map((entry) => ({ ...entry, outcome: toldOf(entry.outcome) }));
  const audit = await writeRecord(writing.command, recorded, run);
  if (audit !== null) await journal.audited(recorded.map(({ outcome }) => outcome));
  const results = await writing.writeResults(host.redacts ? redactOutcomes(outcomes) : outcomes, run);
  const isOver = await journal.isOver();
  const isLost = isWithheld || (!published.published && published.isLost);
  await host.finished({
    command: writing.command,
    plan,
    evidence,
    outcomes,
    notes: writing.notes(outcomes),
    files: [...files, ...results],
    secretFiles,
    linksExpire: firstExpiry(outcomes, isLost ? withoutLost(links) : links),
    audit,
    secretsUrl: published.published ? published.url : '',
    isUnfinished: !isOver,
  });
  if (!isOver) {
    await journal.close();
  } else {
    // Only now: a run that is killed while it hands its files over leaves them to `post`.
    await journal.remove();
    if (moved !== undefined) await journal.onboardingFile.drop(new Set(moved));
  }
  return outcomes.some((outcome) => outcome.status === 'FAILED') ? 1 : 0;
}

/** The proxy gives a time of day as well, which a reader does not need. */
function firstExpiry(outcomes: readonly Outcome[], links: ReadonlyMap<string, OnboardingRow>): string | null {
  const made = outcomes.filter((outcome) => isCreated(outcome) || isFreshLink(outcome));
  const days = made.flatMap(({ userId }) => links.get(userId)?.expiresAt.slice(0, 10) || []);
  return days.sort()[0] ?? null;
}

/** Of links that were not published those that a mail has delivered: nobody sees the others any more. */
function withoutLost(links: ReadonlyMap<string, OnboardingRow>): ReadonlyMap<string, OnboardingRow> {
  return new Map([...links].filter(([, row]) => !hasLink(row)));
}

const NO_SECRETS: WrittenFiles = { files: [], secretFiles: [] };

const NOTHING_TO_PUBLISH: PublishResult = { published: true, url: '' };

/**
 * One row a user: what this run did counts before what was recovered, and that before finding them unchanged. A failed
 * delete or update of then counts no more: what was still missing of it, this run's plan has done. The two runs had
 * plans of their own, and a failed add has no user id: what they share is the email.
 */
function withEarlier(earlier: readonly Outcome[], outcomes: readonly Outcome[]): readonly Outcome[] {
  const emails = (rows: readonly Outcome[]): Set<string> => new Set(rows.map((row) => emailKey(row.email)));
  const changed = emails(outcomes.filter((outcome) => outcome.action !== 'UNCHANGED'));
  const isStale = (outcome: Outcome): boolean =>
    outcome.status === 'FAILED' && outcome.action !== 'ADDED' && !isCreated(outcome);
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

/** In a function of its own: the file's bytes are gone while its rows are worked on. */
async function readList(writing: Writing, inputs: Inputs): Promise<UserList> {
  const bytes = inputs.emails.length > 0 ? new Uint8Array() : await readCsvFile(inputs.csvPath, inputs.csvFile);
  return writing.read(bytes, inputs);
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
