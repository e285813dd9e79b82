import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planJson } from '../../src/render/json.ts';
import { planMarkdown } from '../../src/render/plan-markdown.ts';
import { planText } from '../../src/render/plan-text.ts';
import { redactEmail, redactOutcomes, redactPlan, redactProblems, redactText } from '../../src/render/redact.ts';
import { add, deactivate, invite, options, outcome, plan, remove, update } from './plans.ts';

describe('redactEmail', () => {
  it.each([
    ['ann.lee@example.com', 'a***@example.com'],
    ['al@example.com', '***@example.com'],
    ['"odd@name"@example.com', '"***@example.com'],
    ['no-email', 'n***'],
    ['', '***'],
    ['🎉party@example.com', '🎉***@example.com'],
  ])('%s → %s', (email, expected) => {
    expect(redactEmail(email)).toBe(expected);
  });
});

describe('redactText', () => {
  it('leaves the example that messages give as it is', () => {
    expect(redactText('Invalid email format: `bob@example`. Expected name@example.com.')).toBe(
      'Invalid email format: `b***@example`. Expected name@example.com.',
    );
  });

  it('masks each email and nothing else', () => {
    expect(redactText('Twice: ann.lee@example.com (line 2), <bob.ray@example.com>; see max-deletes.')).toBe(
      'Twice: a***@example.com (line 2), <b***@example.com>; see max-deletes.',
    );
  });

  it.each([
    ["'ann.lee@example.com' not found", "'a***@example.com' not found"],
    ["o'neil@example.com", 'o***@example.com'],
    ['{"user_email":"ann.lee@example.com"}', '{"user_email":"a***@example.com"}'],
    ['email=ann.lee@example.com', 'e***@example.com'],
  ])('%s → %s', (text, expected) => {
    expect(redactText(text)).toBe(expected);
  });

  it('leaves no local part of an email in any text', () => {
    const local = fc.stringMatching(/^[a-z][a-z0-9]{5,20}$/);
    fc.assert(
      fc.property(local, fc.string(), fc.string(), (name, before, after) => {
        const text = redactText(`${before} ${name}@example.com ${after}`);
        expect(text).not.toContain(`${name}@`);
      }),
    );
  });

  it('is quick on a long text without blanks', () => {
    expect(redactText(`${'x'.repeat(2_000_000)}@`)).toBe('x***@');
  });
});

describe('redactPlan and redactOutcomes', () => {
  const email = 'ann.lee@example.com';
  const named = { teamId: email, name: email, alias: email };
  const conflicts = [{ team: named, userId: email }];
  const key = { hash: 'h', name: 'sk-...abcd', alias: email, userId: email, teamId: email, spend: 0 };
  const everywhere = plan(
    [
      add(email, { keyName: `key of ${email}`, teams: [named], conflicts }),
      remove(email, { userId: email, teams: [named] }),
      deactivate(email, { userId: email, teams: [named] }),
      update(email, {
        userId: email,
        rename: { from: email, to: email },
        teams: { from: [named], to: [named], join: [named], rejoin: [named], leave: [named] },
        currentTeams: [named],
        keyFates: [{ team: named, fate: 'moves', to: named }],
        leftKeys: [
          { key, fate: 'moves', to: named },
          { key, fate: 'deleted', to: null },
        ],
        losses: [{ team: named, what: 'team admin role' }],
        conflicts: [{ team: named, userId: null }],
      }),
      update(email, { leftKeys: 'unknown', keyFates: [{ team: named, fate: 'survives', to: null }] }),
      invite(email, { userId: email, teams: [named] }),
    ],
    {
      unchanged: [{ email, userId: email, role: null, teams: [named] }],
      breaches: [{ limit: 'min-admins', stops: true, message: `${email} is the last one.` }],
      warnings: [`\`${email}\` cannot`],
      notes: [`\`${email}\` leaves`],
      leavingSoon: [{ line: 3, email, expires: '2026-01-01' }],
    },
  );

  it('leave no email in any form of the plan', () => {
    const masked = redactPlan(everywhere);
    const forms = [
      JSON.stringify(masked),
      planText(masked, { stage: 'dry run', csvFile: 'user_list.csv' }),
      planMarkdown(masked, options()),
      planJson(masked, { csvFile: 'user_list.csv', target: null }),
    ];
    for (const form of forms) {
      expect(form).not.toContain('ann.lee');
      expect(form).toContain('a***@example.com');
    }
  });

  it('tell users apart by line, by short id, or by their place in the plan', () => {
    const changes = [
      add(email, { line: 12 }),
      add(email, { line: null }),
      remove(email, { userId: '3f2a91bc-7d6e' }),
      remove(email, { userId: 'u-1' }),
      deactivate(email, { userId: email }),
      remove(email, { line: 4 }),
      invite(email, { userId: 'u-2' }),
    ];
    expect(redactPlan(plan(changes)).changes.map((change) => change.email.replace('a***@example.com ', ''))).toEqual([
      '(line 12)',
      '(change 2)',
      '(id 3f2a91bc…)',
      '(id u-1)',
      '(change 5)',
      '(line 4)',
      '(id u-2)',
    ]);
    const outcomes = [outcome(email, { index: 2 }), outcome(email, { index: null })];
    expect(redactOutcomes(outcomes, changes).map((row) => row.email)).toEqual([
      'a***@example.com (id 3f2a91bc…)',
      'a***@example.com',
    ]);
  });

  it('leave no email in a problem, nor make one up', () => {
    const problems = [
      { line: 2, column: 1, email, message: `\`${email}\` stands twice` },
      { line: null, column: null, message: 'of the file' },
    ];
    expect(redactProblems(problems)).toEqual([
      { line: 2, column: 1, email: 'a***@example.com', message: '`a***@example.com` stands twice' },
      { line: null, column: null, message: 'of the file' },
    ]);
  });

  it('leave no email in a row of results', () => {
    const row = outcome(email, { teamName: `a;${email}`, reason: `User with email ${email} already exists` });
    expect(JSON.stringify(redactOutcomes([row]))).not.toContain('ann.lee');
  });
});
