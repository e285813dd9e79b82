import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nock from 'nock';
import { describe, expect, it } from 'vitest';
import { LookupFailedError } from '../../src/github/client.ts';
import { blobSha, isSuperseded, pathInCheckout, readFileAt } from '../../src/github/repository-file.ts';
import { onlyWhatIsServed } from './served.ts';
import { API, createClient, createEvent, NOT_ACCESSIBLE, NOT_FOUND, REPOSITORY, sha } from './support.ts';

const OURS = Buffer.from('email,role,team_name\nann@example.com,,\n');
const CONTENTS = '/repos/acme/users/contents/lists/user%20list.csv';

const ask = () =>
  isSuperseded({
    client: createClient().client,
    event: createEvent({ sha: sha('e') }),
    branch: 'release/1',
    path: 'lists/user list.csv',
    content: OURS,
  });

function serve(ref: string, blob: string | null): void {
  const scope = nock(API).get(CONTENTS).query({ ref });
  if (blob === null) scope.reply(404, NOT_FOUND);
  else
    scope.reply(200, { type: 'file', path: 'lists/user list.csv', sha: blob, size: 40, encoding: 'none', content: '' });
}

onlyWhatIsServed();

describe('isSuperseded', () => {
  it('no: the head has our content', async () => {
    serve('release/1', blobSha(OURS));
    expect(await ask()).toBe(false);
  });

  it.each([
    ['yes: the head has other content', sha('1'), blobSha(OURS), true],
    ['no: the job changed its file, the head has what our commit has', sha('1'), sha('1'), false],
    ['yes: the job changed its file, and the head moved on', sha('1'), sha('2'), true],
    ['yes: the file is gone', null, blobSha(OURS), true],
    ['yes: the file came with a later commit', sha('1'), null, true],
  ])('%s', async (_name, head, ours, expected) => {
    serve('release/1', head);
    serve(sha('e'), ours);
    expect(await ask()).toBe(expected);
  });

  it('no: the file is in no commit, and the token may see the branch', async () => {
    serve('release/1', null);
    serve(sha('e'), null);
    nock(API).get('/repos/acme/users/branches/release%2F1').reply(200, { name: 'release/1' });
    expect(await ask()).toBe(false);
  });

  it.each([
    ['the token may not read', () => [serve('release/1', null), serve(sha('e'), null), branch(404, NOT_FOUND)]],
    ['it is forbidden', () => nock(API).get(CONTENTS).query(true).reply(403, NOT_ACCESSIBLE)],
    ['the forge is down', () => nock(API).get(CONTENTS).query(true).times(4).reply(500)],
    ['it is a folder there', () => nock(API).get(CONTENTS).query(true).reply(200, [])],
    [
      'it is a submodule there',
      () =>
        nock(API)
          .get(CONTENTS)
          .query(true)
          .reply(200, { type: 'submodule', sha: sha('1') }),
    ],
  ])('fails: %s', async (_name, prepare) => {
    prepare();
    await expect(ask()).rejects.toThrow(LookupFailedError);
  });

  function branch(status: number, body: object): void {
    nock(API).get('/repos/acme/users/branches/release%2F1').reply(status, body);
  }
});

describe('blobSha', () => {
  it('names content as git does', () => {
    const byGit = execFileSync('git', ['hash-object', '--stdin', '--no-filters'], { input: OURS });
    expect(blobSha(OURS)).toBe(byGit.toString().trim());
  });
});

describe('pathInCheckout', () => {
  it('finds the repository that a file is in, also below the workspace', async () => {
    const workspace = mkdtempSync(join(tmpdir(), 'workspace-'));
    mkdirSync(join(workspace, 'checkout/.git'), { recursive: true });
    mkdirSync(join(workspace, 'checkout/lists'));
    writeFileSync(join(workspace, 'checkout/lists/user list.csv'), OURS);
    writeFileSync(join(workspace, 'loose.csv'), OURS);
    expect(await pathInCheckout(join(workspace, 'checkout/lists/user list.csv'))).toBe('lists/user list.csv');
    expect(await pathInCheckout(join(workspace, 'loose.csv'))).toBeNull();
    expect(await pathInCheckout(join(workspace, 'checkout/lists/not there/yet.csv'))).toBe('lists/not there/yet.csv');
    expect(await pathInCheckout(join(workspace, 'not/there/yet.csv'))).toBeNull();
  });
});

