import { isAbsolute, relative, resolve } from 'node:path';
import type { z } from 'zod';
import { didYouMean } from './core/did-you-mean.ts';
import { UsageError } from './core/errors.ts';
import { ROLES } from './core/inventory.ts';
import { Secret, withoutKeys } from './core/secret.ts';
import * as read from './input-values.ts';

export const COMMANDS = ['sync', 'add', 'delete', 'onboard', 'list', 'export'] as const;
export type Command = (typeof COMMANDS)[number];

const WRITING = ['sync', 'add', 'delete', 'onboard'] as const satisfies readonly Command[];
const CREATING = ['sync', 'add', 'onboard'] as const satisfies readonly Command[];

/** One input: everything that types, `action.yml`, flags, help and the tables of the docs are made of. */
interface Input {
  /** Reads the trimmed text, which is never absent: what is not given has the text of `fallback`. */
  readonly schema: z.ZodType<unknown, string>;
  /** Whole sentences, in Markdown: what it does, and when it matters. */
  readonly description: string;
  /** The text that stands for an input that is not given: one for all commands, or by command. */
  readonly fallback?: string | Partial<Record<Command | 'otherwise', string>>;
  /** The default in words, where it is not simply the text of `fallback`. */
  readonly defaultWords?: string;
  readonly commands: readonly Command[];
  /** A switch needs no value on the command line; a list may be given several times there. */
  readonly takes: 'value' | 'switch' | 'list';
  /** The environment variable that gives it, too. */
  readonly variable?: string;
  /** Never shown in a message. */
  readonly isSecret?: true;
  /** `action`: has no meaning in a terminal, where it is taken and warned of. */
  readonly only?: 'action';
  /** The default in `action.yml` that means something to GitHub alone. */
  readonly actionDefault?: string;
  /** What is different on the command line; `tty`: if its output goes to a terminal. */
  readonly terminal?: {
    readonly description?: string;
    readonly fallback?: string;
    readonly tty?: string;
    readonly defaultWords?: string;
  };
}

/**
 * All inputs. The action has them in `INPUT_*`, the command line as flags. Blank counts as not given.
 * After a change: `npm run docs`, which writes `action.yml` and the tables.
 */
