import { describe, expect, it } from 'vitest';
import { type DesiredLimits, NO_LIMITS } from '../../src/core/desired.ts';
import type { ProxyUser, UserLimits } from '../../src/core/inventory.ts';
import { isStopped, type Plan } from '../../src/core/plan.ts';
import { COLUMNS, inventory, type PlanMore, planOf, short, TODAY, team, UNLIMITED, user } from './build.ts';

const ann = (over: Partial<ProxyUser> = {}) => inventory([user('ann', over)]);
const lines = ({ changes }: Plan) => changes.map(short);
const value = <T>(of: T) => ({ kind: 'value', value: of }) as const;
const NONE = { kind: 'none' } as const;

describe('limits', () => {
  const has = (limits: Partial<UserLimits>) => ann({ limits: { ...UNLIMITED, ...limits } });
  const wants = (limits: Partial<DesiredLimits>): PlanMore => ({
    rows: { 'ann@x.io': { limits: { ...NO_LIMITS, ...limits } } },
  });

  it.each([
    ['blank cells', { maxBudget: 5 }, {}, null],
    ['a budget where none was', {}, { maxBudget: value(50) }, 'maxBudget null→50'],
    ['the same, to 15 digits', { maxBudget: 0.3 }, { maxBudget: value(0.30000000000000004) }, null],
    ['more than rounding', { maxBudget: 1 }, { maxBudget: value(1.00000001) }, 'maxBudget 1→1.00000001'],
    ['zero is a number', { rpmLimit: null }, { rpmLimit: value(0) }, 'rpmLimit null→0'],
    ['zero again', { rpmLimit: 0 }, { rpmLimit: value(0) }, null],
    ['none, and none is there', {}, { maxBudget: NONE, budgetDuration: NONE, tpmLimit: NONE }, null],
    ['none of what is there', { tpmLimit: 10 }, { tpmLimit: NONE }, 'tpmLimit 10→null'],
    ['another period', { budgetDuration: '7d' }, { budgetDuration: value('30d') }, 'budgetDuration 7d→30d'],
    ['models in another order', { models: ['a', 'b'] }, { models: value(['b', 'a', 'a']) }, null],
    ['all models, as the proxy writes it', {}, { models: value(['all-proxy-models']) }, null],
    ['fewer models', { models: [] }, { models: value(['a']) }, 'models →a'],
    ['no limit of models', { models: ['a'] }, { models: NONE }, 'models a→all-proxy-models'],
  ])('%s', (_, present, wanted, expected) => {
    const { plan, problems } = planOf('email\nann@x.io\n', has(present), {}, wants(wanted));
    expect(problems).toEqual([]);
    expect(lines(plan)).toEqual(expected === null ? [] : [`~ ann ${expected}`]);
  });

  it('are settings of a new user, as far as the row has them', () => {
    const { plan } = planOf('email\nann@x.io\n', inventory([]), {}, wants({ maxBudget: value(5), tpmLimit: NONE }));
    expect(lines(plan)).toEqual(['+ ann@x.io internal_user default null {"maxBudget":5,"tpmLimit":null}']);
  });

  it.each([
    ['maxBudget', { maxBudget: 5 }, { clearsBudget: false }, 'take max_budget off a user', '1.82'],
    [
      'budgetDuration',
      { budgetDuration: '7d' },
      { clearsDurationAndRates: false },
      'take budget_duration off',
      '1.106',
    ],
    ['rpmLimit', { rpmLimit: 5 }, { clearsDurationAndRates: false }, 'take rpm_limit off', '1.106'],
  ] as const)('a %s that this proxy cannot clear is a problem of the row', (field, present, facts, message, since) => {
    const cell = { rows: { 'ann@x.io': { limits: { ...NO_LIMITS, [field]: NONE } } } };
    const { plan, problems } = planOf(
      'email\nann@x.io\n',
      has(present),
      {},
      { ...cell, facts: { ...facts, version: '1.75.8' } },
    );
    expect(plan.changes).toEqual([]);
    expect(problems).toMatchObject([{ line: 2, email: 'ann@x.io', message: expect.stringContaining(message) }]);
    expect(problems[0]?.message).toMatch(new RegExp(`^LiteLLM 1\\.75\\.8 .* update LiteLLM to ${since}\\.$`));
    const unknown = planOf('email\nann@x.io\n', has(present), {}, { ...cell, facts: { ...facts, version: null } });
    expect(unknown.problems[0]?.message).toContain('whose version is not known');
  });

  it('a name that the proxy does not list warns, with the nearest', () => {
    const csv = 'email\nann@x.io\nbob@x.io\n';
    const cells = (models: string[]) => ({ limits: { ...NO_LIMITS, models: value(models) } });
    const rows = {
      'ann@x.io': cells(['gpt-5x', 'claude', 'openai/*', 'no-default-models']),
      'bob@x.io': cells(['gpt-5x']),
    };
    const warnings = (modelNames?: string[]) =>
      planOf(csv, ann(), {}, { rows, ...(modelNames && { modelNames }) }).plan.warnings;
    expect(warnings(['gpt-5', 'claude'])).toEqual([
      "The proxy's model list has no `gpt-5x` (line 2 and 1 more). Did you mean `gpt-5`? It is sent as it is written.",
    ]);
    expect(warnings(['gpt-5', 'zzz'])[1]).toContain('no `claude` (line 2)');
    expect(warnings()).toEqual([expect.stringContaining('does not show its models')]);
    expect(planOf(csv, ann()).plan.warnings).toEqual([]);
  });

  it('are named where a protected user would get them', () => {
    const limits = { maxBudget: value(5), tpmLimit: NONE, models: value(['a', 'b']) };
    const { problems } = planOf('email\nann@x.io\n', has({ tpmLimit: 9 }), { protectedUsers: ['ann'] }, wants(limits));
    expect(problems[0]?.message).toContain('would change them (max_budget - → 5, tpm_limit 9 → -, models all → a,b)');
  });

  it('note once that budgets bind personal keys, where somebody is in a team', () => {
    const teams = [team('red', ['ann', 'bob'])];
    const have = inventory([user('ann', { teams: ['red'] }), user('bob', { teams: ['red'] }), user('cat')], teams);
    const notes = (limits: Partial<DesiredLimits>, email: string, csv: string) =>
      planOf(csv, have, { noDelete: true }, { rows: { [email]: { limits: { ...NO_LIMITS, ...limits } } } }).plan.notes;
    const csv = 'email,team_name\nann@x.io,\nbob@x.io,\ncat@x.io,\nnew@x.io,red\nlone@x.io,\n';
    const personal = [expect.stringContaining('personal keys alone')];
    expect(notes({ maxBudget: value(5) }, 'ann@x.io', csv)).toEqual(personal);
    expect(notes({ models: value(['a']) }, 'new@x.io', csv)).toEqual(personal);
    expect(notes({ maxBudget: value(5) }, 'ann@x.io', 'email,team_name\nann@x.io,-\n')).toEqual([]);
    expect(notes({ maxBudget: NONE }, 'new@x.io', csv)).toEqual([]);
    expect(notes({ tpmLimit: value(5) }, 'ann@x.io', csv)).toEqual([]);
    expect(notes({ maxBudget: value(5) }, 'cat@x.io', csv)).toEqual([]);
    expect(notes({ maxBudget: value(5) }, 'lone@x.io', csv)).toEqual([]);
  });

  it.each([
    ['none of both on 1.75', UNLIMITED, { clearsBudget: false, clearsDurationAndRates: false }, 1],
    ['a budget without a period on 1.90', { ...UNLIMITED, maxBudget: 5 }, { clearsDurationAndRates: false }, 1],
    ['both on 1.90', { ...UNLIMITED, maxBudget: 5, budgetDuration: '1d' }, { clearsDurationAndRates: false }, 0],
    ['none on 1.106', UNLIMITED, {}, 0],
  ])('note what a change to internal_user may do to a "none": %s', (_, limits, facts, notes) => {
    const have = ann({ role: 'internal_user_viewer', limits });
    const { plan } = planOf('email,role\nann@x.io,internal_user\n', have, {}, { facts });
    expect(plan.notes).toHaveLength(notes);
    expect(planOf('email,role\nann@x.io,proxy_admin\n', have, {}, { facts }).plan.notes).toEqual([]);
  });
});

