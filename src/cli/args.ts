import { parseArgs } from 'node:util';
import { didYouMean } from '../core/did-you-mean.ts';
import { UsageError } from '../core/errors.ts';
import { withoutKeys } from '../core/secret.ts';
import {
  COMMANDS,
  type Command,
  commandOf,
  defaultWords,
  INPUT_NAMES,
  type InputName,
  inputSpec,
  type RawInputs,
} from '../inputs.ts';

/** What was written on the command line. */
export interface Arguments {
  readonly inputs: RawInputs;
  /** Of `onboard EMAIL…`. */
  readonly emails: readonly string[];
  readonly help: boolean;
  readonly version: boolean;
  readonly debug: boolean;
  readonly yes: boolean;
  readonly detailedExitCode: boolean;
}

interface Switch {
  readonly description: string;
  readonly commands: readonly Command[];
}

/** Flags that are no inputs: they are about this one call, and the action has other ways for them. */
const SWITCHES = {
  yes: {
    description: 'Apply without asking. Nothing is asked either where there is no terminal.',
    commands: ['sync', 'add', 'delete', 'onboard'],
  },
  'detailed-exitcode': {
    description: 'With --dry-run: end with exit code 3 if there are changes.',
    commands: ['sync', 'add', 'delete', 'onboard', 'export'],
  },
  debug: { description: 'Show route, status code and counts of every request.', commands: COMMANDS },
  help: { description: 'Show this text; after a command, the text about that command.', commands: COMMANDS },
  version: { description: 'Show the version.', commands: COMMANDS },
} as const satisfies Readonly<Record<string, Switch>>;
type SwitchName = keyof typeof SWITCHES;
const SWITCH_NAMES = Object.keys(SWITCHES) as readonly SwitchName[];

const OPTIONS = {
  ...Object.fromEntries(
    INPUT_NAMES.map((name) => [name, { type: inputSpec(name).takes === 'switch' ? 'boolean' : 'string' } as const]),
  ),
  ...Object.fromEntries(SWITCH_NAMES.map((name) => [name, { type: 'boolean' } as const])),
  help: { type: 'boolean', short: 'h' } as const,
};

/** Everything on the command line, before it is known whether it fits together. */
interface Read {
  readonly inputs: RawInputs;
  readonly switches: Set<SwitchName>;
  readonly words: string[];
}

/**
 * Reads `[command] [--name value | --name=value | --switch[=false]]…`. A list input may be given several times.
 * @throws UsageError naming the argument and what was meant, perhaps
 */
export function parseArguments(argv: readonly string[]): Arguments {
  const { inputs, switches, words } = readTokens(argv);
  const isHelp = words[0] === 'help';
  const [first, ...rest] = isHelp ? words.slice(1) : words;
  if (first !== undefined && inputs.command !== undefined) throw unexpected(first);
  if (first !== undefined) inputs.command = first;
  const help = isHelp || switches.has('help');
  const version = switches.has('version');
  if (!help && !version) checkTogether(commandOf(inputs.command ?? ''), { inputs, switches, words: rest });
  return {
    inputs,
    emails: help ? [] : rest,
    help,
    version,
    debug: switches.has('debug'),
    yes: switches.has('yes'),
    detailedExitCode: switches.has('detailed-exitcode'),
  };
}