describe('a file that the contents API does not hand out', () => {
  const TREES = '/repos/acme/users/git/trees';
  const entry = (path: string, type: string, id: string) => ({ path, type, sha: id, mode: '100644' });

  function serveTrees(ref: string, file: string | null, more: object = {}): void {
    nock(API)
      .get(`${TREES}/${encodeURIComponent(ref)}`)
      .reply(200, { sha: sha('3'), tree: [entry('README.md', 'blob', sha('9')), entry('lists', 'tree', sha('4'))] })
      .get(`${TREES}/${sha('4')}`)
      .reply(200, { tree: file === null ? [] : [entry('user list.csv', 'blob', file)], truncated: false, ...more });
  }

  const TOO_LARGE = {
    message: 'This API returns blobs up to 1 MB in size. The requested blob is too large to fetch via the API.',
    errors: [{ resource: 'Blob', field: 'data', code: 'too_large' }],
  };

  it.each([
    ['it is too large', 403, TOO_LARGE],
    ['its body is empty', 200, ''],
    ['its body is null', 200, 'null'],
  ])('is compared by its name in git: %s', async (_, status, body) => {
    nock(API).get(CONTENTS).query({ ref: 'release/1' }).reply(status, body, { 'content-type': 'application/json' });
    serveTrees('release/1', blobSha(OURS));
    expect(await ask()).toBe(false);
  });

  it.each([
    ['gone', null, {}, false],
    ['cut off', null, { truncated: true }, true],
  ])('is %s at the head', async (_, file, more, fails) => {
    nock(API).get(CONTENTS).query({ ref: 'release/1' }).reply(403, TOO_LARGE);
    serveTrees('release/1', file, more);
    if (!fails) serve(sha('e'), blobSha(OURS));
    if (fails) await expect(ask()).rejects.toThrow(/its folder has too many files/);
    else expect(await ask()).toBe(true);
  });

  it('is no file there', async () => {
    nock(API).get(CONTENTS).query({ ref: 'release/1' }).reply(403, TOO_LARGE);
    nock(API)
      .get(`${TREES}/release%2F1`)
      .reply(200, { tree: [entry('lists', 'blob', sha('4'))] });
    await expect(ask()).rejects.toThrow(/no regular file/);
  });
});

describe('readFileAt', () => {
  const read = () =>
    readFileAt({ client: createClient().client, repository: REPOSITORY, path: 'lists/user list.csv', ref: sha('b') });
  const file = (content: string, size = OURS.length) => ({
    type: 'file',
    sha: blobSha(OURS),
    size,
    encoding: content === '' ? 'none' : 'base64',
    content,
  });
  const atBase = () =>
    nock(API)
      .get(CONTENTS)
      .query({ ref: sha('b') });
  const blob = () => nock(API).get(`/repos/acme/users/git/blobs/${blobSha(OURS)}`);

  it('gives the content', async () => {
    const wrapped = OURS.toString('base64').replace(/(.{20})/g, '$1\n');
    atBase().reply(200, file(wrapped));
    expect(Buffer.from((await read()) as Uint8Array)).toEqual(OURS);
  });

  it('asks for the blob where the content is left out', async () => {
    atBase().reply(200, file('', 2_000_000));
    blob().reply(200, { encoding: 'base64', content: OURS.toString('base64'), size: OURS.length });
    expect(Buffer.from((await read()) as Uint8Array)).toEqual(OURS);
  });

  it('knows a file that was not there from one that may not be read', async () => {
    atBase().reply(404, NOT_FOUND);
    nock(API)
      .get(`/repos/acme/users/git/commits/${sha('b')}`)
      .reply(200, { sha: sha('b') });
    expect(await read()).toBeNull();
    atBase().reply(404, NOT_FOUND);
    nock(API)
      .get(`/repos/acme/users/git/commits/${sha('b')}`)
      .reply(404, NOT_FOUND);
    expect(await read()).toBe('unreadable');
  });

  it.each([
    ['it is forbidden', () => atBase().reply(403, NOT_ACCESSIBLE)],
    ['it is a folder', () => atBase().reply(200, [])],
    [
      'the blob is something else',
      () => {
        atBase().reply(200, file(''));
        blob().reply(200, { encoding: 'utf-8', content: 'x' });
      },
    ],
  ])('is unreadable: %s', async (_, prepare) => {
    prepare();
    expect(await read()).toBe('unreadable');
  });
});