describe('a rename', () => {
  const columns = { ...COLUMNS, previousEmail: 4 };
  const from = (previousEmail: string) => ({ rows: { 'new@x.io': { previousEmail, columns } } });

  it('keeps the user and may come with other changes', () => {
    const { plan, problems } = planOf(
      'email,role\nNew@x.io,proxy_admin\n',
      ann({ email: ' Ann@x.io ' }),
      {},
      from('ANN@x.io'),
    );
    expect(problems).toEqual([]);
    expect(lines(plan)).toEqual(['~ ann Ann@x.io→new@x.io internal_user→proxy_admin']);
    expect(plan.changes[0]).toMatchObject({ email: 'New@x.io', line: 2 });
  });

  it('is done where the email is on the proxy already, and may stay in the file', () => {
    const { plan, problems } = planOf('email\nnew@x.io\n', ann({ email: 'new@x.io' }), {}, from('ann@x.io'));
    expect([lines(plan), problems]).toEqual([[], []]);
    expect(plan.unchanged).toHaveLength(1);
  });

  it('of nobody is a new user, with a warning', () => {
    const { plan } = planOf('email\nnew@x.io\n', inventory([]), {}, from('gone@x.io'));
    expect(lines(plan)).toEqual(['+ new@x.io internal_user default null']);
    expect(plan.warnings).toEqual([
      expect.stringContaining('Nobody on the proxy has `gone@x.io` (previous_email, line 2)'),
    ]);
  });

  it('is an error where both are on the proxy, and neither is deleted', () => {
    const have = inventory([user('ann'), user('u2', { email: 'new@x.io' })]);
    const { plan, problems } = planOf('email\nnew@x.io\n', have, {}, from('ann@x.io'));
    expect(plan.changes).toEqual([]);
    expect(problems).toMatchObject([{ line: 2, column: 4, columnName: 'previous_email', email: 'new@x.io' }]);
    expect(problems[0]?.message).toContain('`new@x.io` (`u2`) and `ann@x.io` (`ann`) are both on the proxy');
  });

  it('from the own email is told of the file alone, not of two users', () => {
    const { problems } = planOf('email,previous_email\nann@x.io,ANN@x.io\n', ann());
    expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining("is the row's own email.")]);
  });

  it('is an error where several have the old email', () => {
    const have = inventory([user('a1', { email: 'ann@x.io' }), user('a2', { email: 'Ann@x.io' })]);
    const { problems } = planOf('email\nnew@x.io\n', have, {}, from('ann@x.io'));
    expect(problems).toMatchObject([{ column: 4, message: expect.stringContaining('`a1`, `a2`') }]);
  });

  it('is held against protected-users both ways', () => {
    const before = planOf('email\nnew@x.io\n', ann(), { protectedUsers: ['ann@*'] }, from('ann@x.io'));
    expect(before.problems[0]?.message).toMatch(/^`ann@x.io` is protected .* \(email → new@x\.io\)/);
    const after = planOf('email\nnew@x.io\n', ann(), { protectedUsers: ['new@*'] }, from('ann@x.io'));
    expect(after.problems[0]?.message).toContain(
      '`new@x.io` is protected by `protected-users`, and nobody is given such',
    );
    expect(after.plan.warnings).toEqual(['protected-users: `new@*` matches nobody on the proxy.']);
  });

  it('is hinted at where a new and a leaving user look alike', () => {
    const have = inventory([
      user('1', { email: 'ann.lee@old.io' }),
      user('2', { email: 'bob@x.io' }),
      user('3', { email: 'zoe@x.io' }),
    ]);
    const { plan } = planOf('email\nann.lee@new.io\nbobby@x.io\nmax@x.io\n', have);
    expect(plan.notes).toEqual([
      expect.stringContaining('`ann.lee@new.io` (line 2) is new and `ann.lee@old.io` leaves'),
      expect.stringContaining('`bobby@x.io` (line 3) is new and `bob@x.io` leaves'),
    ]);
  });

  it('is hinted at with the expired row, which a rename cannot stand beside', () => {
    const past = { rows: { 'ann@x.io': { expires: '2026-01-01', expiresColumn: 2 } } };
    const { notes } = planOf('email\nann@x.io\nann@y.io\n', ann(), {}, past).plan;
    expect(notes).toEqual([
      expect.stringMatching(
        /into the column previous_email of that row, and remove the row of `ann@x\.io` \(line 2\)\.$/,
      ),
    ]);
  });

  it('is not hinted at where nothing is in common, and hints have an end', () => {
    const people = Array.from({ length: 30 }, (_, index) => `person${String(index).padStart(2, '0')}`);
    const have = inventory([user('ab'), ...people.map((name) => user(`${name}x`))]);
    const csv = `email\nqq@x.io\n${people.map((name) => `${name}y@x.io\n`).join('')}`;
    const { notes } = planOf(csv, have).plan;
    expect(notes).toHaveLength(21);
    expect(notes.join()).not.toContain('qq@x.io');
    expect(notes.at(-1)).toBe('10 more pairs of a new and a leaving user look alike.');
  });

  it('is compared by letters only in plans of a size that slips have', () => {
    const many = (letter: string) => Array.from({ length: 600 }, (_, index) => `${letter}${index}`);
    const have = inventory(many('someone').map((name) => user(name)));
    const csv = `email\n${many('somebody')
      .map((name) => `${name}@x.io\n`)
      .join('')}someone7@y.io\n`;
    expect(planOf(csv, have).plan.notes).toHaveLength(1);
  });
});

