import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyPlan } from '../../src/apply/apply.ts';
import type { Deliver } from '../../src/apply/links.ts';
import { recover } from '../../src/apply/recover.ts';
import type { Delivery, Outcome } from '../../src/core/outcome.ts';
import { FileJournal } from '../../src/journal/journal.ts';
import { FakeProxy } from './fake-proxy.ts';
import { add, dyingAt, invite, linksIn, type Moment, optionsFor, planOf, started, stepOf, teams } from './setup.ts';

/** A mail server: what it takes is with its reader. */
class PostOffice {
  /** `email invitation-id`, in the order of arrival. */
  readonly sent: string[] = [];
  readonly answers = new Map<string, Delivery>();

  readonly deliver: Deliver = async ({ email, invitationId }, begin) => {
    if (!(await begin())) return { kind: 'failed', response: 'not begun' };
    const answer = this.answers.get(email) ?? { kind: 'sent', response: '250 queued' };
    if (answer.kind === 'sent') this.sent.push(`${email} ${invitationId.reveal()}`);
    return answer;
  };
}

const FAILED: Delivery = { kind: 'failed', response: '550 no such user' };
const NOT_KNOWN: Delivery = { kind: 'not known', reason: 'the connection was cut' };

const plan = planOf(
  add('a@example.com', { teams: teams('t') }),
  add('b@example.com'),
  add('c@example.com'),
  invite('old'),
);

function people(): FakeProxy {
  return new FakeProxy().team('t').user('old', 'old@example.com');
}

const brief = ({ email, status, reason }: Outcome) => [email, status, reason];

describe('links by mail', () => {
  it('go to each user once, and stand in no file once the server has them', async () => {
    const [proxy, post] = [people(), new PostOffice()];
    const { directory, options } = await started(proxy, { deliver: post.deliver });
    const outcomes = await applyPlan(plan, options);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS', 'SUCCESS']);
    expect(post.sent.toSorted()).toEqual(
      proxy.invitations.map(({ id, userId }) => `${proxy.users.get(userId)?.email} ${id}`).toSorted(),
    );
    const text = await readFile(join(directory, 'onboarding_links.csv'), 'utf8');
    expect(text.split('\n')[0]).toMatch(/,onboarding_link,delivery$/);
    for (const { id } of proxy.invitations) expect(text).not.toContain(id);
    for (const row of await linksIn(directory)) {
      const told = { invitation_id: 'delivered', onboarding_link: 'delivered', delivery: 'sent (250 queued)' };
      expect(row).toMatchObject(told);
    }
    for (const key of proxy.keys) expect(text).toContain(key.secret);
  });

  it('that did not go out stay in the file, and their rows say what to do', async () => {
    const [proxy, post] = [people(), new PostOffice()];
    post.answers.set('a@example.com', FAILED).set('old@example.com', NOT_KNOWN);
    const { directory, options, journal } = await started(proxy, { deliver: post.deliver });
    const outcomes = await applyPlan(plan, options);
    expect(outcomes.map(brief)).toEqual([
      ['a@example.com', 'FAILED', expect.stringMatching(/^The mail with the link was not sent \(550 no such user\)/)],
      ['b@example.com', 'SUCCESS', ''],
      ['c@example.com', 'SUCCESS', ''],
      [
        'old@example.com',
        'FAILED',
        expect.stringMatching(/^Whether the mail .* is not known \(the connection was cut\)/),
      ],
    ]);
    const rows = new Map((await linksIn(directory)).map((row) => [row.email, row]));
    expect(rows.get('a@example.com')).toMatchObject({ delivery: 'failed (550 no such user)' });
    expect(rows.get('a@example.com')?.onboarding_link).toContain('https://');
    expect(rows.get('old@example.com')).toMatchObject({ delivery: expect.stringMatching(/^not known/) });
    expect(await journal.isOver()).toBe(true);
  });

  it('wait for the next run where this one is stopped, also those that were just refused by that', async () => {
    const [proxy, post, stop] = [people(), new PostOffice(), new AbortController()];
    const deliver: Deliver = (row, begin) => {
      if (row.email !== 'b@example.com') return post.deliver(row, begin);
      stop.abort();
      return Promise.resolve({ kind: 'failed', response: 'the run was stopped' });
    };
    const { directory, options } = await started(proxy, { deliver, signal: stop.signal });
    const outcomes = await applyPlan(plan, options);
    const unsent = outcomes.filter((outcome) => outcome.status === 'FAILED');
    expect(unsent.map(({ email }) => email)).toContain('b@example.com');
    for (const { reason } of unsent) expect(reason).toContain('the run was stopped: the next run sends it');
    const report = await recover(directory, {
      ...optionsFor(proxy, FileJournal.resume(directory)),
      deliver: post.deliver,
    });
    expect(report?.isComplete).toBe(true);
    expect(report?.outcomes.map(brief)).toEqual(plan.changes.map(({ email }) => [email, 'SUCCESS', '']));
    expect(new Set(post.sent).size).toBe(4);
    expect(post.sent).toHaveLength(4);
  });

  it('are about to be sent one by one: of a mail that has not had its turn the journal says nothing', async () => {
    const [proxy, post] = [people(), new PostOffice()];
    const { options, journal } = await started(proxy, { deliver: null });
    const seen: number[] = [];
    let turn = Promise.resolve();
    const deliver: Deliver = (row, begin) => {
      const delivered = turn.then(async () => {
        const answer = await post.deliver(row, begin);
        seen.push((await journal.lines()).filter((line) => line.t === 'mail').length);
        return answer;
      });
      turn = delivered.then(() => undefined);
      return delivered;
    };
    await applyPlan(plan, { ...options, deliver });
    expect(seen[0]).toBe(1);
    expect(post.sent).toHaveLength(4);
  });

  it('are not sent where the journal cannot hold that they are about to be', async () => {
    const [proxy, post] = [people(), new PostOffice()];
    const { options, journal } = await started(proxy, { deliver: post.deliver });
    journal.mail = () => Promise.reject(new Error('ENOSPC: no space left on device'));
    const outcomes = await applyPlan(plan, options);
    expect(post.sent).toEqual([]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'FAILED', code: 'undelivered' });
    expect(outcomes[0]?.reason).toContain('ENOSPC');
    expect(await journal.isOver()).toBe(false);
  });

  it('are sent by nobody where none is wanted, and fresh links come after delivered ones', async () => {
    const [proxy, post] = [people(), new PostOffice()];
    const { directory, options } = await started(proxy, { deliver: post.deliver });
    await applyPlan(planOf(invite('old')), options);
    expect(await linksIn(directory)).toMatchObject([{ onboarding_link: 'delivered' }]);
    const journal = await FileJournal.create(directory);
    await applyPlan(planOf(invite('old')), optionsFor(proxy, journal));
    expect(await linksIn(directory)).toMatchObject([{ onboarding_link: expect.stringContaining('https://') }]);
    const next = await FileJournal.create(directory);
    await applyPlan(planOf(invite('old')), { ...optionsFor(proxy, next), deliver: post.deliver });
    expect(await linksIn(directory)).toMatchObject([{ onboarding_link: 'delivered', delivery: 'sent (250 queued)' }]);
    expect(post.sent).toHaveLength(2);
  });
});

