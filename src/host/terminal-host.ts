import type { Log } from '../core/log.ts';
import type { Plan } from '../core/plan-types.ts';
import type { Inputs } from '../inputs.ts';
import { resultText } from '../render/result-text.ts';
import { planText } from '../render/text.ts';
import type { Failure, Handover, Mode, Progress, Review, SyncHost, SyncResult } from './host.ts';
import { ProgressLines } from './progress-lines.ts';

export interface Terminal {
  readonly stdout: NodeJS.WritableStream;
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
export class TerminalHost implements SyncHost {
  readonly log: Log;
  readonly mode: Mode;
  readonly outputDirectory: string;
  readonly stop: { requested: boolean };
  readonly redacts = false;
  readonly onSecret = (): void => {};
  readonly #terminal: Terminal;
  readonly #inputs: Inputs;
  readonly #lines: ProgressLines;
  #planShown: Plan | null = null;

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

  /** Whether the plan that was shown would write anything. */
  get foundChanges(): boolean {
    return this.#planShown?.changes.some((change) => change.withheld === null) ?? false;
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
    this.#show(plan, false);
  }

  async review(plan: Plan): Promise<Review> {
    return { kind: 'go', plan };
  }

  async beforeWrites(plan: Plan): Promise<void> {
    this.#show(plan, true);
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
    this.log.info(`Keys and onboarding links (secret): ${secretFile}`);
  }

  #show(plan: Plan, applying: boolean): void {
    this.#planShown = plan;
    this.print(planText(plan, { applying, csvFile: this.#inputs.csvFile }));
  }
}
