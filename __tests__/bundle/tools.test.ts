import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Api } from '../contract/api.ts';
import { sha } from '../github/support.ts';
import { annotations, type Run, type Started } from './support/action.ts';
import { channels, expectMaskedFirst, expectUnseen, secretsIn } from './support/canary.ts';
import { SAME } from './support/company.ts';
import { World } from './support/world.ts';

const ADD_LIST = `email,role,team_name,key_name
eve@example.com,internal_user,engineering,eve-laptop
ANN@example.com,internal_user,,
gus@example.com,internal_usr,,
`;
const OPEN = {
  payload: ({ repository }: { repository: Record<string, unknown> }) => {
    repository.visibility = 'public';
    repository.private = false;
  },
};

async function worldWith(name: string, csv: string): Promise<World> {
  const world = await World.create({ masterKey: 'sk-canary-master-key-of-the-proxy' });
  world.write(csv, name);
  return world;
}

const outputIn = (world: World): string => join(world.temp, readdirSync(world.temp)[0] ?? '');

describe('add', () => {
  it('uploads keys and links as a secret, the error file for all to see, and comments nowhere', async () => {
    const world = await worldWith('user_addlist.csv', ADD_LIST);
    const run = await world.run('workflow_dispatch', { inputs: { command: 'add' } });
    expect(run.code).toBe(1);
    expect(run.outputs).toMatchObject({
      added: '1',
      failed: '1',
      skipped: '1',
      'has-changes': 'true',
      'comment-url': '',
    });
    expect(run.outputs['onboarding-artifact-url']).toContain('/artifacts/');
    expect(run.outputs['result-file']).toBe(join(outputIn(world), 'user_reg_result.csv'));
    expect(world.artifacts.filesOf('onboarding-links')).toEqual(['user_reg_result.csv']);
    expect(world.artifacts.filesOf('user-sync-results')).toEqual(['plan.json', 'user_reg_error.csv']);
    const { keys, invitations, links } = secretsIn(world.artifacts.text('onboarding-links', 'user_reg_result.csv'));
    expect([keys.length, links.length]).toEqual([1, 1]);
    expectMaskedFirst([...keys, ...invitations], run);
    expectUnseen([...keys, ...invitations, ...links], channels(run, world, outputIn(world)));
    expect(world.github.calls).toEqual([]);
    expect(annotations(run)).toContainEqual(
      expect.stringMatching(/^error user_addlist\.csv:4:2: Invalid role `internal_usr`/),
    );
    expect(run.summary).toContain('eve@example.com');
  });

  it('in a pull request shows what it would do', async () => {
    const world = await worldWith('user_addlist.csv', ADD_LIST);
    const run = await world.run('pull_request', { inputs: { command: 'add' } });
    expect([run.code, world.proxyWrites, world.github.calls]).toEqual([1, [], []]);
    expect(run.outputs).toMatchObject({ added: '1', failed: '1', skipped: '1', 'has-changes': 'true' });
    expect(run.stdout).toContain('DRY RUN - Changes that would be made:');
    expect(run.summary).toMatch(/1 to add.*1 skipped.*1 with errors/);
  });

  it('without a key checks the file alone', async () => {
    const world = await worldWith('user_addlist.csv', ADD_LIST);
    const run = await world.run('pull_request-fork', { inputs: { command: 'add', 'master-key': '' } });
    expect(run.code).toBe(1);
    expect(annotations(run).join('\n')).toMatch(/Invalid role `internal_usr`/);
    expect(world.proxy.requests).toEqual([]);
  });

  it('annotates nine of its bad rows, and says how many more there are', async () => {
    const bad = Array.from({ length: 12 }, (_, number) => `eve@example.com${number} x,internal_user,,\n`);
    const world = await worldWith('user_addlist.csv', `email,role,team_name,key_name\n${bad.join('')}`);
    const applied = annotations(await world.run('workflow_dispatch', { inputs: { command: 'add' } }));
    expect(applied).toHaveLength(10);
    expect(applied.at(-1)).toMatch(/^error: 12 users failed: .* 3 more problems are listed in the log\.$/);
    const planned = annotations(await world.run('pull_request', { inputs: { command: 'add' } }));
    expect(planned).toHaveLength(10);
    expect(planned.at(-1)).toMatch(
      /^error: 12 rows cannot be carried out: .* 3 more problems are listed in the log\.$/,
    );
  });

  it('is refused in a public repository before anything is written, but not with encrypt-to', async () => {
    const world = await worldWith('user_addlist.csv', ADD_LIST);
    const refused = await world.run('workflow_dispatch', { ...OPEN, inputs: { command: 'add' } });
    expect([refused.code, world.proxyWrites]).toEqual([1, []]);
    expect(annotations(refused).join('\n')).toMatch(/This repository is public/);
    const { generateIdentity, identityToRecipient } = await import('age-encryption');
    const recipient = await identityToRecipient(await generateIdentity());
    const run = await world.run('workflow_dispatch', { ...OPEN, inputs: { command: 'add', 'encrypt-to': recipient } });
    expect(run.outputs).toMatchObject({ added: '1' });
    expect(world.artifacts.filesOf('onboarding-links')).toEqual(['user_reg_result.csv.age']);
    expect(world.artifacts.text('user-sync-results', 'user_reg_error.csv')).toContain('***@example.com,internal_usr,');
    expect(run.stdout + run.summary).not.toMatch(/(eve|ann|gus)@example\.com/i);
  });

  it('lists existing users masked where they are for all to see', async () => {
    const world = await worldWith('user_addlist.csv', ADD_LIST);
    const run = await world.run('workflow_dispatch', {
      ...OPEN,
      inputs: { command: 'add', 'update-existing': 'true' },
    });
    expect([run.code, world.proxyWrites]).toEqual([0, []]);
    const text = world.artifacts.text('user-sync-results', 'user_reg_result.csv');
    expect(text).toMatch(/\*\*\*@example\.com,internal_user,user-cat,research,All proxy models,sk-\.\.\.[\w-]{4},\n/);
    expect(text).not.toMatch(/cat@example/);
  });

  it('takes keys back that could not be uploaded', async () => {
    const world = await worldWith('user_addlist.csv', ADD_LIST);
    world.artifacts.failing = 500;
    const fastTimers = new URL('./support/fast-timers.mjs', import.meta.url);
    const env = { NODE_OPTIONS: `--import=${fastTimers}` };
    const run = await world.run('workflow_dispatch', { env, inputs: { command: 'add' } });
    expect(run.code).toBe(1);
    const eve = [...world.proxy.state.users.values()].find(({ email }) => email === 'eve@example.com');
    expect(world.proxy.state.keysOfUser(eve?.userId ?? 'nobody')).toEqual([]);
    expect(readFileSync(join(outputIn(world), 'user_reg_error.csv'), 'utf8')).toMatch(
      /eve@example\.com,internal_user,.*onboard/,
    );
  });
});

