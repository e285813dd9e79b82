import nock from 'nock';
import { describe, expect, it } from 'vitest';
import type { Job } from '../../src/action/job.ts';
import { approve, changesBefore, whyNotReviewed } from '../../src/action/review.ts';
import { readUserList } from '../../src/core/desired.ts';
import { markerFor, markerText, planDigests } from '../../src/core/review.ts';
import type { Approvals, ReviewedPull } from '../../src/github/approvals.ts';
import { blobSha } from '../../src/github/repository-file.ts';
import { inventory, planOf, user } from '../core/build.ts';
import { onlyWhatIsServed } from '../github/served.ts';
import { API, apiComment, apiPull, createEvent, NOT_ACCESSIBLE, sha } from '../github/support.ts';
import { createJob, TARGET } from './job.ts';

const REPO = '/repos/acme/users';
const CSV = 'email,role\nann@x.io,\nnew@x.io,\n';
const HAVE = inventory([user('ann'), user('bob')]);
const { plan } = planOf(CSV, HAVE);
const [addDigest = '', deleteDigest = ''] = planDigests(TARGET, plan);
const OPTIONS = { additions: new Map(), signal: new AbortController().signal };

onlyWhatIsServed();

/** Pull request 7, merged by this push, with these comments. */
function serve(...comments: object[]): void {
  const file = { type: 'file', size: 1, encoding: 'none', content: '' };
  nock(API)
    .get(`${REPO}/contents/user_list.csv`)
    .query({ ref: 'main' })
    .reply(200, { ...file, sha: blobSha(Buffer.from(CSV)) })
    .post('/graphql')
    .reply(200, { data: { viewer: { login: 'github-actions[bot]' } } })
    .get(`${REPO}/pulls`)
    .query((query) => query.state === 'open')
    .reply(200, [])
    .get(`${REPO}/pulls`)
    .query((query) => query.state === 'closed')
    .reply(200, [apiPull(7, { mergeCommit: sha('e') })])
    .get(`${REPO}/issues/7/comments`)
    .query(true)
    .reply(200, comments);
}

const shown = (...digests: string[]) => apiComment(70, `${markerText(markerFor(TARGET, digests))}\n## Plan\n`);

