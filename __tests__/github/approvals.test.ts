import nock from 'nock';
import { describe, expect, it } from 'vitest';
import { type ApprovalSearch, appliedBy, findApprovals, shownButGone } from '../../src/github/approvals.ts';
import { LookupFailedError } from '../../src/github/client.ts';
import { onlyWhatIsServed } from './served.ts';
import { API, apiComment, apiPull, createClient, createEvent, NOT_ACCESSIBLE, NOT_FOUND, sha } from './support.ts';

const REPO = '/repos/acme/users';

/** Marker of these tests: `[target] d1 d2 whole=w applied=d3`. */
function readMarker(body: string) {
  const [, target, rest] = /^\[(.*?)\] (.*)$/.exec(body) ?? [];
  if (target === undefined || rest === undefined) return null;
  const words = rest.split(' ');
  const value = (name: string) => words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  return {
    target,
    digests: words.filter((word) => !word.includes('=')),
    whole: value('whole') ?? null,
    applied: value('applied')?.split(',') ?? [],
  };
}

function createSearch(overrides: Partial<ApprovalSearch> = {}): ApprovalSearch {
  return {
    client: createClient().client,
    event: createEvent(),
    branch: 'main',
    wanted: [['d1'], ['d2']],
    planned: new Set(['d1', 'd2']),
    wantedWhole: null,
    author: { login: 'github-actions[bot]' },
    target: 'target',
    readMarker,
    sleep: async () => {},
    ...overrides,
  };
}

const serveList = (state: 'open' | 'closed', pulls: object[]) =>
  nock(API)
    .get(`${REPO}/pulls`)
    .query((query) => query.state === state && query.base === 'main')
    .reply(200, pulls);
