import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import {
  deletionErrorsCsv,
  deletionsCsv,
  outcomesCsv,
  registrationErrorsCsv,
  registrationsCsv,
  usersCsv,
} from '../../src/render/csv.ts';
import { failureMarkdown, problemsMarkdown } from '../../src/render/documents.ts';
import { planJson } from '../../src/render/json.ts';
import { planMarkdown } from '../../src/render/plan-markdown.ts';
import { planText } from '../../src/render/plan-text.ts';
import { redactOutcomes, redactPlan } from '../../src/render/redact.ts';
import { resultMarkdown, resultText } from '../../src/render/result.ts';
import { expectGolden } from './golden.ts';
import { HOSTILE, options, outcome, PLANS, plan } from './plans.ts';

const named = (name: string) => PLANS[name] ?? plan([]);

describe('plans', () => {
  const { huge: _, ...short } = PLANS;
  it.each(Object.keys(short))('%s', async (name) => {
    await expectGolden(`plan-${name}.txt`, planText(named(name), { stage: 'dry run', csvFile: 'user_list.csv' }));
    await expectGolden(`plan-${name}.md`, planMarkdown(named(name), options()));
    await expectGolden(`plan-${name}.json`, planJson(named(name), { csvFile: 'user_list.csv', target: null }));
  });

  it('5,000 changes, cut for a comment with a long marker', async () => {
    await expectGolden('plan-huge.md', planMarkdown(named('huge'), options({ limit: 17_000, target: 'production' })));
  });

  it('masked', async () => {
    await expectGolden('plan-masked.md', planMarkdown(redactPlan(named('everything')), options()));
  });

  it('with what was due before the pull request apart', async () => {
    const earlier = new Set([1, 2, 11, 12]);
    await expectGolden('plan-earlier.md', planMarkdown(named('everything'), options({ earlier })));
  });

  it('as drift', async () => {
    await expectGolden('plan-drift.md', planMarkdown(named('everything'), options({ mode: 'drift' })));
    expect(planMarkdown(named('empty'), options({ mode: 'drift' }))).toContain('**No drift.** The proxy matches');
  });

  it('with notes, for a proxy of several, as a dry run', async () => {
    const notes = ['`user-role` is internal_user: blank roles become that.', 'No comment of ours on #12.'];
    const text = planMarkdown(named('small'), options({ notes, target: 'staging', mode: 'dry-run' }));
    await expectGolden('plan-notes.md', text);
  });

  it('text of a run that applies', async () => {
    await expectGolden(
      'plan-small-applying.txt',
      planText(named('small'), { stage: 'applying', csvFile: 'user_list.csv' }),
    );
    expect(planText(named('breaches'), { stage: 'not applied', csvFile: 'user_list.csv' })).toContain(
      'NOT APPLIED - Changes that would be made:',
    );
  });
});

const OUTCOMES = [
  outcome('another@example.com', {
    role: 'proxy_admin',
    teamName: 'admin',
    key: { hash: 'hash', shown: 'sk-...abcd' },
  }),
  outcome('half@example.com', {
    status: 'FAILED',
    reason: 'Created, but no key: 400 Unique key aliases. Choose another key_name, or run the command onboard.',
  }),
  outcome('old_user@example.com', { action: 'DELETED', teamName: 'support' }),
  outcome('kept@example.com', { action: 'DELETED', status: 'SKIPPED', reason: 'no-delete' }),
  outcome('existing@example.com', { action: 'UPDATED', role: '', teamName: '' }),
  outcome('sneaky@example.com', { action: 'UPDATED', status: 'SKIPPED', reason: 'not reviewed' }),
  outcome('stable@example.com', { action: 'UNCHANGED' }),
];

/** As a run that carried the plan of everything out. */
const OF_PLAN = [
  outcome('boss@example.com', { index: 0, role: 'proxy_admin' }),
  outcome('full@example.com', { index: 1, status: 'FAILED', reason: 'Created, but no link: 500.' }),
  outcome('dear@example.com', { index: 2, action: 'DELETED' }),
  outcome('late@example.com', { index: 4, action: 'DELETED', status: 'SKIPPED', reason: 'max-deletes' }),
  outcome('away@example.com', { index: 5, action: 'DEACTIVATED' }),
  outcome('back@example.com', { index: 7, action: 'REACTIVATED' }),
  outcome('lead@example.com', { index: 11, action: 'UPDATED' }),
  outcome('root@example.com', { index: 14, action: 'UPDATED' }),
  outcome('stable0@example.com', { index: null, action: 'UNCHANGED' }),
];

const LINKS = [
  { label: 'onboarding-links', url: 'https://github.com/acme/users/actions/runs/1/artifacts/2' },
  { label: 'user-sync-results', url: 'https://github.com/acme/users/actions/runs/1/artifacts/3' },
];

