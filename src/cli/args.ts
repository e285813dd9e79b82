import { didYouMean } from '../core/did-you-mean.ts';
import { UsageError } from '../core/errors.ts';
import { withoutKeys } from '../core/secret.ts';
import { BOOLEAN_INPUTS, COMMANDS, INPUT_NAMES, type InputName, type RawInputs } from '../inputs.ts';

/** What was written on the command line. */
export interface Arguments {
  readonly inputs: RawInputs;
  readonly help: boolean;
  readonly version: boolean;
  readonly debug: boolean;
  readonly detailedExitCode: boolean;
}

/** Inputs of the action that are taken but mean nothing in a terminal: `--help` leaves them out. */
const ACTION_ONLY: readonly InputName[] = [
  'command',
  'unreviewed-changes',
  'comment',
  'github-token',
  'redact-emails',
  'encrypt-to',
  'artifacts',
  'artifact-retention-days',
];
const SWITCHES = ['help', 'version', 'debug', 'detailed-exitcode'] as const;

/**
 * Reads `[command] [--name value | --name=value | --switch]…`. A list input may be given several times.
 * @throws UsageError naming the argument and what was meant, perhaps
 */
export function parseArguments(argv: readonly string[]): Arguments {
  const inputs: RawInputs = {};
  const switches = new Set<string>();
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (!argument.startsWith('-')) {
      takeCommand(argument, inputs);
      continue;
    }
    const { name, value } = split(argument);
    if (isSwitch(name)) switches.add(name);
    else take(asInput(name), value, rest, inputs);
  }
  return {
    inputs,
    help: switches.has('help'),
    version: switches.has('version'),
    debug: switches.has('debug'),
    detailedExitCode: switches.has('detailed-exitcode'),
  };
}

function takeCommand(argument: string, inputs: RawInputs): void {
  if (inputs.command !== undefined)
    throw new UsageError(`Unexpected argument \`${withoutKeys(argument)}\`. See --help.`);
  inputs.command = argument;
}

function split(argument: string): { name: string; value: string | null } {
  if (argument === '-h') return { name: 'help', value: null };
  const body = argument.replace(/^--?/, '');
  const at = body.indexOf('=');
  return at === -1 ? { name: body, value: null } : { name: body.slice(0, at), value: body.slice(at + 1) };
}

function isSwitch(name: string): boolean {
  return (SWITCHES as readonly string[]).includes(name);
}

function asInput(name: string): InputName {
  const found = INPUT_NAMES.find((flag) => flag === name);
  if (found !== undefined) return found;
  const flags = [...INPUT_NAMES, ...SWITCHES].map((known) => `--${known}`);
  throw new UsageError(`Unknown flag \`--${name}\`.${didYouMean(`--${name}`, flags)} See --help.`);
}

function take(name: InputName, value: string | null, rest: string[], inputs: RawInputs): void {
  const text = value ?? takeValue(name, rest);
  const several = name === 'protected-users' || name === 'encrypt-to';
  inputs[name] = several && inputs[name] !== undefined ? `${inputs[name]}\n${text}` : text;
}

function takeValue(name: InputName, rest: string[]): string {
  const takesNone = name === 'dry-run' || BOOLEAN_INPUTS.includes(name);
  const next = rest[0];
  if (takesNone) return next === 'true' || next === 'false' ? (rest.shift() as string) : 'true';
  if (next === undefined || next.startsWith('--')) throw new UsageError(`Flag \`--${name}\` needs a value.`);
  rest.shift();
  return next;
}

/** The text of `--help`. */
export function helpText(): string {
  const flags = INPUT_NAMES.filter((name) => !ACTION_ONLY.includes(name)).map((name) =>
    name === 'dry-run' || BOOLEAN_INPUTS.includes(name) ? `--${name}` : `--${name} VALUE`,
  );
  return [
    'litellm-user-sync [COMMAND] [FLAGS]: keeps the users of a LiteLLM proxy in step with a CSV file.',
    '',
    `Commands: ${COMMANDS.join(', ')} (sync if none is given).`,
    'Environment: LITELLM_BASE_URL, LITELLM_MASTER_KEY, also from a file `.env` in the working directory.',
    '',
    'Flags (a switch may be turned off: --invitations=false):',
    ...flags.map((flag) => `  ${flag}`),
    '  --detailed-exitcode   with --dry-run: exit code 3 if there are changes',
    '  --debug               show routes, status codes and counts of all requests',
    '  --help, --version',
    '',
    'Exit codes: 0 done or nothing to do; 1 something failed or a limit was breached; 2 wrong usage or bad file.',
    '',
  ].join('\n');
}
