import { resolve } from 'node:path';
import { z } from 'zod';
import { didYouMean } from './core/did-you-mean.ts';
import { UsageError } from './core/errors.ts';
import { ROLES } from './core/inventory.ts';
import type { DeleteLimit } from './core/limits.ts';
import { Secret, withoutKeys } from './core/secret.ts';

export const COMMANDS = ['sync', 'add', 'delete', 'onboard', 'list', 'export'] as const;
export type Command = (typeof COMMANDS)[number];

/** All inputs by name, as strings; the action has them in `INPUT_*`, the CLI in flags. Blank counts as not given. */
export const INPUT_NAMES = [
  'command',
  'csv-file',
  'base-url',
  'master-key',
  'dry-run',
  'user-role',
  'no-add',
  'no-delete',
  'no-update',
  'api-keys',
  'invitations',
  'max-deletes',
  'min-admins',
  'protected-users',
  'unreviewed-changes',
  'recreate-on-failure',
  'update-existing',
  'team-id',
  'target',
  'comment',
  'github-token',
  'redact-emails',
  'encrypt-to',
  'artifacts',
  'artifact-retention-days',
  'output-directory',
  'fail-on-drift',
  'public-url',
  'role',
  'email-like',
  'columns',
  'show-all',
  'format',
  'force',
  'concurrency',
  'timeout-seconds',
  'retries',
] as const;
export type InputName = (typeof INPUT_NAMES)[number];
export type RawInputs = Partial<Record<InputName, string>>;

/** Inputs that are `true` or `false`: the CLI takes them without a value. */
export const BOOLEAN_INPUTS: readonly InputName[] = [
  'no-add',
  'no-delete',
  'no-update',
  'api-keys',
  'invitations',
  'recreate-on-failure',
  'update-existing',
  'comment',
  'artifacts',
  'fail-on-drift',
  'show-all',
  'force',
];

const CSV_FILES: Readonly<Record<Command, string>> = {
  sync: 'user_list.csv',
  add: 'user_addlist.csv',
  delete: 'user_dellist.csv',
  onboard: 'users.csv',
  list: '',
  export: 'user_list.csv',
};

const MISSING_KEY = 'ERROR: master-key or env LITELLM_MASTER_KEY is required.';

const flag = (fallback: boolean) =>
  z
    .enum(['true', 'false'], { error: 'allowed: true, false' })
    .default(fallback ? 'true' : 'false')
    .transform((text) => text === 'true');
const choice = <const T extends readonly [string, ...string[]]>(values: T, fallback: T[number]) =>
  z.enum(values, { error: `allowed: ${values.join(', ')}` }).default(fallback as never);
