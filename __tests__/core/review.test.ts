import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/core/plan.ts';
import {
  changeDigest,
  markerFor,
  markerText,
  parseMarker,
  planDigests,
  replaceMarker,
  targetHash,
  unreviewed,
  wholeDigest,
  withholdUnreviewed,
} from '../../src/core/review.ts';
import { inventory, POLICY, planOf, short, team, user } from './build.ts';

const target = targetHash({ target: '', csvFile: 'user_list.csv', baseUrl: 'http://proxy.internal:4000' });
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

describe('a digest', () => {
  it('tells the host of the proxy to nobody and is 64 bits', () => {
    expect(planDigests(target, plan)).toHaveLength(3);
    for (const digest of [target, ...planDigests(target, plan)]) expect(digest).toMatch(/^[0-9a-f]{16}$/);
  });

  it('of a fresh link covers whose it is, and nothing else about them', () => {
    const link = { kind: 'invite', email: 'ann@x.io', userId: 'ann', role: null, teams: [], withheld: null } as const;
    expect(changeDigest(target, { ...link, role: 'proxy_admin' })).toBe(changeDigest(target, link));
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

  it('covers what an update starts from, and the target', () => {
    const demoted = inventory(
      [user('ann', { teams: ['red'], role: 'internal_user_viewer' }), user('bob'), user('cat')],
      have.teams,
    );
    expect(changed(csv, demoted)).toHaveLength(1);
    const other = targetHash({ target: 'prod', csvFile: 'user_list.csv', baseUrl: '' });
    expect(planDigests(other, plan).some((digest) => planDigests(target, plan).includes(digest))).toBe(false);
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
    expect(parseMarker(`x${body}`, target)).toBeNull();
    expect(parseMarker(body, target)?.digests).toEqual(digests);
  });

  it.each([
    ['without digests', markerFor(target, [])],
    ['with one of the whole', { target, digests: [], whole: wholeDigest(digests) }],
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
    expect(markerFor(target, many(4501))).toEqual({ target, digests: [], whole: wholeDigest(many(4501)) });
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
    withholdUnreviewed(of, target, { approved, wholes: new Set(wholes) }, limits);

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

  it('stays red where nothing at all was reviewed', () => {
    const limits = { ...POLICY, maxDeletes: { kind: 'count' as const, count: 0 } };
    expect(review(planOf(csv, have, limits).plan, new Set(), [], limits).breaches).toHaveLength(1);
  });
});
