import nock from 'nock';
import { describe, expect, it } from 'vitest';
import { type ApprovalSearch, findApprovals } from '../../src/github/approvals.ts';
import { LookupFailedError } from '../../src/github/errors.ts';
import { onlyWhatIsServed } from './served.ts';
import { API, apiComment, apiPull, createClient, createEvent, NOT_ACCESSIBLE, NOT_FOUND, sha } from './support.ts';

const REPO = '/repos/acme/users';

/** Marker of these tests: `[target] d1 d2 whole=w`. */
function parseMarker(body: string) {
  const words = /^\[target\] (.*)$/.exec(body)?.[1]?.split(' ');
  if (words === undefined) return null;
  const whole = words.find((word) => word.startsWith('whole='));
  return { digests: words.filter((word) => !word.includes('=')), whole: whole?.slice(6) ?? null };
}

function createSearch(overrides: Partial<ApprovalSearch> = {}): ApprovalSearch {
  return {
    client: createClient().client,
    event: createEvent(),
    branch: 'main',
    wanted: new Set(['d1', 'd2']),
    wantedWhole: null,
    author: { login: 'github-actions[bot]' },
    parseMarker,
    ...overrides,
  };
}

const serveClosed = (...pulls: object[]) => nock(API).get(`${REPO}/pulls`).query(true).reply(200, pulls);
const serveComments = (number: number, ...comments: object[]) =>
  nock(API).get(`${REPO}/issues/${number}/comments`).query(true).reply(200, comments);
const serveCommit = (commit: string, ...pulls: object[]) =>
  nock(API).get(`${REPO}/commits/${commit}/pulls`).query(true).reply(200, pulls);
const servePull = (pull: { number: number }) => nock(API).get(`${REPO}/pulls/${pull.number}`).reply(200, pull);
const day = (number: number) => `2026-11-${String(number).padStart(2, '0')}T00:00:00Z`;

onlyWhatIsServed();