describe('delete', () => {
  it('tells what became of every row', async () => {
    const world = await worldWith('user_dellist.csv', 'email\ncat@example.com\nnobody@example.com\n');
    const run = await world.run('workflow_dispatch', { inputs: { command: 'delete' } });
    expect(run.code).toBe(0);
    expect(run.outputs).toMatchObject({ deleted: '1', skipped: '1', failed: '0', 'onboarding-artifact-url': '' });
    expect(world.artifacts.filesOf('user-sync-results')).toEqual([
      'plan.json',
      'user_del_error.csv',
      'user_del_result.csv',
    ]);
    expect(world.artifacts.text('user-sync-results', 'user_del_result.csv')).toBe(
      'email,user_id,status\ncat@example.com,user-cat,Deleted\n',
    );
  });

  it('masks emails in a public repository', async () => {
    const world = await worldWith('user_dellist.csv', 'email\ncat@example.com\nnobody@example.com\n');
    const run = await world.run('workflow_dispatch', { ...OPEN, inputs: { command: 'delete' } });
    expect(run.code).toBe(0);
    expect(world.artifacts.text('user-sync-results', 'user_del_result.csv')).toContain(
      'c***@example.com,user-cat,Deleted',
    );
    expect(run.stdout + run.summary).not.toMatch(/(cat|nobody)@example\.com/);
  });

  it('says which limit was breached', async () => {
    const world = await worldWith('user_dellist.csv', 'email\ncat@example.com\ndan@example.com\n');
    const run = await world.run('workflow_dispatch', { inputs: { command: 'delete', 'max-deletes': '1' } });
    expect([run.code, world.proxyWrites]).toEqual([1, []]);
    expect(annotations(run).join('\n')).toContain('max-deletes allows 1');
  });
});