describe('people with an id for an email', () => {
  const have = inventory([user('Ann@X.io', { email: null })]);
  it.each([
    ['email', 'ann@x.io', {}],
    ['previous_email', 'new@x.io', { rows: { 'new@x.io': { previousEmail: 'ann@x.io' } } }],
  ])('are not doubled: %s', (_, email, more) => {
    const { plan, problems } = planOf(`email\n${email}\n`, have, {}, more);
    expect(plan.changes).toEqual([]);
    expect(problems).toMatchObject([
      { line: 2, message: expect.stringContaining('has the id `Ann@X.io` and no email') },
    ]);
  });

  it('are not doubled by a rename to that address', () => {
    const both = inventory([...have.users, user('bob')]);
    const more = { rows: { 'ann@x.io': { previousEmail: 'bob@x.io' } } };
    const { plan, problems } = planOf('email\nann@x.io\n', both, {}, more);
    expect(plan.changes).toEqual([]);
    expect(problems).toMatchObject([{ line: 2, columnName: 'email', message: expect.stringContaining('`Ann@X.io`') }]);
  });

  it('are no hindrance where the email has its user', () => {
    expect(planOf('email\nann@x.io\n', inventory([...have.users, user('ann')])).problems).toEqual([]);
  });
});

describe('several users with one email', () => {
  const have = inventory([user('a1', { email: 'ann@x.io' }), user('a2', { email: 'ann@x.io' })]);

  it('are one where all the others are protected', () => {
    const policy = { protectedUsers: ['a1'] };
    expect(lines(planOf('email,role\nann@x.io,proxy_admin\n', have, policy).plan)).toEqual([
      '~ a2 internal_user→proxy_admin',
    ]);
    const gone = planOf('email\nbob@x.io\n', have, policy);
    expect([lines(gone.plan)[1], gone.problems]).toEqual(['- a2 internal_user - 0 0', []]);
  });

  it('are an error where all are protected and a row names them', () => {
    expect(planOf('email\nann@x.io\n', have, { protectedUsers: ['ann@*'] }).problems).toHaveLength(1);
  });
});