describe('findApprovals: which pull requests', () => {
  it('reads what this push merged, known by its merge commit before GitHub relates them', async () => {
    serveClosed(apiPull(7, { mergeCommit: sha('e') }));
    serveComments(7, apiComment(70, '[target] d1 d2'));
    expect(await findApprovals(createSearch())).toEqual({
      kind: 'reviewed',
      approved: new Set(['d1', 'd2']),
      wholes: new Set(),
      pullRequests: [
        {
          number: 7,
          url: 'https://github.example/acme/users/pull/7',
          mergedByThisPush: true,
          comment: {
            id: 70,
            url: 'https://github.example/acme/users/pull/7#issuecomment-70',
            body: '[target] d1 d2',
            digests: ['d1', 'd2'],
            whole: null,
          },
        },
      ],
    });
  });

  it('reads both pull requests of a push of two merges, though the first covers everything', async () => {
    const event = createEvent({
      push: { before: sha('b'), after: sha('9'), commits: [sha('a'), sha('e'), sha('9')], mentioned: [] },
    });
    serveClosed(
      apiPull(8, { mergeCommit: sha('9'), mergedAt: day(20) }),
      apiPull(7, { mergeCommit: sha('e'), mergedAt: day(19) }),
      apiPull(6, { mergedAt: day(18) }),
    );
    serveComments(8, apiComment(80, '[target] d1 d2'));
    serveComments(7, apiComment(70, '[target] d3'));
    const found = await findApprovals(createSearch({ event }));
    expect(found).toMatchObject({
      approved: new Set(['d1', 'd2', 'd3']),
      pullRequests: [
        { number: 8, mergedByThisPush: true },
        { number: 7, mergedByThisPush: true },
      ],
    });
  });

  it('finds a squash of an old pull request, merged out of sight, by its commit', async () => {
    serveClosed();
    const pull = apiPull(7, { mergedAt: day(1) });
    serveCommit(sha('e'));
    serveCommit(sha('a'), pull);
    servePull(pull);
    serveComments(7, apiComment(70, '[target] d1'));
    const event = createEvent({ push: { ...(createEvent().push as object), commits: [sha('a'), sha('e')] } as never });
    expect(await findApprovals(createSearch({ event }))).toMatchObject({
      kind: 'reviewed',
      approved: new Set(['d1']),
      pullRequests: [{ number: 7, mergedByThisPush: true }],
    });
  });

  it('asks again where the relation still shows a merged pull request as open', async () => {
    serveClosed();
    serveCommit(sha('e'), apiPull(7, { mergedAt: null }));
    serveCommit(sha('a'));
    servePull(apiPull(7, { mergeCommit: sha('e') }));
    serveComments(7, apiComment(70, '[target] d1'));
    expect(await findApprovals(createSearch())).toMatchObject({ approved: new Set(['d1']) });
  });

  it('falls back on the number in the merge message while list and relation lag behind', async () => {
    serveClosed();
    serveCommit(sha('e'));
    serveCommit(sha('a'));
    servePull(apiPull(7, { mergeCommit: sha('e') }));
    serveComments(7, apiComment(70, '[target] d1'));
    expect(await findApprovals(createSearch())).toMatchObject({ kind: 'reviewed', approved: new Set(['d1']) });
  });

  it('takes a push without any pull request for a decision of its own', async () => {
    serveClosed(apiPull(3));
    serveCommit(sha('e'));
    serveCommit(sha('a'));
    nock(API).get(`${REPO}/pulls/7`).reply(404, NOT_FOUND);
    expect(await findApprovals(createSearch())).toEqual({ kind: 'everything', because: 'no pull request' });
  });

  it('does not take a back-merge from this branch for the pull request of its commits', async () => {
    serveClosed();
    serveCommit(sha('e'), apiPull(5, { mergedAt: null, headRef: 'main', base: 'develop' }));
    serveCommit(sha('a'));
    nock(API).get(`${REPO}/pulls/7`).reply(404, NOT_FOUND);
    expect(await findApprovals(createSearch())).toMatchObject({ kind: 'everything' });
  });

  it('does not count the comment of a pull request that is open, or merged into another branch', async () => {
    serveClosed();
    const open = apiPull(5, { mergedAt: null });
    const elsewhere = apiPull(6, { base: 'develop' });
    serveCommit(sha('e'), open, elsewhere);
    serveCommit(sha('a'));
    servePull(open);
    servePull(elsewhere);
    expect(await findApprovals(createSearch())).toEqual({
      kind: 'reviewed',
      approved: new Set(),
      wholes: new Set(),
      pullRequests: [],
    });
  });

  it('asks nothing for workflow_dispatch', async () => {
    const event = createEvent({ name: 'workflow_dispatch', push: null });
    expect(await findApprovals(createSearch({ event }))).toEqual({ kind: 'everything', because: 'workflow_dispatch' });
  });

  it('reads merged pull requests where something else than a push is made to apply', async () => {
    serveClosed(apiPull(7));
    serveComments(7, apiComment(70, '[target] d1'));
    const event = createEvent({ name: 'schedule', push: null });
    expect(await findApprovals(createSearch({ event }))).toMatchObject({
      kind: 'reviewed',
      pullRequests: [{ number: 7, mergedByThisPush: false }],
    });
  });
});

