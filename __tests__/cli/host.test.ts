import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { TerminalHost } from '../../src/cli/host.ts';
import { Screen } from '../../src/cli/screen.ts';
import { readUserList } from '../../src/core/desired.ts';
import type { Change, Plan } from '../../src/core/plan.ts';
import { Lookup, newUsers, planAdds, Rows, rowPlan, skipExisting } from '../../src/core/row-plan.ts';
import type { RunPlan, RunResult } from '../../src/host/port.ts';
import { parseInputs, type RawInputs } from '../../src/inputs.ts';
import { inventory, POLICY, user } from '../core/build.ts';
import { Sink } from '../host/sink.ts';
import { expectGolden } from '../render/golden.ts';
import { add, outcome, PLANS, plan as planOf, remove } from '../render/plans.ts';

/** Somebody's keyboard. */
class Keys extends PassThrough {
  readonly isTTY = true;
}

interface Setting {
  readonly isTTY?: boolean;
  readonly debug?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  readonly asks?: boolean;
}

function terminal(raw: RawInputs = {}, { isTTY = false, debug = false, env = {}, asks = true }: Setting = {}) {
  const streams = { stdin: new Keys(), stdout: new Sink(isTTY), stderr: new Sink(isTTY) };
  const screen = new Screen(streams, env);
  const stop = new AbortController();
  const host = new TerminalHost({
    screen,
    inputs: parseInputs(raw, {}, '/work'),
    log: screen.log(debug),
    outputDirectory: '/work',
    signal: stop.signal,
    asks,
  });
  return { host, stop, ...streams };
}

function fileOf(...changes: Change[]): RunPlan {
  return { kind: 'file', plan: planOf(changes), rows: [], desired: [] };
}

describe('a plan', () => {
  it('of a dry run is told from one of a run that was to apply it and may not', async () => {
    const dry = terminal({ 'dry-run': 'true' });
    await dry.host.planned(fileOf(remove('ann@x.io')));
    expect(dry.stdout.text).toContain('DRY RUN - Changes that would be made:');
    const refused = terminal({ 'dry-run': 'false' });
    await refused.host.planned(fileOf(remove('ann@x.io')));
    expect(refused.stdout.text).toContain('NOT APPLIED - Changes that would be made:');
  });

  it('goes to stdout alone', async () => {
    const { host, stdout, stderr } = terminal();
    await host.beforeWrites(fileOf(remove('ann@x.io')));
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
    const plan = fileOf(remove('ann@x.io'));
    expect(await terminal().host.review(plan)).toMatchObject({ kind: 'go', plan, evidence: null });
  });
});

describe('the question', () => {
  const plan = fileOf(add('ann@x.io'));

  it.each([['y'], ['Y'], [' yes ']])('%j applies', async (answer) => {
    const { host, stdin, stdout } = terminal({}, { isTTY: true });
    stdin.write(`${answer}\n`);
    await host.beforeWrites(plan);
    expect(stdout.text).toMatch(/Users to ADD:[\s\S]*\n\n[^\n]*Apply these changes\? \[y\/N\] /);
  });

  it.each([['n'], [''], ['yess'], ['no']])('%j does not', async (answer) => {
    const { host, stdin } = terminal({}, { isTTY: true });
    stdin.write(`${answer}\n`);
    await expect(host.beforeWrites(plan)).rejects.toThrow('Not applied: the answer was not yes.');
  });

  it.each<[string, (keys: Keys, stop: AbortController) => void]>([
    ['Ctrl-C', (keys) => keys.write('\u0003')],
    ['Ctrl-D', (keys) => keys.write('\u0004')],
    ['SIGTERM', (_keys, stop) => stop.abort()],
  ])('%s ends the run', async (_what, end) => {
    const { host, stdin, stop } = terminal({}, { isTTY: true });
    const asked = host.beforeWrites(plan);
    end(stdin, stop);
    await expect(asked).rejects.toThrow('Not applied: ended at the question.');
  });

  it('is not asked of a run that was stopped before', async () => {
    const { host, stop } = terminal({}, { isTTY: true });
    stop.abort();
    await expect(host.beforeWrites(plan)).rejects.toThrow('Not applied: ended at the question.');
  });

  it.each<[string, Setting, RunPlan]>([
    ['with --yes', { isTTY: true, asks: false }, plan],
    ['where there is no terminal', {}, plan],
    ['of a plan that changes nothing', { isTTY: true }, fileOf(add('ann@x.io', { withheld: 'no-add' }))],
  ])('is not asked %s', async (_what, setting, shown) => {
    const { host, stdout } = terminal({}, setting);
    await host.beforeWrites(shown);
    expect(stdout.text).not.toContain('Apply');
  });
});