const whole = (from: number, to: number, fallback: number) => {
  const error = `allowed: a whole number from ${from} to ${to}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, { error })
    .transform(Number)
    .refine((number) => number >= from && number <= to, { error })
    .default(fallback);
};
const lines = z
  .string()
  .default('')
  .transform((text) => text.split(/\r?\n/).flatMap((line) => line.trim() || []));
const url = z.string().superRefine((text, context) => {
  const parsed = URL.canParse(text) ? new URL(text) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    context.addIssue({ code: 'custom', message: 'allowed: an address such as https://litellm.example.com' });
  } else if (parsed.username || parsed.password || parsed.search || parsed.hash) {
    context.addIssue({ code: 'custom', message: 'allowed: an address without user, query or fragment' });
  }
});
/** What no HTTP header can carry is no key, but a slip of copying: a line break, a curly quote, an ellipsis. */
const key = z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, { error: 'allowed: a key on one line, such as sk-…' });
const recipients = lines
  .refine(
    (all) => all.every((one) => /^(age1[0-9a-z]+$|#)/i.test(one)) && (all.length === 0 || all.some(isRecipient)),
    {
      error: 'allowed: age recipients (public keys such as age1…), one a line',
    },
  )
  .transform((all) => all.filter(isRecipient));
/** Comments as in age's own recipient files; comments alone are no wish to leave secrets unencrypted. */
const isRecipient = (line: string): boolean => !line.startsWith('#');
const withoutTrailingSlashes = (text: string): string => text.replace(/\/+$/, '');

const deleteLimit = z
  .string()
  .regex(/^\d{1,9}$|^(\d{1,2}|100)(\.\d+)?%$/, {
    error: 'allowed: a number of users such as 10, or a share of the managed users such as 20%',
  })
  .transform(
    (text): DeleteLimit =>
      text.endsWith('%')
        ? { kind: 'percent', percent: Number(text.slice(0, -1)) }
        : { kind: 'count', count: Number(text) },
  );

/** Defaults that depend on the command are settled here, as only the code knows the command. */
function schemaFor(command: Command, env: NodeJS.ProcessEnv) {
  const roleOrDefault = [...ROLES, 'default'] as const;
  return z.object({
    'csv-file': z.string().default(CSV_FILES[command]),
    'base-url': url.prefault(env.LITELLM_BASE_URL?.trim() || 'http://localhost:4000'),
    'master-key': key.prefault(env.LITELLM_MASTER_KEY?.trim() ?? ''),
    'dry-run': choice(['auto', 'true', 'false'], 'auto'),
    'user-role': choice(roleOrDefault, 'internal_user'),
    'no-add': flag(false),
    'no-delete': flag(false),
    'no-update': flag(false),
    'api-keys': flag(command !== 'onboard'),
    invitations: flag(true),
    'max-deletes': command === 'sync' ? deleteLimit.prefault('20%') : deleteLimit.optional(),
    'min-admins': whole(0, 999_999_999, 0),
    'protected-users': lines,
    'unreviewed-changes': choice(['skip', 'apply', 'fail'], 'skip'),
    'recreate-on-failure': flag(false),
    'update-existing': flag(false),
    'team-id': z.string().default(''),
    target: z
      .string()
      .regex(/^[^\p{Cc}"<>|:*?\\/]{1,100}$/u, { error: 'allowed: up to 100 characters, none of " < > | : * ? \\ /' })
      .default(''),
    comment: flag(true),
    'github-token': z.string().default(''),
    'redact-emails': choice(['auto', 'true', 'false'], 'auto'),
    'encrypt-to': recipients,
    artifacts: flag(true),
    'artifact-retention-days': whole(1, 400, 7),
    'output-directory': z.string().default(''),
    'fail-on-drift': flag(false),
    'public-url': url.optional(),
    role: z.string().default(''),
    'email-like': z.string().default(''),
    columns: z.string().default(''),
    'show-all': flag(false),
    format: choice(['tsv', 'csv', 'json'], 'tsv'),
    force: flag(false),
    concurrency: whole(1, 100, 8),
    'timeout-seconds': whole(1, 3600, 30),
    retries: whole(0, 20, 4),
  });
}

type Parsed = z.output<ReturnType<typeof schemaFor>>;

/** Every input, typed. Property names are the inputs' in camel case. */
export interface Inputs {
  readonly command: Command;
  /** As written: what messages show. */
  readonly csvFile: string;
  /** Absolute. */
  readonly csvPath: string;
  /** Without trailing slash; may carry a root path. */
  readonly baseUrl: string;
  /** What onboarding links begin with; without trailing slash. */
  readonly publicUrl: string;
  /** `null`: not given. */
  readonly masterKey: Secret | null;
  readonly dryRun: Parsed['dry-run'];
  readonly userRole: Parsed['user-role'];
  readonly noAdd: boolean;
  readonly noDelete: boolean;
  readonly noUpdate: boolean;
  readonly apiKeys: boolean;
  readonly invitations: boolean;
  readonly maxDeletes: DeleteLimit | null;
  readonly minAdmins: number;
  readonly protectedUsers: readonly string[];
  readonly unreviewedChanges: Parsed['unreviewed-changes'];
  readonly recreateOnFailure: boolean;
  readonly updateExisting: boolean;
  readonly teamId: string;
  readonly target: string;
  readonly comment: boolean;
  readonly githubToken: Secret | null;
  readonly redactEmails: Parsed['redact-emails'];
  readonly encryptTo: readonly string[];
  readonly artifacts: boolean;
  readonly artifactRetentionDays: number;
  /** Blank: the caller's default. */
  readonly outputDirectory: string;
  readonly failOnDrift: boolean;
  readonly role: string;
  readonly emailLike: string;
  readonly columns: string;
  readonly showAll: boolean;
  readonly format: Parsed['format'];
  readonly force: boolean;
  readonly concurrency: number;
  readonly timeoutSeconds: number;
  readonly retries: number;
}

/**
 * Reads all inputs in one place.
 * @throws UsageError naming every input that is wrong, its value and what is allowed.
 */
export function parseInputs(raw: RawInputs, env: NodeJS.ProcessEnv, workingDirectory: string): Inputs {
  const given = Object.fromEntries(
    Object.entries(raw).flatMap(([name, text]) => (text?.trim() ? [[name, text.trim()]] : [])),
  );
  const command = commandOf(given.command ?? 'sync');
  const parsed = schemaFor(command, env).safeParse(given);
  if (!parsed.success)
    throw new UsageError(parsed.error.issues.map((issue) => issueText(issue, given, env)).join('\n'));
  return typed(command, parsed.data, workingDirectory);
}

function commandOf(text: string): Command {
  const found = COMMANDS.find((command) => command === text);
  if (found !== undefined) return found;
  throw new UsageError(
    `Input \`command\` is \`${shownValue('command', text)}\`; allowed: ${COMMANDS.join(', ')}.${didYouMean(text, COMMANDS)}`,
  );
}