/** The closed pull requests, and no open ones. */
const serveClosed = (...pulls: object[]) => {
  serveList('open', []);
  serveList('closed', pulls);
};
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
          author: 'bob-builder',
          mergedByThisPush: true,
          comment: {
            id: 70,
            url: 'https://github.example/acme/users/pull/7#issuecomment-70',
            body: '[target] d1 d2',
            target: 'target',
            digests: ['d1', 'd2'],
            whole: null,
            applied: [],
          },
          lack: null,
        },
      ],
      author: 'github-actions[bot]',
    });
  });

  it('reads both pull requests of a push of two merges, though the first covers everything', async () => {
    const event = createEvent({
      push: { after: sha('9'), commits: [sha('a'), sha('e'), sha('9')], mentioned: [] },
    });
    serveClosed(
      apiPull(8, { mergeCommit: sha('9'), mergedAt: day(20) }),
      apiPull(7, { mergeCommit: sha('e'), mergedAt: day(19) }),
      apiPull(6, { mergedAt: day(18) }),
    );
    serveComments(8, apiComment(80, '[target] d1 d2'));
    serveComments(7, apiComment(70, '[target] d3'));
    const found = await findApprovals(createSearch({ event, planned: new Set(['d1', 'd2', 'd3']) }));
    expect(found).toMatchObject({
      approved: new Set(['d1', 'd2', 'd3']),
      pullRequests: [
        { number: 8, mergedByThisPush: true },
        { number: 7, mergedByThisPush: true },
      ],
    });
  });

  it('reads what this push merged first, though a later merge would cover everything', async () => {
    serveClosed(apiPull(8, { mergedAt: day(20) }), apiPull(7, { mergeCommit: sha('e'), mergedAt: day(19) }));
    serveComments(7, apiComment(70, '[target] d1 d2'));
    expect(await findApprovals(createSearch())).toMatchObject({
      pullRequests: [{ number: 7, mergedByThisPush: true }],
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
    expect(await findApprovals(createSearch())).toEqual({ kind: 'everything' });
  });

  it('does not take a back-merge from this branch for the pull request of its commits', async () => {
    serveClosed();
    serveCommit(sha('e'), apiPull(5, { mergedAt: null, headRef: 'main', base: 'develop' }));
    serveCommit(sha('a'));
    nock(API).get(`${REPO}/pulls/7`).reply(404, NOT_FOUND);
    expect(await findApprovals(createSearch())).toMatchObject({ kind: 'everything' });
  });

  it('counts no pull request of another branch', async () => {
    serveClosed();
    serveCommit(sha('e'), apiPull(6, { base: 'develop' }), apiPull(5, { base: 'develop', mergedAt: null }));
    serveCommit(sha('a'));
    servePull(apiPull(7, { base: 'develop', mergedAt: null, head: sha('e') }));
    expect(await findApprovals(createSearch())).toEqual({ kind: 'everything' });
  });

  it('asks nothing for workflow_dispatch', async () => {
    const event = createEvent({ name: 'workflow_dispatch', push: null });
    expect(await findApprovals(createSearch({ event }))).toEqual({ kind: 'everything' });
  });

  it('reads merged pull requests where something else than a push is made to apply', async () => {
    serveList('closed', [apiPull(7)]);
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

describe('findApprovals: a pull request that does not show as merged yet', () => {
  const DAYS = { mergedAt: null, head: sha('a') } as const;
  const quiet = () => {
    serveCommit(sha('e'));
    serveCommit(sha('a'));
  };

  function waiting(overrides: Partial<ApprovalSearch> = {}) {
    const waits: number[] = [];
    const search = createSearch({ sleep: async (milliseconds) => waits.push(milliseconds), ...overrides });
    return { waits, found: findApprovals(search) };
  }
  const push = (mentioned: number[][]) =>
    createEvent({ push: { after: sha('e'), commits: [sha('a'), sha('e')], mentioned } });

  it('is asked for again: its head is in the push, whatever the messages say', async () => {
    serveList('open', [apiPull(9, DAYS), apiPull(3, { mergedAt: null })]);
    serveList('closed', []);
    quiet();
    servePull(apiPull(9, DAYS));
    servePull(apiPull(9, { ...DAYS, mergedAt: day(20) }));
    serveComments(9, apiComment(90, '[target] d1 d2'));
    const { found, waits } = waiting({ event: push([]) });
    expect(await found).toMatchObject({ kind: 'reviewed', pullRequests: [{ number: 9, mergedByThisPush: true }] });
    expect(waits).toEqual([2_000, 3_000]);
  });

  it.each([
    ['a commit names it', [[7]], () => servePull(apiPull(7, { mergedAt: null }))],
    [
      'the forge relates it to a commit',
      [],
      () => {
        nock.cleanAll();
        serveClosed();
        serveCommit(sha('e'), apiPull(7, { mergedAt: null }));
        serveCommit(sha('a'));
        servePull(apiPull(7, { mergedAt: null }));
      },
    ],
  ])('is asked for again: %s', async (_, mentioned, prepare) => {
    serveClosed();
    quiet();
    prepare();
    servePull(apiPull(7, { mergeCommit: sha('e') }));
    serveComments(7, apiComment(70, '[target] d1 d2'));
    const { found, waits } = waiting({ event: push(mentioned) });
    expect(await found).toMatchObject({ kind: 'reviewed', approved: new Set(['d1', 'd2']) });
    expect(waits).toEqual([2_000]);
  });

  it('refuses after two minutes, and says what to do', async () => {
    serveList('open', [apiPull(9, DAYS)]);
    serveList('closed', []);
    quiet();
    nock(API).get(`${REPO}/pulls/9`).times(9).reply(200, apiPull(9, DAYS));
    const { found, waits } = waiting({ event: push([]) });
    await expect(found).rejects.toThrow(
      /^Failed .*pull request #9 belongs to this push, but is still open.*'workflow_dispatch'/,
    );
    expect(waits.reduce((sum, pause) => sum + pause)).toBe(120_000);
  });

  it('of a tag is not waited for: no merge brings one', async () => {
    serveList('open', [apiPull(9, DAYS)]);
    serveList('closed', []);
    quiet();
    const { found, waits } = waiting({ event: { ...push([]), branch: null } });
    await expect(found).rejects.toThrow(
      /pull request #9 belongs to this push, but is still open\. Nothing was written/,
    );
    expect(waits).toEqual([]);
  });

  it('names all of them', async () => {
    serveList('open', [apiPull(9, DAYS), apiPull(8, { mergedAt: null, head: sha('e') })]);
    serveList('closed', []);
    quiet();
    const { found } = waiting({ event: push([]), pausesMs: [] });
    await expect(found).rejects.toThrow(/pull request #9, #8 belong to this push, but are still open.*once they show/);
  });

  it('ends waiting when the run is to end', async () => {
    serveList('open', [apiPull(9, DAYS)]);
    serveList('closed', []);
    quiet();
    const { sleep: _, ...search } = createSearch({ event: push([]) });
    const began = Date.now();
    await expect(findApprovals({ ...search, signal: AbortSignal.timeout(50) })).rejects.toThrow(LookupFailedError);
    expect(Date.now() - began).toBeLessThan(1_500);
  });

  it('is waited for beside another one of the same push, as in a merge queue, and then done without', async () => {
    serveList('open', [apiPull(9, DAYS)]);
    serveList('closed', [apiPull(7, { mergeCommit: sha('e') })]);
    nock(API).get(`${REPO}/pulls/9`).times(9).reply(200, apiPull(9, DAYS));
    serveComments(7, apiComment(70, '[target] d1'));
    const { found, waits } = waiting({ event: push([]) });
    expect(await found).toMatchObject({ kind: 'reviewed', approved: new Set(['d1']), pullRequests: [{ number: 7 }] });
    expect(waits).toHaveLength(9);
  });

  it('is not looked for in a line that names what was merged', async () => {
    serveClosed(apiPull(7, { mergeCommit: sha('e') }));
    serveComments(7, apiComment(70, '[target] d1 d2'));
    const { found, waits } = waiting({ event: push([[5, 7]]) });
    expect(await found).toMatchObject({ kind: 'reviewed', pullRequests: [{ number: 7 }] });
    expect(waits).toEqual([]);
  });

  it('is none of this push where it was closed, or merged by another push meanwhile', async () => {
    serveClosed();
    quiet();
    servePull(apiPull(7, { mergedAt: null }));
    servePull(apiPull(8, { mergedAt: null }));
    servePull(apiPull(7, { mergeCommit: sha('f') }));
    servePull({ ...apiPull(8, { mergedAt: null }), state: 'closed' } as never);
    const { found } = waiting({ event: push([[7], [8]]) });
    expect(await found).toEqual({ kind: 'everything' });
  });

  it('reads a rebase merge by its last commit', async () => {
    serveClosed(apiPull(7, { mergeCommit: sha('e'), head: sha('9') }));
    serveComments(7, apiComment(70, '[target] d1 d2'));
    expect(await waiting({ event: push([]) }).found).toMatchObject({ pullRequests: [{ number: 7 }] });
  });
});

describe('findApprovals: why nothing is approved', () => {
  const lackOf = async (...comments: object[]) => {
    serveClosed(apiPull(7, { mergeCommit: sha('e'), mergedAt: day(20) }));
    serveComments(7, ...comments);
    const found = await findApprovals(createSearch());
    expect(found).toMatchObject({ approved: new Set() });
    return found.kind === 'reviewed' && found.pullRequests[0]?.lack;
  };
  const at = (comment: object, created_at: string) => ({ ...comment, created_at });

  it.each([
    ['no comment', { kind: 'no comment' }, [apiComment(70, 'LGTM', 'ann', 'User')]],
    ['ours, of another target', { kind: 'another target' }, [apiComment(70, '[other] d1')]],
    ['by another author', { kind: 'another author', login: 'ann' }, [apiComment(70, '[target] d1', 'ann', 'User')]],
    ['of another target by another author', { kind: 'no comment' }, [apiComment(70, '[other] d1', 'ann', 'User')]],
    [
      'made after the merge',
      { kind: 'merged before the plan was there' },
      [at(apiComment(70, '[target] d1'), '2026-11-20T00:00:01Z')],
    ],
    ['showed other changes', null, [at(apiComment(70, '[target] '), '2026-11-19T00:00:00Z')]],
  ])('%s', async (_, lack, comments) => {
    const empty = lack === null ? comments.map((one) => ({ ...one, body: '[target] whole=w' })) : comments;
    expect(await lackOf(...empty)).toEqual(lack);
  });
});

describe('findApprovals: what another run has applied', () => {
  it('is looked for until all that this push showed is explained', async () => {
    serveClosed(
      apiPull(7, { mergeCommit: sha('e'), mergedAt: day(20) }),
      apiPull(6, { mergedAt: day(19) }),
      apiPull(5, { mergedAt: day(18) }),
      apiPull(4, { mergedAt: day(17) }),
    );
    serveComments(7, apiComment(70, '[target] d1 d2 d3'));
    serveComments(6);
    serveComments(5, apiComment(50, '[target] applied=d3'));
    const found = await findApprovals(createSearch());
    if (found.kind !== 'reviewed') throw new Error('all is approved');
    expect(found.pullRequests.map(({ number }) => number)).toEqual([7, 6, 5]);
    expect(shownButGone(found.pullRequests, new Set(['d1', 'd2']))).toEqual(['d3']);
    expect(appliedBy(found.pullRequests, 'd3')).toBe(5);
    expect(appliedBy(found.pullRequests, 'd9')).toBeNull();
  });

  it('takes any one of the digests that approve a change', async () => {
    serveClosed(apiPull(7, { mergeCommit: sha('e') }), apiPull(6, { mergedAt: day(1) }));
    serveComments(7, apiComment(70, '[target] d1 added'));
    const found = await findApprovals(
      createSearch({ wanted: [['d1'], ['d2', 'added']], planned: new Set(['d1', 'added']) }),
    );
    expect(found).toMatchObject({ pullRequests: [{ number: 7 }] });
  });
});

describe('findApprovals: a failed look-up is never "no pull request"', () => {
  it.each([
    ['the list is forbidden', () => nock(API).get(`${REPO}/pulls`).query(true).reply(403, NOT_ACCESSIBLE)],
    ['the list is not found', () => nock(API).get(`${REPO}/pulls`).query(true).reply(404, NOT_FOUND)],
    ['the list is no list', () => nock(API).get(`${REPO}/pulls`).query(true).reply(200, {})],
    [
      'the list of merged ones is forbidden',
      () => {
        serveList('open', []);
        nock(API).get(`${REPO}/pulls`).query(true).reply(403, NOT_ACCESSIBLE);
      },
    ],
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

  it('names no permission where the rate limit is used up', async () => {
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '9999999999' };
    nock(API).get(`${REPO}/pulls`).query(true).reply(403, { message: 'API rate limit exceeded for ID 1.' }, headers);
    await expect(findApprovals(createSearch())).rejects.toThrow(
      /exceeded for ID 1\.*\. The rate limit .* again later [^`]*$/,
    );
  });

  it('a push of more commits than can be asked about', async () => {
    serveClosed();
    const commits = Array.from({ length: 251 }, (_, index) => String(index).padStart(40, '0'));
    const event = createEvent({
      push: { after: sha('e'), commits: [...commits, sha('e')], mentioned: [] },
    });
    await expect(findApprovals(createSearch({ event }))).rejects.toThrow(/252 commits.*'workflow_dispatch'/);
  });
});
