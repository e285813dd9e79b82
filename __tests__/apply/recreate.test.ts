import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyPlan } from '../../src/apply/apply.ts';
import { recover } from '../../src/apply/recover.ts';
import { revokeUnseen } from '../../src/commands/revoke.ts';
import type { Delivery, LinkRow } from '../../src/core/outcome.ts';
import { FileJournal } from '../../src/journal/journal.ts';
import { FakeProxy, NO_LIMITS } from './fake-proxy.ts';
import { linksIn, move, optionsFor, planOf, setRole, started, teams, update } from './setup.ts';

function stuckRole(): FakeProxy {
  const proxy = new FakeProxy().user('u', 'u@example.com').team('a', 'u');
  proxy.rowFaults.set('role u', 'the database says no');
  return proxy;
}

describe('a user whose update the proxy does not take', () => {
  it('is left alone unless asked for', async () => {
    const proxy = stuckRole();
    const { options } = await started(proxy);
    const [outcome] = await applyPlan(planOf(setRole('u', 'proxy_admin')), options);
    expect(outcome).toMatchObject({
      status: 'FAILED',
      userId: 'u',
      reason: expect.stringContaining('the database says no'),
    });
    expect([...proxy.users.keys()]).toEqual(['u']);
  });

  it('is deleted and created anew, with role, teams, key and link', async () => {
    const proxy = stuckRole();
    const { directory, options } = await started(proxy, { recreateOnFailure: true, newUserId: () => 'anew' });
    const plan = planOf(update('u', { role: { from: 'internal_user', to: 'proxy_admin' }, currentTeams: teams('a') }));
    const [outcome] = await applyPlan(plan, options);
    expect(outcome).toMatchObject({
      action: 'UPDATED',
      status: 'SUCCESS',
      userId: 'anew',
      role: 'proxy_admin',
      teamName: 'Team a',
    });
    expect(outcome?.reason).toContain('recreated');
    expect([...proxy.users]).toEqual([
      [
        'anew',
        { email: 'u@example.com', role: 'proxy_admin', teams: new Set(['a']), limits: NO_LIMITS, activity: 'active' },
      ],
    ]);
    expect(proxy.rosters.get('a')).toEqual(new Set(['anew']));
    expect(await linksIn(directory)).toEqual([
      expect.objectContaining({ user_id: 'anew', api_key: proxy.keys[0]?.secret }),
    ]);
  });

  it.each(['sent', 'failed'] as const)('gets the link by mail as a new user does (%s)', async (kind) => {
    const proxy = stuckRole();
    const mailed: string[] = [];
    const deliver = async ({ email, link }: LinkRow): Promise<Delivery> => {
      mailed.push(`${email} ${link.reveal()}`);
      return { kind, response: kind === 'sent' ? '250 queued' : '550 no such user' };
    };
    const { directory, options } = await started(proxy, { recreateOnFailure: true, newUserId: () => 'anew', deliver });
    const [outcome] = await applyPlan(planOf(setRole('u', 'proxy_admin')), options);
    const [{ id } = { id: '' }] = proxy.invitations;
    expect(mailed).toEqual([`u@example.com https://llm.example.com/ui/?invitation_id=${id}`]);
    expect(outcome).toMatchObject({
      action: 'UPDATED',
      recreated: true,
      status: kind === 'sent' ? 'SUCCESS' : 'FAILED',
    });
    const [row] = await linksIn(directory);
    expect(row).toMatchObject({ user_id: 'anew', delivery: expect.stringMatching(`^${kind} `) });
    expect(row?.invitation_id).toBe(kind === 'sent' ? 'delivered' : id);
  });

  it('loses key and link again where nobody can be given them', async () => {
    const proxy = stuckRole();
    const { options, journal } = await started(proxy, { recreateOnFailure: true, newUserId: () => 'anew' });
    const outcomes = await applyPlan(planOf(setRole('u', 'proxy_admin')), options);
    const rows = await journal.onboardingFile.read();
    const lost = { published: false, reason: 'Not uploaded.', isLost: true } as const;
    const [told] = await revokeUnseen(outcomes, rows, lost, proxy, journal);
    await journal.close();
    expect(told).toMatchObject({ status: 'FAILED', recreated: true, userId: 'anew', key: null });
    expect([proxy.keys, proxy.invitations]).toEqual([[], []]);
  });

  it('is mailed after a kill, too', async () => {
    const proxy = stuckRole();
    const { directory, journal, options } = await started(proxy, { recreateOnFailure: true, newUserId: () => 'anew' });
    await applyPlan(planOf(setRole('u', 'proxy_admin')), { ...options, deliver: null });
    // As if the run had been killed before its mails and its last line.
    const kept = (await journal.lines()).filter(({ t }) => t !== 'finished');
    await writeFile(join(directory, 'journal.jsonl'), kept.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const mailed: string[] = [];
    const deliver = async ({ email }: LinkRow): Promise<Delivery> => {
      mailed.push(email);
      return { kind: 'sent', response: '250 queued' };
    };
    await recover(directory, { ...optionsFor(proxy, FileJournal.resume(directory)), deliver });
    expect(mailed).toEqual(['u@example.com']);
  });

  it('is not recreated after lost answers', async () => {
    const proxy = new FakeProxy().user('u', 'u@example.com');
    for (let write = 1; write < 20; write++) proxy.faults.set(write, 'lost-before');
    const { options } = await started(proxy, { recreateOnFailure: true, retries: 2 });
    const [outcome] = await applyPlan(planOf(setRole('u', 'proxy_admin')), options);
    expect(outcome).toMatchObject({ status: 'FAILED', userId: 'u' });
    expect(proxy.counts()).toEqual({ findUsers: 4, updateRoles: 3 });
  });

  it('is not recreated where a call fails as a whole', async () => {
    const proxy = new FakeProxy().user('u', 'u@example.com');
    for (let write = 1; write < 20; write++) proxy.faults.set(write, 'refused');
    const { options } = await started(proxy, { recreateOnFailure: true });
    await applyPlan(planOf(setRole('u', 'proxy_admin')), options);
    expect([...proxy.users.keys()]).toEqual(['u']);
    expect(proxy.counts()).not.toHaveProperty('deleteUsers');
  });

  it('is not recreated into a team that does not exist: they would be lost', async () => {
    const proxy = new FakeProxy().user('u', 'u@example.com').team('a', 'u');
    const { options } = await started(proxy, { recreateOnFailure: true });
    const [outcome] = await applyPlan(planOf(move('u', ['a'], ['gone'])), options);
    expect(outcome).toMatchObject({ status: 'FAILED', userId: 'u', teamName: 'Team a' });
    expect(outcome?.reason).toContain('not recreated: team Team gone does not exist');
    expect(proxy.rosters.get('a')).toContain('u');
  });

  it('says that the user is gone where the creation fails', async () => {
    const proxy = stuckRole();
    proxy.rowFaults.set('create u@example.com', 'no seat left');
    const { options } = await started(proxy, { recreateOnFailure: true });
    const [outcome] = await applyPlan(planOf(setRole('u', 'proxy_admin')), options);
    expect(outcome).toMatchObject({ action: 'UPDATED', status: 'FAILED', userId: '' });
    expect(outcome?.reason).toMatch(/^deleted to be recreated, but not created: no seat left/);
  });
});
