import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Fault, SeenRequest, StandinOptions } from '../../standin/server.ts';
import { sha } from '../github/support.ts';
import { annotations, masks, type Run } from './support/action.ts';
import { channels, expectMaskedFirst, expectUnseen, filesOf, secretsIn } from './support/canary.ts';
import { SAME } from './support/company.ts';
import { World } from './support/world.ts';

/** Without `sk-`: nothing that knows keys by their looks alone will find it. */
const MASTER = 'canary-of-the-master-key';
const ECHOED = 'sk-canary-echoed-by-the-proxy';
const TOKEN = 'ghs_token-of-the-job';

const THREE_MORE = `${SAME.replace('cat@example.com,internal_user,research', 'cat@example.com,proxy_admin,engineering')}eve@example.com,internal_user,engineering,eve-laptop
gil@example.com,,engineering;research,
hal@example.com,proxy_admin_viewer,-,
`;

/** Errors that repeat what they were sent: a key and the master key. */
const echo: Fault = {
  when: 'before',
  kind: 'status',
  status: 400,
  body: { error: { message: `Key ${ECHOED} of bearer ${MASTER} is not welcome`, type: 'x', param: null, code: '400' } },
};
const lostEcho: Fault = { ...echo, status: 500 };

function echoing(): NonNullable<StandinOptions['fault']> {
  let invitations = 0;
  return ({ method, route }) => {
    if (method !== 'POST') return null;
    if (route === '/invitation/new') return ++invitations === 1 ? echo : null;
    if (route === '/team/bulk_member_add' || route === '/user/bulk_update') return lostEcho;
    return null;
  };
}

interface Applied {
  readonly world: World;
  readonly run: Run;
  readonly directory: string;
}

async function apply(options: StandinOptions, inputs: Record<string, string> = {}): Promise<Applied> {
  const world = await World.create({ masterKey: MASTER, csv: THREE_MORE, ...options });
  await world.run('pull_request');
  world.github.mergePull(7, sha('e'));
  world.publish(sha('e'));
  const directory = join(world.folder, 'results');
  const env = { ACTIONS_STEP_DEBUG: 'true', RUNNER_DEBUG: '1' };
  const run = await world.run('push', { env, inputs: { 'output-directory': directory, ...inputs } });
  return { world, run, directory };
}

function expectNoLeak({ world, run, directory }: Applied, keys: number, links: number): void {
  const found = secretsIn(world.artifacts.text('onboarding-links', 'onboarding_links.csv'));
  expect([found.keys.length, found.links.length]).toEqual([keys, links]);
  const made = [...found.keys, ...found.invitations];
  expectMaskedFirst([MASTER, TOKEN, ...made], run);
  const parts = made.map((secret) => secret.slice(3, -4));
  expectUnseen([MASTER, ECHOED, TOKEN, ...parts, ...found.links], channels(run, world, directory));
}

const once = (matches: (request: SeenRequest) => boolean, fault: Fault): NonNullable<StandinOptions['fault']> => {
  let left = 1;
  return (request) => (matches(request) && left-- > 0 ? fault : null);
};
const isBulkCreate = ({ method, route }: SeenRequest) => method === 'POST' && route.endsWith('/users/bulk');

describe('canaries', () => {
  it('are in no channel but the onboarding file, while the proxy echoes keys in its errors', async () => {
    const applied = await apply({ fault: echoing() });
    expect(applied.run.code).toBe(1);
    expect(applied.run.stdout).toMatch(/::debug::POST \/invitation\/new: 400/);
    expect(applied.world.artifacts.text('user-sync-results', 'user_sync_result.csv')).toMatch(/FAILED,.*Key sk-\*\*\*/);
    expectNoLeak(applied, 3, 2);
  });

  it('made after a lost answer, one by one, are masked too', async () => {
    const lost: Fault = { when: 'after', kind: 'reset' };
    expectNoLeak(await apply({ fault: once(isBulkCreate, lost) }, { retries: '1' }), 3, 3);
  });

  it('of the classic routes of 1.75', async () => {
    expectNoLeak(await apply({ version: '1.75' }), 3, 3);
  });

  it.each([
    [401, /^error: GET \/\S+ answered 401: the proxy refuses the key/],
    [403, /^error: GET \/\S+ answered 403: the key may not do this: Key sk-\*\*\* of bearer \*\*\* is not welcome/],
    [400, /^error: GET \/\S+ answered 400: Key sk-\*\*\* of bearer \*\*\* is not welcome/],
  ])('are in no message of a run that is refused with %i', async (status, message) => {
    const world = await World.create({ masterKey: MASTER, fault: () => ({ ...echo, status }) });
    const run = await world.run('pull_request');
    expect(run.code).toBe(1);
    expect(annotations(run)).toEqual([expect.stringMatching(message)]);
    expectMaskedFirst([MASTER, TOKEN], run);
    expectUnseen([MASTER, ECHOED, TOKEN], channels(run, world, world.temp));
  });

  it('are in nothing that the command line tool prints, --debug or not', async () => {
    const world = await World.create({ masterKey: MASTER, csv: THREE_MORE, fault: echoing() });
    const result = await world.cli(['sync', '--debug', '--retries', '0']);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('debug: POST /invitation/new: 400');
    expect(result.stdout + result.stderr).not.toContain('::');
    const { keys, invitations, links } = secretsIn(readFileSync(join(world.workspace, 'onboarding_links.csv'), 'utf8'));
    expect([keys.length, links.length]).toEqual([3, 2]);
    const seen = new Map([...filesOf(world.workspace), ['stdout', result.stdout], ['stderr', result.stderr]]);
    expectUnseen([MASTER, ECHOED, ...keys, ...invitations, ...links], seen);
    const again = await world.cli(['sync', '--debug', '--retries', '0', '--base-url', 'http://127.0.0.1:9']);
    expect(again.code).toBe(1);
    expectUnseen([MASTER], new Map([['stderr', again.stdout + again.stderr]]));
  });
});