describe('deactivation', () => {
  const off = { activity: 'deactivated by us' } as const;
  const policy = { onMissing: 'deactivate' } as const;
  const have = inventory([user('ann'), user('bob', { keyCount: null }), user('cat', off)]);

  it('takes the place of a delete, once', () => {
    const { plan, problems } = planOf('email\nann@x.io\n', have, policy);
    expect([lines(plan), problems]).toEqual([['x bob internal_user - null 0'], []]);
    expect(plan).toMatchObject({ deactivated: 1, managed: 2 });
  });

  it('is kept back by no-delete', () => {
    const { plan } = planOf('email\nann@x.io\n', have, { ...policy, noDelete: true });
    expect(lines(plan)).toEqual(['x bob internal_user - null 0 (no-delete)']);
  });

  it('of ours is no obstacle to a later delete', () => {
    const { plan } = planOf('email\nann@x.io\n', have);
    expect(lines(plan)).toEqual(['- bob internal_user - null 0', '- cat internal_user - 0 0']);
    expect(plan.changes[1]).toMatchObject({ active: false });
  });

  it('is refused where the proxy does not enforce it', () => {
    const refused = (version: string | null) =>
      planOf('email\nann@x.io\nbob@x.io\ncat@x.io\n', have, policy, {
        facts: { enforcesDeactivation: false, version },
      });
    expect(refused('1.82.6').problems).toMatchObject([{ line: null, about: 'proxy' }]);
    expect(refused('1.82.6').problems[0]?.message).toContain('needs LiteLLM 1.90 or newer, and this is LiteLLM 1.82.6');
    expect(refused(null).problems[0]?.message).toContain('the version of this LiteLLM is not known');
  });

  it.each(['delete', 'deactivate'] as const)('ends when the row comes back, with on-missing: %s', (onMissing) => {
    const csv = 'email,role\nann@x.io,\nbob@x.io,\ncat@x.io,proxy_admin\n';
    expect(lines(planOf(csv, have, { onMissing }).plan)).toEqual(['~ cat internal_user→proxy_admin reactivates']);
    expect(lines(planOf(csv, have, { onMissing, noUpdate: true }).plan)).toEqual([
      '~ cat internal_user→proxy_admin reactivates (no-update)',
    ]);
  });

  it('by others is left alone and counted; a row that names them is an error, even a blank one', () => {
    const others = inventory([user('ann'), user('eve', { activity: 'deactivated by others' })]);
    const { plan, problems } = planOf('email\nann@x.io\n', others);
    expect([plan.changes, plan.unmanaged.deactivated, plan.managed, problems]).toEqual([[], 1, 1, []]);
    const named = planOf('email\nann@x.io\neve@x.io\n', others);
    expect(named.problems).toMatchObject([
      { line: 3, message: expect.stringContaining('deactivated by somebody else') },
    ]);
  });

  it('says of a protected user that they would be reactivated', () => {
    const { problems } = planOf('email\ncat@x.io\n', inventory([user('cat', off)]), { protectedUsers: ['cat'] });
    expect(problems[0]?.message).toMatch(
      /would change them \(reactivated\)\. Remove the row, or reactivate them in LiteLLM\.$/,
    );
  });

  it('and deletes count together for max-deletes, of active users', () => {
    const many = inventory([...['a', 'b', 'c', 'd'].map((id) => user(id)), user('e', off), user('f', off)]);
    const maxDeletes = { kind: 'percent', percent: 25 } as const;
    const { plan } = planOf('email\na@x.io\nb@x.io\n', many, { ...policy, maxDeletes });
    expect(plan.breaches).toMatchObject([
      {
        stops: true,
        message: expect.stringContaining('2 of 4 managed users would be deactivated, but max-deletes allows 25% of 4'),
      },
    ]);
    expect(planOf('email\na@x.io\nb@x.io\nc@x.io\n', many, { ...policy, maxDeletes }).plan.breaches).toEqual([]);
  });

  it('leaves inactive administrators out of min-admins, before and after', () => {
    const admin = { role: 'proxy_admin' };
    const admins = inventory([user('ann', admin), user('bob', admin), user('cat', { ...admin, ...off })]);
    const breaches = (csv: string, minAdmins: number, more: Parameters<typeof planOf>[2] = {}) =>
      planOf(csv, admins, { minAdmins, ...more }).plan.breaches.map(({ message }) => message.slice(0, 9));
    expect(planOf('email\nann@x.io\n', admins).plan.admins).toBe(2);
    expect(breaches('email\nann@x.io\n', 1)).toEqual([]);
    expect(breaches('email\nann@x.io\n', 2)).toEqual(['1 of now ']);
    expect(breaches('email\nann@x.io\n', 2, policy)).toEqual(['1 of now ']);
    expect(breaches('email\nann@x.io\ncat@x.io\n', 2)).toEqual([]);
    expect(breaches('email,role\nann@x.io,\nbob@x.io,\ncat@x.io,internal_user\n', 3)).toEqual(['2 of now ']);
  });
});

