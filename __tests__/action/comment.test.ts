import nock from 'nock';
import { describe, expect, it } from 'vitest';
import {
  commentNotApplied,
  commentOnPull,
  commentResult,
  emptyMarker,
  mayReportDrift,
  planMarker,
  reportDrift,
} from '../../src/action/comment.ts';
import type { Change } from '../../src/core/plan.ts';
import { changeDigest, driftMarker, markerText, parseMarker } from '../../src/core/review.ts';
import type { Approvals, ReviewedPull } from '../../src/github/approvals.ts';
import { inventory, planOf, user } from '../core/build.ts';
import { onlyWhatIsServed } from '../github/served.ts';
import { API, apiComment, apiIssue, apiPull, createEvent, NOT_ACCESSIBLE, sha } from '../github/support.ts';
import { createJob, TARGET } from './job.ts';

const REPO = '/repos/acme/users';
const { plan } = planOf('email,role\nann@x.io,\nnew@x.io,\n', inventory([user('ann'), user('bob')]));
const [ADD = '', DELETE = ''] = plan.changes.map((change) => changeDigest(TARGET, change as Change));
const GONE = '0123456789abcdef';
const body = () => '## LiteLLM User Sync\n\n**1 added**\n';
const BODY = { kind: 'reviewed', approved: new Set<string>(), wholes: new Set<string>(), author: 'bot' } as const;

onlyWhatIsServed();

function pull(
  number: number,
  digests: string[],
  more: Partial<ReviewedPull> & { applied?: string[] } = {},
): ReviewedPull {
  const { applied = [], ...rest } = more;
  const shown = { target: TARGET, digests, whole: null, applied };
  const text = `${markerText(shown)}\n## LiteLLM User Sync\n\nthe plan of ${number}\n`;
  const comment = { id: number * 10, url: `https://x/${number}`, body: text, ...shown };
  return { number, author: 'bob-builder', mergedByThisPush: false, comment, lack: null, ...rest };
}
const own = (number: number, digests: string[]) => pull(number, digests, { mergedByThisPush: true });

/** What the comments of these numbers become. */
function serveUpdates(...numbers: number[]): Map<number, string> {
  const written = new Map<number, string>();
  for (const number of numbers) {
    nock(API)
      .patch(`${REPO}/issues/comments/${number * 10}`, (sent: { body: string }) =>
        Boolean(written.set(number, sent.body)),
      )
      .reply(200, apiComment(number * 10, ''));
  }
  return written;
}

const settle = (pullRequests: ReviewedPull[], done: number[], job = createJob()) =>
  commentResult(job, { ...BODY, pullRequests }, { plan, done: new Set(done), body });