describe('approve', () => {
  it('lets through what was shown', async () => {
    serve(shown(addDigest, deleteDigest));
    const job = createJob({}, {}, CSV);
    expect(await approve(plan, job, OPTIONS)).toMatchObject({
      verdict: { kind: 'go' },
      reviewed: plan,
      whyNot: '',
    });
    expect(job.told).toEqual([]);
  });

  it('withholds the rest, and says why', async () => {
    serve(shown(addDigest));
    const job = createJob({}, {}, CSV);
    const { reviewed, whyNot } = await approve(plan, job, OPTIONS);
    expect(reviewed.changes.map(({ withheld }) => withheld)).toEqual([null, 'not reviewed']);
    expect(whyNot).toMatch(/^the plan on pull request #7 showed other changes/);
    expect(job.told).toEqual([
      expect.stringMatching(
        /^warning: 1 change of this plan was not reviewed: the plan on .*\. It is skipped\. Look at/,
      ),
    ]);
  });

  it('refuses with `fail`, with the same reason', async () => {
    serve();
    const job = createJob({}, { 'unreviewed-changes': 'fail' }, CSV);
    expect((await approve(plan, job, OPTIONS)).verdict).toEqual({
      kind: 'refused',
      reason: expect.stringMatching(
        /^2 changes of this plan were not reviewed: pull request #7 has no comment with a plan\. Nothing was written\./,
      ),
    });
  });

  it('brings a user who came to be meanwhile where the reviewed add would have', async () => {
    const csv = 'email,role\nann@x.io,\nbob@x.io,\nnew@x.io,internal_user\n';
    const [add] = planOf(csv, HAVE).plan.changes;
    if (add?.kind !== 'add') throw new Error('there is no add');
    const now = planOf(csv, inventory([...HAVE.users, user('new', { role: 'internal_user_viewer' })])).plan;
    serve(shown(...planDigests(TARGET, planOf(csv, HAVE).plan)));
    const job = createJob({}, {}, CSV);
    const { verdict, reviewed } = await approve(now, job, { ...OPTIONS, additions: new Map([['new@x.io', add]]) });
    expect(verdict).toEqual({ kind: 'go' });
    expect(reviewed.changes).toMatchObject([{ kind: 'update', withheld: null, approvedAsAdd: { leftOut: [] } }]);
  });

  it.each([
    ['no token', {}, { client: null }, /no `github-token` was given/],
    ['comment: false', { comment: 'false' }, { client: null }, /`comment` is `false`/],
  ])('asks nothing with %s: a push is refused, unless it need not be reviewed', async (_, inputs, job, reason) => {
    const { verdict } = await approve(plan, createJob(job, inputs, CSV), OPTIONS);
    expect(verdict).toEqual({ kind: 'refused', reason: expect.stringMatching(reason) });
    const free = createJob(job, { ...inputs, 'unreviewed-changes': 'apply' }, CSV);
    expect((await approve(plan, free, OPTIONS)).verdict).toEqual({ kind: 'go' });
    const event = createEvent({ name: 'workflow_dispatch', push: null });
    const byHand = createJob({ ...job, event }, inputs, CSV);
    expect((await approve(plan, byHand, OPTIONS)).verdict).toEqual({ kind: 'go' });
  });
});

describe('whyNotReviewed', () => {
  const pull = (number: number, lack: ReviewedPull['lack'], mergedByThisPush = true): ReviewedPull => ({
    number,
    author: 'bob-builder',
    mergedByThisPush,
    comment: null,
    lack,
  });
  const why = (...pullRequests: ReviewedPull[]) => {
    const approvals: Approvals = {
      kind: 'reviewed',
      approved: new Set(),
      wholes: new Set(),
      pullRequests,
      author: 'github-actions[bot]',
    };
    return whyNotReviewed(approvals);
  };

  it.each([
    [{ kind: 'no comment' } as const, 'pull request #7 has no comment with a plan'],
    [
      { kind: 'another author', login: 'ann' } as const,
      'the plan on pull request #7 was commented by `ann`, and only comments by `github-actions[bot]` count: both jobs need the same kind of `github-token`',
    ],
    [{ kind: 'another target' } as const, 'the plan on pull request #7 is about another file, proxy or `target`'],
    [{ kind: 'merged before the plan was there' } as const, 'pull request #7 was merged before its plan was there'],
    [
      null,
      'the plan on pull request #7 showed other changes (the proxy has changed since, or the two jobs have other inputs)',
    ],
  ])('%j', (lack, words) => {
    expect(why(pull(7, lack), pull(6, null, false))).toBe(words);
  });

  it('tells a comment that approves nothing', () => {
    const shown = { target: TARGET, digests: [], whole: null, applied: [] as string[] };
    const comment = { id: 70, url: '', body: '', ...shown };
    expect(why({ ...pull(7, null), comment })).toMatch(/^the comment on pull request #7 approves nothing/);
    expect(why({ ...pull(7, null), comment: { ...comment, applied: ['0123456789abcdef'] } })).toMatch(/other changes/);
  });

  it('names each pull request of the push', () => {
    expect(why(pull(8, { kind: 'no comment' }), pull(7, { kind: 'another target' }))).toBe(
      'pull request #8 has no comment with a plan; the plan on pull request #7 is about another file, proxy or `target`',
    );
  });

  it('speaks of all that were read where the push has none', () => {
    expect(why()).toBe('no pull request was merged into this branch');
    expect(why(pull(7, null, false))).toBe('no comment on the last 1 merged pull request showed such a change');
    expect(whyNotReviewed({ kind: 'everything' })).toBe('');
  });
});

describe('changesBefore', () => {
  const { rows } = readUserList(Buffer.from(CSV));
  const event = createEvent({
    name: 'pull_request',
    push: null,
    pullRequest: { number: 7, headSha: sha('a'), baseSha: sha('b'), fromFork: false },
  });
  const atBase = (status: number, body: object) =>
    nock(API)
      .get(`${REPO}/contents/user_list.csv`)
      .query({ ref: sha('b') })
      .reply(status, body);
  const file = (text: string) => {
    const content = Buffer.from(text);
    return {
      type: 'file',
      sha: blobSha(content),
      size: content.length,
      encoding: 'base64',
      content: content.toString('base64'),
    };
  };

  async function earlier(job: Job): Promise<string[]> {
    const found = await changesBefore(job, plan, rows);
    return found instanceof Set ? plan.changes.filter((_, index) => found.has(index)).map(({ email }) => email) : [];
  }

  it('tells what the pull request changes from what was there before it', async () => {
    atBase(200, file('email,role\nann@x.io,\n'));
    expect(await earlier(createJob({ event }))).toEqual(['bob@x.io']);
  });

  it('takes all rows of a new file for its own', async () => {
    atBase(404, { message: 'Not Found' });
    nock(API)
      .get(`${REPO}/git/commits/${sha('b')}`)
      .reply(200, {});
    expect(await earlier(createJob({ event }))).toEqual(['bob@x.io']);
  });

  it.each([
    ['forbidden', () => atBase(403, NOT_ACCESSIBLE)],
    ['not a list of users', () => atBase(200, file('name;mail\nAnn;ann@x.io\n'))],
  ])('does not know where the file at the base is %s', async (_, prepare) => {
    prepare();
    expect(await changesBefore(createJob({ event }), plan, rows)).toBe('unreadable');
  });

  it.each([
    ['without a token', { event, client: null }],
    ['outside of a pull request', {}],
    ['for a file that is not in the repository', { event, repositoryPath: null }],
  ])('asks nothing %s', async (_, overrides) => {
    expect(await changesBefore(createJob(overrides), plan, rows)).toBeNull();
  });
});