export const INPUTS = {
  command: {
    schema: read.choice(COMMANDS),
    description: 'What to do: `sync`, `add`, `delete`, `onboard`, `list` or `export`.',
    fallback: 'sync',
    commands: COMMANDS,
    takes: 'value',
  },
  'csv-file': {
    schema: read.text,
    description: 'The CSV file that the command reads (`export`: writes).',
    fallback: {
      sync: 'user_list.csv',
      add: 'user_addlist.csv',
      delete: 'user_dellist.csv',
      onboard: 'users.csv',
      export: 'user_list.csv',
    },
    commands: ['sync', 'add', 'delete', 'onboard', 'export'],
    takes: 'value',
  },
  'base-url': {
    schema: read.optional(read.address),
    description: 'Address of the LiteLLM proxy, with its root path if it has one.',
    defaultWords: 'environment variable `LITELLM_BASE_URL`; one of the two is required',
    commands: COMMANDS,
    takes: 'value',
    variable: 'LITELLM_BASE_URL',
    terminal: {
      fallback: 'http://localhost:4000',
      defaultWords: 'environment variable `LITELLM_BASE_URL`, else `http://localhost:4000`',
    },
  },
  'master-key': {
    schema: read.key,
    description:
      'Master key of the proxy, or the key of a `proxy_admin` user. The key of a `proxy_admin_viewer` is enough to plan.',
    defaultWords: 'environment variable `LITELLM_MASTER_KEY`',
    commands: COMMANDS,
    takes: 'value',
    variable: 'LITELLM_MASTER_KEY',
    isSecret: true,
  },
  'key-header': {
    schema: read.headerName,
    description:
      "Header that carries `Bearer KEY` to the proxy. Needed where LiteLLM's `litellm_key_header_name` is set, for instance because a gateway wants `Authorization` for itself.",
    fallback: 'Authorization',
    commands: COMMANDS,
    takes: 'value',
  },
  'extra-headers': {
    schema: read.headers,
    description:
      'Headers that a gateway in front of the proxy wants, `Name: value`, one a line. They are sent to the proxy alone, with every request; values of 6 characters or more are masked.',
    commands: COMMANDS,
    takes: 'list',
    isSecret: true,
  },
  'dry-run': {
    schema: read.choice(['auto', 'true', 'false']),
    description:
      '`auto` applies only on a push to the default branch and on `workflow_dispatch` there, and plans everywhere else; `true` never applies; `false` applies (never from a pull request).',
    fallback: 'auto',
    commands: ['sync', 'add', 'delete', 'onboard', 'export'],
    takes: 'switch',
    terminal: { description: 'Show what would be done, and write nothing.', defaultWords: '`false`' },
  },
  'user-role': {
    schema: read.choice([...ROLES, 'default']),
    description:
      'Role of a new user whose role cell is blank: `proxy_admin`, `proxy_admin_viewer`, `internal_user`, `internal_user_viewer`, or `default` for the role that the proxy gives.',
    fallback: 'internal_user',
    commands: CREATING,
    takes: 'value',
  },
  'no-add': {
    schema: read.flag,
    description: 'Create nobody. The plan shows who would be created as "not applied".',
    fallback: 'false',
    commands: ['sync'],
    takes: 'switch',
  },
  'no-delete': {
    schema: read.flag,
    description: 'Delete and deactivate nobody. The plan shows who would be as "not applied".',
    fallback: 'false',
    commands: ['sync'],
    takes: 'switch',
  },
  'no-update': {
    schema: read.flag,
    description: 'Change and reactivate nobody. The plan shows what would be changed as "not applied".',
    fallback: 'false',
    commands: ['sync'],
    takes: 'switch',
  },
  'on-missing': {
    schema: read.choice(['delete', 'deactivate']),
    description:
      'What becomes of a user who is missing from the file: `delete`, or `deactivate`, which keeps account, keys and spend while no key works (LiteLLM 1.90 and newer).',
    fallback: 'delete',
    commands: ['sync'],
    takes: 'value',
  },
  'team-keys': {
    schema: read.choice(['move', 'delete']),
    description:
      "What becomes of a user's keys in a team that they leave: `move` takes them along to the new team where there is exactly one, `delete` deletes them.",
    fallback: 'move',
    commands: ['sync'],
    takes: 'value',
  },
  'api-keys': {
    schema: read.flag,
    description: 'Create an API key for each new user.',
    fallback: { otherwise: 'true', onboard: 'false' },
    commands: CREATING,
    takes: 'switch',
  },
  invitations: {
    schema: read.flag,
    description: 'Create an onboarding link for each new user.',
    fallback: 'true',
    commands: CREATING,
    takes: 'switch',
  },
  'max-deletes': {
    schema: read.optional(read.deleteLimit),
    description:
      'Most users that one run may delete or deactivate: a number, or a share of the managed users such as `20%`. A plan beyond it fails, and nothing is applied.',
    fallback: { sync: '20%' },
    defaultWords: '`20%` for `sync`, no limit for `delete`',
    commands: ['sync', 'delete'],
    takes: 'value',
  },
  'min-admins': {
    schema: read.whole(0, 999_999_999),
    description: 'Fewest `proxy_admin` users that must remain. A plan below it fails, and nothing is applied.',
    fallback: '0',
    commands: ['sync', 'delete'],
    takes: 'value',
  },
  'protected-users': {
    schema: read.globs,
    description:
      'Users that are never touched: globs on email or user id, one a line or separated by commas. A row that would change one is an error.',
    commands: ['sync', 'add', 'delete', 'onboard', 'export'],
    takes: 'list',
  },
  'unreviewed-changes': {
    schema: read.choice(['skip', 'apply', 'fail']),
    description:
      'What becomes of changes that no merged pull request showed: `skip` leaves them out, `apply` carries them out, `fail` refuses the run.',
    fallback: 'skip',
    commands: ['sync'],
    takes: 'value',
    only: 'action',
  },
  'recreate-on-failure': {
    schema: read.flag,
    description: 'Delete and create a user again when a verified update fails. The user loses keys and spend.',
    fallback: 'false',
    commands: ['sync'],
    takes: 'switch',
  },
  'update-existing': {
    schema: read.flag,
    description: 'Write the users that exist already to the result file. No CSV is read, and nobody is created.',
    fallback: 'false',
    commands: ['add'],
    takes: 'switch',
  },
  'team-id': {
    schema: read.text,
    description: 'The team of everybody in a file of bare emails.',
    commands: ['onboard'],
    takes: 'value',
  },
  target: {
    schema: read.targetName,
    description: 'Name of this proxy, where there are several: each has its own comment and artifacts.',
    commands: COMMANDS,
    takes: 'value',
  },
  comment: {
    schema: read.flag,
    description:
      'Comment the plan on the pull request, and take the review from there. `false` asks nothing of GitHub, so that only `workflow_dispatch` or `unreviewed-changes: apply` applies.',
    fallback: 'true',
    commands: ['sync'],
    takes: 'switch',
    only: 'action',
  },
  'github-token': {
    schema: read.token,
    description: 'Token for the comment, for looking up what was reviewed, and for the drift issue.',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub puts its own token here.
    actionDefault: '${{ github.token }}',
    commands: ['sync'],
    takes: 'value',
    isSecret: true,
    only: 'action',
  },
  'redact-emails': {
    schema: read.choice(['auto', 'true', 'false']),
    description:
      'Mask emails in comment, summary, log and result files. `auto` does so in every repository that is not private.',
    fallback: 'auto',
    commands: COMMANDS,
    takes: 'value',
    only: 'action',
  },
  'encrypt-to': {
    schema: read.recipients,
    description:
      'age recipients (`age1…`), one a line: onboarding links and keys are uploaded encrypted to them. Without it a repository that is not private refuses to upload them.',
    commands: CREATING,
    takes: 'list',
    only: 'action',
  },
  artifacts: {
    schema: read.flag,
    description:
      'Upload the result files as artifacts. `false` where there is no artifact service; upload `output-directory` yourself then.',
    fallback: 'true',
    commands: COMMANDS,
    takes: 'switch',
    only: 'action',
  },
  'artifact-retention-days': {
    schema: read.whole(1, 400),
    description: 'Days to keep the artifacts. Onboarding links live for 7.',
    fallback: '7',
    commands: COMMANDS,
    takes: 'value',
    only: 'action',
  },
  'audit-retention-days': {
    schema: read.whole(0, 400),
    description: 'Days to keep the artifact `user-sync-audit`, a line for every change. `0` uploads none.',
    fallback: '90',
    commands: WRITING,
    takes: 'value',
    only: 'action',
  },
  'output-directory': {
    schema: read.text,
    description: 'Where result files go.',
    defaultWords: "a new folder below the runner's temporary folder",
    commands: WRITING,
    takes: 'value',
    terminal: { defaultWords: 'the working directory' },
  },
  'fail-on-drift': {
    schema: read.flag,
    description: 'Fail a run that only plans (a schedule) if it finds changes.',
    fallback: 'false',
    commands: ['sync', 'add', 'delete', 'onboard', 'export'],
    takes: 'switch',
  },
  'drift-issue': {
    schema: read.flag,
    description:
      'On `schedule` or `workflow_dispatch`, keep one issue with the plan open while the proxy differs from the file. Needs `issues: write`.',
    fallback: 'false',
    commands: ['sync'],
    takes: 'switch',
    only: 'action',
  },
  'public-url': {
    schema: read.optional(read.address),
    description: 'What onboarding links begin with, if users reach the proxy by another address.',
    defaultWords: '`base-url`',
    commands: CREATING,
    takes: 'value',
  },
  deliver: {
    schema: read.choice(['none', 'smtp']),
    description: 'Whether each new user is sent their own onboarding link: `none`, or `smtp` for one mail each.',
    fallback: 'none',
    commands: CREATING,
    takes: 'value',
  },
  'smtp-url': {
    schema: read.optional(read.mailServer),
    description:
      'Mail server of `deliver: smtp`: `smtps://user:password@host:465`, or `smtp://host:587`, where STARTTLS is required unless the host is local.',
    defaultWords: 'environment variable `SMTP_URL`',
    commands: CREATING,
    takes: 'value',
    variable: 'SMTP_URL',
    isSecret: true,
  },
  'mail-from': {
    schema: read.optional(read.sender),
    description:
      'Sender of the mails, such as `LiteLLM accounts <accounts@example.com>`. Required with `deliver: smtp`.',
    commands: CREATING,
    takes: 'value',
  },
  'mail-subject': {
    schema: read.optional(read.oneLine),
    description: 'Subject of the mails. It may hold the placeholders of `mail-template`, but not the link.',
    defaultWords: '`Your LiteLLM account`',
    commands: CREATING,
    takes: 'value',
  },
  'mail-template': {
    schema: read.optional(read.text),
    description:
      'File with the text of the mails. Its placeholders are `{{link}}`, `{{email}}`, `{{expires_at}}`, `{{team_name}}` and `{{proxy_url}}`.',
    defaultWords: 'a short text in English',
    commands: CREATING,
    takes: 'value',
  },
  role: {
    schema: read.text,
    description: 'Show users of this role alone.',
    defaultWords: 'the internal roles',
    commands: ['list'],
    takes: 'value',
  },
  'email-like': {
    schema: read.text,
    description: 'Show users whose email contains this, in any letter case.',
    commands: ['list'],
    takes: 'value',
  },
  team: {
    schema: read.text,
    description: 'Show members of this team, given by name or id.',
    commands: ['list'],
    takes: 'value',
  },
  columns: {
    schema: read.text,
    description: 'Columns to show, separated by commas.',
    commands: ['list'],
    takes: 'value',
  },
  'show-all': {
    schema: read.flag,
    description: 'Also show users without an email or an internal role.',
    fallback: 'false',
    commands: ['list'],
    takes: 'switch',
  },
  format: {
    schema: read.choice(['table', 'tsv', 'csv', 'json']),
    description: 'Form of the list: `table`, `tsv`, `csv` or `json`.',
    fallback: 'tsv',
    commands: ['list'],
    takes: 'value',
    terminal: { tty: 'table', defaultWords: '`table` in a terminal, `tsv` elsewhere' },
  },
  force: {
    schema: read.flag,
    description: 'Overwrite a file that differs.',
    fallback: 'false',
    commands: ['export'],
    takes: 'switch',
  },
  'export-limits': {
    schema: read.flag,
    description: 'Also write the columns of budgets, rates and models.',
    fallback: 'false',
    commands: ['export'],
    takes: 'switch',
  },
  concurrency: {
    schema: read.whole(1, 100),
    description: 'Most requests to the proxy at the same time.',
    fallback: '8',
    commands: COMMANDS,
    takes: 'value',
  },
  'timeout-seconds': {
    schema: read.whole(1, 3600),
    description: 'Seconds to wait for an answer. Calls for many users at once get more.',
    fallback: '30',
    commands: COMMANDS,
    takes: 'value',
  },
  retries: {
    schema: read.whole(0, 20),
    description: 'How often a failed request is repeated.',
    fallback: '4',
    commands: COMMANDS,
    takes: 'value',
  },
} as const satisfies Readonly<Record<string, Input>>;