describe('colours', () => {
  const esc = '\u001b[';

  it.each<[string, Setting, boolean]>([
    ['in a terminal', { isTTY: true }, true],
    ['not in a file', {}, false],
    ['not with NO_COLOR', { isTTY: true, env: { NO_COLOR: '1' } }, false],
    ['but with an empty one', { isTTY: true, env: { NO_COLOR: '' } }, true],
    ['in a file with FORCE_COLOR, whatever NO_COLOR says', { env: { FORCE_COLOR: '1', NO_COLOR: '1' } }, true],
    ['not with FORCE_COLOR=0', { isTTY: true, env: { FORCE_COLOR: '0' } }, false],
    ['not in a terminal that has none', { isTTY: true, env: { TERM: 'dumb' } }, false],
  ])('%s', async (_what, setting, has) => {
    const { host, stdout, stderr } = terminal({ 'dry-run': 'true' }, setting);
    await host.planned(fileOf(add('ann@x.io'), remove('ben@x.io')));
    host.log.warning('w');
    host.print('    + a list\n');
    expect(stdout.text.includes(`${esc}32m    + ann@x.io`)).toBe(has);
    expect(stdout.text.includes(`${esc}31m    - ben`)).toBe(has);
    expect(stderr.text).toBe(has ? `${esc}33mWarning:${esc}0m w\n` : 'Warning: w\n');
    expect(stdout.text).toMatch(/\n {4}\+ a list\n$/);
  });

  it('stand for signs: whole lines of the plan', async () => {
    const { host, stdout } = terminal({ 'dry-run': 'true' }, { isTTY: true });
    await host.planned({ kind: 'file', plan: PLANS.everything as Plan, rows: [], desired: [] });
    await expectGolden('plan-colours.txt', stdout.text.replaceAll('\u001b', '<ESC>'));
  });
});

describe('progress', () => {
  it('is a bar in a terminal, and a line once it is done', () => {
    const { host, stderr } = terminal({}, { isTTY: true });
    host.progress({ phase: 'Reading users', done: 0, total: null });
    host.progress({ phase: 'Reading users', done: 5000, total: 10_000 });
    host.progress({ phase: 'Reading users', done: 10_000, total: 10_000 });
    expect(stderr.text).toBe(
      '\r\u001b[KReading users …' +
        `\r\u001b[KReading users ${'█'.repeat(12)}${'░'.repeat(12)} 5,000 of 10,000` +
        `\r\u001b[KReading users ${'█'.repeat(24)} 10,000 of 10,000\n`,
    );
  });

  it('gives its line to what is said next', () => {
    const { host, stderr } = terminal({}, { isTTY: true });
    host.progress({ phase: 'Reading users', done: 0, total: null });
    host.print('a list\n');
    host.log.info('read');
    expect(stderr.text).toBe('\r\u001b[KReading users …\r\u001b[Kread\n');
  });

  it('of nothing is done', () => {
    const { host, stderr } = terminal({}, { isTTY: true });
    host.progress({ phase: 'adding users', done: 0, total: 0 });
    expect(stderr.text).toMatch(/█{24} 0 of 0\n$/);
  });

  it('of short work prints nothing into a file', () => {
    const { host, stderr } = terminal();
    host.progress({ phase: 'adding users', done: 0, total: null });
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
    audit: null,
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
    expect(stdout.text.match(/Invalid email format/g)).toHaveLength(1);
    expect(stdout.text).toMatch(/^ {4}! user_addlist\.csv:4:1: Invalid email format: /m);
    expect(stderr.text).toBe('Error: 1 row of user_addlist.csv cannot be carried out: see the plan.\n');
    expect(stdout.text + stderr.text).not.toContain('\u001b');
  });
});

it('a long plan for rows ends with its counts again', async () => {
  const csv = `email\n${Array.from({ length: 26 }, (_, index) => `u${index}@x.io\n`).join('')}bad\n`;
  const list = readUserList(new TextEncoder().encode(csv));
  const rows = new Rows(list.rows, 'ADDED', 'internal_user');
  const lookup = new Lookup(inventory([]), POLICY);
  const planned = rowPlan(rows, planAdds(newUsers(rows, lookup, rows.open), lookup), lookup);
  const { host, stdout } = terminal({ command: 'add' });
  await host.planned({ kind: 'rows', plan: planned.plan, rowPlan: planned });
  expect(stdout.text).toMatch(/\n\nPlan: Users to add: 26, Rows skipped: 0, Rows with errors: 1\.\n$/);
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