describe('files', () => {
  it('with secrets are for their owner alone; what was there is kept', async () => {
    const world = await World.create({ csv: THREE_MORE });
    const directory = join(world.folder, 'results');
    mkdirSync(directory);
    writeFileSync(join(directory, 'onboarding_links.csv'), 'something of somebody else\n', { mode: 0o644 });
    world.publish(sha('e'));
    const run = await world.run('workflow_dispatch', { inputs: { 'output-directory': directory } });
    expect(run.code).toBe(0);
    expect(statSync(join(directory, 'onboarding_links.csv')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(directory, 'onboarding_links-1.csv'), 'utf8')).toBe('something of somebody else\n');
    expect(world.artifacts.filesOf('onboarding-links')).toEqual(['onboarding_links.csv']);
    const first = secretsIn(readFileSync(join(directory, 'onboarding_links.csv'), 'utf8'));

    world.write(`${THREE_MORE}ida@example.com,,research,\n`);
    world.publish(sha('e'));
    world.artifacts.finished.clear();
    await world.run('workflow_dispatch', { inputs: { 'output-directory': directory } });
    const second = secretsIn(readFileSync(join(directory, 'onboarding_links.csv'), 'utf8'));
    expect(second.keys).toEqual(expect.arrayContaining(first.keys));
    expect(second.keys).toHaveLength(4);
    expect(readdirSync(directory).sort()).toEqual([
      'audit.jsonl',
      'onboarding_links-1.csv',
      'onboarding_links.csv',
      'plan.json',
      'user_sync_result.csv',
    ]);
  });
});

describe('refused before any write', () => {
  const visible = (visibility: string | undefined, isPrivate: boolean) => ({
    payload: ({ repository }: { repository: Record<string, unknown> }) => {
      repository.visibility = visibility;
      repository.private = isPrivate;
    },
  });

  it.each([
    [
      'a public repository',
      visible('public', false),
      /This repository is public: everybody could download .*'encrypt-to'/,
    ],
    ['an internal repository', visible('internal', true), /This repository is internal: everybody in the enterprise/],
    ['a repository of unknown visibility', visible(undefined, true), /It is not known who may read this repository/],
    [
      'GitHub Enterprise Server',
      { env: { GITHUB_SERVER_URL: 'https://github.acme.example' } },
      /'artifacts: false'.*step of your own/,
    ],
    [
      'a runner without artifact service',
      { env: { ACTIONS_RUNTIME_TOKEN: '', ACTIONS_RESULTS_URL: '' } },
      /ACTIONS_RUNTIME_TOKEN, ACTIONS_RESULTS_URL not set.*'artifacts: false'/,
    ],
    [
      'a bad recipient',
      { inputs: { 'encrypt-to': 'age1nonsense' } },
      /`encrypt-to`: `age1nonsense` is not an age recipient; allowed:/,
    ],
  ])('%s', async (_, options, reason) => {
    const world = await World.create();
    world.publish(sha('e'));
    const run = await world.run('workflow_dispatch', options);
    expect(run.code).toBe(1);
    expect(annotations(run)).toEqual([expect.stringMatching(reason)]);
    expect(run.summary).toMatch(/nothing was written/i);
    expect(world.proxyWrites).toEqual([]);
  });

  it('but not where no secret comes into being, or none is uploaded', async () => {
    const world = await World.create();
    world.publish(sha('e'));
    const open = visible('public', false);
    const inputs = { 'api-keys': 'false', invitations: 'false' };
    const without = await world.run('workflow_dispatch', { ...open, inputs });
    expect(without.outputs).toMatchObject({ added: '1', failed: '0' });
    const kept = await World.create();
    kept.publish(sha('e'));
    const env = { GITHUB_SERVER_URL: 'https://github.acme.example' };
    const run = await kept.run('workflow_dispatch', { env, inputs: { artifacts: 'false' } });
    expect(run.outputs).toMatchObject({ added: '1', failed: '0', 'onboarding-artifact-url': '' });
    expect(kept.artifacts.calls).toEqual([]);
  });

  it('nor where nothing is to be written: there a missing artifact service is a warning', async () => {
    const world = await World.create({ csv: SAME });
    world.publish(sha('e'));
    const run = await world.run('workflow_dispatch', { env: { GITHUB_SERVER_URL: 'https://github.acme.example' } });
    expect(annotations(run)).toEqual([expect.stringMatching(/^warning: .*'artifacts: false'/)]);
    expect([run.code, run.outputs['artifact-url'], run.outputs.unchanged]).toEqual([0, '', '5']);
  });
});