export type InputName = keyof typeof INPUTS;
export const INPUT_NAMES = Object.keys(INPUTS) as readonly InputName[];
export type RawInputs = Partial<Record<InputName, string>>;

type CamelCase<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;
type Parsed = { readonly [N in InputName as CamelCase<N>]: z.output<(typeof INPUTS)[N]['schema']> };

/** Every input, typed, by its name in camel case. */
export interface Inputs extends Omit<Parsed, 'baseUrl' | 'publicUrl'> {
  /** `csvFile` as an absolute path; messages show the former. */
  readonly csvPath: string;
  /** `mailTemplate` as an absolute path. */
  readonly mailTemplatePath: string | null;
  /** Without a slash at the end. Blank only in the action where no key was given either: nothing can be asked then. */
  readonly baseUrl: string;
  readonly publicUrl: string;
  /** Of `onboard EMAIL…`; otherwise empty. */
  readonly emails: readonly string[];
}

/** Where inputs come from. */
export interface Origin {
  readonly from: 'action' | 'cli';
  /** Whether what is printed goes to a terminal. */
  readonly isTTY?: boolean;
  readonly emails?: readonly string[];
}

/** The table's row, with all the fields that a row may have. */
export function inputSpec(name: InputName): Input {
  return INPUTS[name];
}

