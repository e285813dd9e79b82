import { describe, expect, it } from 'vitest';
import { type DryRun, decideMode } from '../../src/github/event.ts';
import { createEvent, sha } from './support.ts';

const PULL_REQUEST = { number: 7, headSha: sha('a'), baseSha: sha('b'), fromFork: false };

describe('decideMode', () => {
  it.each<[string, string | null, string | null, DryRun, string]>([
    ['push', 'main', 'main', 'auto', 'apply'],
    ['push', 'feature', 'main', 'auto', 'plan'],
    ['push', null, 'main', 'auto', 'plan'],
    ['push', null, null, 'auto', 'plan'],
    ['push', 'main', null, 'auto', 'plan'],
    ['workflow_dispatch', 'main', 'main', 'auto', 'apply'],
    ['workflow_dispatch', 'feature', 'main', 'auto', 'plan'],
    ['merge_group', 'gh-readonly-queue/main/pr-7', 'main', 'auto', 'plan'],
    ['schedule', 'main', 'main', 'auto', 'plan'],
    ['issue_comment', 'main', 'main', 'auto', 'plan'],
    ['workflow_run', 'main', 'main', 'auto', 'plan'],
    ['invented_tomorrow', 'main', 'main', 'auto', 'plan'],
    ['push', 'main', 'main', 'true', 'plan'],
    ['workflow_dispatch', 'main', 'main', 'true', 'plan'],
    ['push', 'feature', 'main', 'false', 'apply'],
    ['schedule', 'main', 'main', 'false', 'apply'],
  ])('%s on %s (default %s), dry-run %s: %s', (name, branch, defaultBranch, dryRun, mode) => {
    expect(decideMode(createEvent({ name, branch, defaultBranch }), dryRun)).toEqual({ mode });
  });

  it.each<[string, DryRun, string]>([
    ['pull_request', 'auto', 'plan'],
    ['pull_request', 'true', 'plan'],
    ['pull_request', 'false', 'refused'],
    ['pull_request_review', 'false', 'refused'],
    ['invented_tomorrow', 'false', 'refused'],
    ['pull_request_target', 'auto', 'refused'],
    ['pull_request_target', 'true', 'refused'],
    ['pull_request_target', 'false', 'refused'],
  ])('%s with a pull request, dry-run %s: %s', (name, dryRun, mode) => {
    const event = createEvent({ name, branch: 'main', pullRequest: PULL_REQUEST, push: null });
    expect(decideMode(event, dryRun).mode).toBe(mode);
  });

  it.each<[DryRun, string]>([
    ['true', 'plan'],
    ['false', 'refused'],
  ])('merge_group, dry-run %s: %s, as nothing is merged yet', (dryRun, mode) => {
    const event = createEvent({ name: 'merge_group', branch: 'gh-readonly-queue/main/pr-7', push: null });
    expect(decideMode(event, dryRun).mode).toBe(mode);
  });

  it('says what to do in place of what is refused', () => {
    const event = createEvent({ name: 'pull_request_target', pullRequest: PULL_REQUEST });
    expect(decideMode(event, 'auto')).toMatchObject({ reason: expect.stringContaining("'on: pull_request'") });
    expect(decideMode({ ...event, name: 'pull_request' }, 'false')).toMatchObject({
      reason: expect.stringContaining("Leave 'dry-run' at 'auto'"),
    });
  });
});
