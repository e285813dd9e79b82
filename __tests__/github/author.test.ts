import nock from 'nock';
import { describe, expect, it } from 'vitest';
import { findAuthor, isBy } from '../../src/github/author.ts';
import { LookupFailedError } from '../../src/github/client.ts';
import { onlyWhatIsServed } from './served.ts';
import { API, createClient, NOT_ACCESSIBLE, NOT_FOUND } from './support.ts';

const GITEA = { apiUrl: 'https://gitea.example/api/v1', graphqlUrl: null };
const viewer = (login: string) => ({ data: { viewer: { login } } });

onlyWhatIsServed();

describe('findAuthor', () => {
  it.each([
    ['github-actions[bot]', 'github-actions[bot]'],
    ['github-actions', 'github-actions[bot]'],
    ['users-app[bot]', 'users-app[bot]'],
    ['ann-admin', 'ann-admin'],
  ])('asks GraphQL: %s is %s', async (login, expected) => {
    nock(API).post('/graphql').reply(200, viewer(login));
    expect(await findAuthor(createClient().client)).toEqual({ login: expected });
  });

  it('asks /user where GraphQL does not answer the question', async () => {
    nock(API)
      .post('/graphql')
      .reply(200, { errors: [{ type: 'FORBIDDEN' }] });
    nock(API).get('/user').reply(200, { login: 'ann-admin', id: 1, type: 'User' });
    expect(await findAuthor(createClient().client)).toEqual({ login: 'ann-admin' });
  });

  it('takes a token that may ask neither for the job token', async () => {
    nock(API).post('/graphql').reply(403, NOT_ACCESSIBLE).get('/user').reply(403, NOT_ACCESSIBLE);
    expect(await findAuthor(createClient().client)).toEqual({ login: 'github-actions[bot]' });
    nock('https://gitea.example').get('/api/v1/user').reply(404, NOT_FOUND);
    expect(await findAuthor(createClient(GITEA).client)).toEqual({ login: 'gitea-actions' });
  });

  it('does not take a rate limit for a refusal', async () => {
    const limited = { message: 'API rate limit exceeded for user ID 1.' };
    nock(API).post('/graphql').reply(403, limited, { 'retry-after': '3600' });
    await expect(findAuthor(createClient().client)).rejects.toThrow(/rate limit exceeded/);
  });

  it('does not guess when nothing answers, nor with a token that is refused', async () => {
    nock(API).post('/graphql').reply(401, { message: 'Bad credentials' });
    await expect(findAuthor(createClient().client)).rejects.toThrow(LookupFailedError);
    nock(API).post('/graphql').times(4).reply(502);
    await expect(findAuthor(createClient().client)).rejects.toThrow(/502/);
  });
});

describe('isBy', () => {
  it.each([
    ['github-actions[bot]', 'github-actions[bot]', true],
    ['github-actions[bot]', 'github-actions', false],
    ['github-actions[bot]', 'gitea-actions', false],
    ['Ann-Admin', 'ann-admin', true],
    ['ann-admin', 'ann-admin[bot]', false],
  ])('we are %s, the comment is by %s: %s', (login, user, expected) => {
    expect(isBy({ login }, { login: user })).toBe(expected);
  });

  it('is nobody whose account is deleted', () => {
    expect(isBy({ login: 'ann-admin' }, null)).toBe(false);
  });
});