/**
 * Reads all inputs in one place.
 * @throws UsageError naming every input that is wrong, its value and what is allowed.
 */
export function parseInputs(
  raw: RawInputs,
  env: NodeJS.ProcessEnv,
  workingDirectory: string,
  origin: Origin = { from: 'cli' },
): Inputs {
  const command = commandOf(raw.command ?? '');
  const texts = INPUT_NAMES.map((name) => textOf(name, { raw, env, command, origin }));
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const { name, text, source } of texts) {
    const parsed = INPUTS[name].schema.safeParse(text);
    if (parsed.success) values[camelCase(name)] = parsed.data;
    else problems.push(`${source} is \`${shownValue(name, text)}\`; ${parsed.error.issues[0]?.message}.`);
  }
  const read = values as unknown as Parsed;
  problems.push(...contradictions(read, origin));
  if (origin.from === 'action' && liesOutside(read.mailTemplate, workingDirectory)) {
    problems.push(
      `Input \`mail-template\` is \`${read.mailTemplate}\`; allowed: a file of the repository, which is reviewed like the CSV.`,
    );
  }
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  const baseUrl = read.baseUrl ?? '';
  return {
    ...read,
    baseUrl,
    publicUrl: read.publicUrl ?? baseUrl,
    csvFile: origin.emails?.length ? 'the arguments' : read.csvFile,
    csvPath: resolve(workingDirectory, read.csvFile),
    mailTemplatePath: read.mailTemplate && resolve(workingDirectory, read.mailTemplate),
    emails: origin.emails ?? [],
  };
}

