import { notice, saveState, setSecret } from '@actions/core';
import type { Outcome } from '../core/outcome.ts';
import type { Change, Plan } from '../core/plan.ts';
import type { Problem } from '../core/problem.ts';
import type { RowPlan } from '../core/row-plan.ts';
import type { Approvals } from '../github/approvals.ts';
import type {
  AnyHost,
  Exported,
  Failure,
  Handover,
  Listing,
  Mode,
  Progress,
  Review,
  RowsResult,
  SyncResult,
} from '../host/port.ts';
import { ProgressLines } from '../host/progress.ts';
import { outcomeCounts, planCounts, plural } from '../render/labels.ts';
import { type PlanTextOptions, planText } from '../render/plan-text.ts';
import { resultText } from '../render/result-text.ts';
import { annotateProblems, moreProblems } from './annotations.ts';
import { assertHandover, besides, PLAN_FILE, upload, uploadPlan, uploadResults, writePlan } from './artifacts.ts';
import { commentNotApplied, commentOnPull, commentResult, emptyMarker, planMarker } from './comment.ts';
import { failureBody, planBody, resultBody } from './documents.ts';
import { assertRecipients, encryptFiles } from './encrypt.ts';
import type { Job } from './job.ts';
import { artifactOf, SUMMARY, shownOutcomes, shownPlan, shownProblems, shownText, TITLE } from './labels.ts';
import { showExport, showListing } from './listing-report.ts';
import { NO_OUTPUTS, type Outputs, setOutputs } from './outputs.ts';
import { type Approval, approve, supersededNow } from './review.ts';
import { reportRows, showRows } from './row-report.ts';
import { appendSummary } from './summary.ts';

const EVERYTHING: Approvals = { kind: 'everything' };

/** A job of GitHub Actions: comment, job summary, annotations, outputs and artifacts. */
export class ActionHost implements AnyHost {
  readonly #job: Job;
  readonly #progress: ProgressLines;
  readonly stop: { requested: boolean };
  /** `null`: not looked up yet. */
  #approvals: Approvals | null = null;
  #isWriting = false;
  #outputs: Outputs = NO_OUTPUTS;
  #breaches: readonly string[] = [];
  /** Problems of the file beyond those that GitHub shows on it. */
  #notAnnotated = 0;

