import { expect, it } from 'vitest';
import { type AuditEntry, type AuditedChange, auditLines } from '../../src/core/audit.ts';
import type { Change } from '../../src/core/plan.ts';
import { redactEmail, redactText } from '../../src/render/redact.ts';

const RUN = { run: 'https://github.com/o/r/actions/runs/1', commit: 'abc123', target: 'staging', command: 'sync' };
const REDACTION = { email: redactEmail, text: redactText };

function entry(change: AuditedChange, over: Partial<AuditEntry> = {}): AuditEntry {
  return {
    time: '2026-08-02T10:11:12Z',
    change,
    userId: 'u-1',
    email: 'ann@x.io',
    pullRequest: { number: 7, author: 'octocat' },
    digest: '0123456789abcdef',
    result: 'SUCCESS',
    reason: '',
    ...over,
  };
}

/** What a line holds beside the run. */
function line(change: AuditedChange, over: Partial<AuditEntry> = {}): object {
  const [text = ''] = auditLines(RUN, [entry(change, over)], null);
  const { changes, keys, expired } = JSON.parse(text);
  return JSON.parse(JSON.stringify({ changes, keys, expired }));
}

const red = { teamId: 't-1', name: 'red' };
const blue = { teamId: 't-2', name: 'blue' };
const UPDATE = { kind: 'update', role: null, teams: null } as const;

it('says when, where, why, who and what', () => {
  const change = { kind: 'update', role: { from: 'internal_user', to: 'proxy_admin' }, teams: null } as const;
  expect(auditLines(RUN, [entry(change)], null)).toEqual([
    '{"time":"2026-08-02T10:11:12Z","run":"https://github.com/o/r/actions/runs/1","commit":"abc123","pull_request":7,' +
      '"pull_request_author":"octocat","target":"staging","command":"sync","action":"update","user_id":"u-1",' +
      '"email":"ann@x.io","changes":{"role":{"from":"internal_user","to":"proxy_admin"}},' +
      '"digest":"0123456789abcdef","result":"SUCCESS","reason":""}',
  ]);
});

it('leaves empty what a command line does not know', () => {
  const [text = ''] = auditLines(
    { run: null, commit: null, target: null, command: 'onboard' },
    [entry({ kind: 'invite' }, { pullRequest: null, digest: null })],
    null,
  );
  const none = { run: null, commit: null, target: null, pull_request: null, pull_request_author: null, digest: null };
  expect(JSON.parse(text)).toMatchObject({ ...none, action: 'invite', changes: {} });
});

it.each<[string, AuditedChange, object]>([
  [
    'add',
    { kind: 'add', role: 'internal_user', teams: [red], limits: { maxBudget: 5, models: ['a'] } },
    {
      changes: {
        role: { from: null, to: 'internal_user' },
        teams: { from: [], to: ['red'] },
        max_budget: { from: null, to: 5 },
        models: { from: null, to: ['a'] },
      },
    },
  ],
  ['add by default', { kind: 'add', role: null, teams: null }, { changes: { role: { from: null, to: 'default' } } }],
  [
    'delete',
    { kind: 'delete', role: 'internal_user', teams: [red, blue], keyCount: 2, expired: '2026-08-01' },
    {
      changes: { role: { from: 'internal_user', to: null }, teams: { from: ['red', 'blue'], to: [] } },
      keys: { deleted: 2 },
      expired: '2026-08-01',
    },
  ],
  [
    'delete of who knows how many keys',
    { kind: 'delete', role: null, teams: [], keyCount: null, expired: null },
    { changes: { role: { from: null, to: null }, teams: { from: [], to: [] } }, keys: { deleted: 'unknown' } },
  ],
  [
    'deactivate',
    { kind: 'deactivate', role: null, teams: [], keyCount: 2, expired: '2026-08-01' },
    { changes: { active: { from: true, to: false } }, expired: '2026-08-01' },
  ],
  [
    'deactivate of a row that is gone',
    { kind: 'deactivate', role: null, teams: [], keyCount: 2, expired: null },
    { changes: { active: { from: true, to: false } } },
  ],
  [
    'update of all',
    {
      kind: 'update',
      role: null,
      rename: { from: 'old@x.io', to: 'ann@x.io' },
      teams: { from: [red], to: [blue] },
      limits: [{ field: 'tpmLimit', from: null, to: 10 }],
      reactivates: true,
      leftKeys: [{ fate: 'moves' }, { fate: 'deleted' }, { fate: 'moves' }],
    },
    {
      changes: {
        email: { from: 'old@x.io', to: 'ann@x.io' },
        teams: { from: ['red'], to: ['blue'] },
        tpm_limit: { from: null, to: 10 },
        active: { from: false, to: true },
      },
      keys: { moves: 2, deleted: 1 },
    },
  ],
  ['update with keys that are not known', { ...UPDATE, leftKeys: 'unknown' }, { changes: {}, keys: 'unknown' }],
  ['update without keys', { ...UPDATE, leftKeys: [], reactivates: false, rename: null }, { changes: {} }],
])('%s: each field before and after, keys in numbers', (_, change, expected) => {
  expect(line(change)).toEqual(expected);
});

it('takes the changes of a plan as they are', () => {
  const change: Change = {
    kind: 'add',
    line: 2,
    email: 'ann@x.io',
    role: 'internal_user',
    teams: [red],
    keyName: 'the-key-name',
    limits: {},
    conflicts: [],
    withheld: 'not reviewed',
  };
  const [text = ''] = auditLines(RUN, [entry(change, { result: 'SKIPPED', reason: 'not reviewed' })], null);
  expect(JSON.parse(text)).toMatchObject({ action: 'add', result: 'SKIPPED', reason: 'not reviewed' });
  expect(text).not.toContain('the-key-name');
});

it('masks emails wherever they stand, and keys in a reason always', () => {
  const change: AuditedChange = {
    kind: 'update',
    role: null,
    rename: { from: 'anna@x.io', to: 'annabel@x.io' },
    teams: { from: [], to: [{ name: 'team of anna@x.io' }] },
    limits: [{ field: 'maxBudget', from: 1, to: null }],
  };
  const over = { userId: 'anna@x.io', email: 'anna@x.io', reason: 'anna@x.io has sk-1234567890ab\nand more' };
  const [text = ''] = auditLines(RUN, [entry(change, over)], REDACTION);
  expect(JSON.parse(text)).toMatchObject({
    user_id: 'a***@x.io',
    email: 'a***@x.io',
    changes: {
      email: { from: 'a***@x.io', to: 'a***@x.io' },
      teams: { from: [], to: ['team of a***@x.io'] },
      max_budget: { from: 1, to: null },
    },
    reason: 'a***@x.io has sk-***\nand more',
  });
  expect(text).not.toMatch(/anna|\n/);
});
