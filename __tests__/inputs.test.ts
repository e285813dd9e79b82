import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { UsageError } from '../src/core/errors.ts';
import {
  COMMANDS,
  INPUT_NAMES,
  type Inputs,
  inputSpec,
  type Origin,
  parseInputs,
  requireMasterKey,
  secretsOf,
  unknownInputs,
} from '../src/inputs.ts';

function refusal(raw: Parameters<typeof parseInputs>[0], env: NodeJS.ProcessEnv = {}, origin?: Origin): string {
  try {
    parseInputs(raw, env, '/work', origin);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return '';
}

const read = (raw: Parameters<typeof parseInputs>[0] = {}, env: NodeJS.ProcessEnv = {}): Inputs =>
  parseInputs(raw, env, '/work');

describe('defaults', () => {
  it('of sync, as action.yml and the manual have them', () => {
    expect(read()).toEqual({
      command: 'sync',
      csvFile: 'user_list.csv',
      csvPath: '/work/user_list.csv',
      baseUrl: 'http://localhost:4000',
      publicUrl: 'http://localhost:4000',
      masterKey: null,
      dryRun: 'auto',
      userRole: 'internal_user',
      noAdd: false,
      noDelete: false,
      noUpdate: false,
      apiKeys: true,
      invitations: true,
      maxDeletes: { kind: 'percent', percent: 20 },
      minAdmins: 0,
      protectedUsers: [],
      onMissing: 'delete',
      teamKeys: 'move',
      keyHeader: 'Authorization',
      extraHeaders: [],
      deliver: 'none',
      smtpUrl: null,
      mailFrom: null,
      mailSubject: null,
      mailTemplate: null,
      mailTemplatePath: null,
      auditRetentionDays: 90,
      driftIssue: false,
      team: '',
      exportLimits: false,
      emails: [],
      unreviewedChanges: 'skip',
      recreateOnFailure: false,
      updateExisting: false,
      teamId: '',
      target: '',
      comment: true,
      githubToken: null,
      redactEmails: 'auto',
      encryptTo: [],
      artifacts: true,
      artifactRetentionDays: 7,
      outputDirectory: '',
      failOnDrift: false,
      role: '',
      emailLike: '',
      columns: '',
      showAll: false,
      format: 'tsv',
      force: false,
      concurrency: 8,
      timeoutSeconds: 30,
      retries: 4,
    });
  });

  it.each([
    ['sync', 'user_list.csv', true, { kind: 'percent', percent: 20 }],
    ['add', 'user_addlist.csv', true, null],
    ['delete', 'user_dellist.csv', true, null],
    ['onboard', 'users.csv', false, null],
    ['list', '', true, null],
    ['export', 'user_list.csv', true, null],
  ])('that depend on the command: %s', (command, csvFile, apiKeys, maxDeletes) => {
    expect(read({ command })).toMatchObject({ command, csvFile, apiKeys, maxDeletes });
  });

  it('are those of action.yml, where it has one', () => {
    const action = parse(readFileSync('action.yml', 'utf8')) as { inputs: Record<string, { default?: string }> };
    expect(Object.keys(action.inputs)).toEqual([...INPUT_NAMES]);
    const given = Object.entries(action.inputs).map(([name, input]) => [name, input.default ?? '']);
    for (const command of COMMANDS) {
      const raw = { ...Object.fromEntries(given), 'github-token': '', command, 'base-url': 'http://localhost:4000' };
      expect(parseInputs(raw, {}, '/work', { from: 'action' })).toEqual(read({ command }));
    }
  });

  it('of format is a table in a terminal', () => {
    const { format } = parseInputs({}, {}, '/work', { from: 'cli', isTTY: true });
    expect(format).toBe('table');
    expect(parseInputs({ format: 'csv' }, {}, '/work', { from: 'cli', isTTY: true }).format).toBe('csv');
  });

  it.each(COMMANDS)('are valid for inputs that %s does not take', (command) => {
    expect(refusal({ command })).toBe('');
  });
});

describe('values', () => {
  it('are trimmed, and blank ones are not given', () => {
    expect(read({ command: ' add ', 'csv-file': ' ', 'dry-run': ' true\n', retries: '' })).toMatchObject({
      command: 'add',
      csvFile: 'user_addlist.csv',
      dryRun: 'true',
      retries: 4,
    });
  });

  it.each<[Parameters<typeof parseInputs>[0], Partial<Inputs>]>([
    [{ 'csv-file': 'lists/u.csv' }, { csvFile: 'lists/u.csv', csvPath: '/work/lists/u.csv' }],
    [{ 'csv-file': '/etc/u.csv' }, { csvFile: '/etc/u.csv', csvPath: '/etc/u.csv' }],
    [{ 'base-url': 'https://x.io/llm//' }, { baseUrl: 'https://x.io/llm', publicUrl: 'https://x.io/llm' }],
    [{ 'public-url': 'https://y.io/' }, { baseUrl: 'http://localhost:4000', publicUrl: 'https://y.io' }],
    [{ 'max-deletes': '0' }, { maxDeletes: { kind: 'count', count: 0 } }],
    [{ 'max-deletes': '12.5%' }, { maxDeletes: { kind: 'percent', percent: 12.5 } }],
    [{ 'max-deletes': '100%' }, { maxDeletes: { kind: 'percent', percent: 100 } }],
    [{ 'user-role': 'default' }, { userRole: 'default' }],
    [{ 'protected-users': ' a@x.io \r\n\n*@y.io\n' }, { protectedUsers: ['a@x.io', '*@y.io'] }],
    [
      { 'protected-users': 'a@x.io, *@y.io,,\n{b,c}@z.io,d ' },
      { protectedUsers: ['a@x.io', '*@y.io', '{b,c}@z.io', 'd'] },
    ],
    [{ 'mail-from': 'Accounts <a@x.io>' }, { mailFrom: 'Accounts <a@x.io>' }],
    [{ 'mail-template': 'm.txt' }, { mailTemplate: 'm.txt', mailTemplatePath: '/work/m.txt' }],
    [{ 'audit-retention-days': '0' }, { auditRetentionDays: 0 }],
    [{ 'encrypt-to': 'age1abc\nage1def' }, { encryptTo: ['age1abc', 'age1def'] }],
    [{ 'encrypt-to': '# Ann\nage1abc\n  # Bob\nage1def' }, { encryptTo: ['age1abc', 'age1def'] }],
    [{ target: 'prod eu' }, { target: 'prod eu' }],
    [
      { retries: '0', concurrency: '100', 'timeout-seconds': '3600' },
      { retries: 0, concurrency: 100, timeoutSeconds: 3600 },
    ],
  ])('%j', (raw, expected) => {
    expect(read(raw)).toMatchObject(expected);
  });
});

describe('a wrong value', () => {
  const yesOrNo = 'true, false';
  it.each<[keyof Parameters<typeof parseInputs>[0], string[], string]>([
    ['command', ['snyc', 'SYNC'], 'sync, add, delete, onboard, list, export'],
    ['base-url', ['localhost:4000', 'ftp://x.io', 'http://'], 'an address such as https://litellm.example.com'],
    ['base-url', ['https://x.io/?a=1', 'https://x.io/#a'], 'an address without user, query or fragment'],
    ['public-url', ['x.io'], 'an address such as https://litellm.example.com'],
    ['dry-run', ['yes', 'True'], 'auto, true, false'],
    ['user-role', ['admin'], 'proxy_admin, proxy_admin_viewer, internal_user, internal_user_viewer, default'],
    ['no-add', ['1'], yesOrNo],
    ['no-delete', ['TRUE'], yesOrNo],
    ['no-update', ['no'], yesOrNo],
    ['api-keys', ['on'], yesOrNo],
    ['invitations', ['off'], yesOrNo],
    ['max-deletes', ['-1', '20 %', '101%', '1.5', 'all'], 'a number of users such as 10, or a share'],
    ['min-admins', ['-1', '1.5', 'one', '1234567890'], 'a whole number from 0 to 999999999'],
    ['unreviewed-changes', ['ignore'], 'skip, apply, fail'],
    ['recreate-on-failure', ['y'], yesOrNo],
    ['update-existing', ['y'], yesOrNo],
    ['target', ['a/b', 'a:b', 'x'.repeat(101)], 'up to 100 characters'],
    ['comment', ['never'], yesOrNo],
    ['redact-emails', ['maybe'], 'auto, true, false'],
    ['encrypt-to', ['ops@example.com', '# nobody', 'age1abc # Ann'], 'age recipients'],
    ['artifacts', ['none'], yesOrNo],
    ['artifact-retention-days', ['0', '401'], 'a whole number from 1 to 400'],
    ['fail-on-drift', ['x'], yesOrNo],
    ['show-all', ['x'], yesOrNo],
    ['on-missing', ['keep'], 'delete, deactivate'],
    ['team-keys', ['keep'], 'move, delete'],
    [
      'key-header',
      ['X Key', 'Host', 'content-type', 'Connection', 'Transfer-Encoding', 'ключ'],
      'the name of a header',
    ],
    ['deliver', ['mail'], 'none, smtp'],
    ['mail-from', ['accounts', 'a@x.io, b@x.io', 'A <a>'], 'an address such as'],
    ['mail-subject', ['a\nb'], 'a text on one line'],
    ['audit-retention-days', ['401', '-1'], 'a whole number from 0 to 400'],
    ['drift-issue', ['x'], yesOrNo],
    ['export-limits', ['x'], yesOrNo],
    ['format', ['xml'], 'table, tsv, csv, json'],
    ['force', ['x'], yesOrNo],
    ['concurrency', ['0', '101'], 'a whole number from 1 to 100'],
    ['timeout-seconds', ['0', '3601', '30s'], 'a whole number from 1 to 3600'],
    ['retries', ['21'], 'a whole number from 0 to 20'],
  ])('of %s: %j', (name, values, allowed) => {
    for (const value of values) {
      expect(refusal({ [name]: value })).toContain(`Input \`${name}\` is \`${value}\`; allowed: ${allowed}`);
    }
  });

  it('of public-url: the page that every link adds', () => {
    expect(refusal({ 'public-url': 'https://llm.example.com/ui/' })).toBe(
      'Input `public-url` is `https://llm.example.com/ui`; allowed: the address without /ui, which every onboarding link adds.',
    );
  });

  it('is told together with all others, a line each', () => {
    const told = refusal({ 'no-add': 'x', retries: 'x', target: '/', 'base-url': 'x', format: 'x' }).split('\n');
    expect(told).toHaveLength(5);
    for (const line of told) expect(line).toMatch(/^Input `[a-z-]+` is `.+`; allowed: .+\.$/);
  });

  it('of the command suggests another', () => {
    expect(refusal({ command: 'snyc' })).toMatch(/Did you mean `sync`\?$/);
  });
});

describe('the master key', () => {
  it('is required where it is used, with these words', () => {
    expect(() => requireMasterKey(read())).toThrow(
      new UsageError('ERROR: master-key or env LITELLM_MASTER_KEY is required.'),
    );
    expect(requireMasterKey(read({}, { LITELLM_MASTER_KEY: ' sk-env ' })).reveal()).toBe('sk-env');
  });

  it('does not show in what is read, nor does the token', () => {
    const inputs = read({ 'master-key': 'sk-very-secret', 'github-token': 'ghs_very_secret' });
    expect(JSON.stringify(inputs)).not.toMatch(/very.secret/);
    expect(inspect(inputs, { depth: null })).not.toMatch(/very.secret/);
    expect(inputs.githubToken?.reveal()).toBe('ghs_very_secret');
  });
});

describe('what the environment gives', () => {
  it('is checked beside the inputs, and named', () => {
    expect(refusal({ 'user-role': 'admin' }, { LITELLM_BASE_URL: 'localhost:4000' })).toBe(
      [
        'Environment variable `LITELLM_BASE_URL` is `localhost:4000`; allowed: an address such as https://litellm.example.com.',
        'Input `user-role` is `admin`; allowed: proxy_admin, proxy_admin_viewer, internal_user, internal_user_viewer, default.',
      ].join('\n'),
    );
  });

  it('gives way to the inputs', () => {
    const env = { LITELLM_BASE_URL: 'nonsense', LITELLM_MASTER_KEY: 'sk-from-the-environment' };
    const inputs = parseInputs({ 'base-url': 'https://llm.example.com/v1/', 'master-key': 'sk-given' }, env, '/work');
    expect(inputs.baseUrl).toBe('https://llm.example.com/v1');
    expect(inputs.masterKey?.reveal()).toBe('sk-given');
  });
});

describe('base-url in the action', () => {
  const action: Origin = { from: 'action' };
  const given = { 'master-key': 'sk-given' };

  it.each([{}, { LITELLM_BASE_URL: ' ' }])('missing or blank is an error, and never localhost', (env) => {
    expect(refusal({ ...given, 'base-url': '' }, env, action)).toMatch(
      /^Input `base-url` is missing; allowed: the address of the LiteLLM proxy/,
    );
  });

  it('comes from the environment, too', () => {
    const { baseUrl } = parseInputs(given, { LITELLM_BASE_URL: 'https://x.io/' }, '/work', action);
    expect(baseUrl).toBe('https://x.io');
  });

  it('is not missed where no key is given either: forks are given neither, and check the file alone', () => {
    expect(parseInputs({}, {}, '/work', action)).toMatchObject({ baseUrl: '', masterKey: null });
  });
});

describe('extra-headers', () => {
  const headersOf = (text: string, more = {}) =>
    read({ 'extra-headers': text, ...more }).extraHeaders.map(({ name, value }) => [name, value.reveal()]);

  it('are names and values, one a line', () => {
    expect(headersOf('CF-Access-Client-Id: abc.access\n\n  X-Api-Key:a:b c \n')).toEqual([
      ['CF-Access-Client-Id', 'abc.access'],
      ['X-Api-Key', 'a:b c'],
    ]);
  });

  it('without a value are left out, as a job without its secrets would have them', () => {
    expect(headersOf('X-Api-Key:\nX-Other: 1')).toEqual([['X-Other', '1']]);
  });

  it('may be Authorization where the key has a header of its own', () => {
    expect(headersOf('Authorization: Basic abc', { 'key-header': 'x-litellm-key' })).toHaveLength(1);
  });

  it.each([
    ['canary-value', 'line 1 has no colon'],
    ['X-A: 1\ncanary-value', 'line 2 has no colon'],
    ['X A: canary-value', 'line 1 does not begin with the name of a header'],
    [': canary-value', 'line 1 does not begin with the name of a header'],
    ['Host: canary-value', 'line 1 is a header that nobody but the sender'],
    ['content-length: canary-value', 'line 1 is a header that nobody but the sender'],
    ['Content-Whatever: canary-value', 'line 1 is a header that nobody but the sender'],
    ['Transfer-Encoding: canary-value', 'line 1 is a header that nobody but the sender'],
    ['connection: canary-value', 'line 1 is a header that nobody but the sender'],
    ['X-A: canary-value\rX-B: 1', 'line 1 holds a line break'],
    ['X-A: canary\u2028-value', 'line 1 holds a line break'],
    ['X-A: canary-value\nx-a: 2', 'line 2 names a header for the second time'],
    ['authorization: canary-value', 'every header but `Authorization`'],
  ])('refuses %j without showing it', (text, why) => {
    const told = refusal({ 'extra-headers': text });
    expect(told).toContain('Input `extra-headers` is `***`; allowed: ');
    expect(told).toContain(why);
    expect(told).not.toContain('canary');
  });

  it("refuses the key's header under its own name, in any letter case", () => {
    const told = refusal({ 'extra-headers': 'X-LiteLLM-Key: canary-value', 'key-header': 'x-litellm-key' });
    expect(told).toContain('every header but `x-litellm-key`');
  });
});

describe('smtp-url', () => {
  it.each(['smtps://ann:p%40ss@mail.example.com:465', 'smtp://localhost:25', 'smtp://mail.example.com'])(
    '%s',
    (url) => {
      expect(read({}, { SMTP_URL: url }).smtpUrl?.reveal()).toBe(url);
    },
  );

  it.each([
    'canary.example.com:465',
    'https://canary.example.com',
    'smtp://ann@canary.example.com',
    'smtp://:canary@mail.example.com',
    'smtps://ann:can/ary@mail.example.com',
    'smtps://mail.example.com/canary',
    'smtps://mail.example.com?canary=1',
    'smtps://mail.example.com#canary',
    'smtp://ann:can%ary@mail.example.com',
    'smtp://ann:canary%FF@mail.example.com',
    'smtp://ann:canary@mail.example.com:0',
  ])('%s is refused without being shown', (url) => {
    for (const told of [refusal({ 'smtp-url': url }), refusal({}, { SMTP_URL: url })]) {
      expect(told).toMatch(/^(Input `smtp-url`|Environment variable `SMTP_URL`) is `\*\*\*`; allowed: smtps:\/\//);
      expect(told).not.toMatch(/canary|can\/ary/);
    }
  });
});

it('a mail template is a file of the repository in the action, and any file in a terminal', () => {
  const template = (file: string, from: 'action' | 'cli'): string | null =>
    parseInputs({ 'mail-template': file, 'base-url': 'http://x' }, {}, '/work', { from }).mailTemplatePath;
  expect(template('.github/..welcome.txt', 'action')).toBe('/work/.github/..welcome.txt');
  expect(template('/work/a.txt', 'action')).toBe('/work/a.txt');
  expect(template('../a.txt', 'cli')).toBe('/a.txt');
  for (const file of ['../a.txt', '/etc/hostname', 'a/../../b.txt'])
    expect(() => template(file, 'action')).toThrow(
      `Input \`mail-template\` is \`${file}\`; allowed: a file of the repository`,
    );
});

describe('what must be masked', () => {
  it('is every key, token, password and longer header', () => {
    const inputs = read({
      'master-key': 'sk-master',
      'github-token': 'ghs_token',
      'smtp-url': 'smtps://ann:p%40ssword@mail.example.com',
      'extra-headers': 'X-A: 123456\nX-B: 12345',
    });
    expect(secretsOf(inputs).map((secret) => secret.reveal())).toEqual([
      'sk-master',
      'ghs_token',
      'smtps://ann:p%40ssword@mail.example.com',
      'p%40ssword',
      'p@ssword',
      '123456',
    ]);
    expect(JSON.stringify(inputs)).not.toMatch(/master"|ghs_|ssword|123456/);
  });

  it('is nothing where nothing is given', () => {
    expect(secretsOf(read())).toEqual([]);
  });

  it('is a password in every form that it takes on its way', () => {
    const inputs = read({ 'smtp-url': 'smtp://ann:a|b!c+pass@x.io' });
    expect(secretsOf(inputs).map((secret) => secret.reveal())).toEqual([
      'smtp://ann:a|b!c+pass@x.io',
      'a|b!c+pass',
      'a%7Cb!c+pass',
      'a%7Cb!c%2Bpass',
    ]);
  });
});

it('inputs that no table knows are found in what the runner hands over', () => {
  const env = { 'INPUT_CVS-FILE': 'x', 'INPUT_CSV-FILE': 'y', INPUT_: '', INPUTS: '', HOME: '/' };
  expect(unknownInputs(env)).toEqual(['cvs-file']);
});

it('every input says in whole sentences what it does', () => {
  for (const name of INPUT_NAMES) expect(inputSpec(name).description).toMatch(/^[A-Z`a].*\.$/s);
});

describe('secrets in messages', () => {
  it.each(['sk-first\nsecond-line', 'sk-“quoted”', 'sk-cut…'])(
    'a key that no header can carry is not shown (%j)',
    (key) => {
      for (const message of [refusal({ 'master-key': key }), refusal({}, { LITELLM_MASTER_KEY: key })]) {
        expect(message).toMatch(
          /^(Input `master-key`|Environment variable `LITELLM_MASTER_KEY`) is `\*\*\*`; allowed: a key/,
        );
      }
    },
  );

  it('a password in an address is not shown', () => {
    const message = refusal({ 'base-url': 'https://ann:pa55@x.io', 'public-url': 'ftp://ann:pa55@x.io' });
    expect(message).toContain('Input `base-url` is `https://***@x.io`; allowed: an address without user');
    expect(message).not.toContain('pa55');
  });

  it('a key that slipped into another input is not shown', () => {
    const key = 'sk-0123456789abcdef';
    for (const name of INPUT_NAMES.filter((one) => !inputSpec(one).isSecret)) {
      expect(refusal({ [name]: `${key}/?*` })).not.toContain(key);
    }
    expect(refusal({ 'base-url': `https://x.io/?key=${key}` })).not.toContain(key);
  });

  it('a private age key given in place of a public one is not shown', () => {
    const message = refusal({ 'encrypt-to': 'age1good\nAGE-SECRET-KEY-1VERYSECRET' });
    expect(message).toContain('Input `encrypt-to`');
    expect(message).not.toContain('VERYSECRET');
  });
});

it('wrong recipients are told before anything is planned', () => {
  expect(refusal({ 'encrypt-to': 'ops@example.com' })).toBe(
    'Input `encrypt-to` is `ops@example.com`; allowed: age recipients (public keys such as age1…), one a line.',
  );
});
