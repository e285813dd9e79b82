import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type RecoverOptions, recover } from '../../src/apply/recover.ts';
import type { Change, TeamRef } from '../../src/core/plan.ts';
import { Secret } from '../../src/core/secret.ts';
import { FileJournal, UnrecoveredJournalError } from '../../src/journal/journal.ts';
import { FakeProxy } from './fake-proxy.ts';
import {
  add,
  HEAD,
  linksIn,
  move,
  moveWithKeys,
  optionsFor,
  planOf,
  remove,
  setRole,
  teams,
  temporaryDirectory,
} from './setup.ts';

interface Left {
  readonly changes: readonly Change[];
  /** Change number and user id of the writes that had begun. */
  readonly intents?: readonly (readonly [number, string])[];
  readonly wants?: { apiKeys: boolean; invitations: boolean };
}

/** What a killed run left in its directory. */
async function left({ changes, intents = [], wants = { apiKeys: true, invitations: true } }: Left) {
  const directory = await temporaryDirectory();
  const journal = await FileJournal.create(directory);
  await journal.begin(planOf(...changes), { ...HEAD, command: 'sync', ...wants });
  if (intents.length > 0) await journal.intend(intents.map(([index, userId]) => ({ index, userId })));
  return { directory, journal };
}

function optionsWith(proxy: FakeProxy | null): RecoverOptions {
  const options = optionsFor(proxy ?? new FakeProxy(), FileJournal.resume('.'));
  return { ...options, proxy };
}

function newUser(proxy: FakeProxy, userId: string, teamIds: TeamRef[] = [], keyAlias: string | null = null) {
  const user = {
    userId,
    email: `${userId}@example.com`,
    role: 'internal_user',
    teams: teamIds.map((team) => team.teamId),
  } as const;
  return proxy.createUsers([{ ...user, withKey: true, keyAlias }]);
}

const secretsOf = (proxy: FakeProxy) => proxy.keys.map((key) => key.secret);