it("a viewer's key on 1.75 is told in the row that it is too weak", async () => {
  const world = await World.create({
    version: '1.75',
    csv: SAME.replace('bob@example.com,internal_user,engineering', 'bob@example.com,internal_user,research'),
  });
  world.publish(sha('e'));
  const viewer = world.proxy.state.addUser({ userId: 'viewer', email: null, role: 'proxy_admin_viewer', teams: [] });
  const api = new Api(world.proxy.baseUrl, world.proxy.masterKey);
  const { key } = await api.ok('/key/generate', { user_id: viewer.userId });
  const run = await world.run('workflow_dispatch', { inputs: { 'master-key': key } });
  expect(run.code).toBe(1);
  expect(run.stdout).toMatch(/FAILED UPDATED bob@example\.com: .*the key may not do this: .*Use the master key/);
});

it('masked emails that a message names have their lines, and a fresh link its id once', async () => {
  const world = await World.create();
  world.write('user_email\nbob@example.com\n', 'users.csv');
  const links = await world.run('pull_request', { ...OPEN, inputs: { command: 'onboard' } });
  expect(links.stdout).toContain('* b***@example.com (id user-bob)\n');
  for (const [id, email] of [
    ['user-jo', 'jo@example.com'],
    ['user-al', 'al@example.com'],
  ] as const) {
    const user = world.proxy.state.addUser({ userId: id, email, role: 'internal_user', teams: ['team-eng'] });
    expect(world.proxy.state.teams.get('team-eng')?.roster.has(user.userId)).toBe(false);
  }
  const exported = await world.run('workflow_dispatch', {
    ...OPEN,
    inputs: { command: 'export', 'csv-file': 'x.csv' },
  });
  expect(annotations(exported).join()).toContain('***@example.com (line 2), ***@example.com (line 8): a team and');
});

it('onboard uploads both files with links', async () => {
  const world = await worldWith('users.csv', 'user_email,team_id\neve@example.com,team-eng\nbob@example.com,\n');
  const run = await world.run('workflow_dispatch', { inputs: { command: 'onboard' } });
  expect(run.code).toBe(0);
  expect(run.outputs).toMatchObject({ added: '1', unchanged: '1', failed: '0' });
  expect(world.artifacts.filesOf('onboarding-links')).toEqual(['onboarding_links.csv', 'onboarding_results.json']);
  expect(world.artifacts.filesOf('user-sync-results')).toEqual(['plan.json']);
  const { invitations, links } = secretsIn(world.artifacts.text('onboarding-links', 'onboarding_links.csv'));
  expect(links).toHaveLength(2);
  expectMaskedFirst(invitations, run);
  expectUnseen([...invitations, ...links], channels(run, world, outputIn(world)));
  expect(run.summary).toContain('Fresh links for 1 existing user');
});

it('onboard that only invites is refused in a public repository too', async () => {
  const world = await worldWith('users.csv', 'user_email\nbob@example.com\n');
  const run = await world.run('workflow_dispatch', { ...OPEN, inputs: { command: 'onboard' } });
  expect([run.code, world.proxyWrites]).toEqual([1, []]);
});

describe('list', () => {
  it('goes to stdout once, to the summary as a table, and into a file', async () => {
    const world = await World.create();
    const run = await world.run('schedule', { inputs: { command: 'list', columns: 'user_email,user_role,teams' } });
    expect(run.code).toBe(0);
    const text = world.artifacts.text('user-sync-results', 'user_list_output.tsv');
    expect(text.split('\n')).toHaveLength(7);
    expect(run.stdout.split(text)).toHaveLength(2);
    expect(run.summary).toMatch(/\*\*5 users\*\*/);
    expect(run.summary).toContain('| `user_email` | `user_role` | `teams` |');
    expect(readFileSync(run.outputs['result-file'] ?? '', 'utf8')).toBe(text);
    expect(world.proxyWrites).toEqual([]);
  });

  it('masks emails in a public repository; values are no commands', async () => {
    const users = [
      { userId: 'u', email: '::set-output name=x::y@example.com', role: 'internal_user', alias: '##[error]no' },
    ];
    const world = await World.create({ seed: { users } });
    for (const format of ['tsv', 'csv', 'json']) {
      const inputs = { command: 'list', format, columns: 'user_email,user_alias' };
      const run = await world.run('workflow_dispatch', { ...OPEN, inputs });
      expect(run.code).toBe(0);
      expect(run.commands.filter(({ name }) => name === 'set-output')).toEqual([]);
      expect(run.stdout).not.toContain('##[error]');
      expect(run.stdout + run.summary).not.toContain('y@example.com');
    }
  });
});