describe('a delivery that is killed', () => {
  /** One run, or its recovery, whose process dies at a step: a write to the journal, or a mail. */
  async function dying(
    proxy: FakeProxy,
    post: PostOffice,
    journal: FileJournal,
    [at, moment]: readonly [number, Moment],
    what: 'run' | { readonly recovery: string },
  ): Promise<'died' | readonly Outcome[]> {
    const life = proxy.begin([]);
    const step = stepOf(at, moment, life);
    const bound = dyingAt(journal, step, life);
    const sent: Deliver = async (row, begin) => {
      await begin();
      return step(() => post.deliver(row, begin));
    };
    const { deliver } = life.bind({ deliver: sent });
    const options = { ...optionsFor(proxy, bound), proxy: life.bind(proxy), deliver };
    const others = life.bind(journal);
    const dyingJournal = new Proxy(others, { get: (_, name) => Reflect.get(name in bound ? bound : others, name) });
    const ended =
      what === 'run'
        ? applyPlan(plan, options)
        : recover(what.recovery, options, dyingJournal).then((one) => one?.outcomes ?? []);
    const outcomes = await Promise.race([ended, life.died]);
    await journal.close();
    return outcomes ?? 'died';
  }

  function expectTrue(
    post: PostOffice,
    proxy: FakeProxy,
    outcomes: readonly Outcome[],
    rows: Record<string, string>[],
  ) {
    expect(new Set(post.sent).size).toBe(post.sent.length);
    const mailed = post.sent.map((one) => one.split(' ')[0]);
    expect(new Set(mailed).size, 'one mail a user').toBe(mailed.length);
    for (const { email, status, reason } of outcomes) {
      const row = rows.find((one) => one.email === email);
      const isThere = proxy.invitations.some(({ id }) => row?.invitation_id === id);
      if (status === 'SUCCESS') {
        expect(mailed).toContain(email);
        expect(row).toMatchObject({ onboarding_link: 'delivered', delivery: 'sent (250 queued)' });
      } else if (/^not known/.test(row?.delivery ?? '')) {
        expect([reason, isThere]).toEqual([expect.stringContaining('is not known (the run was killed)'), true]);
      } else if (/^failed/.test(row?.delivery ?? '')) {
        expect([reason, isThere, mailed.includes(email)]).toEqual([expect.stringContaining('550'), true, false]);
      } else {
        expect([reason, mailed.includes(email)]).toEqual([expect.stringMatching(/next run/), false]);
      }
    }
  }

  it.each([
    ['before', false],
    ['after', false],
    ['before', true],
    ['after', true],
  ] as const)('%s each step in turn (one mail refused: %s): no mail twice, no link lost', async (moment, refuses) => {
    let reached = 0;
    for (let at = 1; ; at++) {
      const [proxy, post] = [people(), new PostOffice()];
      if (refuses) post.answers.set('b@example.com', FAILED).set('old@example.com', FAILED);
      const { directory, journal } = await started(proxy);
      const first = await dying(proxy, post, journal, [at, moment], 'run');
      if (first !== 'died') {
        expectTrue(post, proxy, first, await linksIn(directory));
        break;
      }
      reached = at;
      if (at === 1 && moment === 'before') continue;
      let report: 'died' | readonly Outcome[] = 'died';
      for (let again = 1; report === 'died'; again++) {
        report = await dying(proxy, post, FileJournal.resume(directory), [again, moment], { recovery: directory });
      }
      expect(report).toHaveLength(plan.changes.length);
      expectTrue(post, proxy, report, await linksIn(directory));
    }
    expect(reached).toBeGreaterThan(20);
  });
});
