import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readEvent } from '../../src/github/event.ts';
import { eventFile, sha } from './support.ts';

function jobEnv(fixture: string, variables: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return {
    GITHUB_EVENT_NAME: fixture.replace(/^gitea-/, '').replace(/-.*/, ''),
    GITHUB_EVENT_PATH: eventFile(fixture),
    GITHUB_REPOSITORY: 'acme/users',
    GITHUB_SERVER_URL: 'https://github.example',
    GITHUB_RUN_ID: '4711',
    GITHUB_REF: 'refs/heads/main',
    GITHUB_SHA: sha('e'),
    GITHUB_ACTOR: 'ann-admin',
    ...variables,
  };
}

describe('readEvent', () => {
  it('reads the job of a pull request', async () => {
    const env = jobEnv('pull_request', { GITHUB_REF: 'refs/pull/7/merge', GITHUB_ACTOR: 'bob-builder' });
    expect(await readEvent(env)).toEqual({
      name: 'pull_request',
      repository: { owner: 'acme', name: 'users' },
      defaultBranch: 'main',
      branch: null,
      sha: sha('e'),
      visibility: 'private',
      pullRequest: {
        number: 7,
        headSha: sha('a'),
        baseSha: sha('b'),
        fromFork: false,
      },
      push: null,
      runUrl: 'https://github.example/acme/users/actions/runs/4711',
      actor: 'bob-builder',
    });
  });

  it.each([
    ['pull_request-synchronize', { headSha: sha('d'), baseSha: sha('b'), fromFork: false }],
    ['pull_request-fork', { number: 8, fromFork: true }],
    ['pull_request-deleted-fork', { number: 8, fromFork: true }],
    ['pull_request-in-fork', { number: 3, fromFork: false }],
    ['pull_request-dependabot', { number: 9, fromFork: false }],
    ['pull_request-closed', { number: 7 }],
    ['pull_request_target', { number: 8, fromFork: true }],
    ['gitea-pull_request', { number: 1, fromFork: false, baseSha: 'e6f54e3d32e81e5bb07c008b2f7fd5dbe04df35b' }],
    ['gitea-pull_request-fork', { number: 2, fromFork: true }],
    ['gitea-pull_request-closed', { number: 1 }],
  ])('reads the pull request of %s', async (fixture, expected) => {
    const event = await readEvent(jobEnv(fixture, { GITHUB_REF: 'refs/pull/7/merge' }));
    expect(event.pullRequest).toMatchObject(expected);
    expect(event.push).toBeNull();
  });

  it.each([
    ['push', { after: sha('e'), commits: [sha('a'), sha('e')], mentioned: [[7]] }],
    ['push-two-merges', { after: sha('9'), commits: [sha('a'), sha('e'), sha('9')], mentioned: [[7], [8]] }],
    ['push-direct', { commits: [sha('d')], mentioned: [[4]] }],
    ['push-new-branch', { commits: [sha('d')] }],
    ['gitea-push', { commits: [expect.any(String), expect.any(String)], mentioned: [[1]] }],
  ])('reads the push of %s', async (fixture, expected) => {
    const event = await readEvent(jobEnv(fixture));
    expect(event.push).toMatchObject(expected);
    expect(event.push?.commits).toContain(event.push?.after);
    expect(event.pullRequest).toBeNull();
  });

  it.each([
    ['merge_group', 'refs/heads/gh-readonly-queue/main/pr-7-abc', 'gh-readonly-queue/main/pr-7-abc', 'private'],
    ['workflow_dispatch', 'refs/heads/main', 'main', 'private'],
    ['workflow_dispatch', 'refs/tags/v1', null, 'private'],
    ['schedule', 'refs/heads/main', 'main', 'internal'],
    ['issue_comment', 'refs/heads/main', 'main', 'private'],
    ['gitea-workflow_dispatch', 'refs/heads/main', 'main', 'private'],
  ])('reads %s on %s', async (fixture, ref, branch, visibility) => {
    const event = await readEvent(jobEnv(fixture, { GITHUB_REF: ref }));
    expect(event).toMatchObject({ branch, visibility, defaultBranch: 'main', pullRequest: null, push: null });
  });

  it('reads a schedule whose payload says nothing of the repository', async () => {
    const event = await readEvent(jobEnv('schedule-old-server', { GITHUB_EVENT_NAME: 'schedule' }));
    expect(event).toMatchObject({ defaultBranch: null, visibility: 'unknown', branch: 'main' });
  });

  it.each([
    [{ visibility: 'public', private: false }, 'public'],
    [{ visibility: 'internal', private: true }, 'internal'],
    [{ visibility: 'something-new', private: true }, 'unknown'],
    [{ private: false }, 'public'],
    [{ private: true }, 'unknown'],
    [{ private: true, internal: true }, 'internal'],
    [{ private: true, internal: false }, 'private'],
    [{}, 'unknown'],
  ])('takes %j for %s', async (repository, expected) => {
    const path = join(mkdtempSync(join(tmpdir(), 'event-')), 'event.json');
    writeFileSync(path, JSON.stringify({ repository }));
    const event = await readEvent(jobEnv('schedule', { GITHUB_EVENT_PATH: path }));
    expect(event.visibility).toBe(expected);
  });

  it('names the field that has another shape than any we know', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'event-')), 'event.json');
    writeFileSync(path, JSON.stringify({ pull_request: { number: 'seven', state: 'open' } }));
    const reading = readEvent(jobEnv('pull_request', { GITHUB_EVENT_PATH: path }));
    await expect(reading).rejects.toThrow(/event 'pull_request'.*unknown shape.*pull_request\.number/);
  });

  it('does not take a push without commits ids for one without commits', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'event-')), 'event.json');
    writeFileSync(path, JSON.stringify({ commits: [] }));
    await expect(readEvent(jobEnv('push', { GITHUB_EVENT_PATH: path }))).rejects.toThrow(/after/);
  });

  it('says which variable is missing, and that a payload cannot be read', async () => {
    await expect(readEvent(jobEnv('push', { GITHUB_SHA: '' }))).rejects.toThrow(/GITHUB_SHA/);
    await expect(readEvent(jobEnv('push', { GITHUB_REPOSITORY: 'users' }))).rejects.toThrow(/owner\/name/);
    const elsewhere = jobEnv('push', { GITHUB_EVENT_PATH: eventFile('no-such-event') });
    await expect(readEvent(elsewhere)).rejects.toThrow(/cannot be read/);
  });
});
