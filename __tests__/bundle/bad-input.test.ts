import { describe, expect, it } from 'vitest';
import { COMMANDS, type InputName, inputSpec } from '../../src/inputs.ts';
import type { Fault } from '../../standin/server.ts';
import { sha } from '../github/support.ts';
import { annotations } from './support/action.ts';
import { SAME, USER_LIST } from './support/company.ts';
import { World } from './support/world.ts';

const HEADER = 'email,role,team_name,key_name\n';
const html: Fault = { when: 'before', kind: 'html', status: 200, body: '<!doctype html><title>Login</title>' };

interface Case {
  readonly csv?: string | Buffer | null;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly fault?: Fault;
  readonly says: RegExp;
  /** Of the command line: 2 for wrong usage or a bad file, 1 for all else. */
  readonly code: 1 | 2;
}

const CASES: Record<string, Case> = {
  'missing key': {
    inputs: { 'master-key': '' },
    says: /ERROR: master-key or env LITELLM_MASTER_KEY is required\./,
    code: 2,
  },
  'wrong key': {
    inputs: { 'master-key': 'sk-of-somebody-else-altogether' },
    says: /GET \/\S+ answered 401: the proxy refuses the key\. Check master-key/,
    code: 1,
  },
  'proxy down': {
    inputs: { 'base-url': 'http://127.0.0.1:9' },
    says: /Cannot reach the proxy at http:\/\/127\.0\.0\.1:9 \(ECONNREFUSED\): is it running/,
    code: 1,
  },
  'HTML instead of JSON': {
    fault: html,
    says: /answered 200 with HTML: is base-url the address of the proxy's API/,
    code: 1,
  },
  'missing file': { csv: null, says: /ERROR: CSV file 'user_list\.csv' not found\./, code: 2 },
  'empty file': { csv: '', says: /user_list\.csv.*empty.*email,role,team_name/, code: 2 },
  'header only': { csv: HEADER, says: /The file holds no users\. That never means "delete everyone"/, code: 2 },
  semicolons: { csv: SAME.replaceAll(',', ';'), says: /separated by `;`.*email,role,team_name/s, code: 2 },
  'UTF-16': { csv: Buffer.from(`\ufeff${SAME}`, 'utf16le'), says: /UTF-16/, code: 2 },
  'the same email in another letter case': {
    csv: `${SAME}ANN@Example.com,proxy_admin,engineering,\n`,
    says: /`ANN@Example\.com` stands on line 2 already, and again on line 7/,
    code: 2,
  },
  'unknown team': {
    csv: SAME.replace('bob@example.com,internal_user,engineering', 'bob@example.com,internal_user,enginering'),
    says: /user_list\.csv:3:3: .*`enginering`.*`engineering`/,
    code: 2,
  },
  'unknown role': {
    csv: SAME.replace('bob@example.com,internal_user', 'bob@example.com,internal_usr'),
    says: /user_list\.csv:3:2: role of [^ ]+: Invalid role `internal_usr`\..*`internal_user`.*Allowed: proxy_admin,/,
    code: 2,
  },
};

describe.each(Object.entries(CASES))('%s', (_, { csv, inputs = {}, fault, says, code }) => {
  const create = async () => {
    const world = await World.create({ csv: csv ?? SAME, ...(fault && { fault: () => fault }) });
    if (csv === null) world.removeFile();
    return world;
  };

  it('is one clear error in action and command line, and nothing is written', async () => {
    const world = await create();
    if (csv !== null) world.publish(sha('e'));
    const flags = Object.entries(inputs).flatMap(([name, value]) => (value === '' ? [] : [`--${name}`, value]));
    const env = inputs['master-key'] === '' ? { LITELLM_MASTER_KEY: '' } : {};
    const [run, cli] = await Promise.all([
      world.run('workflow_dispatch', { inputs }),
      world.cli(['sync', '--retries', '0', ...flags], env),
    ]);
    expect(run.code).toBe(1);
    expect(run.stdout).toMatch(says);
    expect(annotations(run).filter((line) => line.startsWith('error: '))).toHaveLength(1);
    expect(run.outputs).toMatchObject({ added: '0', failed: '0' });
    expect(cli.stderr).toMatch(says);
    expect(cli.stderr).not.toMatch(/^\s+at /m);
    expect([cli.stdout, cli.code]).toEqual(['', code]);
    expect(world.proxyWrites).toEqual([]);
  });
});

it('a BOM is fine', async () => {
  const world = await World.create({ csv: `\ufeff${SAME}` });
  world.publish(sha('e'));
  const [run, cli] = await Promise.all([
    world.run('workflow_dispatch'),
    world.cli(['sync', '--dry-run', '--detailed-exitcode']),
  ]);
  expect([run.code, cli.code]).toEqual([0, 0]);
  expect(run.outputs).toMatchObject({ 'has-changes': 'false', unchanged: '5' });
  expect(world.proxyWrites).toEqual([]);
});

