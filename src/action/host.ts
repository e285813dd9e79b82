import { existsSync } from 'node:fs';
import { notice, saveState, setSecret } from '@actions/core';
import { messageOf } from '../core/errors.ts';
import type { Outcome } from '../core/outcome.ts';
import { type Change, isApplied, isStopped, type Plan } from '../core/plan.ts';
import type { Problem } from '../core/problem.ts';
import { additionsFor, approvalDigest } from '../core/review.ts';
import type { Approvals } from '../github/approvals.ts';
import {
  type AuditRecord,
  type Failure,
  type Host,
  type Mode,
  NOT_REVIEWED,
  type Progress,
  type Provenance,
  type PublishResult,
  type Review,
  type RunPlan,
  type RunResult,
  type Shown,
} from '../host/port.ts';
import { ProgressLines } from '../host/progress.ts';
import { outcomeCounts, planCounts, plural } from '../render/labels.ts';
import { type PlanTextOptions, planText } from '../render/plan-text.ts';
import { resultText } from '../render/result.ts';
import {
  assertPublishable,
  assertRecipients,
  encryptFiles,
  outputPath,
  PLAN_FILE,
  secretsObstacle,
  upload,
  uploadPlan,
  uploadRecord,
  uploadResults,
  writePlan,
} from './artifacts.ts';
import {
  commentNotApplied,
  commentOnPull,
  commentResult,
  emptyMarker,
  mayReportDrift,
  planMarker,
  reportDrift,
} from './comment.ts';
import { failureBody, NO_CONTEXT, planBody, resultBody } from './documents.ts';
import type { Job } from './job.ts';
import {
  artifactOf,
  redactedOutcomes,
  redactedPlan,
  redactedProblems,
  redactedText,
  SUMMARY,
  TITLE,
} from './labels.ts';
import { annotateProblems, moreProblems } from './log.ts';
import { appendSummary, NO_OUTPUTS, type Outputs, setOutputs } from './outputs.ts';
import { logRows, showExport, showListing, summarizeRows } from './reports.ts';
import { type Approval, approve, changesBefore, supersededNow } from './review.ts';

/** What a review found, for the comments that the result is written to. */
export type Evidence = Pick<Approval, 'approvals' | 'whyNot'>;

type FilePlan = Extract<RunPlan, { kind: 'file' }>;

/** A job of GitHub Actions: comment, job summary, annotations, outputs and artifacts. */
export class ActionHost implements Host<Evidence> {
  readonly #job: Job;
  readonly #progress: ProgressLines;
  readonly signal: AbortSignal;
  #outputs: Outputs = NO_OUTPUTS;
  /** Each reason once: the job's one error annotation for it. */
  readonly #verdicts = new Set<string>();

  constructor(job: Job, signal: AbortSignal) {
    this.#job = job;
    this.signal = signal;
    this.#progress = new ProgressLines(job.log);
  }

  get log() {
    return this.#job.log;
  }

  get mode() {
    return this.#job.mode;
  }

  get outputDirectory() {
    return this.#job.outputDirectory;
  }

  get redacts() {
    return this.#job.redacts;
  }

  get origin() {
    const { runUrl, sha } = this.#job.event;
    return { run: runUrl, commit: sha };
  }

  readonly onSecret = (value: string): void => setSecret(value);

  print(document: string): void {
    this.log.info(document);
  }

  progress(progress: Progress): void {
    this.#progress.show(progress);
  }

