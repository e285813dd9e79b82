import { describe, expect, it } from 'vitest';
import { withCosts } from '../../src/core/costs.ts';
import { NO_LIMITS, readUserList, resolveTeams } from '../../src/core/desired.ts';
import type { Policy } from '../../src/core/diff.ts';
import type { AddChange, Change, DeleteChange, Plan, TeamKeysFate, UpdateChange } from '../../src/core/plan.ts';
import {
  additionsFor,
  approvalDigest,
  approvedAsAddNote,
  changeDigest,
  driftMarker,
  markerFor,
  markerText,
  parseMarker,
  planDigests,
  readMarker,
  replaceMarker,
  targetHash,
  unreviewed,
  wantedDigests,
  wholeDigest,
  withholdUnreviewed,
} from '../../src/core/review.ts';
import { teamDirectory } from '../../src/core/teams.ts';
import { inventory, type PlanMore, POLICY, planOf, short, team, user } from './build.ts';

const BUDGET = { ...NO_LIMITS, maxBudget: { kind: 'value', value: 5 } } as const;

const target = targetHash({ target: '', csvPath: 'user_list.csv', baseUrl: 'http://proxy.internal:4000' });
const have = inventory(
  [user('ann', { teams: ['red'] }), user('bob', { keyCount: 1 }), user('cat')],
  [team('red', ['ann']), team('blue')],
);
const csv = 'email,role,team_name\nann@x.io,proxy_admin,blue\nnew@x.io,internal_user,red\ncat@x.io,,\n';
const plan = planOf(csv, have).plan;

function changed(csvText: string, over = have): string[] {
  return planDigests(target, planOf(csvText, over).plan).filter(
    (digest) => !planDigests(target, plan).includes(digest),
  );
}

describe('a target', () => {
  const hash = (csvPath: string, baseUrl: string) => targetHash({ target: '', csvPath, baseUrl });
  const plain = hash('lists/user_list.csv', 'https://proxy.example');

  it.each([
    ['./lists/user_list.csv', 'https://proxy.example'],
    ['lists//user_list.csv', 'https://proxy.example/'],
    ['lists/../lists/./user_list.csv', 'https://PROXY.Example:443'],
    ['lists\\user_list.csv', 'https://proxy.example:443//'],
  ])('is the same written as %s and %s', (csvPath, baseUrl) => {
    expect(hash(csvPath, baseUrl)).toBe(plain);
  });

  it.each([
    ['/lists/user_list.csv', 'https://proxy.example'],
    ['../lists/user_list.csv', 'https://proxy.example'],
    ['../../lists/user_list.csv', 'https://proxy.example'],
    ['user_list.csv', 'https://proxy.example'],
    ['Lists/user_list.csv', 'https://proxy.example'],
    ['lists/user_list.csv', 'http://proxy.example'],
    ['lists/user_list.csv', 'https://proxy.example:4000'],
    ['lists/user_list.csv', 'https://proxy.example/litellm'],
    ['lists/user_list.csv', 'no address'],
  ])('is another one: %s and %s', (csvPath, baseUrl) => {
    expect(hash(csvPath, baseUrl)).not.toBe(plain);
  });

  it('is its name alone where it has one', () => {
    const named = (csvPath: string) => targetHash({ target: 'prod', csvPath, baseUrl: 'https://proxy.example' });
    expect(named('a.csv')).toBe(named('b.csv'));
  });
});

