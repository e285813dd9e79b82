import type { Log } from '../core/log.ts';
import { isCreated } from '../core/outcome.ts';
import { isApplied } from '../core/plan.ts';
import type { RowPlan } from '../core/row-plan.ts';
import type { Failure, Host, Mode, Progress, PublishResult, Review, RunPlan, RunResult, Shown } from '../host/port.ts';
import { ProgressLines } from '../host/progress.ts';
import type { Inputs } from '../inputs.ts';
import { plain } from '../render/plain.ts';
import { type PlanTextOptions, planText } from '../render/plan-text.ts';
import { resultText } from '../render/result-text.ts';
import { rowPlanText, rowPlanView } from '../render/rows-text.ts';

export interface Terminal {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** A log on stderr: documents alone go to stdout. */
export function terminalLog({ stderr }: Terminal, debug: boolean): Log {
  const line = (prefix: string) => (message: string) => void stderr.write(`${prefix}${message}\n`);
  return {
    debug: debug ? line('debug: ') : () => {},
    info: line(''),
    warning: line('Warning: '),
    error: line('Error: '),
  };
}

const BAR_WIDTH = 24;

/** A person's terminal, or a script: the plan on stdout, everything else on stderr. Nothing is asked of GitHub. */
export class TerminalHost implements Host<null> {
  readonly log: Log;
  readonly mode: Mode;
  readonly outputDirectory: string;
  readonly origin = { run: null, commit: null };
  readonly signal: AbortSignal;
  readonly redacts = false;
  readonly onSecret = (): void => {};
  readonly #terminal: Terminal;
  readonly #inputs: Inputs;
  readonly #lines: ProgressLines;
  /** Whether what was shown would write anything. */
  foundChanges = false;

  constructor(options: {
    terminal: Terminal;
    inputs: Inputs;
    log: Log;
    outputDirectory: string;
    signal: AbortSignal;
  }) {
    this.#terminal = options.terminal;
    this.#inputs = options.inputs;
    this.log = options.log;
    this.outputDirectory = options.outputDirectory;
    this.signal = options.signal;
    this.mode = { kind: options.inputs.dryRun === 'true' ? 'plan' : 'apply' };
    this.#lines = new ProgressLines(this.log);
  }

  print(document: string): void {
    this.#terminal.stdout.write(document);
  }

  progress(progress: Progress): void {
    if (this.#terminal.stderr.isTTY) this.#bar(progress);
    else this.#lines.show(progress);
  }

  #bar({ phase, done, total }: Progress): void {
    const filled = total === 0 ? BAR_WIDTH : Math.round((done / total) * BAR_WIDTH);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
    this.#terminal.stderr.write(`\r\u001b[K${phase} ${bar} ${done} of ${total}${done >= total ? '\n' : ''}`);
  }

  async planned(plan: RunPlan): Promise<null> {
    this.#show(plan, this.mode.kind === 'plan' ? 'dry run' : 'not applied');
    return null;
  }

  async review(plan: RunPlan): Promise<Review<null>> {
    return { kind: 'go', plan, evidence: null, provenanceOf: () => ({ digest: null, pullRequest: null }) };
  }

  async beforeWrites(plan: RunPlan): Promise<void> {
    this.#show(plan, 'applying');
  }

  async isSuperseded(): Promise<boolean> {
    return false;
  }

  async publishSecrets(): Promise<PublishResult> {
    return { published: true, url: '' };
  }

  async finished({ command, outcomes, notes, files, secretFiles, auditFile }: RunResult<null>): Promise<void> {
    this.log.info(resultText(outcomes, command === 'sync' ? undefined : 'Result:').trimEnd());
    for (const note of notes) this.log.info(plain(note));
    for (const file of files.filter((path) => !secretFiles.includes(path))) this.log.info(`Results: ${file}`);
    if (auditFile !== null) this.log.info(`Audit record: ${auditFile}`);
    const what = outcomes.some(isCreated) ? 'Keys and onboarding links' : 'Onboarding links';
    for (const file of secretFiles) this.log.info(`${what} (secret): ${file}`);
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
    if (shown.kind === 'file') this.print(planText(shown.plan, { stage, csvFile }));
    else this.#showRows(shown.rowPlan, stage === 'applying');
  }

  #showRows(rows: RowPlan, applying: boolean): void {
    const { csvFile } = this.#inputs;
    this.print(rowPlanText(rowPlanView(rows, false), { applying, csvFile }));
    for (const { line, column, message } of rows.problems) {
      this.log.error(`${csvFile}:${line}:${column}: ${plain(message)}`);
    }
  }
}
