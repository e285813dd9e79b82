import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sha } from '../github/support.ts';
import { decoded, type Inbox, withServer } from '../mail/servers.ts';
import { channels, expectUnseen, secretsIn } from './support/canary.ts';
import { SAME, USER_LIST } from './support/company.ts';
import { World } from './support/world.ts';

// What `mutations.mjs` takes out one by one of mails, the audit record and an account's life.

const mailTo = ({ port }: Inbox) => ({
  deliver: 'smtp',
  'smtp-url': `smtp://127.0.0.1:${port}`,
  'mail-from': 'it@example.com',
});

it('a link by mail is in the hands of its user alone, and the key in the file', async () => {
  await withServer({}, async (inbox) => {
    const world = await World.create({ csv: `${USER_LIST}gil@example.com,internal_user,research,\n` });
    world.publish(sha('e'));
    const run = await world.run('workflow_dispatch', { inputs: mailTo(inbox), env: { RUNNER_DEBUG: '1' } });
    expect([run.code, inbox.mails.length]).toEqual([0, 2]);
    const { users, invitations } = world.proxy.state;
    const ids: string[] = [];
    for (const { to, text } of inbox.mails) {
      const { keys, invitations: found, links } = secretsIn(decoded(text));
      expect([keys, links.length]).toEqual([[], 1]);
      const [id = ''] = found;
      expect(to).toEqual([users.get(invitations.get(id)?.userId ?? '')?.email]);
      ids.push(id);
    }
    const file = world.artifacts.text('onboarding-links', 'onboarding_links.csv');
    expect(secretsIn(file).keys).toHaveLength(2);
    const [directory = ''] = readdirSync(world.temp);
    const seen = channels(run, world, join(world.temp, directory)).set('onboarding_links.csv', file);
    expectUnseen([...ids, world.proxy.masterKey], seen);
    expectUnseen(secretsIn(file).keys, channels(run, world, join(world.temp, directory)));
    expect([...seen.keys()]).toContain('user-sync-audit/audit.jsonl');
  });
});

it('somebody who is reactivated gets no mail, and somebody new does', async () => {
  await withServer({}, async (inbox) => {
    const world = await World.create({ csv: SAME.replace(/^dan@.*\n/m, '') });
    world.publish(sha('e'));
    const inputs = { ...mailTo(inbox), 'on-missing': 'deactivate', 'max-deletes': '1' };
    expect((await world.run('workflow_dispatch', { inputs })).outputs).toMatchObject({ deactivated: '1' });
    world.write(`${SAME}eve@example.com,internal_user,research,\n`);
    world.publish(sha('e'));
    const back = await world.run('workflow_dispatch', { inputs });
    expect(back.outputs).toMatchObject({ reactivated: '1', added: '1', failed: '0' });
    expect(inbox.mails.map(({ to }) => to)).toEqual([['eve@example.com']]);
  });
});

it('the audit record has what was deleted, deactivated and withheld; with a retention of 0 there is none', async () => {
  const csv = SAME.replace(/^dan@.*\n/m, '').replace(
    'fay@example.com,internal_user_viewer',
    'fay@example.com,internal_user',
  );
  const record = async (inputs: Record<string, string>) => {
    const world = await World.create({ csv });
    world.publish(sha('e'));
    const run = await world.run('workflow_dispatch', { inputs: { 'max-deletes': '1', ...inputs } });
    expect(run.code).toBe(0);
    if (!world.artifacts.finished.has('user-sync-audit')) return null;
    const lines = world.artifacts.text('user-sync-audit', 'audit.jsonl').trim().split('\n');
    return lines.map((line) => JSON.parse(line));
  };
  const update = {
    action: 'update',
    user_id: 'user-fay',
    changes: { role: { from: 'internal_user_viewer', to: 'internal_user' } },
  };
  const gone = { user_id: 'user-dan', email: 'dan@example.com', digest: expect.stringMatching(/^[0-9a-f]{16}/) };
  expect(await record({})).toMatchObject([
    { ...gone, action: 'delete', changes: { teams: { from: ['research'], to: [] } }, result: 'SUCCESS' },
    { ...update, result: 'SUCCESS' },
  ]);
  expect(await record({ 'on-missing': 'deactivate', 'no-update': 'true' })).toMatchObject([
    { ...gone, action: 'deactivate', changes: { active: { from: true, to: false } }, result: 'SUCCESS' },
    { ...update, result: 'SKIPPED', reason: expect.stringContaining('no-update') },
  ]);
  expect(await record({ 'audit-retention-days': '0' })).toBeNull();
});

it('a team is not left while a key of it remains', async () => {
  const refusal = { error: { message: 'Key limits are above those of the team.', code: '400' } };
  const world = await World.create({
    csv: SAME.replace('cat@example.com,internal_user,research', 'cat@example.com,internal_user,engineering'),
    fault: ({ route }) =>
      route === '/key/update' ? { when: 'before', kind: 'status', status: 400, body: refusal } : null,
  });
  world.publish(sha('e'));
  const run = await world.run('workflow_dispatch');
  expect(run.code).toBe(1);
  expect(world.proxy.state.keysOfUser('user-cat').map((key) => key.teamId)).toEqual(['team-res']);
  expect(world.proxy.state.users.get('user-cat')?.teams.toSorted()).toEqual(['team-eng', 'team-res']);
  expect(world.artifacts.text('user-sync-results', 'user_sync_result.csv')).toMatch(
    /UPDATED,cat@.*FAILED,.*no key is lost/,
  );
});

it('what others keep in the metadata of a deactivated user stays', async () => {
  const world = await World.create({ csv: SAME.replace(/^fay.*\n/m, '') });
  const fay = world.proxy.state.users.get('user-fay');
  if (fay !== undefined) fay.metadata = { cost_center: 'c-17', nested: { deep: [1, 2] } };
  world.publish(sha('e'));
  const run = await world.run('workflow_dispatch', { inputs: { 'on-missing': 'deactivate' } });
  expect([run.code, run.outputs.deactivated]).toEqual([0, '1']);
  expect(world.proxy.state.users.get('user-fay')?.metadata).toMatchObject({
    cost_center: 'c-17',
    nested: { deep: [1, 2] },
    scim_active: false,
    litellm_user_sync: { deactivated_at: expect.any(String) },
  });
});
