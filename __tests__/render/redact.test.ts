import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planMarkdown } from '../../src/render/markdown.ts';
import { planJson } from '../../src/render/plan-json.ts';
import { planText } from '../../src/render/plan-text.ts';
import { redactEmail, redactOutcomes, redactPlan, redactText } from '../../src/render/redact.ts';
import { add, moved, options, outcome, plan, remove, update } from './plans.ts';

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
  const everywhere = plan(
    [
      add(email, { keyName: `key of ${email}`, teams: [{ teamId: email, name: email }] }),
      remove(email, { userId: email, teams: [{ teamId: email, name: email }] }),
      update(email, {
        userId: email,
        teams: moved([email], ['x']),
        currentTeams: [{ teamId: email, name: email }],
        teamKeys: [{ hash: 'h', name: 'sk-...abcd', alias: email, userId: email, teamId: email, spend: 0 }],
      }),
    ],
    {
      unchanged: [{ email, userId: email, role: null, teams: [{ teamId: email, name: email }] }],
      breaches: [{ limit: 'min-admins', message: `${email} is the last one.` }],
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

  it('leave no email in a row of results', () => {
    const row = outcome(email, { teamName: `a;${email}`, reason: `User with email ${email} already exists` });
    expect(JSON.stringify(redactOutcomes([row]))).not.toContain('ann.lee');
  });
});