describe('expiry', () => {
  const expires = (dates: Record<string, string>, columns = {}): PlanMore => ({
    rows: Object.fromEntries(
      Object.entries(dates).map(([name, date]) => [`${name}@x.io`, { expires: date, ...columns }]),
    ),
  });
  const people = inventory(['ann', 'bob', 'cat', 'dan', 'eve'].map((id) => user(id)));
  const csv = 'email\nann@x.io\nbob@x.io\ncat@x.io\ndan@x.io\neve@x.io\n';

  it.each([
    ['2026-06-14', ['- bob internal_user - 0 0 expired 2026-06-14'], 0],
    [TODAY, [], 1],
    ['2026-07-15', [], 1],
    ['2026-07-16', [], 0],
  ])('on %s', (date, expected, soon) => {
    const { plan, problems } = planOf(csv, people, {}, expires({ bob: date }));
    expect([lines(plan), problems]).toEqual([expected, []]);
    expect(plan.leavingSoon).toEqual(soon === 0 ? [] : [{ line: 3, email: 'bob@x.io', expires: date }]);
  });

  it.each([
    ['2024-01-30', '2024-02-29', true],
    ['2024-01-30', '2024-03-01', false],
    ['2023-01-30', '2023-03-01', true],
    ['2025-12-15', '2026-01-14', true],
    ['2025-12-15', '2026-01-15', false],
    ['2100-02-01', '2100-03-03', true],
    ['2100-02-01', '2100-03-04', false],
    ['2000-02-01', '2000-03-02', true],
    ['2000-02-01', '2000-03-03', false],
  ])('seen from %s, %s is within 30 days: %s', (today, date, isSoon) => {
    const { plan } = planOf(csv, people, {}, { ...expires({ bob: date }), today });
    expect(plan.leavingSoon).toHaveLength(isSoon ? 1 : 0);
  });

  it('lists who leaves soon by day', () => {
    const { plan } = planOf(csv, people, {}, expires({ ann: '2026-06-20', bob: '2026-06-16', cat: '2026-06-20' }));
    expect(plan.leavingSoon.map(({ email }) => email)).toEqual(['bob@x.io', 'ann@x.io', 'cat@x.io']);
  });

  it('deactivates where missing users are deactivated, and is settled then', () => {
    const past = expires({ bob: '2026-01-01' });
    const policy = { onMissing: 'deactivate' } as const;
    expect(lines(planOf(csv, people, policy, past).plan)).toEqual(['x bob internal_user - 0 0 expired 2026-01-01']);
    const off = inventory([user('ann'), user('bob', { activity: 'deactivated by us' })]);
    const { plan, problems } = planOf('email\nann@x.io\nbob@x.io\n', off, policy, past);
    expect([lines(plan), plan.deactivated, plan.notes, problems]).toEqual([[], 1, [], []]);
  });

  it('of a row whose user has the old email still takes that user', () => {
    const { plan } = planOf(
      'email\nnew@x.io\n',
      ann(),
      {},
      expires({ new: '2026-01-01' }, { previousEmail: 'ann@x.io' }),
    );
    expect(lines(plan)).toEqual(['- ann internal_user - 0 0 expired 2026-01-01']);
  });

  it('of nobody does nothing, and says that the row can go', () => {
    const gone = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`gone${index}`, '2026-01-01']));
    const file = `email\nann@x.io\n${Object.keys(gone)
      .map((name) => `${name}@x.io\n`)
      .join('')}`;
    const { plan, problems } = planOf(file, ann(), {}, expires(gone));
    expect([plan.changes, problems]).toEqual([[], []]);
    expect(plan.notes).toEqual([
      expect.stringMatching(/`gone0@x\.io` \(line 3, 2026-01-01\), .* and 5 more\. Those rows can be removed\.$/),
    ]);
    const one = planOf('email\nann@x.io\ngone0@x.io\n', ann(), {}, expires({ gone0: '2026-01-01' }));
    expect(one.plan.notes).toEqual([
      'Expired, and without a user: `gone0@x.io` (line 3, 2026-01-01). That row can be removed.',
    ]);
  });

  it('of somebody who is never touched is a warning, of somebody whom others deactivated not even that', () => {
    const have = inventory([user('ann'), user('bob'), user('cat', { activity: 'deactivated by others' })]);
    const past = expires({ bob: '2026-01-01', cat: '2026-01-01' });
    const { plan, problems } = planOf('email\nann@x.io\nbob@x.io\ncat@x.io\n', have, { protectedUsers: ['bob'] }, past);
    expect([plan.changes, problems]).toEqual([[], []]);
    expect(plan.warnings).toEqual([expect.stringContaining('`bob@x.io` (line 3) expired on 2026-01-01, but stays')]);
  });

  it.each([
    ['a user and of nobody else', ['ann'], ['ann'], {}, null],
    ['a user, and others have no row', ['ann'], ['ann', 'bob'], {}, 'the one user without a row'],
    ['nobody', ['zoe'], ['ann', 'bob'], {}, 'the 2 users without a row'],
    ['nobody, and nobody is deleted', ['zoe'], ['ann', 'bob'], { noDelete: true }, null],
    ['nobody, and all others are protected', ['zoe'], ['ann'], { protectedUsers: ['ann'] }, null],
    ['nobody, beside a row that counts', ['zoe', 'ann+'], ['ann', 'bob'], {}, null],
  ])('of all rows is no wish to delete everybody: of %s', (_, names, ids, policy, expected) => {
    const file = `email\n${names.map((name) => `${name.replace('+', '')}@x.io\n`).join('')}`;
    const past = expires(Object.fromEntries(names.filter((name) => !name.endsWith('+')).map((n) => [n, '2026-01-01'])));
    const { problems } = planOf(file, inventory(ids.map((id) => user(id))), policy, past);
    expect(problems.map(({ message }) => message)).toEqual(
      expected === null ? [] : [expect.stringContaining(expected)],
    );
  });

  it('of one of several with one email is an error', () => {
    const have = inventory([user('a1', { email: 'ann@x.io' }), user('a2', { email: 'ann@x.io' })]);
    expect(planOf('email\nann@x.io\n', have, {}, expires({ ann: '2026-01-01' })).problems).toHaveLength(1);
  });

  describe('and max-deletes', () => {
    const maxDeletes = { kind: 'count', count: 2 } as const;
    const past = expires({ ann: '2026-03-01', bob: '2026-01-01', cat: '2026-02-01' });

    it('withholds the latest expiries where they alone breach it, and the rest is applied', () => {
      const { plan } = planOf(csv, people, { maxDeletes }, past);
      expect(lines(plan)).toEqual([
        '- ann internal_user - 0 0 expired 2026-03-01 (max-deletes)',
        '- bob internal_user - 0 0 expired 2026-01-01',
        '- cat internal_user - 0 0 expired 2026-02-01',
      ]);
      expect(plan.breaches).toMatchObject([
        {
          stops: false,
          message: expect.stringContaining('1 of the 3 expired accounts stays for now, the rest is applied.'),
        },
      ]);
    });

    it('says how many stay', () => {
      const { plan } = planOf(csv, people, { maxDeletes: { kind: 'count', count: 1 } }, past);
      expect(plan.breaches[0]?.message).toContain('2 of the 3 expired accounts stay for now');
      expect(isStopped(plan)).toBe(false);
    });

    it('stops all where the others breach it, too', () => {
      const { plan } = planOf('email\nann@x.io\n', people, { maxDeletes }, past);
      expect(plan.breaches).toMatchObject([{ stops: true, message: expect.stringContaining('5 of 5') }]);
      expect(plan.changes.every((change) => change.withheld === null)).toBe(true);
    });

    it('has an order where days are the same', () => {
      const same = expires({ ann: '2026-01-01', bob: '2026-01-01', cat: '2026-01-01' });
      expect(lines(planOf(csv, people, { maxDeletes }, same).plan)[2]).toContain('cat');
      expect(lines(planOf(csv, people, { maxDeletes }, same).plan)[2]).toContain('(max-deletes)');
    });
  });
});
