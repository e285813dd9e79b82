import { describe, expect, it } from 'vitest';
import { TerminalHost, terminalLog } from '../../src/cli/host.ts';
import { readUserList } from '../../src/core/desired.ts';
import { Lookup } from '../../src/core/index.ts';
import type { Change } from '../../src/core/plan.ts';
import { newUsers, planAdds, Rows, rowPlan, skipExisting } from '../../src/core/row-plan.ts';
import type { RunPlan, RunResult } from '../../src/host/port.ts';
import { parseInputs, type RawInputs } from '../../src/inputs.ts';
import { add, planOf, remove } from '../apply/setup.ts';
import { inventory, POLICY, user } from '../core/build.ts';
import { Sink } from '../host/sink.ts';
import { outcome } from '../render/plans.ts';

function terminal(raw: RawInputs = {}, { isTTY = false, debug = false } = {}) {
  const streams = { stdout: new Sink(), stderr: new Sink(isTTY) };
  const inputs = parseInputs(raw, {}, '/work');
  const log = terminalLog(streams, debug);
  const host = new TerminalHost({
    terminal: streams,
    inputs,
    log,
    outputDirectory: '/work',
    signal: new AbortController().signal,
  });
  return { host, ...streams };
}

function fileOf(...changes: Change[]): RunPlan {
  return { kind: 'file', plan: planOf(...changes), rows: [], desired: [] };
}

describe('a plan', () => {
  it('of a dry run is told from one of a run that was to apply it and may not', async () => {
    const dry = terminal({ 'dry-run': 'true' });
    await dry.host.planned(fileOf(remove('ann')));
    expect(dry.stdout.text).toContain('DRY RUN - Changes that would be made:');
    const refused = terminal({ 'dry-run': 'false' });
    await refused.host.planned(fileOf(remove('ann')));
    expect(refused.stdout.text).toContain('NOT APPLIED - Changes that would be made:');
  });

  it('goes to stdout alone', async () => {
    const { host, stdout, stderr } = terminal();
    await host.beforeWrites(fileOf(remove('ann')));
    expect(stdout.text).toContain('Changes to be made:');
    expect(stderr.text).toBe('');
  });

  it.each([
    ['nothing', [], false],
    ['something', [add('ann@x.io')], true],
    ['something that is withheld', [add('ann@x.io', { withheld: 'no-add' })], false],
  ])('of %s has changes or not', async (_, changes, found) => {
    const { host } = terminal();
    await host.planned(fileOf(...changes));
    expect(host.foundChanges).toBe(found);
  });

  it('is applied unless dry-run says otherwise: nobody reviews in a terminal', async () => {
    expect(terminal().host.mode).toEqual({ kind: 'apply' });
    expect(terminal({ 'dry-run': 'true' }).host.mode).toEqual({ kind: 'plan' });
    const plan = fileOf(remove('ann'));
    expect(await terminal().host.review(plan)).toEqual({ kind: 'go', plan, evidence: null });
  });
});

describe('progress', () => {
  it('is a bar in a terminal, and a line once it is done', () => {
    const { host, stderr } = terminal({}, { isTTY: true });
    host.progress({ phase: 'adding users', done: 1, total: 2 });
    host.progress({ phase: 'adding users', done: 2, total: 2 });
    expect(stderr.text).toBe(
      `\r\u001b[Kadding users ${'█'.repeat(12)}${'░'.repeat(12)} 1 of 2` +
        `\r\u001b[Kadding users ${'█'.repeat(24)} 2 of 2\n`,
    );
  });

  it('of nothing is done', () => {
    const { host, stderr } = terminal({}, { isTTY: true });
    host.progress({ phase: 'adding users', done: 0, total: 0 });
    expect(stderr.text).toMatch(/█{24} 0 of 0\n$/);
  });

  it('of short work prints nothing into a file', () => {
    const { host, stderr } = terminal();
    for (const done of [0, 1, 2]) host.progress({ phase: 'adding users', done, total: 2 });
    expect(stderr.text).toBe('');
  });
});

describe('results', () => {
  const result: RunResult<null> = {
    command: 'sync',
    plan: null,
    evidence: null,
    outcomes: [],
    notes: [],
    files: ['/work/user_sync_result.csv'],
    secretFiles: [],
    linksExpire: null,
    auditFile: null,
    secretsUrl: '',
    isUnfinished: false,
  };

  it('name the result file, and the file of the secrets where there is one', async () => {
    const { host, stdout, stderr } = terminal();
    await host.finished({
      ...result,
      outcomes: [outcome('ann@x.io', { userId: 'u1' })],
      secretFiles: ['/work/onboarding_links.csv'],
    });
    expect(stderr.text).toMatch(
      /Results: \/work\/user_sync_result\.csv\nKeys and onboarding links \(secret\): \/work\/onboarding_links\.csv\n$/,
    );
    expect(stdout.text).toBe('');
  });

  it('name no file of secrets where there is none', async () => {
    const { host, stderr } = terminal();
    await host.finished(result);
    expect(stderr.text).not.toContain('secret');
  });

  it('of rows name each file, and which of them are secret', async () => {
    const { host, stderr } = terminal();
    await host.finished({
      ...result,
      command: 'onboard',
      notes: ['\u001b[2Jnote'],
      files: ['/a.csv', '/b.csv'],
      secretFiles: ['/b.csv'],
    });
    expect(stderr.text).toMatch(/note\nResults: \/a\.csv\nOnboarding links \(secret\): \/b\.csv\n$/);
    expect(stderr.text).not.toContain('\u001b');
  });
});

describe('rows', () => {
  it('that are wrong are told with file, line and column; nothing of them controls the terminal', async () => {
    const csv = 'email,role\nann@x.io,\nold@x.io,\nbad\u001b[2J@,\n';
    const list = readUserList(new TextEncoder().encode(csv));
    const rows = new Rows(list.rows, 'ADDED', 'internal_user');
    const lookup = new Lookup(inventory([user('old')]), POLICY);
    skipExisting(rows, lookup);
    const planned = rowPlan(rows, planAdds(newUsers(rows, lookup, rows.open), lookup), lookup);
    const { host, stdout, stderr } = terminal({ command: 'add' });
    await host.planned({ kind: 'rows', plan: planned.plan, rowPlan: planned });
    expect(host.foundChanges).toBe(true);
    expect(stdout.text).toContain('ann@x.io');
    expect(stderr.text).toMatch(/^Error: user_addlist\.csv:4:1: Invalid email format: [^\n]*\n$/);
    expect(stdout.text + stderr.text).not.toContain('\u001b');
  });
});

describe('documents', () => {
  it('go to stdout as they are', () => {
    const { host, stdout, stderr } = terminal();
    host.print('a\tb\n');
    expect([stdout.text, stderr.text]).toEqual(['a\tb\n', '']);
  });
});

describe('the log', () => {
  it.each([
    [false, 'i\nWarning: w\nError: e\n'],
    [true, 'debug: d\ni\nWarning: w\nError: e\n'],
  ])('goes to stderr, with detail only on demand (%s)', (debug, expected) => {
    const { host, stdout, stderr } = terminal({}, { debug });
    host.log.debug('d');
    host.log.info('i');
    host.log.warning('w');
    host.log.error('e');
    expect([stdout.text, stderr.text]).toEqual(['', expected]);
  });
});
