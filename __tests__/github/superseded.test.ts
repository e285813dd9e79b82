import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nock from 'nock';
import { describe, expect, it } from 'vitest';
import { LookupFailedError } from '../../src/github/errors.ts';
import { pathInCheckout } from '../../src/github/repository-file.ts';
import { blobSha, isSuperseded } from '../../src/github/superseded.ts';
import { onlyWhatIsServed } from './served.ts';
import { API, createClient, createEvent, NOT_ACCESSIBLE, NOT_FOUND, sha } from './support.ts';

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
  });
});