it('warns of an unencrypted link of an administrator', async () => {
  const world = await World.create({ csv: `${SAME}eve@example.com,proxy_admin,engineering,\n` });
  world.publish(sha('e'));
  const run = await world.run('workflow_dispatch');
  expect(annotations(run)).toEqual([expect.stringMatching(/^warning: .*administrator.*unencrypted.*`encrypt-to`/)]);
});

it('an upload that fails is red; keys and links that nobody has seen are gone, and the rows say how to get new ones', async () => {
  const world = await World.create();
  world.publish(sha('e'));
  world.artifacts.failing = 500;
  const fastTimers = new URL('./support/fast-timers.mjs', import.meta.url);
  const run = await world.run('workflow_dispatch', { env: { NODE_OPTIONS: `--import=${fastTimers}` } });
  expect(run.code).toBe(1);
  expect(annotations(run).join('\n')).toMatch(/error: Failed to upload the artifact 'onboarding-links'/);
  const attempts = world.artifacts.calls.filter(({ body }) => body.name === 'onboarding-links');
  expect(attempts.length).toBeGreaterThan(4);
  const eve = [...world.proxy.state.users.values()].find(({ email }) => email === 'eve@example.com');
  expect(eve).toBeDefined();
  expect(world.proxy.state.keysOfUser(eve?.userId ?? '')).toEqual([]);
  expect(world.proxy.state.invitations.size).toBe(0);
  const [directory = ''] = readdirSync(world.temp);
  expect(readFileSync(join(world.temp, directory, 'user_sync_result.csv'), 'utf8')).toMatch(
    /ADDED,eve@example\.com,[^,]+,internal_user,engineering,,FAILED,.*run the command onboard.*create one in the proxy's UI/,
  );
  expect(run.summary).toContain('eve@example.com');
  expect(run.summary).not.toContain('Onboarding links open until');
});

it.each([
  ['another origin', 'http://127.0.0.1:9/moved'],
  ['the same origin', '/moved'],
])('a write redirected to %s is an error that names where to, and is not followed', async (_, location) => {
  const moved: Fault = { when: 'before', kind: 'status', status: 307, headers: { location } };
  const world = await World.create({ fault: ({ method }) => (method === 'POST' ? moved : null) });
  world.publish(sha('e'));
  const run = await world.run('workflow_dispatch');
  expect(run.code).toBe(1);
  expect(world.artifacts.text('user-sync-results', 'user_sync_result.csv')).toMatch(
    /ADDED,eve@example\.com,.*FAILED,.*redirected \(307\) to http:\/\/127\.0\.0\.1:\d+\/moved/,
  );
  expect(world.proxy.requests.filter(({ path }) => path === '/moved')).toEqual([]);
});

it('inputs with secrets in them are masked before anything else is printed', async () => {
  const world = await World.create();
  const run = await world.run('pull_request', {
    inputs: {
      'extra-headers': 'X-Gateway: canary-of-a-header\nX-Short: 12345',
      'smtp-url': 'smtps://ann:canary%2Dpassword@mail.example.com',
    },
  });
  expect(masks(run)).toEqual(expect.arrayContaining(['canary-of-a-header', 'canary%2Dpassword', 'canary-password']));
  expect(masks(run)).not.toContain('12345');
  expect(run.stdout).toMatch(/^::add-mask::/);
});