describe('a digest', () => {
  it('tells the host of the proxy to nobody and is 64 bits', () => {
    expect(planDigests(target, plan)).toHaveLength(3);
    for (const digest of [target, ...planDigests(target, plan)]) expect(digest).toMatch(/^[0-9a-f]{16}$/);
  });

  it('of a fresh link covers whose it is, and their role', () => {
    const link = { kind: 'invite', email: 'ann@x.io', userId: 'ann', role: null, teams: [], withheld: null } as const;
    expect(changeDigest(target, { ...link, role: 'proxy_admin' })).not.toBe(changeDigest(target, link));
    expect(changeDigest(target, { ...link, userId: 'bob' })).not.toBe(changeDigest(target, link));
  });

  it('does not cover what a change costs, nor letter case of an email', () => {
    const dearer = inventory([...have.users.map((one) => ({ ...one, keyCount: 9, spend: 9 }))], have.teams);
    expect(changed(csv, dearer)).toEqual([]);
    expect(changed(csv.replace('new@', 'NEW@'))).toEqual([]);
  });

  it.each([
    ['role of an add', csv.replace('internal_user,red', 'proxy_admin,red')],
    ['teams of an add', csv.replace('internal_user,red', 'internal_user,blue')],
    ['who is added', csv.replace('new@', 'other@')],
    ['role of an update', csv.replace('proxy_admin,blue', 'internal_user_viewer,blue')],
    ['teams of an update', csv.replace('proxy_admin,blue', 'proxy_admin,-')],
  ])('covers the %s', (_, text) => {
    expect(changed(text)).toHaveLength(1);
  });

  it.each<[string, PlanMore, Partial<Policy>]>([
    ['a rename', { rows: { 'new@x.io': { previousEmail: 'bob@x.io' } } }, {}],
    ['a limit of an update', { rows: { 'cat@x.io': { limits: BUDGET } } }, {}],
    ['a limit of an add', { rows: { 'new@x.io': { limits: BUDGET } } }, {}],
    ['what becomes of keys', {}, { teamKeys: 'delete' }],
    ['a deactivation in place of a delete', {}, { onMissing: 'deactivate' }],
  ])('covers %s', (_, more, policy) => {
    const digests = planDigests(target, planOf(csv, have, policy, more).plan);
    expect(digests.filter((digest) => !planDigests(target, plan).includes(digest))).toHaveLength(1);
  });

  it('covers a reactivation', () => {
    const off = user('cat', { activity: 'deactivated by us' });
    expect(changed(csv, inventory([...have.users.slice(0, 2), off], have.teams))).toHaveLength(1);
  });

  it('covers a fresh link', () => {
    const invite = { kind: 'invite', email: 'ann@x.io', userId: 'ann', role: null, teams: [], withheld: null } as const;
    expect(changeDigest(target, invite)).toMatch(/^[0-9a-f]{16}$/);
  });

  it('does not cover which keys there are, nor what is lost beside them', () => {
    const key = { hash: 'h', name: 'sk-...abcd', alias: null, userId: 'ann', teamId: 'red', spend: 1 };
    const ownBudgets = [{ userId: 'ann', teamId: 'red' }];
    const costed = withCosts(plan, {
      facts: { leavingDeletesKeys: true },
      keys: [key],
      ownBudgets,
      keyCounts: new Map(),
    });
    expect(planDigests(target, costed)).toEqual(planDigests(target, plan));
  });

  it('covers what an update starts from, and the target', () => {
    const demoted = inventory(
      [user('ann', { teams: ['red'], role: 'internal_user_viewer' }), user('bob'), user('cat')],
      have.teams,
    );
    expect(changed(csv, demoted)).toHaveLength(1);
    const other = targetHash({ target: 'prod', csvPath: 'user_list.csv', baseUrl: '' });
    expect(planDigests(other, plan).some((digest) => planDigests(target, plan).includes(digest))).toBe(false);
  });

  it('is the one of version 1 where nothing new changes', () => {
    const fixed = '0123456789abcdef';
    const [add, gone, update] = plan.changes as [AddChange, DeleteChange, UpdateChange];
    const digests = [add, gone, { ...update, keyFates: [] }].map((change) => changeDigest(fixed, change));
    expect(digests).toEqual(['fe60b46585a3d709', '4c9f2ac562a4821d', '79873d71913d2ddf']);
  });

  it('covers what else of a user changes, and what becomes of keys', () => {
    const [add, gone, update] = plan.changes as [AddChange, DeleteChange, UpdateChange];
    const [red, blue] = ['red', 'blue'].map((name) => ({ teamId: name, name })) as [never, never];
    const budget = { field: 'maxBudget', from: 50, to: 200 } as const;
    const keys = (...keyFates: TeamKeysFate[]): UpdateChange => ({ ...update, keyFates });
    const all: Change[] = [
      add,
      { ...add, limits: { maxBudget: 50 } },
      { ...add, limits: { maxBudget: 60 } },
      { ...add, limits: { maxBudget: null } },
      { ...add, limits: { models: ['a', 'b'] } },
      gone,
      { ...gone, kind: 'deactivate' },
      { ...gone, kind: 'invite' },
      update,
      { ...update, limits: [budget] },
      { ...update, limits: [{ ...budget, from: 40 }] },
      { ...update, limits: [{ ...budget, field: 'tpmLimit' as const }] },
      { ...update, rename: { from: 'old@x.io', to: 'ann@x.io' } },
      { ...update, rename: { from: 'older@x.io', to: 'ann@x.io' } },
      { ...update, reactivates: true },
      keys({ team: red, fate: 'moves', to: red }),
      keys({ team: blue, fate: 'moves', to: red }),
      keys({ team: red, fate: 'deleted', to: null }),
      keys({ team: red, fate: 'deleted', to: null }, { team: blue, fate: 'moves', to: red }),
    ];
    const digests = all.map((change) => changeDigest(target, change));
    expect(new Set(digests).size).toBe(all.length);
  });

  it('does not cover the order of limits and models, or that keys stay as they are', () => {
    const [add, , update] = plan.changes as [AddChange, DeleteChange, UpdateChange];
    const same = (a: AddChange | UpdateChange, b: AddChange | UpdateChange) =>
      expect(changeDigest(target, a)).toBe(changeDigest(target, b));
    same(
      { ...add, limits: { tpmLimit: 1, models: ['b', 'a'] } },
      { ...add, limits: { models: ['a', 'b'], tpmLimit: 1 } },
    );
    const survives: TeamKeysFate = { team: { teamId: 'red', name: 'red' }, fate: 'survives', to: null };
    same({ ...update, keyFates: [survives] }, { ...update, keyFates: [] });
    const [tpm, rpm] = ['tpmLimit', 'rpmLimit'].map((field) => ({ field, from: null, to: 1 })) as [never, never];
    same({ ...update, limits: [tpm, rpm] }, { ...update, limits: [rpm, tpm] });
  });

  it('is not needed for who leaves on the day that their row names', () => {
    const expired = plan.changes.map((one) => (one.kind === 'delete' ? { ...one, expired: '2026-11-27' } : one));
    expect(planDigests(target, { ...plan, changes: expired })).toHaveLength(2);
  });

  it('is not made of what is withheld', () => {
    expect(planDigests(target, planOf(csv, have, { noDelete: true, noAdd: true }).plan)).toHaveLength(1);
  });
});

