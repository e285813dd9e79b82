import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { inTurn, kindsOf, placesOf } from '../faults/batch.ts';
import { sha } from '../github/support.ts';
import { annotations, type Started } from './support/action.ts';
import { channels, expectMaskedFirst, expectUnseen, secretsIn } from './support/canary.ts';
import { USER_LIST } from './support/company.ts';
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
      /ADDED,eve@.*FAILED,the run was interrupted; the next run with this output-directory and a key completes it/,
    );
  });
});

describe('a row that failed in passing', () => {
  it('is tried again by post: results under another name, and each audit line once', async () => {
    const fault = { isOn: true };
    const world = await World.create({
      csv: NEWCOMERS,
      fault: ({ route }) =>
        fault.isOn && route === '/invitation/new' ? { when: 'before', kind: 'status', status: 429 } : null,
    });
    world.publish(sha('e'));
    const env = { NODE_OPTIONS: `--import=${new URL('./support/fast-timers.mjs', import.meta.url)}` };
    const main = await world.run('workflow_dispatch', { env });
    expect(main.code).toBe(1);
    fault.isOn = false;
    const post = await world.run('workflow_dispatch', { state: main.state, env });
    expect(post.code).toBe(0);
    expect(world.artifacts.filesOf('user-sync-results-2')).toEqual(['plan.json', 'user_sync_result.csv']);
    const told = ['user-sync-audit', 'user-sync-audit-2'].flatMap((name) =>
      world.artifacts.text(name, 'audit.jsonl').trim().split('\n'),
    );
    const lines = told.map((line) => JSON.parse(line)).map(({ action, email, result }) => [action, email, result]);
    expect(lines.toSorted()).toEqual([
      ['add', 'eve@example.com', 'FAILED'],
      ['add', 'eve@example.com', 'SUCCESS'],
      ['add', 'gil@example.com', 'FAILED'],
      ['add', 'gil@example.com', 'SUCCESS'],
      ['delete', 'dan@example.com', 'SUCCESS'],
      ['update', 'cat@example.com', 'SUCCESS'],
    ]);
    const [directory = ''] = readdirSync(world.temp);
    expect(
      readFileSync(join(world.temp, directory, 'audit.jsonl'), 'utf8')
        .trim()
        .split('\n'),
    ).toEqual(told);
  });
});

/** Every command that writes, with a file for it, and the files in which it delivers secrets and results. */
const COMMANDS = {
  sync: { csv: ['user_list.csv', NEWCOMERS], secrets: ['onboarding_links.csv'], results: ['user_sync_result.csv'] },
  add: {
    csv: ['user_addlist.csv', 'email,role\neve@example.com,\ngil@example.com,\nbob@example.com,\n'],
    secrets: ['user_reg_result.csv'],
    results: ['user_reg_error.csv'],
  },
  delete: {
    csv: ['user_dellist.csv', 'email\ndan@example.com\nnobody@example.com\nfay@example.com\n'],
    secrets: [],
    results: ['user_del_error.csv', 'user_del_result.csv'],
  },
  onboard: {
    csv: ['users.csv', 'user_email\neve@example.com\nbob@example.com\ngil@example.com\nfay@example.com\n'],
    secrets: ['onboarding_links.csv', 'onboarding_results.json'],
    results: [],
  },
} as const;
type Command = keyof typeof COMMANDS;

const inputsOf = (command: Command) => ({ command, 'api-keys': 'true' });

/** Runs a command; SIGKILL comes with its n-th write, which takes effect all the same. `null`: no kill. */
async function runKilled(command: Command, killAt: number | null) {
  let started: Started | null = null;
  const kill = { at: killAt };
  const world = await World.create({
    onRequest: ({ writeIndex }) => {
      if (writeIndex !== null && writeIndex === kill.at) started?.child.kill('SIGKILL');
    },
  });
  const [name, csv] = COMMANDS[command].csv;
  world.write(csv, name);
  world.publish(sha('e'));
  started = world.start('workflow_dispatch', { inputs: inputsOf(command) });
  const killed = await started.done;
  kill.at = null;
  return { world, killed };
}