function issueText(issue: z.core.$ZodIssue, given: Record<string, unknown>, env: NodeJS.ProcessEnv): string {
  const name = String(issue.path[0]);
  const variable = VARIABLES[name];
  const fromEnv = variable !== undefined && !(name in given);
  const source = fromEnv ? `Environment variable \`${variable}\`` : `Input \`${name}\``;
  return `${source} is \`${shownValue(name, String(fromEnv ? env[variable] : given[name]))}\`; ${issue.message}.`;
}

/** Inputs that the environment may give, too. */
const VARIABLES: Readonly<Record<string, string>> = {
  'base-url': 'LITELLM_BASE_URL',
  'master-key': 'LITELLM_MASTER_KEY',
};

/** As a message may show it: no key wherever it slipped to, no password in an address, no private key for a public one. */
function shownValue(name: string, value: string): string {
  if (name === 'master-key') return '***';
  return withoutKeys(value)
    .replace(/\/\/[^/]*@/, '//***@')
    .replace(/AGE-SECRET-KEY-\S*/gi, 'AGE-SECRET-KEY-***');
}

function typed(command: Command, parsed: Parsed, workingDirectory: string): Inputs {
  const baseUrl = withoutTrailingSlashes(parsed['base-url']);
  return {
    command,
    csvFile: parsed['csv-file'],
    csvPath: resolve(workingDirectory, parsed['csv-file']),
    baseUrl,
    publicUrl: withoutTrailingSlashes(parsed['public-url'] ?? baseUrl),
    masterKey: secret(parsed['master-key']),
    dryRun: parsed['dry-run'],
    userRole: parsed['user-role'],
    noAdd: parsed['no-add'],
    noDelete: parsed['no-delete'],
    noUpdate: parsed['no-update'],
    apiKeys: parsed['api-keys'],
    invitations: parsed.invitations,
    maxDeletes: parsed['max-deletes'] ?? null,
    minAdmins: parsed['min-admins'],
    protectedUsers: parsed['protected-users'],
    unreviewedChanges: parsed['unreviewed-changes'],
    recreateOnFailure: parsed['recreate-on-failure'],
    updateExisting: parsed['update-existing'],
    teamId: parsed['team-id'],
    target: parsed.target,
    comment: parsed.comment,
    githubToken: secret(parsed['github-token']),
    redactEmails: parsed['redact-emails'],
    encryptTo: parsed['encrypt-to'],
    artifacts: parsed.artifacts,
    artifactRetentionDays: parsed['artifact-retention-days'],
    outputDirectory: parsed['output-directory'],
    failOnDrift: parsed['fail-on-drift'],
    role: parsed.role,
    emailLike: parsed['email-like'],
    columns: parsed.columns,
    showAll: parsed['show-all'],
    format: parsed.format,
    force: parsed.force,
    concurrency: parsed.concurrency,
    timeoutSeconds: parsed['timeout-seconds'],
    retries: parsed.retries,
  };
}

function secret(text: string): Secret | null {
  return text === '' ? null : new Secret(text);
}

/**
 * The key, or the error that says how to give one.
 * @throws UsageError
 */
export function requireMasterKey(inputs: Inputs): Secret {
  if (inputs.masterKey === null) throw new UsageError(MISSING_KEY);
  return inputs.masterKey;
}
