import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planJson } from '../../src/render/json.ts';
import { money, outcomeCounts } from '../../src/render/labels.ts';
import { planText } from '../../src/render/plan-text.ts';
import { rowPlanText } from '../../src/render/rows.ts';
import { anyPlan } from './arbitraries.ts';
import { add, moved, outcome, plan, remove, unchanged, update } from './plans.ts';

const dryRun = { stage: 'dry run', csvFile: 'user_list.csv' } as const;

describe('rowPlanText', () => {
  it('names administrators first, as the plan of a whole file does', () => {
    const view = { plan: plan([add('boss@example.com', { role: 'proxy_admin' }), add('ann@example.com')]) };
    const text = rowPlanText(
      { ...view, action: 'ADDED', left: [], problems: [] },
      { applying: true, csvFile: 'user_addlist.csv' },
    );
    expect(text).toMatch(
      /ADMINISTRATORS gained:\n {4}! boss@example\.com becomes proxy_admin \(new user\)\n\n {2}Users to ADD:/,
    );
  });
});

describe('planText', () => {
  it('is what the manual of sync_user.py shows', () => {
    const manual = plan(
      [
        add('new_user@example.com'),
        remove('old_user@example.com'),
        update('existing@example.com', {
          role: { from: 'internal_user', to: 'internal_user_viewer' },
          teams: moved(['old_team'], ['new_team']),
        }),
      ],
      { unchanged: unchanged(5) },
    );
    expect(planText(manual, dryRun)).toBe(
      `Synchronization Plan:
  Users to add: 1
  Users to delete: 1
  Users to update: 1
  Users unchanged: 5

DRY RUN - Changes that would be made:

  Users to ADD:
    + new_user@example.com (Role: internal_user, Team: development)

  Users to DELETE:
    - old_user@example.com (Role: internal_user, Team: support)

  Users to UPDATE:
    ~ existing@example.com (Role: internal_user → internal_user_viewer, Teams: old_team → new_team)
`,
    );
  });

  it('shows both emails of an administrator who gains or loses the role with a rename', () => {
    const renamed = (from: string, to: string) => ({ rename: { from, to } });
    const text = planText(
      plan([
        update('ann@new.io', { ...renamed('ann@old.io', 'ann@new.io'), role: { from: null, to: 'proxy_admin' } }),
        update('bob@new.io', {
          ...renamed('bob@old.io', 'bob@new.io'),
          role: { from: 'proxy_admin', to: 'internal_user' },
          currentRole: 'proxy_admin',
        }),
      ]),
      dryRun,
    );
    expect(text).toContain('! ann@old.io → ann@new.io becomes proxy_admin (was internal_user)');
    expect(text).toContain('! bob@old.io → bob@new.io is no longer proxy_admin (becomes internal_user)');
  });

  it.each([
    [12.5, '$12.50'],
    [0.005, '$0.005'],
    [1e-10, '$0.0000000001'],
  ])('writes a budget of %d without an exponent', (maxBudget, expected) => {
    expect(planText(plan([add('ann@x.io', { limits: { maxBudget } })]), dryRun)).toContain(`Budget: ${expected})`);
  });

  it('ends with the counts again where it is long', () => {
    const many = Array.from({ length: 26 }, (_, index) => remove(`user${index}@example.com`));
    expect(planText(plan(many, { unchanged: unchanged(2) }), dryRun)).toMatch(/\nPlan: 26 to delete, 2 unchanged\.\n$/);
    expect(planText(plan(many.slice(1)), dryRun)).not.toContain('Plan: 25');
  });

  it('has one line per change, whatever the values, and no control character', () => {
    fc.assert(
      fc.property(anyPlan, (anything) => {
        const text = planText(anything, dryRun);
        const count = (sign: string) => text.split('\n').filter((line) => line.startsWith(`    ${sign} `)).length;
        const kinds = anything.changes.map((change) => change.kind);
        expect(count('+')).toBe(kinds.filter((kind) => kind === 'add').length);
        expect(count('-')).toBe(kinds.filter((kind) => kind === 'delete' || kind === 'deactivate').length);
        expect(count('~')).toBe(kinds.filter((kind) => kind === 'update').length);
        expect(count('*')).toBe(kinds.filter((kind) => kind === 'invite').length);
        expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]|##\[/u);
        for (const line of text.split('\n')) expect(line.trimStart()).not.toMatch(/^::/);
      }),
      { numRuns: 200 },
    );
  });
});

describe('planJson', () => {
  it('parses, says the same of every change, and shows no control character', () => {
    fc.assert(
      fc.property(anyPlan, (anything) => {
        const text = planJson(anything, { csvFile: 'user_list.csv', target: null });
        expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        const { changes } = JSON.parse(text) as { changes: { action: string; email: string }[] };
        const expected = anything.changes.map(({ kind, email }) => ({ action: kind, email }));
        expect(changes.map(({ action, email }) => ({ action, email }))).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });
});

describe('words', () => {
  it('count each outcome once', () => {
    const outcomes = [
      outcome('a@x'),
      outcome('b@x', { status: 'FAILED' }),
      outcome('c@x', { status: 'SKIPPED', action: 'DELETED' }),
      outcome('d@x', { action: 'UNCHANGED' }),
    ];
    expect(outcomeCounts(outcomes)).toEqual({
      added: 1,
      deleted: 0,
      deactivated: 0,
      updated: 0,
      reactivated: 0,
      unchanged: 1,
      failed: 1,
      skipped: 1,
    });
  });

  it.each([
    [0, '$0.00'],
    [0.004, 'under $0.01'],
    [12.5, '$12.50'],
  ])('money %d', (dollars, words) => {
    expect(money(dollars)).toBe(words);
  });
});