function readTokens(argv: readonly string[]): Read {
  const { tokens } = parseArgs({
    args: [...argv],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const read: Read = { inputs: {}, switches: new Set(), words: [] };
  let onOff: InputName | null = null;
  for (const token of tokens) {
    if (token.kind === 'positional' && onOff !== null && /^(true|false)$/.test(token.value)) {
      read.inputs[onOff] = token.value;
    } else if (token.kind === 'positional') {
      read.words.push(token.value);
    }
    onOff = null;
    if (token.kind !== 'option') continue;
    const flag = known(token.name, argv[token.index] ?? '');
    if (isSwitch(flag)) {
      turnOn(flag, token, read);
      continue;
    }
    const isOnOff = inputSpec(flag).takes === 'switch';
    if (isOnOff && token.value === undefined) onOff = flag;
    put(read.inputs, flag, isOnOff ? (token.value ?? 'true') : textAfter(flag, token));
  }
  return read;
}

function isSwitch(name: InputName | SwitchName): name is SwitchName {
  return name in SWITCHES;
}

/** parseArgs takes `-name` for several short flags: what was written tells. */
function known(name: string, written: string): InputName | SwitchName {
  const flags = [...INPUT_NAMES, ...SWITCH_NAMES];
  const found = flags.find((flag) => flag === name);
  if (found !== undefined && (written.startsWith('--') || written === '-h')) return found;
  const flag = written.replace(/=.*$/s, '');
  const meant = didYouMean(
    flag,
    flags.map((one) => `--${one}`),
  );
  throw new UsageError(`Unknown flag \`${withoutKeys(flag)}\`.${meant} See --help.`);
}

interface Option {
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function turnOn(flag: SwitchName, { value }: Option, { switches }: Read): void {
  if (value !== undefined) throw new UsageError(`Flag \`--${flag}\` takes no value.`);
  switches.add(flag);
}

/** parseArgs takes whatever follows for the value, also the next flag. */
function textAfter(name: InputName, { value, inlineValue }: Option): string {
  if (value === undefined || (inlineValue !== true && value.startsWith('--')))
    throw new UsageError(`Flag \`--${name}\` needs a value.`);
  return value;
}

function put(inputs: RawInputs, name: InputName, text: string): void {
  const before = inputSpec(name).takes === 'list' ? inputs[name] : undefined;
  inputs[name] = before === undefined ? text : `${before}\n${text}`;
}

/** @throws UsageError naming everything that the command does not take */
function checkTogether(command: Command, { inputs, switches, words }: Read): void {
  const [word] = words;
  if (word !== undefined && command !== 'onboard') throw unexpected(word);
  const noEmail = words.find((one) => !one.includes('@'));
  if (noEmail !== undefined) {
    throw new UsageError(
      `\`${withoutKeys(noEmail)}\` is no email address. \`onboard\` takes emails as arguments; a file is given with --csv-file.`,
    );
  }
  if (word !== undefined && inputs['csv-file'] !== undefined)
    throw new UsageError('`onboard` takes either emails as arguments or --csv-file, not both.');
  const flags = [
    ...INPUT_NAMES.filter((name) => inputs[name] !== undefined).map((name) => ({ name, ...inputSpec(name) })),
    ...[...switches].map((name) => ({ name, ...SWITCHES[name] })),
  ];
  const foreign = flags.filter(({ commands }) => !(commands as readonly Command[]).includes(command));
  if (foreign.length > 0) throw new UsageError(foreign.map((flag) => foreignFlag(flag, command)).join('\n'));
}

function unexpected(word: string): UsageError {
  return new UsageError(`Unexpected argument \`${withoutKeys(word)}\`. See --help.`);
}

function foreignFlag({ name, commands }: { name: string; commands: readonly Command[] }, command: Command): string {
  return `Flag \`--${name}\` is not taken by \`${command}\`, only by ${commands.map((one) => `\`${one}\``).join(', ')}.`;
}

/** What the action alone acts on: taken in a terminal, and warned of. */
export function withoutEffect(inputs: RawInputs): InputName[] {
  return INPUT_NAMES.filter((name) => inputs[name] !== undefined && inputSpec(name).only === 'action');
}

const WIDTH = 100;
const INDENT = 6;

const COMMAND_HELP: Readonly<Record<Command, string>> = {
  sync: 'Adds, deletes and updates users until the proxy matches the file.',
  add: 'Creates the users of the file; existing ones are skipped.',
  delete: 'Deletes the users of the file, and only those.',
  onboard: 'Makes a fresh onboarding link for each user of the file, or for each EMAIL; creates who is missing.',
  list: 'Shows the users of the proxy.',
  export: 'Writes the present users of the proxy as a file for sync.',
};

/** The text of `--help`; with a command, what that command takes alone. */
export function helpText(command: Command | null = null): string {
  const usage = command ?? '[COMMAND]';
  return [
    `litellm-user-sync ${usage}${command === 'onboard' ? ' [EMAIL…]' : ''} [FLAGS]`,
    command === null ? 'Keeps the users of a LiteLLM proxy in step with a CSV file.' : COMMAND_HELP[command],
    '',
    ...(command === null ? commandList() : []),
    ...wrapped(
      'The environment variables LITELLM_BASE_URL, LITELLM_MASTER_KEY and SMTP_URL are also read from a file `.env` in the working directory. A switch is turned off with =false: --invitations=false.',
      0,
    ),
    '',
    command === null ? 'Flags, with the commands that take them where not all do:' : 'Flags:',
    ...flagsOf(command),
    '',
    'Exit codes: 0 done or nothing to do; 1 something failed or a limit was breached; 2 wrong usage or',
    'bad file; 3 changes found, with --detailed-exitcode.',
    '',
  ].join('\n');
}

function commandList(): string[] {
  return [
    'Commands (sync if none is given; `help COMMAND` shows the flags of one):',
    ...COMMANDS.map((command) => `  ${command.padEnd(9)}${COMMAND_HELP[command]}`),
    '',
  ];
}

function flagsOf(command: Command | null): string[] {
  const isShown = ({ commands }: { commands: readonly Command[] }) => command === null || commands.includes(command);
  const inputs = INPUT_NAMES.filter((name) => name !== 'command' && inputSpec(name).only !== 'action')
    .filter((name) => isShown(inputSpec(name)))
    .flatMap((name) => inputHelp(name, command));
  const switches = SWITCH_NAMES.filter((name) => isShown(SWITCHES[name])).flatMap((name) =>
    flagHelp(`--${name}`, SWITCHES[name].description, command === null ? SWITCHES[name].commands : COMMANDS),
  );
  return [...inputs, ...switches];
}

function inputHelp(name: InputName, command: Command | null): string[] {
  const { description, terminal, takes, commands } = inputSpec(name);
  const words = defaultWords(name, command, 'cli');
  const text = [
    terminal?.description ?? description,
    ...(takes === 'list' ? ['May be given several times.'] : []),
    ...(words === '' ? [] : [`Default: ${words}.`]),
  ].join(' ');
  const flag = takes === 'switch' ? `--${name}` : `--${name} VALUE`;
  return flagHelp(flag, text, command === null ? commands : COMMANDS);
}

function flagHelp(flag: string, text: string, commands: readonly Command[]): string[] {
  const takers = commands.length === COMMANDS.length ? '' : `   (${commands.join(', ')})`;
  return [`  ${flag}${takers}`, ...wrapped(text.replaceAll('`', ''), INDENT)];
}

function wrapped(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => ' '.repeat(indent) + one);
}
