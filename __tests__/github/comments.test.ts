import nock from 'nock';
import { describe, expect, it } from 'vitest';
import { isBy } from '../../src/github/author.ts';
import { type IssueComment, type StickyComment, updateComment, writeStickyComment } from '../../src/github/comments.ts';
import { onlyWhatIsServed } from './served.ts';
import { API, apiComment, createClient, NOT_ACCESSIBLE, NOT_FOUND, REPOSITORY, sha, TOO_LONG } from './support.ts';

const MARKER = '<!-- litellm-user-sync:abc -->';
const LIST = '/repos/acme/users/issues/7/comments';
const COMMENT = '/repos/acme/users/issues/comments';
const isOurs = (comment: IssueComment) =>
  comment.body.startsWith(MARKER) && isBy({ login: 'github-actions[bot]' }, comment.user);

function createSticky(overrides: Partial<StickyComment> = {}): StickyComment {
  return {
    client: createClient().client,
    repository: REPOSITORY,
    number: 7,
    isOurs,
    render: () => `${MARKER} new plan`,
    create: true,
    onlyAtHead: null,
    ...overrides,
  };
}

/** GitHub with these comments, two a page. */
function serveComments(...comments: object[]): nock.Scope {
  const scope = nock(API);
  const pages = Math.max(1, Math.ceil(comments.length / 2));
  for (let page = 1; page <= pages; page++) {
    const link = page < pages ? { link: `<${API}${LIST}?per_page=100&page=${page + 1}>; rel="next"` } : {};
    const query = page === 1 ? { per_page: 100 } : { per_page: 100, page };
    scope
      .get(LIST)
      .query(query)
      .reply(200, comments.slice(page * 2 - 2, page * 2), link);
  }
  return scope;
}

onlyWhatIsServed();

