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
import { failureMarkdown, planMarkdown, problemsMarkdown, resultMarkdown } from '../../src/render/markdown.ts';
import { planJson } from '../../src/render/plan-json.ts';
import { planText } from '../../src/render/plan-text.ts';
import { redactOutcomes, redactPlan } from '../../src/render/redact.ts';
import { resultText } from '../../src/render/result-text.ts';
import { expectGolden } from './golden.ts';
import { HOSTILE, options, outcome, PLANS, plan } from './plans.ts';

const named = (name: string) => PLANS[name] ?? plan([]);

describe('plans', () => {
  const { huge: _, ...short } = PLANS;
  it.each(Object.keys(short))('%s', (name) => {
    expectGolden(`plan-${name}.txt`, planText(named(name), { stage: 'dry run', csvFile: 'user_list.csv' }));
    expectGolden(`plan-${name}.md`, planMarkdown(named(name), options()));
    expectGolden(`plan-${name}.json`, planJson(named(name), { csvFile: 'user_list.csv', target: null }));
  });

  it('5,000 changes, cut for a comment with a long marker', () => {
    expectGolden('plan-huge.md', planMarkdown(named('huge'), options({ limit: 17_000, target: 'production' })));
  });

  it('masked', () => {
    expectGolden('plan-masked.md', planMarkdown(redactPlan(named('admins')), options()));
  });

  it('with notes, for a proxy of several, as a dry run', () => {
    const notes = ['`user-role` is internal_user: blank roles become that.', 'No comment of ours on #12.'];
    const text = planMarkdown(named('small'), options({ notes, target: 'staging', mode: 'dry-run' }));
    expectGolden('plan-notes.md', text);
  });

  it('text of a run that applies', () => {
    expectGolden('plan-small-applying.txt', planText(named('small'), { stage: 'applying', csvFile: 'user_list.csv' }));
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
  };

  it('what was done, what failed, what was left out', () => {
    const notes = ['2 changes were not in a reviewed plan: run workflow_dispatch to apply them.'];
    expectGolden('result.md', resultMarkdown(named('small'), OUTCOMES, { ...result, links: LINKS, notes }));
    expectGolden(
      'result-masked.md',
      resultMarkdown(null, redactOutcomes(OUTCOMES), { ...result, links: [], notes: [] }),
    );
  });

  it('for the log', () => {
    const hostile = HOSTILE.map((value) => outcome(value, { status: 'FAILED', reason: value }));
    expectGolden('result.txt', resultText([...OUTCOMES, ...hostile]));
  });

  it('hostile values', () => {
    const outcomes = HOSTILE.flatMap((value) => [
      outcome(value, { teamName: value }),
      outcome(value, { status: 'FAILED', reason: value }),
    ]);
    expectGolden('result-hostile.md', resultMarkdown(null, outcomes, { ...result, links: [], notes: HOSTILE }));
  });

  it('nothing to do', () => {
    expectGolden('result-empty.md', resultMarkdown(null, [], { ...result, links: [], notes: [] }));
  });
});

describe('problems and failures', () => {
  const where = { title: 'User sync plan', target: 'production' };

  it('everything wrong with the file', () => {
    const problems = [
      { line: null, column: null, message: 'Team name "admin" is shared by 2 teams: write the id t-1 or t-2.' },
      { line: 3, column: 2, message: 'Unknown role `admin`: allowed are `proxy_admin`, `internal_user`.' },
      { line: 7, column: 1, message: 'The same email twice: ann@example.com stands on line 2 too.' },
      ...HOSTILE.map((message) => ({ line: 9, column: null, message })),
    ];
    const text = problemsMarkdown(problems, { ...where, csvFile: 'user_list.csv', limit: 65_536, rest: 'the log' });
    expectGolden('problems.md', text);
  });

  it('a failure', () => {
    const message =
      'GET https://proxy.example/user/list: 503\n{"error": {"message": "P1001 @octocat"}} Try again later.';
    expectGolden('failure.md', failureMarkdown(message, where));
  });
});

describe('CSV files', () => {
  const secret = (value: string) => new Secret(value);

  it('of a sync', () => {
    expectGolden('user_sync_result.csv', outcomesCsv(OUTCOMES));
    const wellFormed = HOSTILE.filter((value) => !value.includes('\ud800'));
    expectGolden(
      'user_sync_result-hostile.csv',
      outcomesCsv(wellFormed.map((value) => outcome(value, { reason: value }))),
    );
  });

  it('with secrets', () => {
    const row = { email: 'a@example.com', userId: 'u-1', role: 'internal_user', teamName: '-' };
    const registrations = [
      { ...row, models: [], apiKeys: secret('sk-1111'), invitationUrl: secret('https://proxy.example/ui/?x') },
      { ...row, models: ['gpt', 'claude'], apiKeys: 'sk-...abcd;sk-...efgh', invitationUrl: null },
    ];
    expectGolden('user_reg_result.csv', registrationsCsv(registrations, { header: true }));
  });

  it('of add, delete and export', () => {
    const reason = 'User already exists in the system';
    expectGolden('user_reg_error.csv', registrationErrorsCsv([{ email: 'a@example.com', role: 'default', reason }]));
    expectGolden('user_del_result.csv', deletionsCsv([{ email: 'a@example.com', userId: 'u-1' }]));
    expectGolden(
      'user_del_error.csv',
      deletionErrorsCsv([{ email: 'b@example.com', userId: '', reason: 'User not found in the system' }]),
    );
    expectGolden('user_list.csv', usersCsv([{ email: 'a@example.com', role: 'default', teamName: '-' }]));
  });
});