  async planned(shown: RunPlan, evidence: Evidence | null): Promise<string | null> {
    const { plan } = shown;
    this.#logPlan(shown, this.mode.kind === 'plan' ? 'dry run' : 'not applied');
    this.#condemn(breachesOf(this.#job, shown));
    const planFile = await writePlan(this.#job, plan);
    this.#publish({ 'has-changes': plan.changes.some(isApplied), 'plan-file': planFile });
    if (shown.kind === 'file') return this.#plannedFile(shown, planFile, evidence);
    const counts = await summarizeRows(this.#job, shown.rowPlan);
    this.#publish(counts);
    this.#annotate(shown.rowPlan.problems);
    this.#condemn(failedRows(counts.failed ?? 0, shown, this.mode));
    return null;
  }

  async review(planned: RunPlan): Promise<Review<Evidence>> {
    this.#publish({ 'has-changes': planned.plan.changes.some(isApplied) });
    if (planned.kind === 'rows') {
      return { kind: 'go', plan: planned, evidence: NOT_ASKED, provenanceOf: () => NOT_REVIEWED };
    }
    const { verdict, reviewed, approvals, whyNot } = await this.#approve(planned);
    const provenanceOf = (change: Change) => provenance(change, approvals, this.#job.targetHash);
    const evidence = { approvals, whyNot };
    if (verdict.kind === 'go') return { kind: 'go', plan: { ...planned, plan: reviewed }, evidence, provenanceOf };
    await this.#showUnapplied(reviewed);
    if (verdict.kind === 'superseded') {
      notice(
        `A newer ${this.#job.inputs.csvFile} is at the head of the branch: this run writes nothing, the newer run does.`,
      );
    }
    return verdict;
  }

  async beforeWrites(plan: RunPlan): Promise<void> {
    this.#logPlan(plan, 'applying');
    if (plan.kind === 'rows') this.#annotate(plan.rowPlan.problems);
    this.#publish({ 'plan-file': await writePlan(this.#job, plan.plan) });
    await assertPublishable(plan.plan, this.#job);
    await assertRecipients(this.#job.inputs.encryptTo);
    saveState('pending', this.outputDirectory);
  }

  isSuperseded(): Promise<boolean> {
    return supersededNow(this.#job);
  }

  async publishSecrets(secretFiles: readonly string[]): Promise<PublishResult> {
    const { inputs, event } = this.#job;
    const { encryptTo } = inputs;
    const isLost = inputs.outputDirectory === '';
    if (inputs.artifacts && encryptTo.length === 0 && event.visibility !== 'private') {
      const reason = 'What mail did not deliver is not uploaded from a repository that others can read.';
      return { published: false, reason, isLost: true };
    }
    const files = encryptTo.length === 0 ? secretFiles : await encryptFiles(secretFiles, encryptTo);
    try {
      const url = await upload(this.#job, 'onboarding-links', files);
      this.#publish({ 'onboarding-artifact-url': url });
      return { published: true, url };
    } catch (error) {
      const reason = messageOf(error);
      this.log.error(reason);
      return { published: false, reason, isLost };
    }
  }

  async finished(result: RunResult<Evidence>): Promise<void> {
    const { plan, evidence, outcomes, files, secretFiles, audit, command, linksExpire } = result;
    const title = command === 'sync' ? undefined : 'Result:';
    this.print(resultText(redactedOutcomes(this.#job, outcomes, plan?.plan.changes), title));
    const counts = outcomeCounts(outcomes);
    this.#publish({ ...counts, 'result-file': files[0] ?? '' });
    this.#condemn(failedRows(counts.failed, plan, this.mode));
    this.#condemn(breachesOf(this.#job, plan));
    const open = [...files.filter((file) => !secretFiles.includes(file)), outputPath(this.#job, PLAN_FILE)];
    const { url: artifactUrl, failure } = await uploadResults(this.#job, open.filter(existsSync));
    await this.#uploadRecord(audit);
    this.#publish({ 'artifact-url': artifactUrl });
    const context = { artifactUrl, whyNot: evidence?.whyNot ?? '', linksExpire };
    const body = (rest: string) => resultBody(this.#job, result, context, rest);
    if (plan?.kind === 'file' && evidence !== null) {
      const done = new Set(outcomes.flatMap(doneIndex));
      const applied = { plan: plan.plan, done, body: body(SUMMARY) };
      this.#publish({ 'comment-url': await commentResult(this.#job, evidence.approvals, applied) });
    }
    await appendSummary(this.#job.env, body(artifactOf(this.#job)), this.log);
    // What is left to recover is the post step's: it finds the journal where this run wrote.
    if (!result.isUnfinished) saveState('pending', '');
    if (failure !== null) throw failure;
  }

  async failed(failure: Failure, evidence: Evidence | null, hasWritten: boolean): Promise<void> {
    const body = failureBody(this.#job, failure);
    if (failure.kind === 'file') this.#annotate(failure.problems);
    await appendSummary(this.#job.env, body, this.log);
    const url = await commentOnPull(this.#job, emptyMarker(this.#job.targetHash), body);
    this.#publish({ 'comment-url': url });
    if (hasWritten || this.mode.kind !== 'apply') return;
    const problems = failure.kind === 'file' ? plural(failure.problems.length, 'problem') : '';
    const reason = failure.kind === 'file' ? `${this.#job.inputs.csvFile} has ${problems}.` : failure.message;
    await commentNotApplied(this.#job, evidence?.approvals ?? null, reason);
  }

  async shown(shown: Shown): Promise<void> {
    switch (shown.kind) {
      case 'list':
        return this.#publish(await showListing(this.#job, shown));
      case 'export':
        return this.#publish(await showExport(this.#job, shown));
      case 'offline':
        return this.#checkedOffline(shown.users);
    }
  }

  async #checkedOffline(users: number): Promise<void> {
    if (this.mode.kind !== 'offline') return;
    const { csvFile } = this.#job.inputs;
    const message = `${csvFile} is well-formed (users: ${users}). There is no plan: ${this.mode.reason}`;
    notice(message);
    await appendSummary(this.#job.env, () => `## ${TITLE}\n\n${message}\n`, this.log);
  }

  /** @returns why a merge could not apply the plan */
  async #plannedFile(shown: FilePlan, planFile: string, evidence: Evidence | null): Promise<string | null> {
    const { plan } = shown;
    const job = this.#job;
    const isDrift = mayReportDrift(job);
    const obstacle = job.event.pullRequest === null ? null : await this.#obstacle(plan);
    const context = { obstacle, earlier: await changesBefore(job, plan, shown.rows), isDrift };
    const body = planBody(job, plan, context, SUMMARY);
    const url = await commentOnPull(job, planMarker(plan, job.targetHash), body);
    await appendSummary(job.env, planBody(job, plan, context, artifactOf(job)), this.log);
    if (isDrift && job.inputs.driftIssue) {
      await reportDrift(job, plan.changes.length === 0 ? null : body);
    }
    if (this.mode.kind === 'apply' && isStopped(plan)) {
      await commentNotApplied(job, evidence?.approvals ?? null, breachesOf(job, shown));
    }
    this.#condemn(obstacle === null ? '' : redactedText(job, obstacle));
    this.#publish({
      ...plannedCounts(plan),
      'comment-url': url,
      'artifact-url': await uploadPlan(job, plan, context, planFile),
    });
    return obstacle;
  }

  async #obstacle(plan: Plan): Promise<string | null> {
    try {
      await assertRecipients(this.#job.inputs.encryptTo);
      return secretsObstacle(plan, this.#job);
    } catch (error) {
      return messageOf(error);
    }
  }

  async #approve({ plan, desired }: FilePlan): Promise<Approval> {
    const additions = additionsFor(plan, desired, this.#job.inputs);
    try {
      return await approve(plan, this.#job, { additions, signal: this.signal });
    } catch (error) {
      await this.#showUnapplied(plan);
      throw error;
    }
  }

  /** A plan that was not applied must be there for those who have to look at it. */
  async #showUnapplied(plan: Plan): Promise<void> {
    this.print(planText(redactedPlan(this.#job, plan), { stage: 'not applied', csvFile: this.#job.inputs.csvFile }));
    this.#publish({ 'plan-file': await writePlan(this.#job, plan) });
    await appendSummary(this.#job.env, planBody(this.#job, plan, NO_CONTEXT, 'the log'), this.log);
  }

  #logPlan(shown: RunPlan, stage: PlanTextOptions['stage']): void {
    const { csvFile } = this.#job.inputs;
    if (shown.kind === 'rows') logRows(this.#job, shown.rowPlan, stage === 'applying');
    else this.print(planText(redactedPlan(this.#job, shown.plan), { stage, csvFile }));
  }

  /** Kept longer than the results, and apart from them. A failure is a warning: the file is in the output directory. */
  async #uploadRecord(audit: AuditRecord | null): Promise<void> {
    if (audit === null) return;
    try {
      await uploadRecord(this.#job, audit);
    } catch (error) {
      this.log.warning(`The audit record was not uploaded: ${messageOf(error)}`);
    }
  }

  #annotate(problems: readonly Problem[]): void {
    const { repositoryPath, inputs } = this.#job;
    annotateProblems(redactedProblems(this.#job, problems), repositoryPath ?? inputs.csvFile);
  }

  #publish(outputs: Partial<Outputs>): void {
    this.#outputs = { ...this.#outputs, ...outputs };
  }

  /** @param reason why the run ends red; a blank is none */
  #condemn(reason: string): void {
    this.#verdicts.add(reason);
  }

  /** The last line of a run that ends red, though nothing went wrong with the run itself. */
  get verdict(): string {
    const reasons = [...this.#verdicts].filter((reason) => reason !== '');
    return reasons.join(' ') || 'The proxy and the file differ, and `fail-on-drift` is `true`.';
  }

  /** Whether a run that only plans, and that no pull request asked for, found changes that it was told to fail on. */
  get isDrift(): boolean {
    const { event, inputs } = this.#job;
    const plansByItself = this.mode.kind === 'plan' && event.pullRequest === null && event.name !== 'merge_group';
    return inputs.failOnDrift && plansByItself && this.#outputs['has-changes'];
  }

  /** Writes the outputs, once: whatever happened, every one of them has a value. */
  finish(): void {
    setOutputs(this.#outputs);
  }
}

const NOT_ASKED: Evidence = { approvals: { kind: 'everything' }, whyNot: '' };

/** By which pull request a change was approved: the newest whose comment shows it. */
function provenance(change: Change, approvals: Approvals, target: string): Provenance {
  const digest = approvalDigest(target, change);
  if (approvals.kind === 'everything') return { digest, pullRequest: null };
  const own = approvals.pullRequests.find(({ comment }) => comment?.digests.includes(digest));
  const merged = own ?? approvals.pullRequests.find((pull) => pull.mergedByThisPush);
  return { digest, pullRequest: merged ? { number: merged.number, author: merged.author } : null };
}

function doneIndex({ status, index }: Outcome): number[] {
  return status === 'SUCCESS' && index !== null ? [index] : [];
}

function plannedCounts(plan: Plan): Partial<Outputs> {
  const counts = planCounts(plan);
  return {
    added: counts.add,
    deleted: counts.delete,
    updated: counts.update,
    deactivated: counts.deactivate,
    reactivated: counts.reactivate,
    unchanged: counts.unchanged,
    skipped: plan.changes.filter((change) => !isApplied(change)).length,
  };
}

function breachesOf(job: Job, plan: RunPlan | null): string {
  return redactedText(job, (plan?.plan.breaches ?? []).map(({ message }) => message).join(' '));
}

/** The last line of a step with failed rows; blank where there are none. */
function failedRows(failed: number, plan: RunPlan | null, { kind }: Mode): string {
  if (failed === 0) return '';
  const more = moreProblems(plan?.kind === 'rows' ? plan.rowPlan.problems.length : 0);
  if (kind === 'plan') return `${plural(failed, 'row')} cannot be carried out: see the job summary.${more}`;
  return `${plural(failed, 'user')} failed: see the job summary and the result files. A second run tries again.${more}`;
}