describe('a marker', () => {
  const digests = planDigests(target, plan);
  const marker = markerFor(target, digests);

  it('comes back from a comment of ours, for its target alone', () => {
    const body = `${markerText(marker)}\n## Plan\n`;
    expect(parseMarker(body, target)).toEqual(marker);
    expect(parseMarker(body, 'f'.repeat(16))).toBeNull();
    expect(readMarker(body)).toEqual(marker);
    expect(parseMarker(`${driftMarker(target)}\n## Plan\n`, target)).toBeNull();
    expect(parseMarker(`x${body}`, target)).toBeNull();
    expect(parseMarker(body, target)?.digests).toEqual(digests);
  });

  it.each([
    ['without digests', markerFor(target, [])],
    ['with one of the whole', { target, digests: [], whole: wholeDigest(digests), applied: [] }],
    ['with some that are applied', { target, digests: digests.slice(1), whole: null, applied: digests.slice(0, 1) }],
  ])('comes back %s', (_, other) => {
    expect(parseMarker(markerText(other), target)).toEqual(other);
  });

  it('is one line, ends where it should and hides the host', () => {
    const text = markerText(marker);
    expect(text).toMatch(/^<!-- [^>]* -->$/);
    expect(text.slice(4, -3)).not.toContain('--');
    expect(text).not.toContain('proxy.internal');
  });

  it('holds thousands of digests within a comment, and one of the whole beyond', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => index.toString(16).padStart(16, '0'));
    expect(markerText(markerFor(target, many(4500))).length).toBeLessThan(50_000);
    expect(parseMarker(markerText(markerFor(target, many(4500))), target)?.digests).toEqual(many(4500));
    expect(markerFor(target, many(4501))).toEqual({
      target,
      digests: [],
      whole: wholeDigest(many(4501)),
      applied: [],
    });
  });

  it('is replaced without touching the text', () => {
    const body = `${markerText(marker)}\ntext $& $1`;
    expect(replaceMarker(body, markerFor(target, []))).toBe(`${markerText(markerFor(target, []))}\ntext $& $1`);
  });
});