describe('results', () => {
  const result = {
    title: 'User sync result',
    target: null,
    csvFile: 'user_list.csv',
    limit: 65_536,
    rest: 'the artifact',
    linksExpire: null,
  };

  it('as from → to, administrators first, folded', async () => {
    const more = { ...result, links: LINKS, notes: [], linksExpire: '2026-07-01' };
    await expectGolden('result-plan.md', resultMarkdown(named('everything'), OF_PLAN, more));
    const { changes } = named('everything');
    const masked = resultMarkdown(redactPlan(named('everything')), redactOutcomes(OF_PLAN, changes), more);
    await expectGolden('result-plan-masked.md', masked);
    await expectGolden('result-plan.txt', resultText(OF_PLAN));
  });

  it('what was done, what failed, what was left out', async () => {
    const notes = ['2 changes were not in a reviewed plan: run workflow_dispatch to apply them.'];
    await expectGolden('result.md', resultMarkdown(named('small'), OUTCOMES, { ...result, links: LINKS, notes }));
    await expectGolden(
      'result-masked.md',
      resultMarkdown(null, redactOutcomes(OUTCOMES), { ...result, links: [], notes: [] }),
    );
  });

  it('for the log', async () => {
    const hostile = HOSTILE.map((value) => outcome(value, { status: 'FAILED', reason: value }));
    await expectGolden('result.txt', resultText([...OUTCOMES, ...hostile]));
  });

  it('hostile values', async () => {
    const outcomes = HOSTILE.flatMap((value) => [
      outcome(value, { teamName: value }),
      outcome(value, { status: 'FAILED', reason: value }),
    ]);
    await expectGolden('result-hostile.md', resultMarkdown(null, outcomes, { ...result, links: [], notes: HOSTILE }));
  });

  it('nothing to do', async () => {
    await expectGolden('result-empty.md', resultMarkdown(null, [], { ...result, links: [], notes: [] }));
  });
});

describe('problems and failures', () => {
  const where = { title: 'User sync plan', target: 'production', links: LINKS.slice(0, 1) };

  it('everything wrong with the file', async () => {
    const problems = [
      { line: null, column: null, message: 'Team name "admin" is shared by 2 teams: write the id t-1 or t-2.' },
      {
        line: 3,
        column: 2,
        columnName: 'role',
        email: 'eve@example.com',
        message: 'Unknown role `admin`: allowed are `proxy_admin`, `internal_user`.',
      },
      { line: 7, column: 1, message: 'The same email twice: ann@example.com stands on line 2 too.' },
      ...HOSTILE.map((message) => ({ line: 9, column: null, message })),
    ];
    const text = problemsMarkdown(problems, { ...where, csvFile: 'user_list.csv', limit: 65_536, rest: 'the log' });
    await expectGolden('problems.md', text);
  });

  it('a failure', async () => {
    const message =
      'GET https://proxy.example/user/list: 503\n{"error": {"message": "P1001 @octocat"}} Try again later.';
    await expectGolden('failure.md', failureMarkdown(message, where));
    expect(failureMarkdown('Not applied: why', { ...where, links: [] })).toMatch(/> Not applied: why\n$/);
  });
});

describe('CSV files', () => {
  const secret = (value: string) => new Secret(value);

  it('of a sync', async () => {
    await expectGolden('user_sync_result.csv', outcomesCsv(OUTCOMES));
    const wellFormed = HOSTILE.filter((value) => !value.includes('\ud800'));
    await expectGolden(
      'user_sync_result-hostile.csv',
      outcomesCsv(wellFormed.map((value) => outcome(value, { reason: value }))),
    );
  });

  it('with secrets', async () => {
    const row = { email: 'a@example.com', userId: 'u-1', role: 'internal_user', teamName: '-' };
    const registrations = [
      { ...row, models: [], apiKeys: secret('sk-1111'), invitationUrl: secret('https://proxy.example/ui/?x') },
      { ...row, models: ['gpt', 'claude'], apiKeys: 'sk-...abcd;sk-...efgh', invitationUrl: null },
    ];
    await expectGolden('user_reg_result.csv', registrationsCsv(registrations, { header: true }));
  });

  it('of add, delete and export', async () => {
    const reason = 'User already exists in the system';
    await expectGolden(
      'user_reg_error.csv',
      registrationErrorsCsv([{ email: 'a@example.com', role: 'default', reason }]),
    );
    await expectGolden('user_del_result.csv', deletionsCsv([{ email: 'a@example.com', userId: 'u-1' }]));
    await expectGolden(
      'user_del_error.csv',
      deletionErrorsCsv([{ email: 'b@example.com', userId: '', reason: 'User not found in the system' }]),
    );
    await expectGolden(
      'user_list.csv',
      usersCsv([{ email: 'a@example.com', role: 'default', teamName: '-', limits: [] }]),
    );
  });
});
