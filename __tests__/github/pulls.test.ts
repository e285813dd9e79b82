import nock from 'nock';
import { describe, expect, it } from 'vitest';
import { mergedPulls, pullsOfCommit } from '../../src/github/pulls.ts';
import { onlyWhatIsServed } from './served.ts';
import { API, apiPull, collect, createClient, NOT_FOUND, REPOSITORY, sha } from './support.ts';

const GITEA = 'https://gitea.example';
const gitea = () => createClient({ apiUrl: `${GITEA}/api/v1`, graphqlUrl: null }).client;
const day = (number: number) => `2026-11-${String(number).padStart(2, '0')}T00:00:00Z`;

onlyWhatIsServed();

describe('mergedPulls', () => {
  it('gives newest merges first, though the forge sorts by the last update', async () => {
    nock(API)
      .get('/repos/acme/users/pulls')
      .query({ state: 'closed', sort: 'updated', direction: 'desc', base: 'main', per_page: 100 })
      .reply(
        200,
        [
          apiPull(1, { mergedAt: day(2), updatedAt: day(20) }),
          apiPull(2, { mergedAt: null, updatedAt: day(19) }),
          apiPull(3, { mergedAt: day(18), updatedAt: day(18), base: 'other' }),
          apiPull(4, { mergedAt: day(17), updatedAt: day(17) }),
        ],
        { link: `<${API}/repositories/3301/pulls?state=closed&page=2>; rel="next"` },
      )
      .get('/repos/acme/users/pulls?state=closed&page=2')
      .reply(200, [
        apiPull(5, { mergedAt: day(12), updatedAt: day(16) }),
        apiPull(6, { mergedAt: day(14), updatedAt: day(15) }),
      ]);
    const found = await collect(mergedPulls(createClient().client, REPOSITORY, 'main'));
    expect(found.map(({ number }) => number)).toEqual([4, 6, 5, 1]);
  });

  it('hands on what is certain before it asks for the next page', async () => {
    nock(API)
      .get('/repos/acme/users/pulls')
      .query(true)
      .reply(200, [apiPull(4, { mergedAt: day(17) }), apiPull(3, { mergedAt: day(16) })], {
        link: `<${API}/x?page=2>; rel="next"`,
      });
    for await (const pull of mergedPulls(createClient().client, REPOSITORY, 'main')) {
      expect(pull.number).toBe(4);
      break;
    }
  });

  it('does not take half an answer for a list', async () => {
    nock(API)
      .get('/repos/acme/users/pulls')
      .query(true)
      .reply(200, [{ number: 1 }]);
    await expect(collect(mergedPulls(createClient().client, REPOSITORY, 'main'))).rejects.toThrow();
  });
});

describe('pullsOfCommit', () => {
  it('tells on Gitea "no such pull request" from any other 404', async () => {
    const path = `/api/v1/repos/acme/users/commits/${sha('a')}/pull`;
    const none = {
      message:
        'pull request does not exist [id: 0, issue_id: 0, head_repo_id: 0, base_repo_id: 2, head_branch: , base_branch: ]',
      url: `${GITEA}/api/swagger`,
    };
    nock(GITEA).get(path).reply(404, none);
    expect(await pullsOfCommit(gitea(), REPOSITORY, sha('a'))).toEqual([]);
    nock(GITEA).get(path).reply(404, '404 page not found\n', { 'content-type': 'text/plain' });
    await expect(pullsOfCommit(gitea(), REPOSITORY, sha('a'))).rejects.toThrow(/404/);
    nock(GITEA).get(path).reply(404, NOT_FOUND);
    await expect(pullsOfCommit(gitea(), REPOSITORY, sha('a'))).rejects.toThrow(/404/);
  });
});