describe('what nobody reviewed', () => {
  const approve = (...lines: string[]) =>
    new Set(
      plan.changes
        .filter((change) => lines.includes(short(change)[0] as string))
        .map((change) => changeDigest(target, change)),
    );
  const review = (of: Plan, approved: Set<string>, wholes: string[] = [], limits = POLICY) =>
    withholdUnreviewed(of, target, { approved, wholes: new Set(wholes) }, { limits, additions: new Map() });

  it('is withheld, change by change', () => {
    const reviewed = review(plan, approve('+', '~'));
    expect(unreviewed(reviewed).map(short)).toEqual(['- bob internal_user - 1 0 (not reviewed)']);
  });

  it('is nothing where a comment showed the whole, and all where that changed', () => {
    expect(unreviewed(review(plan, new Set(), [wholeDigest(planDigests(target, plan))]))).toEqual([]);
    expect(unreviewed(review(plan, new Set(), ['0'.repeat(32)]))).toHaveLength(3);
  });

  it('does not count for limits beside what was reviewed', () => {
    const limits = { ...POLICY, maxDeletes: { kind: 'count' as const, count: 0 } };
    const red = planOf(csv, have, limits).plan;
    expect(red.breaches).toHaveLength(1);
    expect(review(red, approve('+', '~'), [], limits).breaches).toEqual([]);
    expect(review(red, approve('+', '~', '-'), [], limits).breaches).toHaveLength(1);
  });

  it('is no expiry: the merged file names its day', () => {
    const more = { rows: { 'cat@x.io': { expires: '2026-01-01' } } };
    const due = planOf(csv, have, {}, more).plan;
    expect(planDigests(target, due)).toEqual(planDigests(target, plan));
    expect(unreviewed(review(due, new Set())).map((change) => change.email)).not.toContain('cat@x.io');
    expect(review(due, new Set(), [wholeDigest(planDigests(target, plan))])).toEqual(due);
  });

  it('leaves room for expiries that max-deletes had withheld', () => {
    const more = { rows: { 'cat@x.io': { expires: '2026-01-01' } } };
    const limits = { ...POLICY, maxDeletes: { kind: 'count' as const, count: 1 } };
    const due = planOf(csv, have, limits, more).plan;
    expect(due.changes.map(short)).toContain('- cat internal_user - 0 0 expired 2026-01-01 (max-deletes)');
    const reviewed = review(due, approve('+', '~'), [], limits);
    expect(reviewed.changes.map(short)).toContain('- cat internal_user - 0 0 expired 2026-01-01');
    expect(reviewed.breaches).toEqual([]);
  });

  it('stays red where nothing at all was reviewed', () => {
    const limits = { ...POLICY, maxDeletes: { kind: 'count' as const, count: 0 } };
    expect(review(planOf(csv, have, limits).plan, new Set(), [], limits).breaches).toHaveLength(1);
  });

  it('lets go who leaves on the day that their row names', () => {
    const changes = plan.changes.map((one) => (one.kind === 'delete' ? { ...one, expired: '2026-11-27' } : one));
    const reviewed = review({ ...plan, changes }, new Set());
    expect(unreviewed(reviewed).map(short)).toEqual([
      expect.stringMatching(/^\+ new/),
      expect.stringMatching(/^~ ann/),
    ]);
  });
});

