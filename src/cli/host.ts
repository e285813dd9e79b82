import type { Log } from '../core/log.ts';
import type { Plan } from '../core/plan.ts';
import type { RowPlan } from '../core/row-plan.ts';
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
export class TerminalHost implements AnyHost {
  readonly log: Log;
  readonly mode: Mode;
  readonly outputDirectory: string;
  readonly stop: { requested: boolean };
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
    stop: { requested: boolean };
  }) {
    this.#terminal = options.terminal;
    this.#inputs = options.inputs;
    this.log = options.log;
    this.outputDirectory = options.outputDirectory;
    this.stop = options.stop;
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

  async failed(_failure: Failure): Promise<void> {}

  async checkedOffline(): Promise<void> {}

  async planned(plan: Plan): Promise<void> {
    this.#show(plan, this.mode.kind === 'plan' ? 'dry run' : 'not applied');
  }

  async review(plan: Plan): Promise<Review> {
    return { kind: 'go', plan };
  }

  async beforeWrites(plan: Plan): Promise<void> {
    this.#show(plan, 'applying');
  }

  async isSuperseded(): Promise<boolean> {
    return false;
  }

  async handOver(): Promise<Handover> {
    return { kind: 'done' };
  }

  async applied({ outcomes, resultFile, secretFile }: SyncResult): Promise<void> {
    this.log.info(resultText(outcomes).trimEnd());
    this.log.info(`Results: ${resultFile}`);
    if (outcomes.some((outcome) => outcome.action === 'ADDED' && outcome.userId !== ''))
      this.log.info(`Keys and onboarding links (secret): ${secretFile}`);
  }

  async showRows(plan: RowPlan, applying: boolean): Promise<void> {
    const { csvFile } = this.#inputs;
    this.foundChanges = plan.invited.length > 0 || plan.plan.changes.some((change) => change.withheld === null);
    this.print(rowPlanText(rowPlanView(plan, false), { applying, csvFile }));
    for (const { line, column, message } of plan.rows.problems) {
      this.log.error(`${csvFile}:${line}:${column}: ${plain(message)}`);
    }
  }

  async beforeRows(): Promise<void> {}

  async rowsDone({ outcomes, notes, files, secretFiles }: RowsResult): Promise<void> {
    this.log.info(resultText(outcomes, 'Result:').trimEnd());
    for (const note of notes) this.log.info(plain(note));
    for (const file of files) this.log.info(`${secretFiles.includes(file) ? 'Secret' : 'Results'}: ${file}`);
  }

  async listed({ text }: Listing): Promise<void> {
    this.print(text);
  }

  async exported({ notes, warnings, changed }: Exported): Promise<void> {
    this.foundChanges = changed;
    for (const warning of warnings) this.log.warning(plain(warning));
    for (const note of notes) this.log.info(plain(note));
  }

  #show(plan: Plan, stage: PlanTextOptions['stage']): void {
    this.foundChanges = plan.changes.some((change) => change.withheld === null);
    this.print(planText(plan, { stage, csvFile: this.#inputs.csvFile }));
  }
}