  constructor(job: Job, stop: { requested: boolean }) {
    this.#job = job;
    this.stop = stop;
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

  async failed(failure: Failure): Promise<void> {
    const body = failureBody(this.#job, failure);
    if (failure.kind === 'file') this.#annotate(failure.problems);
    await appendSummary(this.#job.env, body, this.log);
    const url = await commentOnPull(this.#job, emptyMarker(this.#job.targetHash), body);
    this.#publish({ 'comment-url': url });
    const count = failure.kind === 'file' ? plural(failure.problems.length, 'problem') : '';
    await this.#tellNotApplied(failure.kind === 'file' ? `${this.#job.inputs.csvFile} has ${count}.` : failure.message);
  }

  async #tellNotApplied(reason: string): Promise<void> {
    if (this.mode.kind !== 'apply' || this.#isWriting) return;
    await commentNotApplied(this.#job, this.#approvals, reason);
  }

  async checkedOffline(users: number): Promise<void> {
    if (this.mode.kind !== 'offline') return;
    const { csvFile } = this.#job.inputs;
    const message = `${csvFile} is well-formed (users: ${users}). There is no plan: ${this.mode.reason}`;
    notice(message);
    await appendSummary(this.#job.env, () => `## ${TITLE}\n\n${message}\n`, this.log);
    this.#publish({});
  }

  async planned(plan: Plan): Promise<void> {
    this.#printPlan(plan, this.mode.kind === 'plan' ? 'dry run' : 'not applied');
    this.#breaches = plan.breaches.map((breach) => breach.message);
    const planFile = await writePlan(this.#job, plan);
    const body = planBody(this.#job, plan, SUMMARY);
    const url = await commentOnPull(this.#job, planMarker(plan, this.#job.targetHash), body);
    await appendSummary(this.#job.env, planBody(this.#job, plan, artifactOf(this.#job)), this.log);
    if (this.#breaches.length > 0) await this.#tellNotApplied(this.#breaches.join(' '));
    const counts = planCounts(plan);
    this.#publish({
      'has-changes': isOpen(plan),
      added: counts.add,
      deleted: counts.delete,
      updated: counts.update,
      unchanged: counts.unchanged,
      skipped: plan.changes.filter((change) => change.withheld !== null).length,
      'plan-file': planFile,
      'comment-url': url,
      'artifact-url': await uploadPlan(this.#job, plan, planFile),
    });
  }

  async review(plan: Plan): Promise<Review> {
    this.#publish({ 'has-changes': isOpen(plan) });
    const { review, reviewed, approvals } = await this.#approve(plan);
    this.#approvals = approvals;
    if (review.kind !== 'go') await this.#showUnapplied(reviewed);
    if (review.kind === 'superseded') {
      notice(
        `A newer ${this.#job.inputs.csvFile} is at the head of the branch: this run writes nothing, the newer run does.`,
      );
    }
    return review;
  }

  async beforeWrites(plan: Plan): Promise<void> {
    this.#printPlan(plan, 'applying');
    this.#publish({ 'plan-file': await writePlan(this.#job, plan) });
    await assertHandover(plan, this.#job);
    await assertRecipients(this.#job.inputs.encryptTo);
    this.#isWriting = true;
    saveState('pending', this.outputDirectory);
  }

  isSuperseded(): Promise<boolean> {
    return supersededNow(this.#job);
  }

  async handOver(secretFiles: readonly string[]): Promise<Handover> {
    const { inputs } = this.#job;
    const { encryptTo } = inputs;
    const files = encryptTo.length === 0 ? secretFiles : await encryptFiles(secretFiles, encryptTo);
    try {
      this.#publish({ 'onboarding-artifact-url': await upload(this.#job, 'onboarding-links', files) });
      return { kind: 'done' };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.log.error(reason);
      return { kind: 'failed', reason, isLost: inputs.outputDirectory === '' };
    }
  }

  async applied(result: SyncResult): Promise<void> {
    const { plan, outcomes, resultFile } = result;
    this.print(resultText(shownOutcomes(this.#job, outcomes)));
    const counts = outcomeCounts(outcomes);
    this.#publish({ ...counts, 'result-file': resultFile });
    const { url: artifact, failure } = await uploadResults(this.#job, [resultFile, besides(this.#job, PLAN_FILE)]);
    this.#publish({ 'artifact-url': artifact });
    const body = (rest: string) => resultBody(this.#job, result, this.#outputs, rest);
    if (plan !== null) {
      const url = await commentResult(this.#job, this.#approvals ?? EVERYTHING, {
        plan,
        done: carriedOut(plan, outcomes),
        body: body(SUMMARY),
      });
      this.#publish({ 'comment-url': url });
    }
    await appendSummary(this.#job.env, body(artifactOf(this.#job)), this.log);
    saveState('pending', '');
    if (failure !== null) throw failure;
  }

  async showRows(plan: RowPlan, applying: boolean): Promise<void> {
    this.#breaches = plan.plan.breaches.map((breach) => breach.message);
    this.#publish(await showRows(this.#job, plan, applying));
    this.#annotate(plan.rows.problems);
  }

  async beforeRows({ plan, invited }: RowPlan): Promise<void> {
    await assertHandover(plan, this.#job, invited);
    await assertRecipients(this.#job.inputs.encryptTo);
    saveState('pending', this.outputDirectory);
  }

  async rowsDone(result: RowsResult): Promise<void> {
    const { outputs, failure } = await reportRows(this.#job, result, this.#outputs['onboarding-artifact-url']);
    this.#publish(outputs);
    saveState('pending', '');
    if (failure !== null) throw failure;
  }

  async listed(listing: Listing): Promise<void> {
    this.#publish(await showListing(this.#job, listing));
  }

  async exported(exported: Exported): Promise<void> {
    this.#publish(await showExport(this.#job, exported));
  }

  async #approve(plan: Plan): Promise<Approval> {
    try {
      return await approve(plan, this.#job, { additions: new Map(), signal: new AbortController().signal });
    } catch (error) {
      await this.#showUnapplied(plan);
      throw error;
    }
  }

  /** Whoever is to look at the plan, because it was not applied, must have one to look at. */
  async #showUnapplied(plan: Plan): Promise<void> {
    this.#printPlan(plan, 'not applied');
    this.#publish({ 'plan-file': await writePlan(this.#job, plan) });
    await appendSummary(this.#job.env, planBody(this.#job, plan, 'the log'), this.log);
  }

  #printPlan(plan: Plan, stage: PlanTextOptions['stage']): void {
    this.print(planText(shownPlan(this.#job, plan), { stage, csvFile: this.#job.inputs.csvFile }));
  }

  #annotate(problems: readonly Problem[]): void {
    const { repositoryPath, inputs } = this.#job;
    this.#notAnnotated = annotateProblems(shownProblems(this.#job, problems), repositoryPath ?? inputs.csvFile);
  }

  #publish(outputs: Partial<Outputs>): void {
    this.#outputs = { ...this.#outputs, ...outputs };
  }

  /** The last line of a run that ends red, though nothing went wrong with the run itself. */
  get verdict(): string {
    if (this.#breaches.length > 0) return shownText(this.#job, this.#breaches.join(' '));
    const { failed } = this.#outputs;
    if (failed > 0) return `${failedWords(failed, this.mode)}${moreProblems(this.#notAnnotated)}`;
    return 'The proxy and the file differ, and `fail-on-drift` is `true`.';
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

function failedWords(failed: number, { kind }: Mode): string {
  if (kind === 'plan') return `${plural(failed, 'row')} cannot be carried out: see the job summary.`;
  return `${plural(failed, 'user')} failed: see the job summary and the result files. A second run tries again.`;
}

const ACTIONS = { add: 'ADDED', delete: 'DELETED', update: 'UPDATED' } as const;

/** Indexes of the changes that were carried out. */
function carriedOut({ changes }: Plan, outcomes: readonly Outcome[]): Set<number> {
  const keys = outcomes.filter(({ status }) => status === 'SUCCESS').map(({ action, email }) => `${action} ${email}`);
  const done = new Set(keys);
  return new Set([...changes.keys()].filter((index) => done.has(keyOf(changes[index] as Change))));
}

function keyOf({ kind, email }: Change): string {
  return `${ACTIONS[kind]} ${email}`;
}

function isOpen(plan: Plan): boolean {
  return plan.changes.some((change) => change.withheld === null);
}
