import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/core/plan.ts';
import { documentMarkdown, problemsMarkdown } from '../../src/render/documents.ts';
import { adminChange, kindOf } from '../../src/render/labels.ts';
import { planMarkdown } from '../../src/render/plan-markdown.ts';
import { resultMarkdown } from '../../src/render/result.ts';
import { rowPlanMarkdown } from '../../src/render/rows.ts';
import { anyPlan, hostileValue } from './arbitraries.ts';
import { decoded, type Parsed, parse } from './gfm.ts';
import { add, HOSTILE, options, outcome, PLANS, plan, remove, update } from './plans.ts';

/** Rows that the plan's tables are to have, admins first. */
function expectedRows({ changes }: Pick<Plan, 'changes'>): number[] {
  const others = changes.filter((change) => adminChange(change) === null);
  const kinds = ['delete', 'deactivate', 'reactivate', 'update', 'add', 'invite'] as const;
  const counts = kinds.map((kind) => others.filter((change) => kindOf(change) === kind).length);
  return [changes.length - others.length, ...counts].filter((count) => count > 0);
}

/** All the HTML that we write: it frames tables, and holds no value. */
const OUR_HTML =
  /^(?:<details(?: open)?><summary>(?:\d+ users?|<strong>(?:⚠️ Administrators: [\da-z, ]+|[A-Z][a-z ]+: \d+)<\/strong>)<\/summary>|<\/details>)$/u;

