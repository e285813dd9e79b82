import { createInterface } from 'node:readline';
import type { Log } from '../core/log.ts';
import type { Progress } from '../host/port.ts';
import { ProgressLines } from '../host/progress.ts';

type Output = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** The three streams of a process. */
export interface Terminal {
  readonly stdin?: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
}

const BAR_WIDTH = 24;
const CLEAR_LINE = '\r\u001b[K';

/**
 * A person's terminal, or the files and pipes of a script: colours, a bar and a question where somebody sees them.
 * Documents go to stdout, everything else to stderr.
 */
export class Screen {
  readonly #terminal: Terminal;
  readonly #colours: { readonly stdout: boolean; readonly stderr: boolean };
  readonly #lines: ProgressLines;
  /** Whether a bar stands on the last line, which the next text takes. */
  #hasBar = false;

  constructor(terminal: Terminal, env: NodeJS.ProcessEnv) {
    this.#terminal = terminal;
    this.#colours = { stdout: showsColours(terminal.stdout, env), stderr: showsColours(terminal.stderr, env) };
    this.#lines = new ProgressLines(this.log(false));
  }

  /** Whether somebody is there to read a plan and to answer. */
  get isInteractive(): boolean {
    return this.#terminal.stdin?.isTTY === true && this.#terminal.stdout.isTTY === true;
  }

  /** A document as it is. */
  print(document: string): void {
    this.#clear();
    this.#terminal.stdout.write(document);
  }

  /** A plan, its lines in the colours of their signs. */
  printPlan(text: string): void {
    this.print(this.#colours.stdout ? coloured(text, PLAN) : text);
  }

  /** A text about the run. */
  tell(text: string): void {
    this.#clear();
    this.#terminal.stderr.write(`${this.#colours.stderr ? coloured(text, TOLD) : text}\n`);
  }

  log(debug: boolean): Log {
    return {
      debug: debug ? (message) => this.tell(`debug: ${message}`) : () => {},
      info: (message) => this.tell(message),
      warning: (message) => this.tell(`Warning: ${message}`),
      error: (message) => this.tell(`Error: ${message}`),
    };
  }

  progress(progress: Progress): void {
    if (this.#terminal.stderr.isTTY) this.#bar(progress);
    else this.#lines.show(progress);
  }

  #bar({ phase, done, total }: Progress): void {
    this.#hasBar = total === null || done < total;
    const text = total === null ? `${phase} …` : `${phase} ${bar(done, total)} ${count(done)} of ${count(total)}`;
    this.#terminal.stderr.write(`${CLEAR_LINE}${text}${this.#hasBar ? '' : '\n'}`);
  }

  #clear(): void {
    if (this.#hasBar) this.#terminal.stderr.write(CLEAR_LINE);
    this.#hasBar = false;
  }

  /**
   * Asks a question that only `y` or `yes` answers with yes. Ctrl-C reaches it as a key, and no signal stops the run.
   * @returns `null` where it was not answered: Ctrl-C, Ctrl-D, or the run was stopped
   */
  ask(question: string, signal: AbortSignal): Promise<boolean | null> {
    this.#clear();
    const { stdin, stdout } = this.#terminal;
    if (stdin === undefined || signal.aborted) return Promise.resolve(null);
    stdout.write('\n');
    const lines = createInterface({ input: stdin, output: stdout, terminal: true });
    return new Promise((resolve) => {
      const end = (answer: boolean | null): void => {
        resolve(answer);
        lines.close();
      };
      lines.on('close', () => {
        signal.removeEventListener('abort', stop);
        resolve(null);
      });
      const stop = (): void => {
        stdout.write('\n');
        end(null);
      };
      lines.on('SIGINT', stop);
      signal.addEventListener('abort', stop);
      lines.question(question, (answer) => end(/^\s*y(es)?\s*$/i.test(answer)));
    });
  }
}

function bar(done: number, total: number): string {
  const filled = total === 0 ? BAR_WIDTH : Math.min(BAR_WIDTH, Math.round((done / total) * BAR_WIDTH));
  return '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}

/** As Node's own: `FORCE_COLOR` before `NO_COLOR` (https://no-color.org), and both before what the stream is. */
function showsColours({ isTTY }: Output, env: NodeJS.ProcessEnv): boolean {
  if (env.FORCE_COLOR !== undefined) return !['0', 'false'].includes(env.FORCE_COLOR);
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  return isTTY === true && env.TERM !== 'dumb';
}

type Colours = readonly (readonly [RegExp, string])[];

const [RED, GREEN, YELLOW, CYAN, BOLD] = ['31', '32', '33', '36', '1'];

const PLAN: Colours = [
  [/^ {4}\+ .*$/gm, GREEN],
  [/^ {4}- .*$/gm, RED],
  [/^ {4}~ .*$/gm, YELLOW],
  [/^ {4}\* .*$/gm, CYAN],
  [/^ {4}! .*$/gm, BOLD],
  [/^LIMIT BREACHED.*$/gm, `${BOLD};${RED}`],
  [/^(Synchronization Plan|Plan for .*):$/gm, BOLD],
];

const TOLD: Colours = [
  [/^Error:|^ {4}FAILED /gm, RED],
  [/^Warning:|^ {4}SKIPPED /gm, YELLOW],
];

/** Values hold no escapes of their own, see `render/escape.ts`. */
function coloured(text: string, colours: Colours): string {
  return colours.reduce(
    (painted, [pattern, colour]) => painted.replace(pattern, (part) => `\u001b[${colour}m${part}\u001b[0m`),
    text,
  );
}