describe('recovery', () => {
  it('has nothing to do where no run was', async () => {
    const directory = await temporaryDirectory();
    expect(await recover(directory, optionsWith(new FakeProxy()))).toBeNull();
  });

  it('replaces a key that nobody has seen, in its team and with its name, and makes the link', async () => {
    const proxy = new FakeProxy().team('a');
    const [created] = await newUser(proxy, 'n', teams('a'), 'laptop');
    expect(created?.ok).toBe(true);
    const [unseen] = secretsOf(proxy);
    const change = add('n@example.com', { teams: teams('a'), keyName: 'laptop' });
    const { directory, journal } = await left({ changes: [change], intents: [[0, 'n']] });
    await journal.close();
    const report = await recover(directory, optionsWith(proxy));
    expect(report).toMatchObject({ isComplete: true, outcomes: [{ action: 'ADDED', status: 'SUCCESS', userId: 'n' }] });
    expect(proxy.keys).toMatchObject([{ userId: 'n', teamId: 'a', alias: 'laptop' }]);
    expect(secretsOf(proxy)).not.toContain(unseen);
    expect(await linksIn(directory)).toMatchObject([
      { user_id: 'n', api_key: secretsOf(proxy)[0], key_name: 'laptop' },
    ]);
  });

  it('keeps a key that is in the file, and the keys that the user made themself', async () => {
    const proxy = new FakeProxy();
    await newUser(proxy, 'n');
    await proxy.createKey({ userId: 'n', teamId: null, alias: 'their own' });
    await proxy.createKey({ userId: 'n', teamId: 'litellm-dashboard', alias: null });
    const before = secretsOf(proxy);
    const { directory, journal } = await left({ changes: [add('n@example.com')], intents: [[0, 'n']] });
    const row = { email: 'n@example.com', userId: 'n', role: 'internal_user', teamName: '', keyName: '' };
    const rest = { invitationId: null, expiresAt: '', link: null, delivery: '', delivered: false };
    await journal.onboarding([{ ...row, ...rest, apiKey: new Secret(before[0] ?? '') }]);
    await journal.close();
    const report = await recover(directory, optionsWith(proxy));
    expect(report?.outcomes).toMatchObject([{ status: 'SUCCESS', key: { shown: `sk-...${before[0]?.slice(-4)}` } }]);
    expect(secretsOf(proxy)).toEqual(before);
    expect(await linksIn(directory)).toMatchObject([{ api_key: before[0], invitation_id: expect.stringMatching(/./) }]);
  });

  it('makes neither key nor link where the run wanted none, and mends the teams', async () => {
    const proxy = new FakeProxy().user('n', 'n@example.com').team('a');
    const wants = { apiKeys: false, invitations: false };
    const { directory, journal } = await left({
      changes: [add('n@example.com', { teams: teams('a') })],
      intents: [[0, 'n']],
      wants,
    });
    await journal.close();
    const report = await recover(directory, optionsWith(proxy));
    expect(report?.outcomes).toMatchObject([{ status: 'SUCCESS', teamName: 'Team a' }]);
    expect(proxy.counts()).toEqual({ findUsers: 3, findTeams: 2, joinTeam: 1 });
  });

  it('tells the truth of deletes and updates in flight, and of what had not begun', async () => {
    const proxy = new FakeProxy().user('kept', 'kept@example.com').user('r', 'r@example.com', 'proxy_admin');
    proxy.user('m', 'm@example.com').team('a', 'm').team('b');
    const changes = [
      add('late@example.com'),
      add('lost@example.com'),
      remove('gone'),
      remove('kept'),
      setRole('r', 'proxy_admin'),
      move('m', ['a'], ['b']),
      setRole('vanished', 'proxy_admin'),
    ];
    const intents = [
      [1, 'x'],
      [2, 'gone'],
      [3, 'kept'],
      [4, 'r'],
      [5, 'm'],
      [6, 'vanished'],
    ] as const;
    const { directory, journal } = await left({ changes, intents });
    await journal.close();
    const writes = proxy.writes;
    const outcomes = (await recover(directory, optionsWith(proxy)))?.outcomes;
    expect(outcomes?.map(({ email, status, reason }) => [email, status, reason.split(':')[0]])).toEqual([
      ['late@example.com', 'FAILED', 'not attempted'],
      ['lost@example.com', 'FAILED', 'not created'],
      ['gone@example.com', 'SUCCESS', ''],
      ['kept@example.com', 'FAILED', 'not deleted'],
      ['r@example.com', 'SUCCESS', ''],
      ['m@example.com', 'FAILED', 'not completed'],
      ['vanished@example.com', 'FAILED', 'the run was interrupted and the user is gone; the next run adds the user'],
    ]);
    expect(proxy.writes).toBe(writes);
  });

  it('completes a recreation that had got as far as the new user', async () => {
    const proxy = new FakeProxy().team('a');
    await newUser(proxy, 'anew', teams('a'));
    const change = { ...setRole('u', 'internal_user'), email: 'anew@example.com', currentTeams: teams('a') };
    const { directory, journal } = await left({
      changes: [change],
      intents: [
        [0, 'u'],
        [0, 'anew'],
      ],
    });
    await journal.close();
    const outcomes = (await recover(directory, optionsWith(proxy)))?.outcomes;
    expect(outcomes).toMatchObject([{ action: 'UPDATED', status: 'SUCCESS', userId: 'anew', teamName: 'Team a' }]);
    expect((await linksIn(directory)).map((row) => row.api_key)).toEqual(secretsOf(proxy));
  });

  it.each([
    [1, 'SUCCESS'],
    [9, 'FAILED'],
  ])(
    'waits for a user whom a call under way still makes, but not for ever (made at pause %d)',
    async (late, status) => {
      const proxy = new FakeProxy();
      const { directory, journal } = await left({ changes: [add('n@example.com')], intents: [[0, 'n']] });
      await journal.close();
      let pauses = 0;
      const pause = async (): Promise<void> => {
        if (++pauses === late) await newUser(proxy, 'n');
      };
      const report = await recover(directory, { ...optionsWith(proxy), pause });
      expect(report).toMatchObject({ isComplete: true, outcomes: [{ action: 'ADDED', status }] });
      expect(await linksIn(directory)).toHaveLength(status === 'SUCCESS' ? 1 : 0);
      expect(pauses).toBeLessThan(9);
    },
  );

  it.each([
    [['b', 'c'], 'SUCCESS', 'b'],
    [['b'], 'FAILED', 'a'],
  ])('goes on with keys whose team another plan would not find, on the way to %j', async (to, status, keyIn) => {
    const proxy = new FakeProxy().user('u', 'u@example.com').team('a', 'u').team('b').team('c', 'u');
    proxy.key('u', 'a', 'one');
    // The call that joins is under way when the run is killed, so nothing of it is there yet.
    const change = moveWithKeys('u', ['a', ...to.slice(1)], to, 'b');
    const { directory, journal } = await left({ changes: [change], intents: [[0, 'u']] });
    await journal.close();
    const report = await recover(directory, optionsWith(proxy));
    expect(report?.outcomes).toMatchObject([{ action: 'UPDATED', status }]);
    expect(proxy.keys.map(({ teamId }) => teamId)).toEqual([keyIn]);
    expect(proxy.lostKeys).toEqual([]);
  });

  it('leaves everything as it is without a key, and completes it later', async () => {
    const proxy = new FakeProxy();
    await newUser(proxy, 'n');
    const changes = [add('n@example.com'), remove('u')];
    const { directory, journal } = await left({ changes, intents: [[0, 'n']] });
    await journal.close();
    const before = await readFile(join(directory, 'journal.jsonl'), 'utf8');
    const report = await recover(directory, optionsWith(null));
    expect(report?.isComplete).toBe(false);
    expect(report?.outcomes.map((outcome) => outcome.reason)).toEqual([
      expect.stringContaining('completes it'),
      expect.stringContaining('not attempted'),
    ]);
    expect(await readFile(join(directory, 'journal.jsonl'), 'utf8')).toBe(before);
    await expect(FileJournal.create(directory)).rejects.toThrow(UnrecoveredJournalError);
    expect(await recover(directory, optionsWith(proxy))).toMatchObject({ isComplete: true });
  });

  it('stays open while the proxy cannot be read', async () => {
    const proxy = new FakeProxy();
    await newUser(proxy, 'n');
    proxy.unreadable = true;
    const { directory, journal } = await left({ changes: [add('n@example.com')], intents: [[0, 'n']] });
    await journal.close();
    expect(await recover(directory, optionsWith(proxy))).toMatchObject({ isComplete: false });
    proxy.unreadable = false;
    expect(await recover(directory, optionsWith(proxy))).toMatchObject({ isComplete: true });
    const writes = proxy.writes;
    const again = await recover(directory, optionsWith(proxy));
    expect(again).toMatchObject({ isComplete: true, outcomes: [{ status: 'SUCCESS' }] });
    expect(proxy.writes).toBe(writes);
  });

  it('reads over a line that was cut, and over what is no journal', async () => {
    const { directory, journal } = await left({ changes: [add('n@example.com')] });
    await journal.close();
    await appendFile(join(directory, 'journal.jsonl'), '{"t":"outcome","index":0,"outc');
    const report = await recover(directory, optionsWith(new FakeProxy()));
    expect(report).toMatchObject({
      isComplete: true,
      outcomes: [{ reason: expect.stringContaining('not attempted') }],
    });
    await writeFile(join(directory, 'journal.jsonl'), 'hello\n{"t":"finished"}\n');
    expect(await recover(directory, optionsWith(new FakeProxy()))).toBeNull();
  });
});

describe('the journal', () => {
  it('holds no secret and is for its owner alone', async () => {
    const proxy = new FakeProxy();
    await newUser(proxy, 'n');
    const { directory, journal } = await left({ changes: [add('n@example.com')], intents: [[0, 'n']] });
    await journal.close();
    await recover(directory, optionsWith(proxy));
    const path = join(directory, 'journal.jsonl');
    const text = await readFile(path, 'utf8');
    for (const secret of [...secretsOf(proxy), ...proxy.invitations.map(({ id }) => id)])
      expect(text).not.toContain(secret);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('is gone once it was removed, and a finished one makes way', async () => {
    const { directory, journal } = await left({ changes: [] });
    await journal.finish(true);
    const next = await FileJournal.create(directory);
    expect(await next.lines()).toEqual([]);
    await next.begin(planOf(), { ...HEAD, command: 'sync', apiKeys: true, invitations: true });
    await next.finish(true);
    await next.remove();
    await expect(stat(join(directory, 'journal.jsonl'))).rejects.toThrow('ENOENT');
  });
});
