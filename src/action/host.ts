import { existsSync } from 'node:fs';
import { notice, saveState, setSecret } from '@actions/core';
import { messageOf } from '../core/errors.ts';
import { isApplied, type Plan } from '../core/plan.ts';
import type { Problem } from '../core/problem.ts';
import type { Approvals } from '../github/approvals.ts';
import type { Failure, Host, Mode, Progress, PublishResult, Review, RunPlan, RunResult, Shown } from '../host/port.ts';
import { ProgressLines } from '../host/progress.ts';
import { outcomeCounts, planCounts, plural } from '../render/labels.ts';
import { type PlanTextOptions, planText } from '../render/plan-text.ts';
import { resultText } from '../render/result-text.ts';
import { annotateProblems, moreProblems } from './annotations.ts';
import { assertPublishable, outputPath, PLAN_FILE, upload, uploadPlan, uploadResults, writePlan } from './artifacts.ts';
import { commentOnPull, commentResult, emptyMarker, planMarker } from './comment.ts';
import { failureBody, planBody, resultBody } from './documents.ts';
import { assertRecipients, encryptFiles } from './encrypt.ts';
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
import { showExport, showListing } from './listing-report.ts';
import { NO_OUTPUTS, type Outputs, setOutputs } from './outputs.ts';
import { type Approval, approve, supersededNow } from './review.ts';
import { logRows, summarizeRows } from './row-report.ts';
import { appendSummary } from './summary.ts';

/** A job of GitHub Actions: comment, job summary, annotations, outputs and artifacts. */
export class ActionHost implements Host<Approvals> {
  readonly #job: Job;
  readonly #progress: ProgressLines;
  readonly signal: AbortSignal;
  #outputs: Outputs = NO_OUTPUTS;
  #verdict = '';

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

  readonly onSecret = (value: string): void => setSecret(value);

  print(document: string): void {
    this.log.info(document);
  }

  progress(progress: Progress): void {
    this.#progress.show(progress);
  }