describe('writeStickyComment', () => {
  it('updates ours on the last page, past others that carry our marker', async () => {
    serveComments(
      apiComment(1, 'LGTM', 'bob-builder', 'User'),
      apiComment(2, `${MARKER} forged`, 'stranger', 'User'),
      apiComment(3, `${MARKER} forged`, 'github-actions', 'User'),
      { ...apiComment(4, `${MARKER} of a deleted account`), user: null },
      apiComment(5, `${MARKER} old plan`),
    )
      .patch(`${COMMENT}/5`, { body: `${MARKER} new plan` })
      .reply(200, apiComment(5, `${MARKER} new plan`));
    expect(await writeStickyComment(createSticky())).toEqual({
      written: true,
      url: 'https://github.example/acme/users/pull/7#issuecomment-5',
    });
  });

  it('makes the first one, or none where there is nothing to say', async () => {
    serveComments(apiComment(1, 'LGTM', 'bob-builder', 'User'))
      .post(LIST, { body: `${MARKER} new plan` })
      .reply(201, apiComment(9, `${MARKER} new plan`));
    expect(await writeStickyComment(createSticky())).toMatchObject({
      written: true,
      url: expect.stringMatching(/-9$/),
    });
    serveComments();
    expect(await writeStickyComment(createSticky({ create: false }))).toMatchObject({ why: 'not needed' });
  });

  it('keeps the newest of several and deletes the outdated', async () => {
    serveComments(apiComment(8, `${MARKER} newer`), apiComment(4, `${MARKER} older`))
      .patch(`${COMMENT}/8`)
      .reply(200, apiComment(8, `${MARKER} new plan`))
      .delete(`${COMMENT}/4`)
      .reply(204);
    expect(await writeStickyComment(createSticky())).toMatchObject({
      written: true,
      url: expect.stringMatching(/-8$/),
    });
  });

  it('reads the answer of Gitea, which names no author of an updated comment', async () => {
    const { user: _user, ...answer } = apiComment(5, `${MARKER} new plan`);
    serveComments(apiComment(5, `${MARKER} old plan`))
      .patch(`${COMMENT}/5`)
      .reply(200, answer);
    expect(await writeStickyComment(createSticky())).toMatchObject({
      written: true,
      url: expect.stringMatching(/-5$/),
    });
  });

  it.each([
    [403, NOT_ACCESSIBLE],
    [404, NOT_FOUND],
  ])('names the missing permission: %i', async (status, answer) => {
    serveComments().post(LIST).reply(status, answer);
    expect(await writeStickyComment(createSticky())).toMatchObject({
      written: false,
      why: 'no permission',
      hint: expect.stringContaining('`permissions: pull-requests: write`'),
    });
  });

  it('asks for no permission where the rate limit is used up', async () => {
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '9999999999' };
    serveComments().post(LIST).reply(403, { message: 'API rate limit exceeded for installation ID 1.' }, headers);
    const outcome = await writeStickyComment(createSticky());
    expect(outcome).toMatchObject({ why: 'failed', hint: expect.stringMatching(/rate limit of the token is used up/) });
    expect(outcome).not.toMatchObject({ hint: expect.stringMatching(/permissions/) });
  });

  it('tells a locked conversation from a missing permission', async () => {
    serveComments().post(LIST).reply(403, { message: 'Unable to create comment because issue is locked.' });
    expect(await writeStickyComment(createSticky())).toMatchObject({ written: false, why: 'locked' });
  });

  it('never throws: the forge is down, or answers something else', async () => {
    nock(API).get(LIST).query(true).times(4).reply(503);
    expect(await writeStickyComment(createSticky())).toMatchObject({
      why: 'failed',
      hint: expect.stringMatching(/503/),
    });
    nock(API)
      .get(LIST)
      .query(true)
      .reply(200, [{ id: 'one' }]);
    expect(await writeStickyComment(createSticky())).toMatchObject({
      why: 'failed',
      hint: expect.stringMatching(/unknown shape \(id: .*html_url: /),
    });
  });

  it('shortens a body that is too long until it is taken', async () => {
    const limits: number[] = [];
    const render = (limit: number) => {
      limits.push(limit);
      return MARKER + 'x'.repeat(limit - MARKER.length);
    };
    serveComments()
      .post(LIST, (body: { body: string }) => body.body.length === 65_536)
      .reply(422, TOO_LONG)
      .post(LIST, (body: { body: string }) => body.body.length < 65_536)
      .reply(201, apiComment(9, MARKER));
    expect(await writeStickyComment(createSticky({ render }))).toMatchObject({
      written: true,
      url: expect.stringMatching(/-9$/),
    });
    expect(limits).toEqual([65_536, 60_000]);
  });

  it('gives up on a body that is never short enough, and on any other 422 at once', async () => {
    serveComments().post(LIST).times(5).reply(422, TOO_LONG);
    expect(await writeStickyComment(createSticky())).toMatchObject({ written: false, why: 'too long' });
    serveComments()
      .post(LIST)
      .reply(422, { message: 'Validation Failed', errors: [{ code: 'missing_field' }] });
    expect(await writeStickyComment(createSticky())).toMatchObject({ written: false, why: 'failed' });
  });

  it('looks for a comment whose answer was lost before making a second one', async () => {
    serveComments().post(LIST).reply(502);
    serveComments(apiComment(9, `${MARKER} new plan`))
      .patch(`${COMMENT}/9`)
      .reply(200, apiComment(9, `${MARKER} new plan`));
    expect(await writeStickyComment(createSticky())).toMatchObject({
      written: true,
      url: expect.stringMatching(/-9$/),
    });
  });

  it.each([
    ['open', sha('a'), 'not the head'],
    ['closed', sha('d'), 'closed'],
  ])('leaves the comment alone: %s at %s', async (state, head, why) => {
    nock(API)
      .get('/repos/acme/users/pulls/7')
      .reply(200, { state, head: { sha: head } });
    expect(await writeStickyComment(createSticky({ onlyAtHead: sha('d') }))).toMatchObject({ written: false, why });
  });

  it('says what is not reviewed where the pull request is merged already', async () => {
    nock(API)
      .get('/repos/acme/users/pulls/7')
      .reply(200, { state: 'closed', merged_at: '2026-11-20T10:00:00Z', head: { sha: sha('d') } });
    expect(await writeStickyComment(createSticky({ onlyAtHead: sha('d') }))).toMatchObject({
      why: 'closed',
      hint: expect.stringMatching(/#7 is merged already: .*counts as not reviewed/),
    });
  });

  it('writes as the head of the open pull request', async () => {
    nock(API)
      .get('/repos/acme/users/pulls/7')
      .reply(200, { state: 'open', head: { sha: sha('d') } });
    serveComments().post(LIST).reply(201, apiComment(9, MARKER));
    expect(await writeStickyComment(createSticky({ onlyAtHead: sha('d') }))).toMatchObject({ written: true });
  });
});

describe('updateComment', () => {
  it('replaces the body of one comment', async () => {
    nock(API).patch(`${COMMENT}/5`, { body: 'result' }).reply(200, apiComment(5, 'result'));
    const outcome = await updateComment(createClient().client, REPOSITORY, 5, () => 'result');
    expect(outcome).toMatchObject({ written: true, url: expect.stringMatching(/-5$/) });
  });
});