describe('export', () => {
  it('writes the file into the workspace, on a schedule too', async () => {
    const world = await World.create();
    world.removeFile();
    const run = await world.run('schedule', { inputs: { command: 'export', 'redact-emails': 'false' } });
    expect(run.code).toBe(0);
    const path = join(world.workspace, 'user_list.csv');
    expect(run.outputs).toMatchObject({ 'has-changes': 'true', 'result-file': path });
    expect(world.artifacts.text('user-sync-results', 'user_list.csv')).toBe(readFileSync(path, 'utf8'));
    expect(run.summary).toContain('**5 users** exported.');
    const again = await world.run('schedule', { inputs: { command: 'export' } });
    expect(again.outputs).toMatchObject({ 'has-changes': 'false' });
  });

  it('in a public repository the file is no artifact', async () => {
    const world = await World.create();
    world.removeFile();
    const run = await world.run('workflow_dispatch', { ...OPEN, inputs: { command: 'export' } });
    expect(run.code).toBe(0);
    expect(existsSync(join(world.workspace, 'user_list.csv'))).toBe(true);
    expect(world.artifacts.calls).toEqual([]);
  });

  it('leaves a file that differs alone', async () => {
    const world = await World.create();
    const run = await world.run('workflow_dispatch', { inputs: { command: 'export' } });
    expect(run.code).toBe(1);
    expect(annotations(run).join('\n')).toContain('user_list.csv is there already and differs');
  });
});

describe('a killed add', () => {
  async function killed(directory = ''): Promise<{ world: World; run: Run }> {
    let started: Started | null = null;
    let isKilled = false;
    const world = await World.create({
      onRequest: ({ method, route }) => {
        if (isKilled || method !== 'POST' || route !== '/invitation/new') return;
        isKilled = true;
        started?.child.kill('SIGKILL');
      },
    });
    world.write(ADD_LIST, 'user_addlist.csv');
    const inputs = { command: 'add', 'output-directory': directory === '' ? '' : join(world.folder, directory) };
    started = world.start('workflow_dispatch', { inputs });
    return { world, run: await started.done };
  }

  const keysOf = (world: World) => {
    const eve = [...world.proxy.state.users.values()].find(({ email }) => email === 'eve@example.com');
    return world.proxy.state.keysOfUser(eve?.userId ?? 'nobody').length;
  };

  it('is completed by post: keys and links are handed over in its own file', async () => {
    const { world, run } = await killed();
    expect([run.code, world.artifacts.calls]).toEqual([null, []]);
    await world.run('workflow_dispatch', { inputs: { command: 'add' }, state: run.state });
    const { keys, links } = secretsIn(world.artifacts.text('onboarding-links', 'user_reg_result.csv'));
    expect([keys.length, links.length, keysOf(world)]).toEqual([1, 1, 1]);
  });

  it('is completed by the next add in the same folder, whose result file has the key', async () => {
    const { world } = await killed('kept');
    const inputs = { command: 'add', 'output-directory': join(world.folder, 'kept') };
    const run = await world.run('workflow_dispatch', { inputs });
    expect(run.outputs).toMatchObject({ added: '1', failed: '1', skipped: '1' });
    const text = world.artifacts.text('onboarding-links', 'user_reg_result.csv');
    expect(text).toMatch(
      /\neve@example\.com,internal_user,\S+,engineering,All proxy models,sk-[\w-]{16,},http\S+action=reset_password\n$/,
    );
    expect(keysOf(world)).toBe(1);
    const files = readdirSync(join(world.folder, 'kept')).filter((name) => !name.startsWith('.'));
    expect(files.sort()).toEqual(['audit.jsonl', 'plan.json', 'user_reg_error.csv', 'user_reg_result.csv']);
  });
});
