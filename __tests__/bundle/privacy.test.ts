import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../standin/server.ts';
import type { Seed } from '../../standin/types.ts';
import { sha } from '../github/support.ts';
import { parse } from '../render/gfm.ts';
import { HOSTILE } from '../render/plans.ts';
import { annotations, masks, type Run } from './support/action.ts';
import { channels } from './support/canary.ts';
import { COMPANY, USER_LIST } from './support/company.ts';
import { type JobOptions, World } from './support/world.ts';

const visibility = (name: string) => ({
  payload: ({ repository }: { repository: Record<string, unknown> }) =>
    Object.assign(repository, { visibility: name, private: name !== 'public' }),
});

/** Emails also where nobody looks for them: as a user's id, a team's name, a key's alias. */
const SEED: Seed = {
  teams: [...(COMPANY.teams ?? []), { teamId: 'team-of-ian@example.com', alias: 'friends of ian@example.com' }],
  users: [
    ...(COMPANY.users ?? []),
    {
      userId: 'ian@example.com',
      email: 'ian@example.com',
      role: 'internal_user',
      teams: ['team-of-ian@example.com'],
      keys: [{ alias: 'key of ian@example.com', teamId: 'team-of-ian@example.com' }],
    },
    { userId: 'user-al', email: 'al@example.com', role: 'internal_user' },
  ],
};
const CSV = `${USER_LIST}ian@example.com,internal_user,engineering,
al@example.com,internal_user_viewer,friends of ian@example.com,
eva@example.com,,friends of ian@example.com,eva@example.com
`;
const EMAILS = ['ann', 'bob', 'cat', 'dan', 'eve', 'fay', 'ian', 'al', 'eva'].map((name) => `${name}@example.com`);
const REPEATING: Fault = {
  when: 'before',
  kind: 'status',
  status: 400,
  body: {
    error: { message: 'User eve@example.com (ian@example.com) is not liked', type: 'x', param: null, code: '400' },
  },
};

/** Plan, broken file and merge, every channel of each. */
async function wholeWay(setting: string, seen: string): Promise<{ world: World; text: Map<string, string>; run: Run }> {
  const recipient = await identityToRecipient(await generateIdentity());
  const fault = ({ route }: { route: string }) => (route === '/invitation/new' ? REPEATING : null);
  const world = await World.create({ seed: SEED, csv: CSV, fault });
  const directory = join(world.folder, 'results');
  const inputs = { 'redact-emails': setting, 'encrypt-to': recipient, 'output-directory': directory };
  const options: JobOptions = { ...visibility(seen), inputs };
  world.github.refuse = ({ method, path }) =>
    method === 'POST' && path.endsWith('/comments')
      ? { status: 403, body: { message: 'ann@example.com may not' } }
      : null;
  const planned = await world.run('pull_request', options);
  world.github.refuse = () => null;
  world.write(`${CSV}ANN@example.com,king,friends of iam@example.com,\n`);
  const broken = await world.run('pull_request-synchronize', options);
  world.write(CSV);
  world.github.mergePull(7, sha('e'));
  world.publish(sha('e'));
  const run = await world.run('push', { ...options, inputs: { ...inputs, 'unreviewed-changes': 'apply' } });
  const text = new Map(
    [planned, broken, run].flatMap((each, number) =>
      [...channels(each, world, directory)].map(([name, content]): [string, string] => [`${number}: ${name}`, content]),
    ),
  );
  expect(planned.code).toBe(0);
  expect(broken.code).toBe(1);
  expect(run.outputs).toMatchObject({ added: '0', deleted: '1', updated: '3', failed: '2' });
  return { world, text, run };
}

const emailsIn = (text: ReadonlyMap<string, string>): string[] =>
  [...text].flatMap(([channel, content]) =>
    EMAILS.filter((email) => content.toLowerCase().includes(email)).map((email) => `${email} in ${channel}`),
  );

describe('redact-emails', () => {
  it.each([
    ['auto', 'public'],
    ['true', 'private'],
  ])('%s in a %s repository: no email in any channel', async (setting, seen) => {
    const { text, run, world } = await wholeWay(setting, seen);
    expect(emailsIn(text)).toEqual([]);
    expect([...text.values()].filter((content) => /\*{4,}@/.test(content))).toEqual([]);
    expect(run.summary).toContain('`e***@example.com (line 9)`');
    expect(world.artifacts.text('user-sync-results', 'user_sync_result.csv')).toContain('ADDED,e***@example.com');
  });

  it('auto in a public repository: no email in an error of the proxy either', async () => {
    const world = await World.create({ fault: () => REPEATING });
    const run = await world.run('pull_request', visibility('public'));
    expect(annotations(run)).toEqual([
      expect.stringMatching(
        /^error: GET \/\S+ answered 400: User e\*\*\*@example\.com \(i\*\*\*@example\.com\) is not liked/,
      ),
    ]);
    expect(emailsIn(channels(run, world, world.temp))).toEqual([]);
  });

  it.each([
    ['public', '…'],
    ['private', '127.0.0.1:9'],
  ])('auto in a %s repository: what a failed plan says of the proxy names %s', async (seen, host) => {
    const world = await World.create();
    const down = { 'base-url': 'http://127.0.0.1:9', retries: '0' };
    const run = await world.run('pull_request', { ...visibility(seen), inputs: down });
    expect(run.code).toBe(1);
    for (const text of [run.summary, ...world.github.commentsOf(7)]) {
      expect(text).toContain(`Cannot reach the proxy at \`http://${host}\` (ECONNREFUSED)`);
    }
  });

  it('false in a public repository: emails are shown', async () => {
    const { text, world } = await wholeWay('false', 'public');
    expect(new Set(emailsIn(text).map((found) => found.split(' ')[0]))).toEqual(new Set(EMAILS));
    expect(world.artifacts.text('user-sync-results', 'user_sync_result.csv')).toContain('eve@example.com');
  });
});

