import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha } from '../github/support.ts';
import { annotations, type Started } from './support/action.ts';
import { channels, expectMaskedFirst, expectUnseen, secretsIn } from './support/canary.ts';
import { SAME, USER_LIST } from './support/company.ts';
import { World } from './support/world.ts';

const NEWCOMERS = `${USER_LIST}gil@example.com,internal_user,research,\n`;

/** A run that is killed when its first request to this route arrives. */
async function killedAt(matches: (route: string) => boolean, signal: NodeJS.Signals = 'SIGKILL') {
  let started: Started | null = null;
  const world = await World.create({
    csv: NEWCOMERS,
    onRequest: ({ method, route }) => {
      if (method === 'POST' && matches(route)) started?.child.kill(signal);
    },
  });
  world.publish(sha('e'));
  started = world.start('workflow_dispatch');
  const killed = await started.done;
  return { world, killed };
}

describe('post', () => {
  it('has nothing to do after a main that came to its end, and asks nobody', async () => {
    const world = await World.create();
    world.publish(sha('e'));
    const main = await world.run('workflow_dispatch');
    const asked = world.proxy.requests.length;
    const post = await world.run('workflow_dispatch', { state: main.state });
    expect([post.code, post.stdout]).toEqual([0, '']);
    expect(world.proxy.requests).toHaveLength(asked);
  });

  it('has nothing to do after a main that failed before it wrote', async () => {
    const world = await World.create({ csv: 'email\nnobody\n' });
    const main = await world.run('workflow_dispatch');
    expect(main.code).toBe(1);
    const post = await world.run('workflow_dispatch', { state: main.state });
    expect([post.code, post.stdout]).toEqual([0, '']);
  });

  it('hands over what a killed main left: keys that nobody saw are made again, links made, rows told', async () => {
    const { world, killed } = await killedAt((route) => route === '/invitation/new');
    expect(killed.code).toBeNull();
    expect(world.artifacts.calls).toEqual([]);
    const post = await world.run('workflow_dispatch', { state: killed.state });
    expect(post.code).toBe(1);
    const [directory = ''] = readdirSync(world.temp);
    const { keys, invitations, links } = secretsIn(world.artifacts.text('onboarding-links', 'onboarding_links.csv'));
    expect([keys.length, links.length]).toEqual([2, 2]);
    const users = [...world.proxy.state.users.values()].filter(({ email }) => /^(eve|gil)@/.test(email ?? ''));
    expect(users.map(({ userId }) => world.proxy.state.keysOfUser(userId).length)).toEqual([1, 1]);
    expect(world.artifacts.text('user-sync-results', 'user_sync_result.csv')).toMatch(/ADDED,eve@.*SUCCESS/);
    const fresh = keys.filter((key) => post.stdout.includes(`::add-mask::${key}`));
    expectMaskedFirst([...fresh, ...invitations], post);
    expectUnseen(
      [world.proxy.masterKey, ...keys, ...invitations, ...links],
      channels(post, world, join(world.temp, directory)),
    );
    expect(existsSync(join(world.temp, directory, 'journal.jsonl'))).toBe(false);
    const next = await world.run('workflow_dispatch');
    expect(next.outputs).toMatchObject({ added: '0', deleted: '1', updated: '1', failed: '0' });
  });

  it('without the key tells that, and leaves the files to the next run', async () => {
    const { world, killed } = await killedAt((route) => route === '/invitation/new');
    const post = await world.run('workflow_dispatch', { state: killed.state, inputs: { 'master-key': '' } });
    expect(post.code).toBe(1);
    expect(world.artifacts.text('user-sync-results', 'user_sync_result.csv')).toMatch(
      /ADDED,eve@.*FAILED,the run was killed; the next run with this output-directory and a key settles it/,
    );
  });
});

it('SIGTERM: no new write is started, what has begun is finished, files and artifacts are there', async () => {
  const { world, killed } = await killedAt((route) => route.endsWith('/users/bulk'), 'SIGTERM');
  expect(killed.code).toBe(1);
  expect(annotations(killed).join('\n')).toMatch(/warning: SIGTERM: no new write is started/);
  expect(world.proxyWrites.filter((write) => /delete|member_add/.test(write))).toEqual([]);
  expect(world.artifacts.text('user-sync-results', 'user_sync_result.csv')).toMatch(
    /DELETED,dan@example\.com,.*FAILED,not attempted: the run was stopped/,
  );
  expect(secretsIn(world.artifacts.text('onboarding-links', 'onboarding_links.csv')).keys).toHaveLength(2);
  expect(killed.state.pending).toBe('');
  expect(SAME).toContain('dan@example.com');
});