/** No link, image, HTML of others, formula, mention or reference took effect, and every tag is closed. */
function expectHarmless({ html, links, texts, types }: Parsed, text: string): void {
  expect(links).toEqual([]);
  for (const type of ['image', 'del', 'code', 'em', 'def']) expect(types).not.toContain(type);
  for (const tag of html) expect(tag).toMatch(OUR_HTML);
  expect(text.split('<details').length).toBe(text.split('\n</details>\n').length);
  for (const found of texts) {
    expect(found).not.toMatch(/[@#<>`_~^*\\{}]|www|http|:\w+:/i);
    expect(found.split('$').length).toBeLessThan(3);
  }
}

function countRows({ tables }: Parsed): number {
  return tables.reduce((sum, table) => sum + table.rows.length, 0);
}

function countMore(text: string): number {
  return [...text.matchAll(/^… (\d+) more, see /gm)].reduce((sum, [, number]) => sum + Number(number), 0);
}

describe('planMarkdown', () => {
  it('has one row per change and as many cells as columns, whatever the values', () => {
    fc.assert(
      fc.property(anyPlan, hostileValue, (anything, csvFile) => {
        const text = planMarkdown(anything, options({ csvFile, target: csvFile, notes: [csvFile], limit: 1_000_000 }));
        const parsed = parse(text);
        const soon = anything.leavingSoon.length;
        expect(parsed.tables.map((table) => table.rows.length)).toEqual([
          ...expectedRows(anything),
          ...(soon > 0 ? [soon] : []),
        ]);
        for (const { header, rows } of parsed.tables) {
          for (const row of rows) expect(row.length).toBe(header.length);
        }
        expectHarmless(parsed, text);
      }),
      { numRuns: 200 },
    );
  });

  it('stays below any limit, on whole rows, and says how many are missing', () => {
    fc.assert(
      fc.property(anyPlan, fc.integer({ min: 5_000, max: 40_000 }), hostileValue, (anything, limit, target) => {
        const text = planMarkdown(anything, options({ limit, target, notes: [target] }));
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limit);
        const parsed = parse(text);
        const shown = countRows(parsed);
        expect(shown + countMore(text)).toBe(anything.changes.length + anything.leavingSoon.length);
        expectHarmless(parsed, text);
      }),
      { numRuns: 200 },
    );
  });

  it('shows each change in exactly one of its two parts', () => {
    fc.assert(
      fc.property(anyPlan, fc.func(fc.boolean()), (anything, isEarlier) => {
        const indices = anything.changes.map((_, index) => index);
        const earlier = new Set(indices.filter(isEarlier));
        const text = planMarkdown({ ...anything, leavingSoon: [] }, options({ earlier, limit: 1_000_000 }));
        const parts = [false, true].flatMap((wanted) =>
          expectedRows({ changes: anything.changes.filter((_, index) => earlier.has(index) === wanted) }),
        );
        expect(parse(text).tables.map((table) => table.rows.length)).toEqual(parts);
        expect(text.includes('Already different before')).toBe(earlier.size > 0);
      }),
      { numRuns: 100 },
    );
  });

  it('says whose changes they are in its first line', () => {
    const two = plan([add('a@example.com'), remove('b@example.com')]);
    const line = (earlier: Set<number>) => planMarkdown(two, options({ earlier })).split('\n')[2];
    expect(line(new Set())).toMatch(/^\*\*1 to add, 1 to delete\*\*, 0 unchanged/);
    expect(line(new Set([1]))).toMatch(/^\*\*1 to add\*\*, 1 change that was due before this pull request, /);
    expect(line(new Set([0, 1]))).toMatch(
      /^\*\*No changes by the rows of this pull request\*\*, 2 changes that were due/,
    );
  });

  it('tells who leaves soon before what was due before the pull request: it is no part of that', () => {
    const leavingSoon = [{ email: 'gil@example.com', expires: '2026-12-01', line: 9 }];
    const two = { ...plan([add('a@example.com'), remove('b@example.com')]), leavingSoon };
    const headings = (earlier: Set<number> | null) =>
      [...planMarkdown(two, options({ earlier })).matchAll(/^##+ (\D+?)(?: 30 days.*| \d.*)?$/gm)].map(
        ([, words]) => words,
      );
    expect(headings(new Set([0])).slice(1)).toEqual([
      'Delete',
      'Leaving within',
      'Already different before this pull request',
      'Add',
    ]);
    expect(headings(new Set([0, 1])).slice(1, 3)).toEqual([
      'Leaving within',
      'Already different before this pull request',
    ]);
    for (const earlier of [null, new Set<number>()]) expect(headings(earlier).at(-1)).toBe('Leaving within');
  });

  it('tells of drift on which side somebody is an administrator, and warns of either', () => {
    const drift = (...changes: Plan['changes']) => planMarkdown(plan([...changes]), options({ mode: 'drift' }));
    const stranger = drift(remove('eve@example.com', { role: 'proxy_admin' }));
    expect(stranger).toContain('### ⚠️ Administrators: 1 only on the proxy\n\n> [!WARNING]');
    expect(stranger).toContain('| only on the proxy (delete) | `eve@example.com` |');
    const both = drift(
      add('ann@example.com', { role: 'proxy_admin' }),
      update('bob@example.com', { role: { from: 'proxy_admin', to: 'internal_user' } }),
    );
    expect(both).toContain('Administrators: 1 only in the file and 1 only on the proxy');
    expect(both).toContain('| different (update) | `bob@example.com` |');
    expect(both).not.toMatch(/gained|lost/);
  });

  it('names every changed user exactly once', () => {
    const emails = (index: number) => `user${index}@example.com`;
    const changes = [
      add(emails(1), { role: 'proxy_admin' }),
      add(emails(2)),
      remove(emails(3), { role: 'proxy_admin' }),
      remove(emails(4)),
      update(emails(5)),
      update(emails(6), { role: { from: 'proxy_admin', to: 'internal_user' } }),
    ];
    const text = planMarkdown(plan(changes), options());
    for (const { email } of changes) expect(text.split(email)).toHaveLength(2);
  });

  it('cuts adds first, then updates, and keeps deletes and administrators', () => {
    const { tables } = parse(planMarkdown(PLANS.huge ?? plan([]), options({ limit: 17_000 })));
    const rows = tables.map((table) => table.rows.length);
    expect(rows.slice(0, 2)).toEqual([3, 40]);
    expect(rows).toHaveLength(3);
    expect(rows[2]).toBeGreaterThan(100);
  });

  it('uses the room it has', () => {
    const text = planMarkdown(PLANS.huge ?? plan([]), options({ limit: 65_536 }));
    expect(Buffer.byteLength(text)).toBeGreaterThan(65_300);
    expect(planMarkdown(PLANS.huge ?? plan([]), options({ limit: 1_048_576 }))).not.toContain('more, see');
  });

  it('gives up notes before rows, and says so', () => {
    const notes = Array.from({ length: 100 }, () => 'word '.repeat(100));
    const text = planMarkdown(PLANS.small ?? plan([]), options({ limit: 5_000, notes }));
    expect(text).toContain('100 notes, see the job summary.');
    expect(parse(text).tables).toHaveLength(3);
  });

  it('shows values of mixed hostility as they are', () => {
    const { tables } = parse(planMarkdown(plan(HOSTILE.map((value) => add(value))), options()));
    const shown = tables[0]?.rows.map(([cell]) => cell?.tokens[0] as { text: string });
    expect(shown?.map(({ text }) => decoded(text))).toEqual(HOSTILE);
  });
});

const anyOutcome = fc.record({
  email: hostileValue,
  status: fc.constantFrom('SUCCESS', 'FAILED', 'SKIPPED'),
  action: fc.constantFrom('ADDED', 'DELETED', 'DEACTIVATED', 'UPDATED', 'REACTIVATED', 'UNCHANGED'),
  role: hostileValue,
  teamName: hostileValue,
  reason: hostileValue,
} as const);

describe('resultMarkdown', () => {
  const result = {
    title: 'Result',
    target: null,
    csvFile: 'user_list.csv',
    notes: [],
    links: [],
    linksExpire: null,
    rest: 'the artifact',
  };

  it('shows what was planned as it was planned, and each outcome once', () => {
    fc.assert(
      fc.property(anyPlan, fc.constantFrom('SUCCESS', 'FAILED', 'SKIPPED'), (anything, status) => {
        const outcomes = anything.changes.map((change, index) => outcome(change.email, { index, status }));
        const text = resultMarkdown(anything, outcomes, { ...result, limit: 1_000_000 });
        const parsed = parse(text);
        expectHarmless(parsed, text);
        expect(countRows(parsed)).toBe(anything.changes.length);
      }),
      { numRuns: 50 },
    );
  });

  it('stays below the limit and lists each outcome but the unchanged', () => {
    fc.assert(
      fc.property(fc.array(anyOutcome, { maxLength: 60 }), fc.integer({ min: 5_000, max: 20_000 }), (rows, limit) => {
        const outcomes = rows.map(({ email, ...more }) => outcome(email, more));
        const text = resultMarkdown(null, outcomes, { ...result, limit });
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limit);
        const parsed = parse(text);
        expectHarmless(parsed, text);
        const listed = outcomes.filter(({ status, action }) => status !== 'SUCCESS' || action !== 'UNCHANGED');
        const shown = countRows(parsed);
        expect(shown + countMore(text)).toBe(listed.length);
      }),
      { numRuns: 200 },
    );
  });
});

describe('rowPlanMarkdown', () => {
  it('stays below the limit and lists what is done, what is skipped and what is wrong', () => {
    fc.assert(
      fc.property(
        anyPlan,
        fc.array(anyOutcome),
        fc.constantFrom('ADDED', 'DELETED'),
        fc.integer({ min: 5_000, max: 20_000 }),
        (anything, rows, action, limit) => {
          const view = {
            action,
            plan: anything,
            left: rows.map(({ email, ...more }) => outcome(email, more)).filter((row) => row.status !== 'SUCCESS'),
            problems: [],
          };
          const text = rowPlanMarkdown(view, { title: 'Users', target: null, csvFile: 'a|`b', limit, rest: 'the log' });
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limit);
          const parsed = parse(text);
          expectHarmless(parsed, text);
          const shown = countRows(parsed);
          const left = rows.filter(({ status }) => status !== 'SUCCESS').length;
          expect(shown + countMore(text)).toBe(anything.changes.length + left);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('documentMarkdown', () => {
  it('stays below the limit, with one row per user and as many cells as columns', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(hostileValue, hostileValue), { maxLength: 300 }),
        hostileValue,
        fc.integer({ min: 5_000, max: 20_000 }),
        (users, note, limit) => {
          const table = { header: ['user_email', 'teams'], count: users.length, row: (at: number) => users[at] ?? [] };
          const where = { title: 'Users', target: note, head: '**some** users.', notes: [note], rest: 'the file' };
          const text = documentMarkdown({ ...where, table, limit });
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limit);
          const parsed = parse(text);
          expectHarmless(parsed, text);
          const rows = parsed.tables.flatMap((found) => found.rows);
          expect(rows.length + countMore(text)).toBe(users.length);
          for (const row of rows) expect(row).toHaveLength(2);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('problemsMarkdown', () => {
  it('stays below the limit and shows whole problems', () => {
    fc.assert(
      fc.property(fc.array(hostileValue, { minLength: 1, maxLength: 300 }), (messages) => {
        const problems = messages.map((message, index) => ({ line: index + 1, column: null, message }));
        const where = { title: 'Plan', target: null, csvFile: 'a.csv', limit: 6_000, rest: 'the log' };
        const text = problemsMarkdown(problems, where);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(6_000);
        const parsed = parse(text);
        expectHarmless(parsed, text);
        expect((parsed.tables[0]?.rows.length ?? 0) + countMore(text)).toBe(messages.length);
      }),
      { numRuns: 100 },
    );
  });
});