describe('inputs', () => {
  /** Every input that takes less than any text, with a value that it does not take and what its message must hold. */
  const WRONG: Record<string, [value: string, allowed: RegExp]> = {
    'base-url': ['litellm.example.com', /an address such as https:/],
    'dry-run': ['maybe', /allowed: auto, true, false/],
    'user-role': ['boss', /allowed: proxy_admin, .*default/],
    'no-add': ['yes', /allowed: true, false/],
    'no-delete': ['1', /allowed: true, false/],
    'no-update': ['on', /allowed: true, false/],
    'api-keys': ['y', /allowed: true, false/],
    invitations: ['TRUE', /allowed: true, false/],
    'max-deletes': ['-1', /a number of users such as 10, or a share/],
    'min-admins': ['two', /a whole number from 0/],
    'unreviewed-changes': ['ask', /allowed: skip, apply, fail/],
    'recreate-on-failure': ['no', /allowed: true, false/],
    'update-existing': ['no', /allowed: true, false/],
    target: ['a/b', /none of/],
    comment: ['no', /allowed: true, false/],
    'redact-emails': ['no', /allowed: auto, true, false/],
    artifacts: ['no', /allowed: true, false/],
    'artifact-retention-days': ['0', /a whole number from 1 to 400/],
    'fail-on-drift': ['no', /allowed: true, false/],
    'public-url': ['ftp://x', /an address such as https:/],
    'show-all': ['no', /allowed: true, false/],
    'on-missing': ['keep', /allowed: delete, deactivate/],
    'team-keys': ['keep', /allowed: move, delete/],
    'key-header': ['Host', /the name of a header/],
    deliver: ['mail', /allowed: none, smtp/],
    'mail-from': ['accounts', /an address such as/],
    'audit-retention-days': ['-1', /a whole number from 0 to 400/],
    'drift-issue': ['on', /allowed: true, false/],
    'export-limits': ['on', /allowed: true, false/],
    format: ['xml', /allowed: table, tsv, csv, json/],
    force: ['no', /allowed: true, false/],
    concurrency: ['0', /a whole number from 1 to 100/],
    'timeout-seconds': ['1.5', /a whole number from 1/],
    retries: ['many', /a whole number from 0 to 20/],
  };
  const inputs = Object.fromEntries(Object.entries(WRONG).map(([name, [value]]) => [name, value]));

  function expectEach(text: string, names = Object.keys(WRONG)): void {
    const lines = text.split('\n');
    for (const name of names) {
      const [value, allowed] = WRONG[name] ?? ['', /^$/];
      const line = lines.find((candidate) => candidate.includes(`\`${name}\` is \`${value}\``));
      expect(line ?? `no message names ${name}`).toMatch(allowed);
    }
  }

  it('are all told at once, each with its value and what is allowed', async () => {
    const world = await World.create();
    world.publish(sha('e'));
    const run = await world.run('workflow_dispatch', { inputs });
    expect(run.code).toBe(1);
    expectEach(annotations(run).join('\n'));
    expect(world.proxy.requests).toEqual([]);
    expect(world.github.calls).toEqual([]);
  });

  it.each(COMMANDS)('are told by the command line as well: those that %s takes', async (command) => {
    const world = await World.create();
    const taken = Object.keys(inputs).filter((name) => inputSpec(name as InputName).commands.includes(command));
    const cli = await world.cli([command, ...taken.map((name) => `--${name}=${inputs[name]}`)]);
    expect([cli.code, world.proxy.requests]).toEqual([2, []]);
    expectEach(cli.stderr, taken);
  });

  it('without an address of the proxy nothing is tried, least of all localhost', async () => {
    const world = await World.create();
    const run = await world.run('push', { inputs: { 'base-url': '' } });
    expect(annotations(run)).toEqual([expect.stringMatching(/^error: Input `base-url` is missing; allowed: /)]);
    expect([run.code, world.github.calls]).toEqual([1, []]);
  });

  it('that no table knows are warned of, with the one that was meant', async () => {
    const world = await World.create({ csv: SAME });
    const run = await world.run('pull_request', { inputs: { 'max-delete': '5' } });
    expect(annotations(run)).toEqual([
      'warning: Unknown input `max-delete`: it has no effect. Did you mean `max-deletes`?',
    ]);
    expect(run.code).toBe(0);
  });

  it('an unknown command or flag suggests the one that was meant', async () => {
    const world = await World.create();
    const [run, command, flag] = await Promise.all([
      world.run('workflow_dispatch', { inputs: { command: 'snyc' } }),
      world.cli(['snyc']),
      world.cli(['--cvs-file', 'x.csv']),
    ]);
    expect(annotations(run)).toEqual([
      expect.stringMatching(/^error: Input `command` is `snyc`; allowed: sync, add, .*did you mean `sync`/i),
    ]);
    expect(command.stderr).toMatch(/did you mean `sync`/i);
    expect(flag.stderr).toMatch(/Unknown flag `--cvs-file`.*`--csv-file`/);
    expect([run.code, command.code, flag.code]).toEqual([1, 2, 2]);
  });
});

it('of more than ten problems nine are annotations, "N more" is in the error, and all are in log and comment', async () => {
  const bad = Array.from({ length: 12 }, (_, number) => `nobody${number},king,nowhere,\n`).join('');
  const world = await World.create({ csv: `${USER_LIST}${bad}` });
  const run = await world.run('pull_request');
  const shown = annotations(run);
  expect(shown.filter((line) => line.startsWith('error user_list.csv:'))).toHaveLength(9);
  expect(shown.filter((line) => line.startsWith('error: '))).toEqual([
    'error: user_list.csv: 36 problems, nothing was written. 27 more problems are listed in the log.',
  ]);
  for (const text of [run.stdout, run.summary, world.github.commentsOf(7)[0] ?? '']) {
    expect(text).toContain('nobody11');
    expect(text.match(/`nowhere`/g)?.length).toBeGreaterThanOrEqual(12);
  }
});
