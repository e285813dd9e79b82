import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { UserRow } from '../../standin/types.ts';
import { NOT_ACCESSIBLE, sha } from '../github/support.ts';
import { annotations, type Run } from './support/action.ts';
import { SAME, USER_LIST } from './support/company.ts';
import { expectGolden } from './support/snapshot.ts';
import { type JobOptions, type Payload, World } from './support/world.ts';

/** The plan of {@link USER_LIST} is shown on pull request 7, which is then merged. */
async function reviewed(world: World, inputs: JobOptions['inputs'] = {}): Promise<Run> {
  const run = await world.run('pull_request', { inputs });
  merge(world);
  return run;
}

function merge(world: World, number = 7, commit = 'e'): void {
  world.github.mergePull(number, sha(commit));
  world.publish(sha(commit));
}

/** Somebody makes a user through the proxy's own API, after the plan was reviewed. */
function strangerJoins(world: World): UserRow {
  return world.proxy.state.addUser({ userId: 'user-zoe', email: 'zoe@example.com', role: 'internal_user', teams: [] });
}

const isThere = (world: World, userId: string): boolean => world.proxy.state.users.has(userId);
const skipping = (run: Run): string => annotations(run).join('\n');

describe('changes that no pull request showed', () => {
  it('are skipped, listed, and applied by workflow_dispatch', async () => {
    const world = await World.create();
    await reviewed(world);
    strangerJoins(world);
    const merged = await world.run('push');
    expect(merged.code).toBe(0);
    expect(isThere(world, 'user-zoe')).toBe(true);
    expect(isThere(world, 'user-dan')).toBe(false);
    expect(merged.outputs).toMatchObject({ added: '1', deleted: '1', updated: '1', skipped: '1' });
    expect(world.artifacts.text('user-sync-results', 'user_sync_result.csv')).toMatch(
      /DELETED,zoe@example\.com,.*SKIPPED,not reviewed/,
    );
    await expectGolden('push-not-reviewed', merged, world);
    world.artifacts.finished.clear();
    const dispatched = await world.run('workflow_dispatch');
    expect(dispatched.outputs).toMatchObject({ deleted: '1', skipped: '0' });
    expect(isThere(world, 'user-zoe')).toBe(false);
  });

  it('are applied with `apply`', async () => {
    const world = await World.create();
    await reviewed(world);
    strangerJoins(world);
    const inputs = { 'unreviewed-changes': 'apply', 'max-deletes': '5' };
    const run = await world.run('push', { inputs });
    expect(run.outputs).toMatchObject({ deleted: '2', skipped: '0' });
    expect(isThere(world, 'user-zoe')).toBe(false);
  });

  it('refuse the run with `fail`, which shows the plan', async () => {
    const world = await World.create();
    await reviewed(world);
    strangerJoins(world);
    const run = await world.run('push', { inputs: { 'unreviewed-changes': 'fail' } });
    expect(run.code).toBe(1);
    expect(world.proxyWrites).toEqual([]);
    await expectGolden('push-unreviewed-fail', run, world);
  });

  it('of a pull request without our comment are all skipped', async () => {
    const world = await World.create();
    merge(world);
    const run = await world.run('push');
    expect(run.code).toBe(0);
    expect(world.proxyWrites).toEqual([]);
    expect(run.outputs).toMatchObject({ added: '0', deleted: '0', updated: '0', skipped: '3' });
    expect(skipping(run)).toMatch(
      /warning: 3 changes of this plan were not reviewed: pull request #7 has no comment with a plan\. .*`workflow_dispatch`/,
    );
  });

  it("are not approved by a stranger's comment with our marker", async () => {
    const world = await World.create();
    await reviewed(world);
    const [ours = ''] = world.github.commentsOf(7);
    const other = await World.create();
    other.github.comment(7, ours.replace(/target=\w+/, 'target=0000000000000000'), 'mallory');
    await other.run('pull_request', { inputs: { 'no-delete': 'true' } });
    const [, marker = ''] = other.github.commentsOf(7);
    const target = /target=\w+/.exec(marker)?.[0] ?? '';
    other.github.comment(7, ours.replace(/target=\w+/, target), 'mallory');
    merge(other);
    const run = await other.run('push');
    expect(run.outputs).toMatchObject({ added: '1', deleted: '0', updated: '1', skipped: '1' });
    expect(isThere(other, 'user-dan')).toBe(true);
  });
});