describe('findApprovals: which comments', () => {
  it('goes back through older merges until every change is covered', async () => {
    serveClosed(
      apiPull(7, { mergeCommit: sha('e'), mergedAt: day(20) }),
      apiPull(6, { mergedAt: day(19) }),
      apiPull(5, { mergedAt: day(18) }),
      apiPull(4, { mergedAt: day(17) }),
    );
    serveComments(7, apiComment(70, '[target] d1'));
    serveComments(6);
    serveComments(5, apiComment(50, '[target] d2 d9'));
    const found = await findApprovals(createSearch());
    expect(found).toMatchObject({
      approved: new Set(['d1', 'd2', 'd9']),
      pullRequests: [{ number: 7 }, { number: 6, comment: null }, { number: 5, mergedByThisPush: false }],
    });
  });

  it('stops at the digest of all changes together', async () => {
    serveClosed(apiPull(7, { mergeCommit: sha('e') }), apiPull(6, { mergedAt: day(1) }));
    serveComments(7, apiComment(70, '[target] whole=w1'));
    const found = await findApprovals(createSearch({ wantedWhole: 'w1' }));
    expect(found).toMatchObject({ wholes: new Set(['w1']), pullRequests: [{ number: 7 }] });
  });

  it('reads thirty pull requests at most', async () => {
    const pulls = Array.from({ length: 40 }, (_, index) => apiPull(index + 1, { mergeCommit: sha('e') }));
    serveClosed(...pulls);
    nock(API)
      .get(/\/issues\/\d+\/comments/)
      .times(30)
      .reply(200, []);
    const found = await findApprovals(createSearch());
    expect(found.kind === 'reviewed' && found.pullRequests.length).toBe(30);
  });

  it('believes nobody but us, and of two of ours the newest', async () => {
    serveClosed(apiPull(7, { mergeCommit: sha('e') }));
    serveComments(
      7,
      apiComment(71, '[target] d5'),
      apiComment(72, '[target] d6'),
      apiComment(73, '[other target] d1'),
      apiComment(74, '[target] d1', 'stranger', 'User'),
      apiComment(75, '[target] d1', 'github-actions', 'User'),
    );
    expect(await findApprovals(createSearch())).toMatchObject({ approved: new Set(['d6']) });
  });
});

describe('findApprovals: a failed look-up is never "no pull request"', () => {
  it.each([
    ['the list is forbidden', () => nock(API).get(`${REPO}/pulls`).query(true).reply(403, NOT_ACCESSIBLE)],
    ['the list is not found', () => nock(API).get(`${REPO}/pulls`).query(true).reply(404, NOT_FOUND)],
    ['the list is no list', () => nock(API).get(`${REPO}/pulls`).query(true).reply(200, {})],
    [
      'the relation is broken',
      () => {
        serveClosed();
        nock(API)
          .get(`${REPO}/commits/${sha('a')}/pulls`)
          .query(true)
          .reply(200, []);
        nock(API)
          .get(`${REPO}/commits/${sha('e')}/pulls`)
          .query(true)
          .times(4)
          .reply(500);
      },
    ],
    [
      'the pull request is broken',
      () => {
        serveClosed();
        serveCommit(sha('a'));
        serveCommit(sha('e'));
        nock(API).get(`${REPO}/pulls/7`).reply(401, { message: 'Bad credentials' });
      },
    ],
    [
      'the comments are forbidden',
      () => {
        serveClosed(apiPull(7, { mergeCommit: sha('e') }));
        nock(API).get(`${REPO}/issues/7/comments`).query(true).reply(403, NOT_ACCESSIBLE);
      },
    ],
  ])('%s', async (_name, serve) => {
    serve();
    await expect(findApprovals(createSearch())).rejects.toThrow(LookupFailedError);
  });

  it('names the permission', async () => {
    nock(API).get(`${REPO}/pulls`).query(true).reply(403, NOT_ACCESSIBLE);
    await expect(findApprovals(createSearch())).rejects.toThrow(/`permissions: pull-requests: read`/);
  });

  it('a push of more commits than can be asked about', async () => {
    serveClosed();
    const commits = Array.from({ length: 251 }, (_, index) => String(index).padStart(40, '0'));
    const event = createEvent({
      push: { before: sha('b'), after: sha('e'), commits: [...commits, sha('e')], mentioned: [] },
    });
    await expect(findApprovals(createSearch({ event }))).rejects.toThrow(/252 commits.*'workflow_dispatch'/);
  });
});
