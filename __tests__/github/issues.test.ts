import nock from 'nock';
import { describe, expect, it } from 'vitest';
import { type DriftIssue, writeDriftIssue } from '../../src/github/comments.ts';
import { onlyWhatIsServed } from './served.ts';
import { API, apiIssue, createClient, NOT_ACCESSIBLE, NOT_FOUND, REPOSITORY, TOO_LONG } from './support.ts';

const MARKER = '<!-- drift of this target -->';
const ISSUES = '/repos/acme/users/issues';

const write = (overrides: Partial<DriftIssue> = {}) =>
  writeDriftIssue({
    client: createClient().client,
    repository: REPOSITORY,
    author: { login: 'github-actions[bot]' },
    marker: MARKER,
    title: 'They differ',
    render: () => 'the plan',
    closing: 'They match again.',
    ...overrides,
  });

/** What is open in the repository, one issue a page. */
function serveOpen(...issues: object[]): void {
  for (let page = 1; page <= Math.max(1, issues.length); page++) {
    const link =
      page < issues.length ? { link: `<${API}${ISSUES}?state=open&per_page=100&page=${page + 1}>; rel="next"` } : {};
    const query = { state: 'open', per_page: 100, ...(page > 1 && { page }) };
    nock(API)
      .get(ISSUES)
      .query(query)
      .reply(200, issues.slice(page - 1, page), link);
  }
}

const serveClose = (number: number, word: string) =>
  nock(API)
    .post(`${ISSUES}/${number}/comments`, { body: word })
    .reply(201, {})
    .patch(`${ISSUES}/${number}`, { state: 'closed' })
    .reply(200, apiIssue(number, ''));

/** What looks like ours and is not. */
const OTHERS = [
  apiIssue(1, 'A question', 'ann'),
  apiIssue(2, `${MARKER}\nforged`, 'ann'),
  { ...apiIssue(3, `${MARKER}\nof a deleted account`), user: null },
  { ...apiIssue(4, `${MARKER}\na pull request`), pull_request: { url: 'x' } },
  apiIssue(5, '<!-- drift of another target -->\nplan'),
  { ...apiIssue(6, ''), body: null },
];

onlyWhatIsServed();

describe('writeDriftIssue', () => {
  it('opens one where there is none of ours', async () => {
    serveOpen(...OTHERS);
    nock(API)
      .post(ISSUES, { title: 'They differ', body: `${MARKER}\nthe plan` })
      .reply(201, apiIssue(9, ''));
    expect(await write()).toEqual({ kind: 'opened', url: 'https://github.example/acme/users/issues/9' });
  });

  it('updates ours in place, and closes a second one', async () => {
    serveOpen(...OTHERS, apiIssue(9, `${MARKER}\nnewer`), apiIssue(8, `${MARKER}\nolder`));
    nock(API)
      .patch(`${ISSUES}/8`, { body: `${MARKER}\nthe plan` })
      .reply(200, apiIssue(8, ''));
    serveClose(9, 'See #8.');
    expect(await write()).toEqual({ kind: 'updated', url: 'https://github.example/acme/users/issues/8' });
  });

  it('closes it with a word where there is no drift', async () => {
    serveOpen(apiIssue(8, `${MARKER}\nold`), apiIssue(9, `${MARKER}\nolder`));
    serveClose(8, 'They match again.');
    serveClose(9, 'They match again.');
    expect(await write({ render: null })).toMatchObject({ kind: 'closed', url: expect.stringMatching(/8$/) });
    serveOpen(...OTHERS);
    expect(await write({ render: null })).toEqual({ kind: 'nothing' });
  });

  it('shortens a text that is too long', async () => {
    serveOpen();
    nock(API).post(ISSUES).reply(422, TOO_LONG).post(ISSUES).reply(201, apiIssue(9, ''));
    const limits: number[] = [];
    const render = (limit: number) => {
      limits.push(limit);
      return 'the plan';
    };
    expect(await write({ render })).toMatchObject({ kind: 'opened' });
    expect(limits.map((limit) => limit + MARKER.length + 1)).toEqual([65_536, 60_000]);
  });

  it('asks Gitea in its own words', async () => {
    const api = 'https://gitea.example/api/v1';
    const { client } = createClient({ apiUrl: api });
    nock(api).get(ISSUES).query({ state: 'open', type: 'issues', limit: 50 }).reply(200, []);
    expect(await write({ client, render: null })).toEqual({ kind: 'nothing' });
  });

  it.each([
    [403, NOT_ACCESSIBLE, /`permissions: issues: write`/],
    [404, NOT_FOUND, /`permissions: issues: write`/],
    [410, { message: 'Issues are disabled for this repo' }, /Switch issues on/],
    [422, { message: 'Validation Failed' }, /422 Validation Failed\.$/],
  ])('never throws: %i', async (status, body, hint) => {
    serveOpen();
    nock(API).post(ISSUES).reply(status, body);
    expect(await write()).toEqual({ kind: 'not written', hint: expect.stringMatching(hint) });
  });

  it('asks for no permission where the rate limit is used up', async () => {
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '9999999999' };
    serveOpen();
    nock(API).post(ISSUES).reply(403, { message: 'API rate limit exceeded for installation ID 1.' }, headers);
    expect(await write()).toEqual({ kind: 'not written', hint: expect.stringMatching(/1\.+ The rate limit [^`]*$/) });
  });

  it('takes no other answer for a list of issues', async () => {
    nock(API)
      .get(ISSUES)
      .query(true)
      .reply(200, [{ id: 1 }]);
    expect(await write()).toMatchObject({ kind: 'not written', hint: expect.stringMatching(/unknown shape/) });
  });
});