describe('approvals', () => {
  it('are taken out of the comments once applied: a demoted administrator is not promoted again', async () => {
    const promoted = SAME.replace('bob@example.com,internal_user', 'bob@example.com,proxy_admin');
    const world = await World.create({ csv: promoted });
    await reviewed(world);
    const [shown] = world.github.commentsOf(7);
    expect((await world.run('push')).outputs).toMatchObject({ updated: '1' });
    expect(world.proxy.state.users.get('user-bob')?.role).toBe('proxy_admin');
    expect(world.github.commentsOf(7)[0]).toContain('digests= ');

    world.write(`${promoted}eve@example.com,internal_user,engineering,\n`);
    world.github.openPull(8, { head: sha('8') });
    await world.run('pull_request', pullRequest(8));
    Object.assign(world.proxy.state.users.get('user-bob') as object, { role: 'internal_user' });
    merge(world, 8, '9');
    world.artifacts.finished.clear();
    const later = await world.run('push', push('9'));
    expect(later.outputs).toMatchObject({ added: '1', updated: '0', skipped: '1' });
    expect(world.proxy.state.users.get('user-bob')?.role).toBe('internal_user');

    // The same approval, had it been left where it stood, would count: what is tested is its removal.
    const [id] = world.github.calls.flatMap(({ path }) => /issues\/comments\/(\d+)$/.exec(path)?.[1] ?? []);
    world.github.edit(Number(id), shown ?? '');
    world.artifacts.finished.clear();
    const resurrected = await world.run('push', push('9'));
    expect(resurrected.outputs).toMatchObject({ updated: '1', skipped: '0' });
  });

  it('of older pull requests count, newest first, from 30 at most', async () => {
    const world = await World.create();
    await reviewed(world);
    for (let number = 100; number < 129; number++) {
      world.github.openPull(number, { head: sha('5') });
      world.github.mergePull(number, sha('f'), number - 60);
    }
    world.github.related.set(sha('e'), [7]);
    const older = await world.run('push', push('f', { inputs: { 'dry-run': 'auto' } }));
    expect(older.outputs).toMatchObject({ added: '1', deleted: '1', updated: '1', skipped: '0' });
    const read = world.github.calls.filter(({ path }) => /issues\/1\d\d\/comments/.test(path));
    expect(read).toHaveLength(29);
    expect(world.github.commentsOf(7)).toEqual([
      expect.stringMatching(
        /digests= whole= applied=\S+ -->\n.*\n\n.*\n> 3 changes shown here were applied by #128, .*\n\n\*\*1 to add, 1 to delete/,
      ),
    ]);
  });

  it('of the thirty-first are out of reach', async () => {
    const world = await World.create();
    await reviewed(world);
    for (let number = 100; number < 130; number++) {
      world.github.openPull(number, { head: sha('5') });
      world.github.mergePull(number, sha('f'), number - 60);
    }
    const run = await world.run('push', push('f'));
    expect(run.outputs).toMatchObject({ added: '0', deleted: '0', updated: '0', skipped: '3' });
    expect(world.proxyWrites).toEqual([]);
  });

  it('that cannot be looked up refuse the run, and show the plan', async () => {
    const world = await World.create();
    await reviewed(world);
    const noComments = ({ method, path }: { method: string; path: string }) =>
      method === 'GET' && path.includes('/comments') ? { status: 403, body: NOT_ACCESSIBLE } : null;
    world.github.refuse = noComments;
    const run = await world.run('push');
    expect(run.code).toBe(1);
    expect(world.proxyWrites).toEqual([]);
    expect(annotations(run)).toEqual([
      expect.stringMatching(
        /^error: Failed to find out which changes were reviewed: .*`permissions: pull-requests: read`/,
      ),
    ]);
    expect(run.stdout).toContain('- dan@example.com (Role: internal_user, Team: research)');
    const applied = await world.run('push', { inputs: { 'unreviewed-changes': 'apply' } });
    expect(applied.code).toBe(0);
    expect(applied.outputs).toMatchObject({ added: '1', deleted: '1', updated: '1' });
  });

  it('are never "no pull request" where the list of pull requests cannot be read', async () => {
    const world = await World.create();
    await reviewed(world);
    world.github.refuse = ({ path }) => (path.includes('/pulls') ? { status: 404, body: NOT_ACCESSIBLE } : null);
    const run = await world.run('push');
    expect(run.code).toBe(1);
    expect(world.proxyWrites).toEqual([]);
  });
});