  async planned(shown: RunPlan): Promise<void> {
    const { plan } = shown;
    this.#logPlan(shown, this.mode.kind === 'plan' ? 'dry run' : 'not applied');
    const breaches = plan.breaches.map((breach) => breach.message).join(' ');
    this.#verdict = redactedText(this.#job, breaches);
    const planFile = await writePlan(this.#job, plan);
    this.#publish({ 'has-changes': plan.changes.some(isApplied), 'plan-file': planFile });
    if (shown.kind === 'file') return this.#plannedFile(plan, planFile);
    const counts = await summarizeRows(this.#job, shown.rows);
    this.#publish(counts);
    this.#annotate(shown.rows.problems);
    this.#verdict ||= failedRows(counts.failed ?? 0, shown, this.mode);
  }

  async review(planned: RunPlan): Promise<Review<Approvals>> {
    this.#publish({ 'has-changes': planned.plan.changes.some(isApplied) });
    if (planned.kind === 'rows') return { kind: 'go', plan: planned, evidence: EVERYTHING };
    const { verdict, reviewed, approvals } = await this.#approve(planned.plan);
    if (verdict.kind === 'go') return { kind: 'go', plan: { kind: 'file', plan: reviewed }, evidence: approvals };
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
    if (plan.kind === 'rows') this.#annotate(plan.rows.problems);
    this.#publish({ 'plan-file': await writePlan(this.#job, plan.plan) });
    await assertPublishable(plan.plan, this.#job);
    await assertRecipients(this.#job.inputs.encryptTo);
    saveState('pending', this.outputDirectory);
  }

  isSuperseded(): Promise<boolean> {
    return supersededNow(this.#job);
  }

  async publishSecrets(secretFiles: readonly string[]): Promise<PublishResult> {
    const { inputs } = this.#job;
    const { encryptTo } = inputs;
    const files = encryptTo.length === 0 ? secretFiles : await encryptFiles(secretFiles, encryptTo);
    try {
      const url = await upload(this.#job, 'onboarding-links', files);
      this.#publish({ 'onboarding-artifact-url': url });
      return { published: true, url };
    } catch (error) {
      const reason = messageOf(error);
      this.log.error(reason);
      return { published: false, reason, isLost: inputs.outputDirectory === '' };
    }
  }

  async finished(result: RunResult<Approvals>): Promise<void> {
    const { plan, evidence, outcomes, files, secretFiles, command } = result;
    const title = command === 'sync' ? undefined : 'Result:';
    this.print(resultText(redactedOutcomes(this.#job, outcomes), title));
    const counts = outcomeCounts(outcomes);
    this.#publish({ ...counts, 'result-file': files[0] ?? '' });
    this.#verdict ||= failedRows(counts.failed, plan, this.mode);
    const open = [...files.filter((file) => !secretFiles.includes(file)), outputPath(this.#job, PLAN_FILE)];
    const { url: artifact, failure } = await uploadResults(this.#job, open.filter(existsSync));
    this.#publish({ 'artifact-url': artifact });
    const body = (rest: string) => resultBody(this.#job, result, artifact, rest);
    if (plan?.kind === 'file' && evidence !== null) {
      const url = await commentResult(this.#job, evidence, { plan: plan.plan, outcomes, body: body(SUMMARY) });
      this.#publish({ 'comment-url': url });
    }
    await appendSummary(this.#job.env, body(artifactOf(this.#job)), this.log);
    // What is left to recover is the post step's: it finds the journal where this run wrote.
    if (!result.isUnfinished) saveState('pending', '');
    if (failure !== null) throw failure;
  }

  async failed(failure: Failure): Promise<void> {
    const body = failureBody(this.#job, failure);
    if (failure.kind === 'file') this.#annotate(failure.problems);
    await appendSummary(this.#job.env, body, this.log);
    const url = await commentOnPull(this.#job, emptyMarker(this.#job.targetHash), body, true);
    this.#publish({ 'comment-url': url });
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

  async #plannedFile(plan: Plan, planFile: string): Promise<void> {
    const hasChanges = plan.changes.length > 0 || plan.breaches.length > 0;
    const body = planBody(this.#job, plan, SUMMARY);
    const url = await commentOnPull(this.#job, planMarker(plan, this.#job.targetHash), body, hasChanges);
    await appendSummary(this.#job.env, planBody(this.#job, plan, artifactOf(this.#job)), this.log);
    const counts = planCounts(plan);
    this.#publish({
      added: counts.add,
      deleted: counts.delete,
      updated: counts.update,
      unchanged: counts.unchanged,
      skipped: plan.changes.filter((change) => !isApplied(change)).length,
      'comment-url': url,
      'artifact-url': await uploadPlan(this.#job, plan, planFile),
    });
  }

  async #approve(plan: Plan): Promise<Approval> {
    try {
      return await approve(plan, this.#job);
    } catch (error) {
      await this.#showUnapplied(plan);
      throw error;
    }
  }

  /** Whoever is to look at the plan, because it was not applied, must have one to look at. */
  async #showUnapplied(plan: Plan): Promise<void> {
    this.#logPlan({ kind: 'file', plan }, 'not applied');
    this.#publish({ 'plan-file': await writePlan(this.#job, plan) });
    await appendSummary(this.#job.env, planBody(this.#job, plan, 'the log'), this.log);
  }

  #logPlan(shown: RunPlan, stage: PlanTextOptions['stage']): void {
    const { csvFile } = this.#job.inputs;
    if (shown.kind === 'rows') logRows(this.#job, shown.rows, stage === 'applying');
    else this.print(planText(redactedPlan(this.#job, shown.plan), { stage, csvFile }));
  }

  #annotate(problems: readonly Problem[]): void {
    const { repositoryPath, inputs } = this.#job;
    annotateProblems(redactedProblems(this.#job, problems), repositoryPath ?? inputs.csvFile);
  }

  #publish(outputs: Partial<Outputs>): void {
    this.#outputs = { ...this.#outputs, ...outputs };
  }

  /** The last line of a run that ends red, though nothing went wrong with the run itself. */
  get verdict(): string {
    return this.#verdict || 'The proxy and the file differ, and `fail-on-drift` is `true`.';
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

const EVERYTHING: Approvals = { kind: 'everything', because: 'workflow_dispatch' };

/** The last line of a step with failed rows; blank where there are none. */
function failedRows(failed: number, plan: RunPlan | null, { kind }: Mode): string {
  if (failed === 0) return '';
  const more = moreProblems(plan?.kind === 'rows' ? plan.rows.problems.length : 0);
  if (kind === 'plan') return `${plural(failed, 'row')} cannot be carried out: see the job summary.${more}`;
  return `${plural(failed, 'user')} failed: see the job summary and the result files. A second run tries again.${more}`;
}