/** Links that a killed run had received, by what its directory holds. */
function receivedBy(world: World): string[] {
  const [directory = ''] = readdirSync(world.temp);
  const path = join(world.temp, directory, 'onboarding_links.csv');
  return existsSync(path) ? secretsIn(readFileSync(path, 'utf8')).invitations : [];
}

/** What `post` must have delivered, whatever write the run of this command was killed at. */
function expectDelivered(command: Command, world: World, received: readonly string[]): void {
  const { secrets, results } = COMMANDS[command];
  expect(world.artifacts.filesOf('onboarding-links')).toEqual(secrets);
  expect(world.artifacts.filesOf('user-sync-results')).toEqual(['plan.json', ...results]);
  const [links = null] = secrets;
  const delivered = links === null ? '' : world.artifacts.text('onboarding-links', links);
  const { keys, invitations } = secretsIn(delivered);
  for (const link of received) expect(invitations).toContain(link);
  for (const id of invitations) expect(world.proxy.state.invitations.has(id)).toBe(true);
  const created = [...world.proxy.state.users.values()].filter(({ email }) => /^(eve|gil)@/.test(email ?? ''));
  expect(created.map(({ userId }) => world.proxy.state.keysOfUser(userId).length)).toEqual(created.map(() => 1));
  expect(keys).toHaveLength(created.length);
  const invited = new Set([...world.proxy.state.invitations.values()].map(({ userId }) => userId));
  for (const { userId } of created) expect(invited).toContain(userId);
  for (const userId of invited) expect(delivered).toMatch(new RegExp(`,${userId},.*invitation_id=`));
}

describe.each(Object.keys(COMMANDS) as Command[])('%s, killed at one write after the other', (command) => {
  it('post delivers its own files, with every link that it made', { timeout: 120_000 }, async () => {
    const whole = await runKilled(command, null);
    const writes = whole.world.proxyWrites.length;
    expect(writes).toBeGreaterThan(command === 'delete' ? 0 : 2);
    await inTurn(placesOf(writes), 3, async (at) => {
      const { world, killed } = await runKilled(command, at);
      expect([at, killed.code, world.artifacts.calls]).toEqual([at, null, []]);
      const received = receivedBy(world);
      await world.run('workflow_dispatch', { inputs: inputsOf(command), state: killed.state });
      expectDelivered(command, world, received);
    });
  });
});

/** Runs `main` with pending links and keys, and whatever is done to it; its timers are fast. */
function startedWith(command: Command, world: World): Started {
  const [name, csv] = COMMANDS[command].csv;
  world.write(csv, name);
  world.publish(sha('e'));
  const env = { NODE_OPTIONS: `--import=${new URL('./support/fast-timers.mjs', import.meta.url)}` };
  return world.start('workflow_dispatch', { inputs: inputsOf(command), env });
}

const HANDING_OVER = ['sync', 'add', 'onboard'] as const;

it.each(HANDING_OVER)('%s, killed while it hands keys and links over: post does so', async (command) => {
  const calls = kindsOf(['CreateArtifact', 'FinalizeArtifact'], HANDING_OVER.indexOf(command));
  await inTurn(calls, 2, async (call) => {
    const world = await World.create();
    const started = startedWith(command, world);
    world.artifacts.onCall = (method) => {
      if (method === call) started.child.kill('SIGKILL');
    };
    const killed = await started.done;
    world.artifacts.onCall = () => {};
    expect(killed.code).toBeNull();
    world.artifacts.finished.clear();
    const post = await world.run('workflow_dispatch', { inputs: inputsOf(command), state: killed.state });
    expect(post.code).toBe(0);
    expectDelivered(command, world, receivedBy(world));
  });
});

/** Keys and links that the proxy does not know, or no more. */
function deadOf(world: World, text: string): string[] {
  const { keys, invitations } = secretsIn(text);
  const live = new Set([...world.proxy.state.keys.values()].map((key) => key.hash));
  return [
    ...keys.filter((key) => !live.has(new Secret(key).hash())),
    ...invitations.filter((id) => !world.proxy.state.invitations.has(id)),
  ];
}

