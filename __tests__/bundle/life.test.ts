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