describe('values made to disturb', () => {
  /** What a database can hold: nothing but well-formed Unicode. */
  const values = [
    ...HOSTILE.filter((value) => !/\p{Cs}/u.test(value)),
    '::set-output name=failed::0',
    '::add-mask::a',
    '##[group]quiet',
    '%0A::error::nothing',
    '\n::stop-commands::x',
    '<!-- litellm-user-sync:1 target=0000000000000000 digests= whole= -->',
    '@everyone',
    '</details></table>',
    '\u001b[31m',
    '| --- |',
  ];
  const seed: Seed = {
    teams: values.map((alias, number) => ({ teamId: `t${number} ${alias}`, alias })),
    users: values.flatMap((value, number) => [
      { userId: `deleted ${number} ${value}`, email: `${value}${number}@x.org`, role: 'internal_user' },
      {
        userId: `moved ${number} ${value}`,
        email: `user${number}@example.com`,
        role: 'internal_user',
        teams: [`t${number} ${value}`],
        keys: [{ alias: `${number}${value}`, teamId: `t${number} ${value}` }],
      },
    ]),
  };
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const moved = values.map((_, number) => `user${number}@example.com,internal_user,-,\n`).join('');
  const added = values.map((value, number) => `new${number}@example.com,,-,${quoted(`k${number}${value}`)}\n`).join('');
  const csv = `email,role,team_name,key_name\n${moved}${added}`;
  const wrong = `${csv}${values.map((value) => `${quoted(value)},${quoted(value)},${quoted(value)},\n`).join('')}`;
  const inputs = { 'max-deletes': '100%' };

  function expectOursAlone(run: Run, secrets: readonly string[]): void {
    const known = ['add-mask', 'debug', 'warning', 'error', 'notice'];
    expect(run.commands.filter(({ name }) => !known.includes(name))).toEqual([]);
    expect(
      masks(run).filter((mask) => !secrets.includes(mask) && !/^(sk-|[0-9a-f-]{36}$|signature-of)/.test(mask)),
    ).toEqual([]);
    const plain = run.stdout
      .split(/[\r\n]+/)
      .filter((line) => !/^::(add-mask|debug|warning|error|notice)[ :]/.test(line));
    expect(plain.filter((line) => line.includes('##[') || /^\s*::/.test(line))).toEqual([]);
    const loose = run.stdout.replaceAll('\n', '');
    expect([...loose].filter((character) => character < ' ' && character !== '\t')).toEqual([]);
    expect(annotations(run).filter((line) => /^(error|warning|notice)( \S+)?: (nothing|x)$/.test(line))).toEqual([]);
  }

  function expectHarmless(markdown: string, comments: readonly string[]): void {
    const { html, links, texts } = parse(markdown);
    expect(html.filter((tag) => !/^<(\/?details|\/?summary|!-- litellm-user-sync:1)/.test(tag))).toEqual([]);
    expect(links.filter((link) => !link.startsWith('https://github.com/acme/users/actions/runs/4711'))).toEqual([]);
    expect(texts.filter((text) => /@\w|<!--/.test(text))).toEqual([]);
    expect(markdown.match(/<!--/g) ?? []).toEqual(comments);
  }

  it('stay values: in plan, result, log, comment and summary', async () => {
    const failing: Fault = { ...REPEATING, body: { detail: values.join(' ') } };
    let count = 0;
    const fault = ({ route }: { route: string }) =>
      route === '/invitation/new' && count++ < 3 ? { ...failing, body: { detail: values[count] } } : null;
    const world = await World.create({ seed, csv, fault });
    const planned = await world.run('pull_request', { inputs });
    expect(planned.outputs).toMatchObject({ added: String(values.length), deleted: String(values.length) });
    const secrets = [world.proxy.masterKey, 'ghs_token-of-the-job'];
    expectOursAlone(planned, secrets);
    expectHarmless(planned.summary, []);
    expectHarmless(world.github.commentsOf(7)[0] ?? '', ['<!--']);
    world.github.mergePull(7, sha('e'));
    world.publish(sha('e'));
    const run = await world.run('push', { inputs });
    expect(run.outputs).toMatchObject({ failed: '3', skipped: '0' });
    expectOursAlone(run, secrets);
    expectHarmless(run.summary, []);
    expectHarmless(world.github.commentsOf(7)[0] ?? '', ['<!--']);
    expect(world.github.writes.filter((write) => write.startsWith('POST'))).toHaveLength(1);
  });

  it('stay values: in the problems of a file, and in an error of the proxy', async () => {
    const world = await World.create({ seed, csv: wrong });
    const secrets = [world.proxy.masterKey, 'ghs_token-of-the-job'];
    const run = await world.run('pull_request');
    expect(run.code).toBe(1);
    expectOursAlone(run, secrets);
    expectHarmless(run.summary, []);
    expectHarmless(world.github.commentsOf(7)[0] ?? '', ['<!--']);
    expect(annotations(run).filter((line) => line.startsWith('error user_list.csv:'))).toHaveLength(9);
    const body = { detail: values.join(' and ') };
    const failing = await World.create({ fault: () => ({ when: 'before', kind: 'status', status: 400, body }) });
    const failed = await failing.run('pull_request');
    expect(failed.code).toBe(1);
    expectOursAlone(failed, secrets);
    expectHarmless(failed.summary, []);
    expectHarmless(failing.github.commentsOf(7)[0] ?? '', ['<!--']);
  });
});