describe('where secrets cannot be uploaded', () => {
  const REVOKING = /^\/(key\/delete|invitation\/delete)$/;

  it.each(kindsOf(HANDING_OVER, 0))(
    '%s, killed while it takes them back: post takes the rest back, delivers nothing dead, and tells it',
    async (command) => {
      await inTurn([0, 3], 2, async (at) => {
        const kill: { started: Started | null; left: number } = { started: null, left: at };
        const world = await World.create({
          onRequest: ({ method, route }) => {
            if (method === 'POST' && REVOKING.test(route) && kill.left-- === 0) kill.started?.child.kill('SIGKILL');
          },
        });
        world.artifacts.failing = 500;
        kill.started = startedWith(command, world);
        const killed = await kill.started.done;
        expect([at, killed.code]).toEqual([at, null]);
        world.artifacts.failing = null;
        const post = await world.run('workflow_dispatch', { inputs: inputsOf(command), state: killed.state });
        expect(post.code).toBe(1);
        expect(world.artifacts.filesOf('onboarding-links')).toEqual([]);
        expect(world.proxy.state.invitations.size).toBe(0);
        const created = [...world.proxy.state.users.values()].filter(({ email }) => /^(eve|gil)@/.test(email ?? ''));
        expect(created.map(({ userId }) => world.proxy.state.keysOfUser(userId).length)).toEqual([0, 0]);
        expect(post.stdout).toMatch(/FAILED ADDED eve@example.com: .*taken back/);
      });
    },
  );

  it.each(kindsOf(HANDING_OVER, 1))(
    '%s, killed while it takes them back: post without a key delivers nothing, and tells it',
    async (command) => {
      const kill: { started: Started | null } = { started: null };
      const world = await World.create({
        onRequest: ({ method, route }) => {
          if (method === 'POST' && REVOKING.test(route)) kill.started?.child.kill('SIGKILL');
        },
      });
      world.artifacts.failing = 500;
      kill.started = startedWith(command, world);
      const killed = await kill.started.done;
      world.artifacts.failing = null;
      const inputs = { ...inputsOf(command), 'master-key': '' };
      const post = await world.run('workflow_dispatch', { inputs, state: killed.state });
      expect(post.code).toBe(1);
      expect([...world.artifacts.finished.keys()]).not.toContain('onboarding-links');
      expect(post.stdout).toMatch(/FAILED ADDED eve@example.com: .*taking them back was interrupted/);
    },
  );

  const STOPS = [
    ['with the first link: post takes all back', '/invitation/new', 0],
    ['with the users: post makes new ones of whom it left', '/management/v1/users/bulk', 2],
  ] as const;
  it.each(
    STOPS.flatMap((stop, index) => kindsOf(HANDING_OVER, index + 1).map((command) => [command, ...stop] as const)),
  )('%s, stopped %s, and delivers nothing dead', async (command, _, at, made) => {
    const stop: { started: Started | null } = { started: null };
    const world = await World.create({
      onRequest: ({ method, route }) => {
        if (method === 'POST' && route === at) stop.started?.child.kill('SIGTERM');
      },
    });
    world.artifacts.failing = 500;
    stop.started = startedWith(command, world);
    const stopped = await stop.started.done;
    expect(stopped.code).toBe(1);
    world.artifacts.failing = null;
    await world.run('workflow_dispatch', { inputs: inputsOf(command), state: stopped.state });
    const [file] = COMMANDS[command].secrets;
    const delivered = world.artifacts.finished.get('onboarding-links')?.get(file)?.toString() ?? '';
    expect(deadOf(world, delivered)).toEqual([]);
    const held = secretsIn(delivered);
    expect([held.keys.length, held.invitations.length]).toEqual([made, made]);
    expect(world.proxy.state.invitations.size).toBe(made);
    const created = [...world.proxy.state.users.values()].filter(({ email }) => /^(eve|gil)@/.test(email ?? ''));
    expect(created.flatMap(({ userId }) => world.proxy.state.keysOfUser(userId))).toHaveLength(made);
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
  // The links are left to the next run, which may be post: the journal is still there.
  await world.run('workflow_dispatch', { state: killed.state });
  const { keys, links } = secretsIn(world.artifacts.text('onboarding-links-2', 'onboarding_links.csv'));
  expect([keys.length, links.length]).toEqual([2, 2]);
});