describe('an add that was reviewed, of a user who came to be meanwhile', () => {
  const list = (row: string) => `email,role,team_name\nann@x.io,,\nbob@x.io,,\ncat@x.io,,\n${row}\n`;
  const ROW = 'eve@x.io,internal_user,red;blue';
  const directory = teamDirectory([team('red'), team('blue'), team('green')]);
  const teams = (...members: string[]) => [team('red'), team('blue'), team('green', members)];

  /** The plan for this row on merge, reviewed as an add of `row`, with eve on the proxy as the user is by now. */
  function onMerge(row: string, eve: Parameters<typeof user>[1], reviewedRow = row): Plan {
    const before = planOf(list(reviewedRow), inventory(have.users, teams()));
    const csvText = list(row);
    const now = planOf(
      csvText,
      inventory([...have.users, user('eve', eve)], teams(...(eve?.teams?.length ? ['eve'] : []))),
    );
    const rows = resolveTeams(readUserList(new TextEncoder().encode(csvText)).rows, directory).users;
    const reviewed = { approved: new Set(planDigests(target, before.plan)), wholes: new Set<string>() };
    return withholdUnreviewed(now.plan, target, reviewed, {
      limits: POLICY,
      additions: additionsFor(now.plan, rows, POLICY),
    });
  }

  const of = (row: string, eve: Parameters<typeof user>[1] = {}, reviewedRow = row) =>
    onMerge(row, eve, reviewedRow).changes.map((change) => `${short(change)} | ${approvedAsAddNote(change)}`);
  const NOTE = 'Reviewed as a new user, who came to be in the meantime: no key, link or mail is made.';

  it.each([
    ['joins the approved teams', ROW, {}, ['~ eve join blue;red leave -', NOTE]],
    [
      'gets the approved role',
      ROW,
      { role: 'internal_user_viewer' },
      ['~ eve internal_user_viewer→internal_user join blue;red leave -', NOTE],
    ],
    ['gets it where there is none', 'eve@x.io,internal_user,', { role: null }, ['~ eve null→internal_user', NOTE]],
    [
      'leaves no team',
      ROW,
      { teams: ['green'] },
      ['~ eve join blue;red leave -', `${NOTE} Not reviewed and left as it is: teams to leave.`],
    ],
    [
      'becomes no administrator',
      'eve@x.io,proxy_admin,red',
      {},
      ['~ eve join red leave -', `${NOTE} Not reviewed and left as it is: role.`],
    ],
    [
      'does not, even without teams',
      'eve@x.io,proxy_admin_viewer,',
      {},
      ['~ eve internal_user→proxy_admin_viewer (not reviewed)', 'null'],
    ],
    [
      'is lowered in no role',
      'eve@x.io,internal_user_viewer,red',
      {},
      ['~ eve join red leave -', `${NOTE} Not reviewed and left as it is: role.`],
    ],
    [
      'nor as an administrator',
      'eve@x.io,internal_user,red',
      { role: 'proxy_admin' },
      ['~ eve join red leave -', `${NOTE} Not reviewed and left as it is: role.`],
    ],
    [
      'leaves nothing where nothing is joined',
      'eve@x.io,internal_user,-',
      { teams: ['green'] },
      ['~ eve join - leave green (not reviewed)', 'null'],
    ],
  ])('%s', (_, row, eve, [line, note]) => {
    expect(of(row, eve)).toContain(`${line} | ${note}`);
  });

  it.each([
    ['of another role', 'eve@x.io,internal_user_viewer,red;blue'],
    ['of other teams', 'eve@x.io,internal_user,red'],
    ['of somebody else', 'eva@x.io,internal_user,red;blue'],
  ])('does not cover an update: the add was %s', (_, reviewedRow) => {
    expect(of(ROW, {}, reviewedRow)).toContain('~ eve join blue;red leave - (not reviewed) | null');
  });

  it('mends half a membership: the team stays named once', () => {
    const half = inventory([...have.users, user('eve')], [team('red', ['eve']), team('blue'), team('green')]);
    const now = planOf(list(ROW), half).plan;
    const rows = resolveTeams(readUserList(new TextEncoder().encode(list(ROW))).rows, directory).users;
    const additions = additionsFor(now, rows, POLICY);
    const add = changeDigest(target, additions.get('eve@x.io') as AddChange);
    const reviewed = withholdUnreviewed(
      now,
      target,
      { approved: new Set([add]), wholes: new Set() },
      { limits: POLICY, additions },
    );
    const update = reviewed.changes.find((change) => change.email === 'eve@x.io') as UpdateChange;
    expect(update.teams?.to.map(({ name }) => name)).toEqual(['blue', 'red']);
    expect(approvalDigest(target, update)).toBe(add);
    expect(approvalDigest(target, now.changes[0] as UpdateChange)).toBe(
      changeDigest(target, now.changes[0] as UpdateChange),
    );
  });

  it('has nothing to do with other changes', () => {
    const rows = resolveTeams(readUserList(new TextEncoder().encode(csv)).rows, directory).users;
    expect([...additionsFor(plan, rows, POLICY).keys()]).toEqual(['ann@x.io']);
    for (const change of plan.changes) {
      expect(approvalDigest(target, change)).toBe(changeDigest(target, change));
      expect(approvedAsAddNote(change)).toBeNull();
    }
  });

  it('limits, reactivates and renames nobody', () => {
    const now = planOf(list(ROW), inventory([...have.users, user('eve')], teams())).plan;
    const rows = resolveTeams(readUserList(new TextEncoder().encode(list(ROW))).rows, directory).users;
    const additions = additionsFor(now, rows, POLICY);
    const more = {
      limits: [{ field: 'maxBudget', from: 50, to: 5 }],
      reactivates: true,
    } as const;
    const changes = now.changes.map((change) => (change.kind === 'update' ? { ...change, ...more } : change));
    const add = changeDigest(target, additions.get('eve@x.io') as AddChange);
    const reviewed = withholdUnreviewed(
      { ...now, changes },
      target,
      { approved: new Set([add]), wholes: new Set() },
      {
        limits: POLICY,
        additions,
      },
    );
    const update = reviewed.changes.find((change) => change.email === 'eve@x.io') as UpdateChange;
    expect(update).toMatchObject({ limits: [], reactivates: false, withheld: null });
    expect(update).toMatchObject({ keyFates: [], leftKeys: [], losses: [] });
    expect(approvedAsAddNote(update)).toMatch(/left as it is: limits, deactivation\.$/);
    const rename = { from: 'old@x.io', to: 'eve@x.io' };
    const renamed = { ...now, changes: now.changes.map((one) => (one.kind === 'update' ? { ...one, rename } : one)) };
    const approved = { approved: new Set([add]), wholes: new Set<string>() };
    expect(unreviewed(withholdUnreviewed(renamed, target, approved, { limits: POLICY, additions }))).toHaveLength(
      now.changes.length,
    );
  });

  it('is looked for on merged pull requests beside the update itself', () => {
    const now = planOf(list(ROW), inventory([...have.users, user('eve')], teams())).plan;
    const rows = resolveTeams(readUserList(new TextEncoder().encode(list(ROW))).rows, directory).users;
    const wanted = wantedDigests(target, now, additionsFor(now, rows, POLICY));
    expect(wanted.map((digests) => digests.length)).toEqual(now.changes.map(({ kind }) => (kind === 'update' ? 2 : 1)));
    expect(wantedDigests(target, now, new Map()).map((digests) => digests.length)).toEqual(now.changes.map(() => 1));
  });
});