/**
 * The command that this names; blank: `sync`.
 * @throws UsageError with the nearest command
 */
export function commandOf(given: string): Command {
  const text = given.trim() || 'sync';
  const found = COMMANDS.find((command) => command === text);
  if (found !== undefined) return found;
  throw new UsageError(
    `Input \`command\` is \`${shownValue('command', text)}\`; allowed: ${COMMANDS.join(', ')}.${didYouMean(text, COMMANDS)}`,
  );
}

interface Given {
  readonly name: InputName;
  readonly text: string;
  /** As a message names it. */
  readonly source: string;
}

function textOf(
  name: InputName,
  { raw, env, command, origin }: { raw: RawInputs; env: NodeJS.ProcessEnv; command: Command; origin: Origin },
): Given {
  const source = `Input \`${name}\``;
  const given = raw[name]?.trim();
  if (given) return { name, text: given, source };
  const { variable, terminal, fallback } = inputSpec(name);
  const fromEnv = variable === undefined ? '' : env[variable]?.trim();
  if (fromEnv) return { name, text: fromEnv, source: `Environment variable \`${variable}\`` };
  const onTerminal =
    origin.from === 'cli' ? ((origin.isTTY ? terminal?.tty : undefined) ?? terminal?.fallback) : undefined;
  return { name, text: onTerminal ?? fallbackText(fallback, command), source };
}

function fallbackText(fallback: Input['fallback'], command: Command): string {
  return typeof fallback === 'object' ? (fallback[command] ?? fallback.otherwise ?? '') : (fallback ?? '');
}