describe('a pull request that the forge does not show as merged yet', () => {
  const fastTimers = new URL('./support/fast-timers.mjs', import.meta.url);
  const env = { NODE_OPTIONS: `--import=${fastTimers}` };
  const arrived = { payload: (payload: Payload) => Object.assign(payload, { commits: [commit('a'), commit('e')] }) };
  const commit = (character: string) => ({ id: sha(character), message: 'Edit the list' });

  it('is asked for again until it does', async () => {
    const world = await World.create();
    await world.run('pull_request');
    world.publish(sha('e'));
    let asked = 0;
    world.github.refuse = ({ method, path }) => {
      if (method === 'GET' && path.endsWith('/pulls/7') && ++asked === 3) world.github.mergePull(7, sha('e'));
      return null;
    };
    const run = await world.run('push', { ...arrived, env });
    expect(run.outputs).toMatchObject({ added: '1', deleted: '1', updated: '1', skipped: '0' });
    expect(world.github.commentsOf(7)[0]).toContain('**1 added, 1 deleted, 1 updated**');
  });

  it('refuses the run after two minutes, whatever was reviewed: it is never "no pull request"', async () => {
    const world = await World.create();
    world.publish(sha('e'));
    const run = await world.run('push', { ...arrived, env });
    expect(run.code).toBe(1);
    expect(world.proxyWrites).toEqual([]);
    expect(annotations(run)).toEqual([
      expect.stringMatching(/^error: .*pull request #7 belongs to this push, but is still open after two minutes/),
    ]);
  });

  it('says in the comment that nothing was applied, and keeps what it shows', async () => {
    const world = await World.create();
    await world.run('pull_request');
    world.publish(sha('e'));
    await world.run('push', { ...arrived, env });
    expect(world.github.commentsOf(7)).toEqual([
      expect.stringMatching(/\n> \*\*Not applied:\*\* .*#7` belongs to this push, but is still open.*\n\n\*\*1 to add/),
    ]);
    world.github.mergePull(7, sha('e'));
    const run = await world.run('push', arrived);
    expect(run.outputs).toMatchObject({ added: '1', deleted: '1', updated: '1', skipped: '0' });
  });

  it('does not concern a push that only another branch has a pull request for', async () => {
    const world = await World.create();
    world.github.openPull(7, { head: sha('a'), base: 'release' });
    world.publish(sha('e'));
    const run = await world.run('push', arrived);
    expect(run.outputs).toMatchObject({ added: '1', deleted: '1', updated: '1' });
  });
});

describe('the same file and proxy, written otherwise', () => {
  it('is the same target', async () => {
    const world = await World.create();
    await reviewed(world, { 'csv-file': './user_list.csv', 'base-url': `${world.proxy.baseUrl}/` });
    const inputs = { 'csv-file': join(world.workspace, 'user_list.csv') };
    const run = await world.run('push', { inputs });
    expect(run.outputs).toMatchObject({ added: '1', deleted: '1', updated: '1', skipped: '0' });
  });
});

describe('a run that applies nothing', () => {
  it('says so in the comment, whose approvals stay for the next run', async () => {
    const world = await World.create();
    await reviewed(world);
    const env = { ACTIONS_RUNTIME_TOKEN: '' };
    const refused = await world.run('push', { env });
    expect(refused.code).toBe(1);
    expect(world.proxyWrites).toEqual([]);
    expect(world.github.commentsOf(7)).toEqual([
      expect.stringMatching(/\n> \*\*Not applied:\*\* .*ACTIONS_RUNTIME_TOKEN.*\[Run\]\(https.*\n\n\*\*1 to add/),
    ]);
    const run = await world.run('push');
    expect(run.outputs).toMatchObject({ added: '1', deleted: '1', updated: '1' });
    expect(world.github.commentsOf(7)[0]).not.toContain('Not applied:');
  });

  it('says so, once, in a comment that somebody edited on the page of the forge', async () => {
    const world = await World.create();
    const planned = await reviewed(world);
    world.github.edit(
      Number(/comment-(\d+)$/.exec(planned.outputs['comment-url'] ?? '')?.[1]),
      (world.github.commentsOf(7)[0] as string).replaceAll('\n', '\r\n'),
    );
    for (const _ of ['first', 'second']) {
      await world.run('push', { env: { ACTIONS_RUNTIME_TOKEN: '' } });
      expect(world.github.commentsOf(7)[0]?.match(/\n> \*\*Not applied:\*\* /g)).toHaveLength(1);
    }
  });

  it('says so where the proxy does not answer', async () => {
    const world = await World.create();
    await reviewed(world);
    await world.proxy.close();
    expect((await world.run('push')).code).toBe(1);
    expect(world.github.commentsOf(7)[0]).toMatch(/\n> \*\*Not applied:\*\* /);
  });

  it('is told once another push has applied it', async () => {
    const world = await World.create({ csv: `${SAME}eve@example.com,internal_user,engineering,\n` });
    await reviewed(world);
    await world.run('push', { env: { ACTIONS_RUNTIME_TOKEN: '' } });
    world.github.openPull(8, { head: sha('8') });
    await world.run('pull_request', pullRequest(8));
    merge(world, 8, '9');
    const run = await world.run('push', push('9'));
    expect(run.outputs).toMatchObject({ added: '1', skipped: '0' });
    const late = await world.run('push');
    expect(late.outputs).toMatchObject({ 'has-changes': 'false' });
    expect(world.github.commentsOf(7)[0]).toMatch(/> 1 change shown here was applied by #8\./);
  });
});

describe.each([
  ['no token', { 'github-token': '' }, /no `github-token` was given/],
  ['comment: false', { comment: 'false' }, /`comment` is `false`/],
])('with %s', (_, inputs, reason) => {
  it('nothing is asked of GitHub, and a push is refused unless it need not be reviewed', async () => {
    const world = await World.create();
    const planned = await world.run('pull_request', { inputs });
    expect(planned.code).toBe(0);
    merge(world);
    const refused = await world.run('push', { inputs });
    expect(refused.code).toBe(1);
    expect(skipping(refused)).toMatch(reason);
    expect(world.proxyWrites).toEqual([]);
    const dispatched = await world.run('workflow_dispatch', { inputs });
    expect(dispatched.outputs).toMatchObject({ added: '1', deleted: '1', updated: '1' });
    expect(world.github.calls).toEqual([]);
  });
});

describe('a mass delete', () => {
  const csv = SAME.replace(/(bob|dan)@.*\n/g, '');

  it('is red in the pull request, and applies nothing when it is merged anyway', async () => {
    const world = await World.create({ csv });
    const planned = await reviewed(world);
    expect(planned.code).toBe(1);
    expect(annotations(planned).join('\n')).toMatch(
      /2 of 5 managed users would be deleted, but max-deletes allows 20% of 5 managed users = 1\./,
    );
    expect(world.github.commentsOf(7)).toEqual([expect.stringMatching(/digests= [\s\S]*max-deletes/)]);
    const merged = await world.run('push');
    expect(merged.code).toBe(1);
    expect(world.proxyWrites).toEqual([]);
    await expectGolden('push-mass-delete', merged, world);
  });

  it('is refused on workflow_dispatch too, until the limit is raised', async () => {
    const world = await World.create({ csv });
    world.publish(sha('e'));
    const refused = await world.run('workflow_dispatch');
    expect(refused.code).toBe(1);
    expect(world.proxyWrites).toEqual([]);
    const raised = await world.run('workflow_dispatch', { inputs: { 'max-deletes': '2' } });
    expect(raised.outputs).toMatchObject({ deleted: '2', failed: '0' });
  });
});

describe('more changes than digests fit into a comment', () => {
  const rows = Array.from({ length: 4_501 }, (_, number) => `user${number}@example.com,internal_user,-,\n`);
  const inputs = { 'api-keys': 'false', invitations: 'false' };

  it('are approved as a whole, all or nothing', async () => {
    const world = await World.create({ csv: SAME + rows.join('') });
    await reviewed(world, inputs);
    const [body = ''] = world.github.commentsOf(7);
    expect(body).toMatch(/digests= whole=[0-9a-f]{32} /);
    expect(body.length).toBeLessThanOrEqual(65_536);
    const before = world.proxyWrites.length;
    const stranger = strangerJoins(world);
    const other = await world.run('push', { inputs });
    expect(other.outputs).toMatchObject({ added: '0', deleted: '0', skipped: '4502' });
    expect(world.proxyWrites.length).toBe(before);
    world.proxy.state.removeUser(stranger);
    const same = await world.run('push', { inputs });
    expect(same.outputs).toMatchObject({ added: '4501', skipped: '0', failed: '0' });
    expect(world.github.commentsOf(7)[0]).toContain('whole= ');
  });
});

it('a change of what was reviewed is another change: only the reviewed half is done', async () => {
  const world = await World.create();
  await reviewed(world);
  world.write(USER_LIST.replace('eve@example.com,internal_user', 'eve@example.com,proxy_admin'));
  world.publish(sha('e'));
  const run = await world.run('push');
  expect(run.outputs).toMatchObject({ added: '0', deleted: '1', updated: '1', skipped: '1' });
});

function pullRequest(number: number): JobOptions {
  return {
    payload: ({ pull_request }) =>
      Object.assign(pull_request as object, {
        number,
        head: { sha: sha(String(number)), repo: { full_name: 'acme/users' } },
      }),
  };
}

/** The event of a push whose merge commit is this one. */
function push(commit: string, options: JobOptions = {}): JobOptions {
  return {
    ...options,
    payload: (payload) => {
      const message = 'Merge';
      Object.assign(payload, { after: sha(commit), commits: [{ id: sha(commit), message }] });
    },
  };
}

it('a user who came to be after their add was reviewed joins as it would have, and gets no key, link or mail', async () => {
  const world = await World.create();
  await reviewed(world);
  world.proxy.state.addUser({ userId: 'sso-eve', email: 'Eve@example.com', role: 'internal_user_viewer', teams: [] });
  const run = await world.run('push');
  expect(run.outputs).toMatchObject({ added: '0', deleted: '1', updated: '2', skipped: '0', failed: '0' });
  expect(world.proxy.state.users.get('sso-eve')).toMatchObject({ role: 'internal_user', teams: ['team-eng'] });
  expect(world.artifacts.finished.has('onboarding-links')).toBe(false);
  expect(world.github.commentsOf(7)[0]).toMatch(/digests= whole= applied=/);
});
