import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { FileProblemsError } from '../commands/problems.ts';
import { runCommand } from '../commands/registry.ts';
import { messageOf, UsageError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { withoutKeys } from '../core/secret.ts';
import type { ExitCode } from '../host/port.ts';
import { stopOnSignals } from '../host/signals.ts';
import { commandOf, type InputName, type Inputs, parseInputs } from '../inputs.ts';
import { defectText, isDefect } from '../process.ts';
import { VERSION } from '../version.ts';
import { type Arguments, helpText, parseArguments, withoutEffect } from './args.ts';
import { DeclinedError, TerminalHost } from './host.ts';
import { Screen, type Terminal } from './screen.ts';

/**
 * The command line tool.
 * @param argv without node and script
 */
export async function runCli(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  terminal: Terminal,
  directory = process.cwd(),
): Promise<ExitCode> {
  const screen = new Screen(terminal, env);
  const log = screen.log(argv.includes('--debug'));
  try {
    const given = parseArguments(argv);
    if (given.help || given.version) {
      screen.print(given.help ? helpFor(given) : `${VERSION}\n`);
      return 0;
    }
    return await run(given, { ...(await dotEnv(directory)), ...env }, { terminal, screen, log, directory });
  } catch (error) {
    return fail(error, screen, log);
  }
}

/** Of the command that was named; of all, where none was. */
function helpFor({ inputs }: Arguments): string {
  return helpText(inputs.command === undefined ? null : commandOf(inputs.command));
}

async function run(
  given: Arguments,
  env: NodeJS.ProcessEnv,
  { terminal, screen, log, directory }: { terminal: Terminal; screen: Screen; log: Log; directory: string },
): Promise<ExitCode> {
  const isTTY = terminal.stdout.isTTY === true;
  const inputs = parseInputs(given.inputs, env, directory, { from: 'cli', isTTY, emails: given.emails });
  warnOfNoEffect(given, log);
  const outputDirectory = resolve(directory, inputs.outputDirectory || '.');
  if (writesResults(inputs)) await make(outputDirectory);
  const stop = stopOnSignals(log);
  const host = new TerminalHost({
    screen,
    inputs,
    log,
    outputDirectory,
    signal: stop.signal,
    asks: !given.yes,
  });
  const code = await runCommand(inputs, host).finally(stop.release);
  const isDryRun = host.mode.kind === 'plan';
  if (code !== 0 || !isDryRun || !host.foundChanges) return code;
  if (!inputs.failOnDrift) return given.detailedExitCode ? 3 : 0;
  log.error('The proxy and the file differ, and `fail-on-drift` is `true`.');
  return 1;
}

/** A dry run, `list` and `export` have no result files: no folder is made for those. */
function writesResults({ command, dryRun, updateExisting }: Inputs): boolean {
  return command !== 'list' && command !== 'export' && (dryRun !== 'true' || updateExisting);
}

/** @throws UsageError where the folder for the results cannot be made */
async function make(outputDirectory: string): Promise<void> {
  try {
    await mkdir(outputDirectory, { recursive: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new UsageError(
      `Input \`output-directory\` is \`${withoutKeys(outputDirectory)}\`; that is no folder and cannot be made one (${code}).`,
    );
  }
}

/** Warns of flags for encryption and masking that have no effect in a terminal. */
function warnOfNoEffect({ inputs }: Arguments, log: Log): void {
  for (const name of withoutEffect(inputs)) log.warning(NO_EFFECT[name] ?? `--${name} has no effect in a terminal.`);
}

const NO_EFFECT: Readonly<Partial<Record<InputName, string>>> = {
  'encrypt-to': '--encrypt-to is for uploads, and a terminal uploads nothing: keys and links are written as they are.',
  'redact-emails': '--redact-emails masks emails in a job of GitHub Actions, not in a terminal.',
};

/** The working directory's `.env`; what the environment has already wins. A folder of that name is a Python environment. */
async function dotEnv(directory: string): Promise<NodeJS.Dict<string>> {
  try {
    const text = await readFile(join(directory, '.env'), 'utf8');
    return parseEnv(text.replace(/^\ufeff/, ''));
  } catch (error) {
    if (['ENOENT', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return {};
    throw error;
  }
}

function fail(error: unknown, screen: Screen, log: Log): ExitCode {
  log.debug(error instanceof Error ? (error.stack ?? '') : '');
  if (error instanceof UsageError || error instanceof FileProblemsError) {
    screen.tell(error.message);
    return error instanceof UsageError || error.isAboutFile ? 2 : 1;
  }
  if (error instanceof DeclinedError) log.info(error.message);
  else if (isDefect(error)) log.error(defectText(error, process.env));
  else log.error(messageOf(error));
  return 1;
}