/** What each input alone cannot tell. */
function contradictions(read: Partial<Parsed>, { from }: Origin): string[] {
  const problems: string[] = [];
  if (from === 'action' && read.baseUrl === null && read.masterKey !== null) {
    problems.push(
      'Input `base-url` is missing; allowed: the address of the LiteLLM proxy, such as https://litellm.example.com (or environment variable `LITELLM_BASE_URL`). A variable or secret that this job may not read is blank.',
    );
  }
  if (read.publicUrl?.endsWith('/ui')) {
    problems.push(
      `Input \`public-url\` is \`${read.publicUrl}\`; allowed: the address without /ui, which every onboarding link adds.`,
    );
  }
  const keyHeader = read.keyHeader?.toLowerCase();
  if (read.extraHeaders?.some(({ name }) => name.toLowerCase() === keyHeader)) {
    problems.push(
      `Input \`extra-headers\` is \`***\`; allowed: every header but \`${read.keyHeader}\`, which carries the key (input \`key-header\`).`,
    );
  }
  return problems;
}

function liesOutside(file: string | null | undefined, directory: string): boolean {
  const path = relative(directory, resolve(directory, file ?? ''));
  return /^\.\.(?:[\\/]|$)/.test(path) || isAbsolute(path);
}

/** As a message may show it: no key wherever it slipped to, no password in an address, no private key for a public one. */
function shownValue(name: InputName, value: string): string {
  if (inputSpec(name).isSecret) return '***';
  return withoutKeys(value)
    .replace(/\/\/[^/]*@/, '//***@')
    .replace(/AGE-SECRET-KEY-\S*/gi, 'AGE-SECRET-KEY-***');
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * The default of an input in words, in Markdown; blank where it has none.
 * @param command for which it is said; `null`: for all of them
 */
export function defaultWords(name: InputName, command: Command | null, from: Origin['from']): string {
  const { fallback, terminal, ...input } = inputSpec(name);
  const words = (from === 'cli' ? terminal?.defaultWords : undefined) ?? input.defaultWords;
  if (typeof fallback === 'object' && command !== null) return code(fallbackText(fallback, command));
  if (words !== undefined) return words;
  return typeof fallback === 'object' ? byCommand(fallback) : code(fallback ?? '');
}

/** `a`, or `b` for `sync` and `export`. */
function byCommand({ otherwise, ...others }: Partial<Record<Command | 'otherwise', string>>): string {
  const texts = [...new Set(Object.values(others))];
  const each = texts.map((text) => {
    const commands = COMMANDS.filter((command) => others[command] === text);
    return `${code(text)} for ${commands.map(code).join(', ')}`;
  });
  return [...(otherwise === undefined ? [] : [code(otherwise)]), ...each].join('; ');
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

/** Shorter values are no secrets, and masking them would black out a log. */
const SHORTEST_MASKED = 6;

/** Everything in the inputs that must be masked before anything is printed. */
export function secretsOf({ masterKey, githubToken, smtpUrl, extraHeaders }: Inputs): Secret[] {
  const given = [masterKey, githubToken, smtpUrl, ...passwordsIn(smtpUrl), ...extraHeaders.map(({ value }) => value)];
  return given.filter((secret) => secret !== null).filter((secret) => secret.reveal().length >= SHORTEST_MASKED);
}

/** The password of an address, as it is written, as `URL` and other programs write it, and as the server gets it. */
function passwordsIn(smtpUrl: Secret | null): Secret[] {
  if (smtpUrl === null) return [];
  const { password } = new URL(smtpUrl.reveal());
  const written = /^[^:]*:\/\/[^:]*:(.*)@/.exec(smtpUrl.reveal())?.[1] ?? '';
  const decoded = decodeURIComponent(password);
  const forms = [written, password, decoded, encodeURIComponent(decoded)];
  return [...new Set(forms)].map((text) => new Secret(text));
}

/** The variables in which a runner hands over inputs that no table knows, as their names were written but for the letter case. */
export function unknownInputs(env: NodeJS.ProcessEnv): string[] {
  return Object.keys(env)
    .filter((variable) => /^INPUT_./i.test(variable))
    .map((variable) => variable.slice('INPUT_'.length).toLowerCase())
    .filter((name) => !(name in INPUTS));
}

/**
 * The key, or the error that says how to give one.
 * @throws UsageError
 */
export function requireMasterKey(inputs: Inputs): Secret {
  if (inputs.masterKey === null) throw new UsageError('ERROR: master-key or env LITELLM_MASTER_KEY is required.');
  return inputs.masterKey;
}
