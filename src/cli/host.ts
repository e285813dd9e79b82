import { RefusedError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { isCreated } from '../core/outcome.ts';
import { isApplied } from '../core/plan.ts';
import type { RowPlan } from '../core/row-plan.ts';
import {
  type Failure,
  type Host,
  type Mode,
  NOT_REVIEWED,
  type Progress,
  type PublishResult,
  type Review,
  type RunPlan,
  type RunResult,
  type Shown,
} from '../host/port.ts';
import type { Inputs } from '../inputs.ts';
import { plain } from '../render/escape.ts';
import { plural } from '../render/labels.ts';
import { type PlanTextOptions, planText } from '../render/plan-text.ts';
import { resultText } from '../render/result.ts';
import { rowPlanText, rowPlanView } from '../render/rows.ts';
import type { Screen } from './screen.ts';

/** Whoever was shown the plan did not want it. */
export class DeclinedError extends RefusedError {}

/** A person's terminal, or a script: the plan on stdout, everything else on stderr. Nothing is asked of GitHub. */
export class TerminalHost implements Host<null> {
  readonly log: Log;
  readonly mode: Mode;
  readonly outputDirectory: string;
  readonly origin = { run: null, commit: null };
  readonly signal: AbortSignal;
  readonly redacts = false;
  readonly onSecret = (): void => {};
  readonly #screen: Screen;
  readonly #inputs: Inputs;
  readonly #asks: boolean;
  /** Whether what was shown would write anything. */
  foundChanges = false;

  constructor(options: {
    screen: Screen;
    inputs: Inputs;
    log: Log;
    outputDirectory: string;
    signal: AbortSignal;
    /** Whether somebody who sees the plan is asked before it is applied. */
    asks: boolean;
  }) {
    this.#screen = options.screen;
    this.#asks = options.asks && options.screen.isInteractive;
    this.#inputs = options.inputs;
    this.log = options.log;
    this.outputDirectory = options.outputDirectory;
    this.signal = options.signal;
    this.mode = { kind: options.inputs.dryRun === 'true' ? 'plan' : 'apply' };
  }

  print(document: string): void {
    this.#screen.print(document);
  }

  progress(progress: Progress): void {
    this.#screen.progress(progress);
  }

  async planned(plan: RunPlan): Promise<null> {
    this.#show(plan, this.mode.kind === 'plan' ? 'dry run' : 'not applied');
    this.#logBreaches(plan);
    return null;
  }

  async review(plan: RunPlan): Promise<Review<null>> {
    return { kind: 'go', plan, evidence: null, provenanceOf: () => NOT_REVIEWED };
  }

  async beforeWrites(plan: RunPlan): Promise<void> {
    this.#show(plan, 'applying');
    if (!this.#asks || !this.foundChanges) return;
    const answer = await this.#screen.ask('Apply these changes? [y/N] ', this.signal);
    if (answer === null) throw new DeclinedError('Not applied: ended at the question.');
    if (!answer) throw new DeclinedError('Not applied: the answer was not yes.');
  }

  async isSuperseded(): Promise<boolean> {
    return false;
  }

  async publishSecrets(): Promise<PublishResult> {
    return { published: true, url: '' };
  }

  async finished({ command, plan, outcomes, notes, files, secretFiles, audit }: RunResult<null>): Promise<void> {
    this.log.info(resultText(outcomes, command === 'sync' ? undefined : 'Result:').trimEnd());
    for (const note of notes) this.log.info(plain(note));
    for (const file of files.filter((path) => !secretFiles.includes(path))) this.log.info(`Results: ${file}`);
    if (audit !== null) this.log.info(`Audit record: ${audit.path}`);
    const what = outcomes.some(isCreated) && this.#inputs.apiKeys ? 'Keys and onboarding links' : 'Onboarding links';
    for (const file of secretFiles) this.log.info(`${what} (secret): ${file}`);
    if (plan !== null) this.#logBreaches(plan);
  }

  async failed(_failure: Failure): Promise<void> {}

  async shown(shown: Shown): Promise<void> {
    if (shown.kind === 'list') this.print(shown.text);
    if (shown.kind !== 'export') return;
    this.foundChanges = shown.changed;
    for (const warning of shown.warnings) this.log.warning(plain(warning));
    for (const note of shown.notes) this.log.info(plain(note));
  }

  #show(shown: RunPlan, stage: PlanTextOptions['stage']): void {
    this.foundChanges = shown.plan.changes.some(isApplied);
    const { csvFile } = this.#inputs;
    if (shown.kind === 'file') this.#screen.printPlan(planText(shown.plan, { stage, csvFile }));
    else this.#showRows(shown.rowPlan, stage === 'applying');
  }

  #logBreaches({ plan }: RunPlan): void {
    for (const breach of plan.breaches) this.log.error(breach.message);
  }

  /** Bad rows stand in the plan; a script that reads it elsewhere learns from the log that there are some. */
  #showRows(rows: RowPlan, applying: boolean): void {
    const { csvFile } = this.#inputs;
    const view = rowPlanView(rows, false);
    this.#screen.printPlan(rowPlanText(view, { applying, csvFile }));
    const bad = view.left.filter((row) => row.status === 'FAILED').length;
    if (bad > 0) this.log.error(`${plural(bad, 'row')} of ${csvFile} cannot be carried out: see the plan.`);
  }
}
