import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { findApprovals } from '../../src/github/approvals.ts';
import { findAuthor, isBy } from '../../src/github/author.ts';
import { LookupFailedError } from '../../src/github/client.ts';
import { findComments, type IssueComment, writeStickyComment } from '../../src/github/comments.ts';
import type { RunEvent } from '../../src/github/event.ts';
import { createGitHubClient } from '../../src/github/octokit.ts';
import { isSuperseded, readFileAt } from '../../src/github/repository-file.ts';
import { createEvent } from './support.ts';

const { FORGE_URL, FORGE_TOKEN = '' } = process.env;
const API = `${FORGE_URL}/api/v1`;
const ID = randomUUID().slice(0, 8);
const REPOSITORY = { owner: 'lab-admin', name: `users-${ID}` };
const REPO = `/repos/${REPOSITORY.owner}/${REPOSITORY.name}`;
const PATH = 'lists/user list.csv';

async function api<T = { sha: string }>(
  method: string,
  path: string,
  body?: object,
  auth = `token ${FORGE_TOKEN}`,
): Promise<T> {
  const response = await fetch(API + path, {
    method,
    headers: { authorization: auth, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === '' ? null : JSON.parse(text)) as T;
}

const clientOf = (token: string) =>
  createGitHubClient({ token: new Secret(token), apiUrl: API, graphqlUrl: null, version: 'test', retries: 0 });

const base64 = (text: string) => Buffer.from(text).toString('base64');
const contents = `${REPO}/contents/${PATH.split('/').map(encodeURIComponent).join('/')}`;

/** Commits the file on a branch (made from main where it is new) and gives the commit's id. */
async function commit(text: string, branch: string, newBranch = false): Promise<string> {
  const { sha } = await api('GET', `${contents}?ref=main`);
  const target = newBranch ? { branch: 'main', new_branch: branch } : { branch };
  const done = await api<{ commit: { sha: string } }>('PUT', contents, {
    content: base64(text),
    sha,
    message: 'Edit',
    ...target,
  });
  return done.commit.sha;
}

interface Pull {
  readonly number: number;
  readonly mergeable: boolean;
  readonly merge_commit_sha: string;
  readonly head: { readonly sha: string };
}

async function openPull(text: string): Promise<Pull> {
  const branch = `change-${randomUUID().slice(0, 8)}`;
  await commit(text, branch, true);
  return api<Pull>('POST', `${REPO}/pulls`, { head: branch, base: 'main', title: 'Edit' });
}

async function merge(number: number, how: string): Promise<string> {
  const pull = `${REPO}/pulls/${number}`;
  for (let tries = 0; !(await api<Pull>('GET', pull)).mergeable && tries < 40; tries++) await wait(250);
  await api('POST', `${pull}/merge`, { Do: how });
  return (await api<Pull>('GET', pull)).merge_commit_sha;
}

function pushOf(after: string): RunEvent {
  return createEvent({
    repository: REPOSITORY,
    sha: after,
    push: { after, commits: [after], mentioned: [] },
  });
}

describe.skipIf(!FORGE_URL)('on a real forge', () => {
  const client = clientOf(FORGE_TOKEN);
  const isOurs = (comment: IssueComment) =>
    comment.body.startsWith('[target]') && isBy({ login: 'lab-admin' }, comment.user);
  const readMarker = (body: string) =>
    body.startsWith('[target]')
      ? { target: 'target', digests: body.split(' ').slice(1), whole: null, applied: [] }
      : null;
  const sticky = (number: number, text: string, token = FORGE_TOKEN) =>
    writeStickyComment({
      client: clientOf(token),
      repository: REPOSITORY,
      number,
      isOurs,
      render: () => text,
      create: true,
      onlyAtHead: null,
    });
  const approvals = (event: RunEvent, ...wanted: string[]) =>
    findApprovals({
      client,
      event,
      branch: 'main',
      wanted: wanted.map((digest) => [digest]),
      planned: new Set(wanted),
      wantedWhole: null,
      author: { login: 'lab-admin' },
      target: 'target',
      readMarker,
    });
  let reader = '';

  beforeAll(async () => {
    await api('POST', '/user/repos', { name: REPOSITORY.name, private: true, default_branch: 'main', auto_init: true });
    await api('POST', contents, { content: base64('email\n'), message: 'Start', branch: 'main' });
    const name = `reader-${ID}`;
    const password = `aA1!${randomUUID()}`;
    const user = { username: name, email: `${name}@example.com`, password, must_change_password: false };
    await api('POST', '/admin/users', user);
    await api('PUT', `${REPO}/collaborators/${name}`, { permission: 'read' });
    const scopes = ['read:repository', 'read:issue'];
    const token = { name: 'test', scopes };
    reader = (
      await api<{ sha1: string }>('POST', `/users/${name}/tokens`, token, `Basic ${base64(`${name}:${password}`)}`)
    ).sha1;
  });

  it('knows who it is', async () => {
    expect(await findAuthor(client)).toEqual({ login: 'lab-admin' });
  });

  it('keeps one comment among others, and leaves it alone once it is not the head', async () => {
    const { number, head } = await openPull('email\nann@example.com\n');
    await api('POST', `${REPO}/issues/${number}/comments`, { body: 'LGTM [target] d9' });
    const first = await sticky(number, '[target] d1');
    const second = await sticky(number, '[target] d2');
    expect(first).toMatchObject({ written: true, url: expect.stringContaining('#issuecomment-') });
    expect(second).toEqual(first);
    expect(await findComments(client, REPOSITORY, number, isOurs)).toMatchObject([{ body: '[target] d2' }]);
    const atHead = (onlyAtHead: string) =>
      writeStickyComment({
        client,
        repository: REPOSITORY,
        number,
        isOurs,
        render: () => '[target] d3',
        create: true,
        onlyAtHead,
      });
    expect(await atHead('0'.repeat(40))).toMatchObject({ written: false, why: 'not the head' });
    expect(await atHead(head.sha)).toMatchObject({ written: true });
    await api('PATCH', `${REPO}/pulls/${number}`, { state: 'closed' });
    expect(await atHead(head.sha)).toMatchObject({ written: false, why: 'closed' });
  });

  it('names the missing permission to a token that may only read', async () => {
    const { number } = await openPull('email\nbob@example.com\n');
    const outcome = await sticky(number, '[target] d1', reader);
    expect(outcome).toMatchObject({ written: false, why: 'no permission' });
  });

  it.each(['merge', 'squash', 'rebase'])('finds the approvals of a pull request: %s', async (how) => {
    const { number } = await openPull(`email\n${how}@example.com\n`);
    await sticky(number, `[target] of-${how}`);
    const after = await merge(number, how);
    expect(await approvals(pushOf(after), `of-${how}`)).toMatchObject({
      kind: 'reviewed',
      approved: new Set([`of-${how}`]),
      pullRequests: [{ number, mergedByThisPush: true, comment: { digests: [`of-${how}`] } }],
    });
  });

  it('goes back to earlier merges, and takes a direct push for everything', async () => {
    const { number } = await openPull('email\ncat@example.com\n');
    const after = await merge(number, 'merge');
    const found = await approvals(pushOf(after), 'of-merge');
    expect(found).toMatchObject({ kind: 'reviewed', approved: new Set(['of-merge', 'of-squash', 'of-rebase']) });
    expect(found).toMatchObject({ pullRequests: [{ number, comment: null }, {}, {}, {}] });
    const direct = await commit('email\ndan@example.com\n', 'main');
    expect(await approvals(pushOf(direct), 'd1')).toEqual({ kind: 'everything' });
  });

  it('refuses to guess where it may not look', async () => {
    const search = {
      event: pushOf('0'.repeat(40)),
      branch: 'main',
      wanted: [],
      planned: new Set<string>(),
      wantedWhole: null,
      target: 'target',
    };
    const author = { login: 'lab-admin' };
    const stranger = clientOf('0'.repeat(40));
    await expect(findApprovals({ ...search, author, readMarker, client: stranger })).rejects.toThrow(LookupFailedError);
  });

  it('knows whether the file was superseded', async () => {
    const content = (text: string) => Buffer.from(text);
    const first = await commit('email\neve@example.com\n', 'main');
    const ask = (sha: string, text: string, path = PATH, asker = client) =>
      isSuperseded({ client: asker, event: pushOf(sha), branch: 'main', path, content: content(text) });
    expect(await ask(first, 'email\neve@example.com\n')).toBe(false);
    expect(await ask(first, 'email\r\neve@example.com\r\n')).toBe(false);
    expect(await ask(first, 'email\n', 'made-in-the-job.csv')).toBe(false);
    const read = (ref: string, path = PATH, asker = client) =>
      readFileAt({ client: asker, repository: REPOSITORY, path, ref });
    expect(Buffer.from((await read(first)) as Uint8Array).toString()).toBe('email\neve@example.com\n');
    expect(await read(first, 'not-there.csv')).toBeNull();
    expect(await read(first, PATH, clientOf('0'.repeat(40)))).toBe('unreadable');
    await commit('email\nfay@example.com\n', 'main');
    expect(await ask(first, 'email\neve@example.com\n')).toBe(true);
    expect(await ask(first, 'email\r\neve@example.com\r\n')).toBe(true);
    const { sha } = await api('GET', contents);
    await api('DELETE', contents, { sha, message: 'Remove', branch: 'main' });
    expect(await ask(first, 'email\neve@example.com\n')).toBe(true);
    await expect(ask(first, 'email\n', PATH, clientOf('0'.repeat(40)))).rejects.toThrow(LookupFailedError);
  });
});
