import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Run } from '../bundle/support/action.ts';
import { Job } from './job.ts';
import { onRealProxy } from './suite.ts';

/** How `.ci/run` configures a proxy for these tests: only its configuration can give it a default budget. */
const DEFAULT = { max_budget: 10, budget_duration: '30d' };
const OWN = { max_budget: 500, budget_duration: '7d' };
const NONE = { max_budget: null, budget_duration: null };
const isConfigured = process.env.LITELLM_DEFAULT_BUDGET === `${DEFAULT.max_budget}/${DEFAULT.budget_duration}`;

onRealProxy('a default budget in the configuration', (proxy, { minor }) => {
  async function make(userId: string, role: string, budget: object): Promise<void> {
    const { api } = proxy();
    await api.makeUser(userId, { user_role: role });
    await api.ok('/user/update', { user_id: userId, ...budget });
  }

  async function budgetOf(userId: string): Promise<object> {
    const { user_role, max_budget, budget_duration } = (await proxy().api.get(`/user/info?user_id=${userId}`)).body
      .user_info;
    return { user_role, max_budget, budget_duration };
  }

  function rowOf(run: Run, email: string): string {
    const lines = readFileSync(run.outputs['result-file'] ?? '', 'utf8').split('\n');
    return lines.find((line) => line.includes(email)) ?? '';
  }

  test.runIf(isConfigured)("a change of role keeps people's own budget, in bulk and alone", async () => {
    await make('up', 'internal_user_viewer', OWN);
    await make('up2', 'internal_user_viewer', OWN);
    await make('down', 'internal_user', OWN);
    await make('admin', 'proxy_admin', OWN);
    await make('stays', 'proxy_admin', NONE);
    const job = new Job(proxy().target);
    const roles = { up: 'internal_user', up2: 'internal_user', down: 'internal_user_viewer', admin: 'internal_user' };
    const rows = Object.entries({ ...roles, stays: 'proxy_admin' }).map(([id, role]) => `${id}@example.com,${role}`);
    job.write(`email,role\n${rows.join('\n')}\n`);
    expect((await job.plan()).summary).toMatchObject({ update: 4, delete: 0 });
    await job.apply();
    for (const [id, role] of Object.entries(roles)) {
      expect([id, await budgetOf(id)]).toEqual([id, { user_role: role, ...OWN }]);
    }
    expect((await job.plan()).summary).toMatchObject({ update: 0 });
  });

  test.runIf(isConfigured)('who had none gets none, or the row and the plan tell what the proxy gave', async () => {
    await make('none', 'internal_user_viewer', NONE);
    const job = new Job(proxy().target);
    job.write('email,role\nnone@example.com,internal_user\n');
    const plan = await job.plan();
    const run = await job.action({ 'dry-run': 'false' });
    const given = minor >= 106 ? NONE : minor >= 82 ? { ...NONE, budget_duration: '30d' } : DEFAULT;
    expect(await budgetOf('none')).toEqual({ user_role: 'internal_user', ...given });
    const [code, status] = minor >= 106 ? [0, 'SUCCESS'] : [1, 'FAILED'];
    expect([run.code, rowOf(run, 'none@example.com')]).toEqual([code, expect.stringContaining(status)]);
    const told = plan.notes.filter((note) => note.includes('internal_user_budget_duration'));
    expect(told).toHaveLength(minor >= 106 ? 0 : 1);
  });

  test.runIf(isConfigured)(
    'new users get it, or the limits of their row, and the next plan changes nothing',
    async () => {
      const job = new Job(proxy().target);
      job.write('email,role,max_budget\nplain@example.com,internal_user,\nrich@example.com,internal_user,50\n');
      await job.apply();
      expect((await job.plan()).summary).toMatchObject({ add: 0, update: 0 });
      const { users } = (await proxy().api.get('/user/list?page_size=100')).body;
      const budgets = users.map((user: { user_email: string; max_budget: number }) => [
        user.user_email,
        user.max_budget,
      ]);
      expect(Object.fromEntries(budgets)).toMatchObject({ 'plain@example.com': 10, 'rich@example.com': 50 });
    },
  );
});
