import { expect, it } from 'vitest';
import { sha } from '../github/support.ts';
import type { Started } from './support/action.ts';
import { secretsIn } from './support/canary.ts';
import { USER_LIST } from './support/company.ts';
import { World } from './support/world.ts';

/** What a gateway answers that has had too much. */
const TOO_MANY = { error: { message: 'Too many requests', type: 'throttling_error', param: null, code: '429' } };

it.each([
  ['the first link', '/invitation/new', true],
  ['the delete', '/management/v1/users/bulk_delete', false],
])(
  'SIGTERM while %s waits to be sent again ends the run at once, and what it lacks comes later',
  async (_, at, lacks) => {
    let started: Started | null = null;
    let stoppedAt = 0;
    let sent = 0;
    const world = await World.create({
      csv: `${USER_LIST}gil@example.com,internal_user,research,\n`,
      fault: ({ route, writeIndex }) => {
        if (stoppedAt > 0 || writeIndex === null || route !== at) return null;
        stoppedAt = Date.now() + 300;
        setTimeout(() => {
          sent = world.proxyWrites.length;
          started?.child.kill('SIGTERM');
        }, 300);
        return { when: 'before', kind: 'status', status: 429, headers: { 'retry-after': '6' }, body: TOO_MANY };
      },
    });
    world.publish(sha('e'));
    started = world.start('workflow_dispatch', { inputs: { retries: '4', concurrency: '1' } });
    const stopped = await started.done;
    // Some tenths of a second where the machine is idle; the pause alone would have gone on for 5.7 s.
    expect(Date.now() - stoppedAt).toBeLessThan(4_000);
    expect(stopped.code).toBe(1);
    expect(world.proxyWrites).toHaveLength(sent);
    expect(world.proxyWrites.at(-1)).toContain(at);
    expect(world.artifacts.text('user-sync-results', 'user_sync_result.csv')).toMatch(/the run was stopped/);
    // Links that are missing are left to post, or to the next run in the same directory.
    expect(stopped.state.pending !== '').toBe(lacks);
    await world.run('workflow_dispatch', { state: stopped.state });
    const artifacts = [...world.artifacts.finished.keys()].filter((name) => name.startsWith('onboarding-links'));
    const { keys, links } = secretsIn(world.artifacts.text(artifacts.at(-1) ?? '', 'onboarding_links.csv'));
    expect([keys.length, links.length]).toEqual([2, 2]);
    const next = await world.run('workflow_dispatch');
    expect(next.outputs).toMatchObject({ added: '0', deleted: '1', updated: '1', failed: '0' });
  },
);
