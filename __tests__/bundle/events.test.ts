import { describe, expect, it, onTestFinished } from 'vitest';
import { startForwardProxy } from '../github/forward-proxy.ts';
import { NOT_ACCESSIBLE, sha } from '../github/support.ts';
import { annotations } from './support/action.ts';
import { SAME, USER_LIST } from './support/company.ts';
import { expectGolden } from './support/snapshot.ts';
import { type Payload, World } from './support/world.ts';

const NO_KEY = { 'master-key': '' };

/** A job token on a fork's pull request: reads alone. */
function readOnly(world: World): void {
  world.github.refuse = ({ method, path }) =>
    method === 'GET' || path === '/graphql' ? null : { status: 403, body: NOT_ACCESSIBLE };
}

const onBranch = (name: string) => (payload: Payload) => {
  payload.ref = `refs/heads/${name}`;
};

describe('pull_request', () => {
  it('plans, comments and writes nothing', async () => {
    const world = await World.create();
    const run = await world.run('pull_request');
    expect(run.code).toBe(0);
    expect(world.proxyWrites).toEqual([]);
    expect(world.github.writes).toEqual(['POST /repos/acme/users/issues/7/comments']);
    await expectGolden('pull_request', run, world);
  });

  it('updates the same comment on a second push, also to "no changes"', async () => {
    const world = await World.create();
    await world.run('pull_request');
    const [first] = world.github.commentsOf(7);
    world.write(SAME);
    world.github.openPull(7, { head: sha('d') });
    const run = await world.run('pull_request-synchronize');
    expect(run.outputs['has-changes']).toBe('false');
    expect(world.github.writes).toEqual([
      'POST /repos/acme/users/issues/7/comments',
      'PATCH /repos/acme/users/issues/comments/1001',
    ]);
    const [second, ...others] = world.github.commentsOf(7);
    expect(others).toEqual([]);
    expect(second).not.toBe(first);
    expect(second).toContain('digests= ');
    await expectGolden('pull_request-second-push', run, world);
  });

  it('finds its comment on a later page, whoever else wrote there', async () => {
    const world = await World.create();
    for (let number = 0; number < 150; number++) world.github.comment(7, `Remark ${number}`, 'bob-builder');
    await world.run('pull_request');
    await world.run('pull_request');
    expect(world.github.writes).toEqual([
      'POST /repos/acme/users/issues/7/comments',
      'PATCH /repos/acme/users/issues/comments/1151',
    ]);
  });

  it('says in a comment that there is nothing to change', async () => {
    const world = await World.create({ csv: SAME });
    const run = await world.run('pull_request');
    expect(run.code).toBe(0);
    expect(world.github.commentsOf(7)).toEqual([expect.stringMatching(/digests= [\s\S]*No changes/)]);
    expect(run.outputs).toMatchObject({ 'has-changes': 'false', unchanged: '5' });
  });

  it('tells its own changes from those that were there before it', async () => {
    const world = await World.create();
    world.proxy.state.addUser({ userId: 'user-zoe', email: 'zoe@example.com', role: 'internal_user', teams: [] });
    await world.run('pull_request', { inputs: { 'max-deletes': '2' } });
    const [own = '', before = ''] = (world.github.commentsOf(7)[0] ?? '').split(
      'Already different before this pull request',
    );
    for (const name of ['cat', 'dan', 'eve']) expect(own).toContain(`${name}@example.com`);
    expect(before).toContain('zoe@example.com');
    expect(own).not.toContain('| `zoe@example.com`');
  });

  it('says so where the file at its base cannot be read', async () => {
    const world = await World.create();
    world.github.refuse = ({ path }) =>
      path.includes(`ref=${sha('b')}`) ? { status: 403, body: NOT_ACCESSIBLE } : null;
    await world.run('pull_request');
    expect(world.github.commentsOf(7)[0]).toContain('The file at the base of this pull request could not be read');
  });

  it('names each reason why it is red in one annotation', async () => {
    const world = await World.create();
    const inputs = { 'max-deletes': '0', 'encrypt-to': 'age1qqqq' };
    const errors = annotations(await world.run('pull_request', { inputs })).filter((line) => line.startsWith('error'));
    expect(errors).toEqual([expect.stringMatching(/max-deletes allows 0\..*`age1qqqq` is not an age recipient/)]);
  });

  it('whose inputs are wrong replaces the older comment, and drops its digests', async () => {
    const world = await World.create();
    await world.run('pull_request');
    for (const inputs of [{ 'max-deletes': 'many' }, { 'base-url': 'no address' }, { 'base-url': '' }]) {
      const run = await world.run('pull_request', { inputs });
      expect(run.code).toBe(1);
      expect(world.github.commentsOf(7)).toEqual([expect.stringMatching(/digests= whole= -->[\s\S]*\[!CAUTION\]/)]);
    }
    const other = await World.create();
    await other.run('pull_request', { inputs: { 'max-deletes': 'many' } });
    expect(other.github.commentsOf(7)).toEqual([]);
  });

  it('whose mail template lies outside of the repository replaces it, too', async () => {
    const world = await World.create();
    await world.run('pull_request');
    const mail = { deliver: 'smtp', 'smtp-url': 'smtp://127.0.0.1:9', 'mail-from': 'it@example.com' };
    const run = await world.run('pull_request', { inputs: { ...mail, 'mail-template': '../letter.txt' } });
    expect(run.code).toBe(1);
    expect(world.github.commentsOf(7)).toEqual([
      expect.stringMatching(/digests= whole= -->[\s\S]*\[!CAUTION\][\s\S]*`mail-template`/),
    ]);
  });

  it('leaves the comment of another target alone where its own inputs are wrong', async () => {
    const world = await World.create();
    await world.run('pull_request', { inputs: { target: 'prod' } });
    const before = world.github.commentsOf(7);
    await world.run('pull_request', { inputs: { target: 'test', 'base-url': 'no address' } });
    expect(world.github.commentsOf(7)).toEqual(before);
  });

  it('leaves the comment alone where the pull request has a newer head', async () => {
    const world = await World.create();
    world.github.openPull(7, { head: sha('d') });
    const run = await world.run('pull_request');
    expect(run.code).toBe(0);
    expect(world.github.writes).toEqual([]);
    expect(annotations(run).join()).toMatch(/warning: This run is about aaaaaaa, but pull request #7 is at ddddddd/);
  });

  it('leaves the comment alone where the pull request is closed', async () => {
    const world = await World.create();
    world.github.mergePull(7, sha('e'));
    const run = await world.run('pull_request-closed');
    expect(run.code).toBe(0);
    expect(world.proxyWrites).toEqual([]);
    expect(world.github.writes).toEqual([]);
    await expectGolden('pull_request-closed', run, world);
  });

  it('is refused with dry-run: false', async () => {
    const world = await World.create();
    const run = await world.run('pull_request', { inputs: { 'dry-run': 'false' } });
    expect(run.code).toBe(1);
    expect(annotations(run)).toEqual([
      expect.stringMatching(/^error: 'dry-run: false' would apply .*nobody has merged/),
    ]);
    expect(world.proxy.requests).toEqual([]);
  });

  it('replaces the comment by the problems of a file that broke, and drops its digests', async () => {
    const world = await World.create();
    await world.run('pull_request');
    world.write(`${USER_LIST}not-an-email,internal_user,engineering,\n`);
    const run = await world.run('pull_request');
    expect(run.code).toBe(1);
    expect(world.github.commentsOf(7)).toEqual([expect.stringContaining('1 problem in `user_list.csv`')]);
    expect(world.github.commentsOf(7)[0]).toContain('digests= ');
    await expectGolden('pull_request-broken-file', run, world);
  });
});

describe('pull_request without a key', () => {
  it('from a fork: checks the file, says why there is no plan', async () => {
    const world = await World.create();
    readOnly(world);
    const run = await world.run('pull_request-fork', { inputs: NO_KEY });
    expect(run.code).toBe(0);
    expect(world.proxy.requests).toEqual([]);
    await expectGolden('pull_request-fork', run, world);
  });

  it('from a fork with a file that holds no users: red, as with a key', async () => {
    const world = await World.create({ csv: 'email,role,team_name,key_name\n' });
    const run = await world.run('pull_request-fork', { inputs: NO_KEY });
    expect(run.code).toBe(1);
    expect(annotations(run).join('\n')).toContain('The file holds no users');
  });

  it('from a fork with a broken file: red, and the comment that may not be written is a warning', async () => {
    const world = await World.create({ csv: `${USER_LIST}EVE@example.com,king,engineering,\n` });
    world.github.openPull(8, { head: sha('a') });
    readOnly(world);
    const run = await world.run('pull_request-fork', { inputs: NO_KEY });
    expect(run.code).toBe(1);
    expect(world.proxy.requests).toEqual([]);
    expect(annotations(run).join('\n')).toContain('`permissions: pull-requests: write`');
    await expectGolden('pull_request-fork-broken-file', run, world);
  });

  it('by Dependabot', async () => {
    const world = await World.create();
    const env = { GITHUB_ACTOR: 'dependabot[bot]' };
    const good = await world.run('pull_request-dependabot', { inputs: NO_KEY, env });
    expect(good.code).toBe(0);
    expect(annotations(good)).toEqual([
      'notice: user_list.csv is well-formed (users: 5). There is no plan: Pull requests of Dependabot are given no Actions secrets.',
    ]);
    world.write('email\nnobody\n');
    const bad = await world.run('pull_request-dependabot', { inputs: NO_KEY, env });
    expect(bad.code).toBe(1);
    expect(world.proxy.requests).toEqual([]);
  });
});

it('pull_request_target is refused before anything is asked of anybody', async () => {
  const world = await World.create();
  const run = await world.run('pull_request_target');
  expect(run.code).toBe(1);
  expect(world.proxy.requests).toEqual([]);
  expect(world.github.calls).toEqual([]);
  expect(run.outputs).toMatchObject({ 'has-changes': 'false', added: '0' });
  await expectGolden('pull_request_target', run, world);
});

it('merge_group is refused with dry-run: false: nothing is merged yet', async () => {
  const world = await World.create();
  const run = await world.run('merge_group', { inputs: { 'dry-run': 'false' } });
  expect(run.code).toBe(1);
  expect(annotations(run)).toEqual([expect.stringMatching(/^error: 'dry-run: false' would apply .*'merge_group'/)]);
  expect(world.proxy.requests).toEqual([]);
});

describe('runs that only plan', () => {
  it.each([
    ['merge_group', {}],
    ['issue_comment', {}],
    ['workflow_dispatch', { payload: onBranch('try') }],
    ['push-new-branch', {}],
    ['push', { payload: onBranch('release') }],
    ['workflow_dispatch', { inputs: { 'dry-run': 'true' } }],
  ])('%s %#', async (event, options) => {
    const world = await World.create();
    world.publish(sha('e'));
    const run = await world.run(event, options);
    expect(run.code).toBe(0);
    expect(run.outputs).toMatchObject({ 'has-changes': 'true', added: '1', deleted: '1', updated: '1' });
    expect(run.summary).toMatch(
      /1 to add, 1 to delete, 1 to update|1 only on the proxy, 1 only in the file, 1 different/,
    );
    expect(world.proxyWrites).toEqual([]);
    expect(world.github.writes).toEqual([]);
  });

  it('schedule: drift shows, and is red with fail-on-drift', async () => {
    const world = await World.create();
    const green = await world.run('schedule');
    expect(green.code).toBe(0);
    const red = await world.run('schedule', { inputs: { 'fail-on-drift': 'true' } });
    expect(red.code).toBe(1);
    expect(world.proxyWrites).toEqual([]);
    await expectGolden('schedule-drift', red, world);
    world.write(SAME);
    const same = await world.run('schedule', { inputs: { 'fail-on-drift': 'true' } });
    expect(same.code).toBe(0);
    expect(annotations(same)).toEqual([]);
  });
});

describe('the issue about drift', () => {
  const inputs = { 'drift-issue': 'true' };

  it('is opened with the plan, updated in place, and closed once there is none', async () => {
    const world = await World.create();
    await world.run('schedule', { inputs });
    const [issue] = world.github.issues.values();
    expect(issue?.body).toMatch(/^<!-- litellm-user-sync:drift target=[0-9a-f]{16} -->\n/);
    // This schedule is of an internal repository: emails are masked.
    expect(issue?.body).toContain('`e***@example.com (line 5)`');
    expect(issue?.body).not.toMatch(/digests=|eve@example\.com/);
    world.write(SAME.replace('bob@example.com,internal_user', 'bob@example.com,internal_user_viewer'));
    await world.run('workflow_dispatch', { inputs: { ...inputs, 'dry-run': 'true' } });
    const [updated, ...others] = world.github.issues.values();
    expect(others).toEqual([]);
    expect(updated?.body).not.toContain('e***@example.com');
    expect(updated?.body).toContain('bob@example.com');
    world.write(SAME);
    await world.run('schedule', { inputs });
    expect([...world.github.issues.values()]).toMatchObject([{ state: 'closed' }]);
    expect(world.github.allComments).toEqual([expect.stringMatching(/^The proxy and the file match again\./)]);
  });

  it('is left alone by a plan that failed, and by runs of other events', async () => {
    const world = await World.create();
    await world.run('schedule', { inputs });
    const before = [...world.github.issues.values()];
    world.write('email\nnobody\n');
    await world.run('schedule', { inputs });
    world.write(SAME);
    await world.run('pull_request', { inputs });
    await world.run('merge_group', { inputs });
    expect([...world.github.issues.values()]).toEqual(before);
  });

  it('that may not be written is a warning', async () => {
    const world = await World.create();
    readOnly(world);
    const run = await world.run('schedule', { inputs });
    expect(run.code).toBe(0);
    expect(annotations(run).join()).toContain('`permissions: issues: write`');
  });
});

describe('push', () => {
  it('of a merged pull request applies what was reviewed, and turns the comment into the result', async () => {
    const world = await World.create();
    await world.run('pull_request');
    world.github.mergePull(7, sha('e'));
    world.publish(sha('e'));
    world.github.calls.length = 0;
    const run = await world.run('push');
    expect(run.code).toBe(0);
    await expectGolden('push', run, world);
    const again = await world.run('push');
    expect(again.outputs).toMatchObject({ 'has-changes': 'false', unchanged: '5' });
  });

  it('without a pull request applies everything', async () => {
    const world = await World.create();
    world.publish(sha('d'));
    const run = await world.run('push-direct');
    expect(run.code).toBe(0);
    expect(run.outputs).toMatchObject({ added: '1', deleted: '1', updated: '1', skipped: '0' });
    await expectGolden('push-direct', run, world);
  });

  it('of several pull requests uses and settles the comments of all', async () => {
    const world = await World.create({ csv: `${SAME}eve@example.com,internal_user,engineering,\n` });
    await world.run('pull_request');
    world.write(SAME.replace(/cat@.*\n/, ''));
    world.github.openPull(8, { head: sha('8') });
    await world.run('pull_request', {
      payload: ({ pull_request }) => Object.assign(pull_request as object, { number: 8, head: { sha: sha('8') } }),
    });
    world.write(`${SAME.replace(/cat@.*\n/, '')}eve@example.com,internal_user,engineering,\n`);
    world.publish(sha('9'));
    world.github.mergePull(7, sha('e'));
    world.github.mergePull(8, sha('9'));
    const run = await world.run('push-two-merges');
    expect(run.code).toBe(0);
    expect(run.outputs).toMatchObject({ added: '1', deleted: '1', updated: '0', skipped: '0' });
    for (const number of [7, 8]) {
      const [body] = world.github.commentsOf(number);
      expect(body).toMatch(/digests= .*\n## LiteLLM User Sync\n\n\*\*1 added, 1 deleted\*\*/);
    }
  });

  it('that is superseded writes nothing, green, with a notice', async () => {
    const world = await World.create();
    await world.run('pull_request');
    world.github.mergePull(7, sha('e'));
    world.publish(sha('e'));
    world.github.setFile('main', 'user_list.csv', Buffer.from(SAME));
    world.github.calls.length = 0;
    const run = await world.run('push', { env: { GITHUB_RUN_ATTEMPT: '2' } });
    expect(run.code).toBe(0);
    expect(world.proxyWrites).toEqual([]);
    expect(world.github.writes).toEqual([]);
    await expectGolden('push-superseded', run, world);
  });

  it('that is superseded between adds and deletes deletes nobody', async () => {
    const world: World = await World.create({
      onRequest: ({ method, route }) => {
        if (method === 'POST' && route.endsWith('/users/bulk')) {
          world.github.setFile('main', 'user_list.csv', Buffer.from(SAME));
        }
      },
    });
    await world.run('pull_request');
    world.github.mergePull(7, sha('e'));
    world.publish(sha('e'));
    const run = await world.run('push');
    expect(run.code).toBe(0);
    expect(world.proxyWrites.filter((write) => /delete|bulk_member_add/.test(write))).toEqual([]);
    expect([...world.proxy.state.users.keys()]).toContain('user-dan');
    expect(world.artifacts.filesOf('onboarding-links')).toEqual(['onboarding_links.csv']);
    await expectGolden('push-superseded-midway', run, world);
  });
});

it('a checkout in a folder of the workspace: the file is compared and annotated by its path in the repository', async () => {
  const world = await World.create();
  world.publish(sha('e'));
  world.checkOutInto('checkout');
  const inputs = { 'csv-file': 'checkout/user_list.csv' };
  world.github.setFile('main', 'user_list.csv', Buffer.from(SAME));
  const superseded = await world.run('workflow_dispatch', { inputs });
  expect(superseded.code).toBe(0);
  expect(annotations(superseded)).toEqual([
    expect.stringMatching(/^notice: A newer checkout\/user_list\.csv is at the head/),
  ]);
  expect(world.proxyWrites).toEqual([]);
  world.write('email\nnobody\n', 'checkout/user_list.csv');
  const broken = await world.run('workflow_dispatch', { inputs });
  expect(annotations(broken)[0]).toMatch(/^error user_list\.csv:2:1: /);
});

it('workflow_dispatch on the default branch applies all, reviewed or not', async () => {
  const world = await World.create();
  world.publish(sha('e'));
  const run = await world.run('workflow_dispatch');
  expect(run.code).toBe(0);
  expect(run.outputs).toMatchObject({ added: '1', deleted: '1', updated: '1', skipped: '0', failed: '0' });
  expect(world.github.writes).toEqual([]);
});

it('an event that cannot be read is an error, not a plan', async () => {
  const world = await World.create();
  const run = await world.run('push', { env: { GITHUB_EVENT_PATH: '/nowhere/event.json' } });
  expect(run.code).toBe(1);
  expect(annotations(run)).toEqual([expect.stringContaining('GITHUB_EVENT_PATH')]);
  expect(run.outputs).toMatchObject({ 'has-changes': 'false', failed: '0' });
  expect(world.proxy.requests).toEqual([]);
});

describe('a list above 1 MB', () => {
  const csv = Buffer.from(`${USER_LIST}${'#'.repeat(1_200_000)}\n`);

  it.each([
    ['without its content', 100_000_000],
    ['refused as too large', 1_000_000],
  ])('is compared with the head of the branch: %s', async (_, largest) => {
    const world = await World.create({ csv });
    world.github.largestContent = largest;
    world.publish(sha('e'));
    const run = await world.run('workflow_dispatch');
    expect(run.outputs).toMatchObject({ added: '1', deleted: '1', updated: '1' });
    world.github.setFile('main', 'user_list.csv', Buffer.concat([csv, Buffer.from('# newer\n')]));
    const superseded = await world.run('workflow_dispatch');
    expect(annotations(superseded)).toEqual([expect.stringMatching(/^notice: A newer user_list\.csv/)]);
  });
});

describe('behind a forward proxy', () => {
  const behind = async () => {
    const world = await World.create();
    const proxy = await startForwardProxy();
    onTestFinished(() => proxy.close());
    const port = (origin: string) => new URL(origin).port;
    const [forge, results] = [port(world.github.origin), port(world.artifacts.origin)];
    const env = {
      GITHUB_API_URL: `http://forge.invalid:${forge}`,
      GITHUB_GRAPHQL_URL: `http://forge.invalid:${forge}/graphql`,
      ACTIONS_RESULTS_URL: `http://results.invalid:${results}/`,
    };
    world.publish(sha('e'));
    world.github.openPull(7, { head: sha('a') });
    return { world, proxy, env, forge, results };
  };

  it.each(['HTTP_PROXY', 'http_proxy'])('%s leads to forge and artifacts', async (name) => {
    const { world, proxy, env, forge, results } = await behind();
    const via = { ...env, [name]: proxy.origin, NO_PROXY: '127.0.0.1' };
    const planned = await world.run('pull_request', { env: via });
    expect(planned.code).toBe(0);
    expect(world.github.writes).toEqual(['POST /repos/acme/users/issues/7/comments']);
    world.github.mergePull(7, sha('e'));
    const applied = await world.run('push', { env: via });
    expect(applied.outputs).toMatchObject({ added: '1', deleted: '1', updated: '1' });
    expect(world.artifacts.filesOf('onboarding-links')).toEqual(['onboarding_links.csv']);
    expect(proxy.asked).toContain(`GET http://forge.invalid:${forge}/repos/acme/users/issues/7/comments?per_page=100`);
    expect(proxy.asked.some((asked) => asked.includes(`results.invalid:${results}`))).toBe(true);
    expect(proxy.asked.filter((asked) => asked.includes(new URL(world.proxy.baseUrl).host))).toEqual([]);
  });

  it('NO_PROXY takes the forge out of it', async () => {
    const { world, proxy } = await behind();
    const via = { HTTP_PROXY: proxy.origin, NO_PROXY: 'example.com,127.0.0.1' };
    const planned = await world.run('pull_request', { env: via });
    expect(planned.outputs['comment-url']).not.toBe('');
    expect(proxy.asked).toEqual([]);
  });
});

it('artifacts of many jobs of one run all find a name', async () => {
  const world = await World.create();
  world.publish(sha('e'));
  for (const end of ['', '-2', '-3', '-4']) world.artifacts.finished.set(`onboarding-links${end}`, new Map());
  const run = await world.run('workflow_dispatch');
  expect(run.code).toBe(0);
  expect(run.outputs).toMatchObject({ added: '1', failed: '0' });
  const names = [...world.artifacts.finished.keys()].filter((name) => name.startsWith('onboarding-links'));
  expect(names.at(-1)).toMatch(/^onboarding-links-[0-9a-f]{8}$/);
});