describe('commentResult', () => {
  it('turns the comment into the result, and takes out what was applied', async () => {
    const written = serveUpdates(7);
    const url = await settle([own(7, [ADD, DELETE])], [0]);
    expect(url).toMatch(/issuecomment-70$/);
    const text = written.get(7) ?? '';
    expect(parseMarker(text, TARGET)).toMatchObject({ digests: [DELETE], applied: [ADD] });
    expect(text).toMatch(/-->\n## LiteLLM User Sync\n\n\*\*1 added\*\*\n$/);
  });

  it('says who has applied what is not to be done any more', async () => {
    const written = serveUpdates(7);
    await settle([own(7, [ADD, DELETE, GONE]), pull(5, [], { applied: [GONE] })], [0, 1]);
    expect(written.get(7)).toContain(
      '## LiteLLM User Sync\n\n<!-- notice -->\n> 1 change shown here was applied by #5.\n\n**1 added**',
    );
    expect(parseMarker(written.get(7) ?? '', TARGET)).toMatchObject({ digests: [], applied: [ADD, DELETE] });
  });

  it('says in an older comment what this push has applied of it', async () => {
    const written = serveUpdates(7, 5);
    await settle([own(7, [DELETE]), pull(5, [ADD, DELETE])], [0, 1]);
    expect(written.get(5)).toMatch(
      /^<!-- [^\n]* -->\n## LiteLLM User Sync\n\n<!-- notice -->\n> 2 changes shown here were applied by #7, \[a later run\]\(https:.*\)\.\n\nthe plan of 5\n$/,
    );
    expect(parseMarker(written.get(5) ?? '', TARGET)).toMatchObject({ digests: [], applied: [ADD, DELETE] });
  });

  it('leaves an older comment alone that approved nothing of it', async () => {
    const written = serveUpdates(7);
    await settle([own(7, [ADD, DELETE]), pull(5, [], { applied: [GONE] }), pull(4, [], { comment: null })], [0, 1]);
    expect([...written.keys()]).toEqual([7]);
  });

  it('says so where no pull request is of this push, and drops what nobody plans any more', async () => {
    const written = serveUpdates(5, 4);
    expect(await settle([pull(5, [ADD]), pull(4, [GONE])], [0])).toBe('');
    expect(written.get(5)).toContain('> 1 change shown here was applied by [a later run](');
    expect(written.get(4)).toMatch(/digests= whole= -->\n## LiteLLM User Sync\n\nthe plan of 4/);
  });

  it('goes on where a comment cannot be written', async () => {
    nock(API).patch(`${REPO}/issues/comments/70`).reply(403, NOT_ACCESSIBLE);
    const job = createJob();
    expect(await settle([own(7, [ADD])], [0], job)).toBe('https://x/7');
    expect(job.told).toEqual([
      expect.stringMatching(/^warning: Pull request #7: .*`permissions: pull-requests: write`/),
    ]);
  });

  it('has nothing to write where everything was approved without a pull request', async () => {
    expect(await commentResult(createJob(), { kind: 'everything' }, { plan, done: new Set([0]), body })).toBe('');
  });
});

describe('commentNotApplied', () => {
  const approvals: Approvals = { ...BODY, pullRequests: [own(7, [ADD]), pull(5, [DELETE])] };

  it('keeps the plan and what it approves, and says why below the title; once', async () => {
    const written = serveUpdates(7);
    await commentNotApplied(createJob(), approvals, 'the proxy `litellm` | <b> @all is\ndown.');
    const [first = ''] = written.values();
    expect(first).toContain(
      '\n\n<!-- notice -->\n> **Not applied:** the proxy `litellm` `| <b>` `@all` is down. [Run](https://github.example/acme/users/actions/runs/1)\n\nthe plan of 7',
    );
    expect(parseMarker(first, TARGET)?.digests).toEqual([ADD]);
    const again = serveUpdates(7);
    const shown = own(7, [ADD]);
    const comment = { ...(shown.comment as NonNullable<ReviewedPull['comment']>), body: first };
    await commentNotApplied(createJob(), { ...BODY, pullRequests: [{ ...shown, comment }] }, 'Another reason.');
    const [second = ''] = again.values();
    expect(second.match(/notice/g)).toHaveLength(1);
    expect(second).toContain('> **Not applied:** Another reason. [Run]');
  });

  it('looks the comment up where nothing is known yet', async () => {
    nock(API)
      .post('/graphql')
      .reply(200, { data: { viewer: { login: 'github-actions[bot]' } } })
      .get(`${REPO}/pulls`)
      .query((query) => query.state === 'open')
      .reply(200, [])
      .get(`${REPO}/pulls`)
      .query((query) => query.state === 'closed')
      .reply(200, [apiPull(7, { mergeCommit: sha('e') }), apiPull(6, { mergedAt: '2026-11-01T00:00:00Z' })])
      .get(`${REPO}/issues/7/comments`)
      .query(true)
      .reply(200, [apiComment(70, own(7, []).comment?.body ?? '')]);
    const written = serveUpdates(7);
    await commentNotApplied(createJob(), null, 'No answer.');
    expect(written.get(7)).toContain('> **Not applied:** No answer.');
  });

  it('masks emails and the host of the proxy where readers must not see them, and never fails', async () => {
    const written = serveUpdates(7);
    await commentNotApplied(createJob({ redacts: true }), approvals, 'proxy.internal:4000 refused ann@example.com.');
    expect(written.get(7)).not.toMatch(/proxy\.internal|ann@example\.com/);
    nock(API).post('/graphql').reply(500);
    nock(API).post('/graphql').times(3).reply(500);
    const job = createJob();
    await commentNotApplied(job, null, 'No answer.');
    expect(job.told).toEqual([expect.stringMatching(/^debug: No comment says that nothing was applied/)]);
  });

  it('asks nothing without a token, and outside of a push', async () => {
    const jobs = [
      createJob({ client: null }),
      createJob({ event: createEvent({ name: 'schedule', push: null }) }),
      createJob(),
    ] as const;
    await commentNotApplied(jobs[0], approvals, 'No.');
    await commentNotApplied(jobs[1], approvals, 'No.');
    await commentNotApplied(jobs[2], { kind: 'everything' }, 'No.');
    // A request would fail here, and be told.
    expect(jobs.flatMap((job) => job.told)).toEqual([]);
  });
});

describe('commentOnPull', () => {
  const event = createEvent({
    name: 'pull_request',
    push: null,
    pullRequest: { number: 7, headSha: sha('a'), baseSha: sha('b'), fromFork: false },
  });

  it('leaves room for what a later run has to say', async () => {
    let limit = 0;
    nock(API)
      .post('/graphql')
      .reply(200, { data: { viewer: { login: 'github-actions[bot]' } } })
      .get(`${REPO}/pulls/7`)
      .reply(200, apiPull(7, { mergedAt: null, head: sha('a') }))
      .get(`${REPO}/issues/7/comments`)
      .query(true)
      .reply(200, [])
      .post(`${REPO}/issues/7/comments`)
      .reply(201, apiComment(70, ''));
    const marker = planMarker(plan, TARGET);
    const render = (room: number) => {
      limit = room;
      return '## Plan';
    };
    expect(await commentOnPull(createJob({ event }), marker, render)).toMatch(/issuecomment-70$/);
    expect(limit).toBe(65_536 - markerText(marker).length - 1 - 1_500);
  });

  it('warns where the author cannot be found out, and asks nothing without a token', async () => {
    nock(API).post('/graphql').reply(401, { message: 'Bad credentials' });
    const job = createJob({ event });
    expect(await commentOnPull(job, emptyMarker(TARGET), body)).toBe('');
    expect(job.told).toEqual([expect.stringMatching(/^warning: The comment was not written: .*Bad credentials/)]);
    expect(await commentOnPull(createJob({ event, client: null }), emptyMarker(TARGET), body)).toBe('');
    expect(await commentOnPull(createJob(), emptyMarker(TARGET), body)).toBe('');
  });
});

describe('drift', () => {
  it.each([
    ['schedule', 'main', 'plan', true],
    ['workflow_dispatch', 'main', 'plan', true],
    ['workflow_dispatch', 'try', 'plan', false],
    ['schedule', 'main', 'apply', false],
    ['push', 'main', 'plan', false],
    ['merge_group', 'main', 'plan', false],
  ] as const)('of %s on %s in mode %s is reported: %s', (name, branch, kind, expected) => {
    expect(mayReportDrift({ event: createEvent({ name, branch }), mode: { kind } })).toBe(expected);
  });

  it('is not known where the default branch is not', () => {
    const event = createEvent({ name: 'schedule', branch: null, defaultBranch: null });
    expect(mayReportDrift({ event, mode: { kind: 'plan' } })).toBe(false);
  });

  const author = () =>
    nock(API)
      .post('/graphql')
      .reply(200, { data: { viewer: { login: 'github-actions[bot]' } } });

  it('opens an issue without any digest, named after the target', async () => {
    author()
      .get(`${REPO}/issues`)
      .query(true)
      .reply(200, [])
      .post(`${REPO}/issues`, {
        title: 'LiteLLM User Sync: the proxy and user_list.csv differ (prod)',
        body: `${driftMarker(TARGET)}\n${body()}`,
      })
      .reply(201, apiIssue(9, ''));
    expect(await reportDrift(createJob({}, { target: 'prod' }), body)).toMatch(/issues\/9$/);
  });

  it('closes it with a word', async () => {
    author()
      .get(`${REPO}/issues`)
      .query(true)
      .reply(200, [apiIssue(9, driftMarker(TARGET))])
      .post(`${REPO}/issues/9/comments`, { body: /^The proxy and the file match again\. \[Run\]/ })
      .reply(201, {})
      .patch(`${REPO}/issues/9`)
      .reply(200, apiIssue(9, ''));
    expect(await reportDrift(createJob(), null)).toMatch(/issues\/9$/);
  });

  it('warns where it cannot be written, and asks nothing without a token', async () => {
    author().get(`${REPO}/issues`).query(true).reply(403, NOT_ACCESSIBLE);
    const job = createJob();
    expect(await reportDrift(job, body)).toBe('');
    nock(API).post('/graphql').reply(401, { message: 'Bad credentials' });
    expect(await reportDrift(job, body)).toBe('');
    expect(job.told).toEqual([
      expect.stringMatching(/^warning: .*`permissions: issues: write`/),
      expect.stringMatching(/^warning: The issue about drift was not written: .*Bad credentials/),
    ]);
    expect(await reportDrift(createJob({ client: null }), body)).toBe('');
  });
});
