import { expect, it, onTestFinished } from 'vitest';
import { revokeUnseen } from '../../src/commands/revoke.ts';
import { hasLink, type OnboardingRow, type Outcome } from '../../src/core/outcome.ts';
import { Secret } from '../../src/core/secret.ts';
import type { JournalLine } from '../../src/journal/format.ts';
import { FileJournal } from '../../src/journal/journal.ts';
import { FakeProxy, hashOf } from '../apply/fake-proxy.ts';
import { add, HEAD, invite, planOf, temporaryDirectory } from '../apply/setup.ts';

const LOST = { published: false, reason: 'Not uploaded.', isLost: true } as const;
const NAMES = { role: 'internal_user', teamName: '' };

/** Two new users and two with fresh links: of each kind one whose mail went out, and one whose mail did not. */
async function world() {
  const proxy = new FakeProxy();
  const rows = new Map<string, OnboardingRow>();
  const outcomes: Outcome[] = [];
  for (const [index, userId] of ['new', 'new-mailed', 'old', 'old-mailed', 'bystander'].entries()) {
    const email = `${userId}@example.com`;
    proxy.user(userId, email);
    const { id } = await proxy.createInvitation(userId);
    const delivered = userId.endsWith('mailed');
    const link = delivered ? null : new Secret(`https://l/${id.reveal()}`);
    const made = { invitationId: delivered ? null : id, link, delivered, expiresAt: '', keyName: '' };
    const delivery = delivered ? 'sent (250)' : 'failed (550)';
    rows.set(userId, { email, userId, ...NAMES, ...made, apiKey: null, delivery });
    const action = userId.startsWith('new') ? 'ADDED' : 'UNCHANGED';
    const base = { index: userId === 'bystander' ? null : index, action, email, userId, ...NAMES, key: null } as const;
    if (delivered || userId === 'bystander') outcomes.push({ ...base, status: 'SUCCESS', reason: '' });
    else outcomes.push({ ...base, status: 'FAILED', code: 'undelivered', reason: 'The mail was not sent.' });
  }
  const journal = await FileJournal.create(await temporaryDirectory());
  onTestFinished(() => journal.close());
  const changes = outcomes.map(({ email, userId }) => (userId.startsWith('new') ? add(email) : invite(userId)));
  await journal.begin(planOf(...changes), { ...HEAD, command: 'onboard', apiKeys: true, invitations: true });
  await journal.onboarding([...rows.values()]);
  return { proxy, rows, outcomes, journal };
}

const brief = ({ userId, status, reason }: Outcome) => [userId, status, reason];

it('revokes what no mail has brought, of new users and of existing ones, and nothing else', async () => {
  const { proxy, rows, outcomes, journal } = await world();
  const told = await revokeUnseen(outcomes, rows, LOST, proxy, journal);
  const reason = 'The mail was not sent. Not uploaded. The link was revoked: run the command onboard for a fresh one.';
  expect(told.map(brief)).toEqual([
    ['new', 'FAILED', reason],
    ['new-mailed', 'SUCCESS', ''],
    ['old', 'FAILED', reason],
    ['old-mailed', 'SUCCESS', ''],
    ['bystander', 'SUCCESS', ''],
  ]);
  expect(proxy.invitations.map(({ userId }) => userId)).toEqual(['new-mailed', 'old-mailed', 'bystander']);
});

it('is known to the journal before and after, and leaves nothing of it in the file', async () => {
  const { proxy, rows, outcomes, journal } = await world();
  // Of the first one something is missing: recovery is to complete it.
  const [, ...others] = outcomes.flatMap((outcome) =>
    outcome.index === null ? [] : { index: outcome.index, outcome },
  );
  await journal.recorded(others);
  const before = (await journal.lines()).length;
  proxy.onWrite = () => void seen.push(journal.lines());
  const seen: Promise<JournalLine[]>[] = [];
  const told = await revokeUnseen(outcomes, rows, LOST, proxy, journal);
  const first = (await Promise.all(seen))[0] ?? [];
  expect(first.slice(before)).toEqual([{ t: 'revocation', userIds: ['new', 'old'], done: false }]);
  expect((await journal.lines()).slice(before + 1)).toEqual([
    { t: 'outcome', index: 2, outcome: told[2] },
    { t: 'revocation', userIds: ['new', 'old'], done: true },
  ]);
  const left = [...(await journal.onboardingFile.read()).values()].map((row) => [
    row.userId,
    hasLink(row),
    row.delivered,
  ]);
  expect(left).toEqual([
    ['new', false, false],
    ['new-mailed', false, true],
    ['old', false, false],
    ['old-mailed', false, true],
    ['bystander', true, false],
  ]);
});

it('says so where a link cannot be revoked, or there is no key to do so', async () => {
  const { proxy, rows, outcomes, journal } = await world();
  proxy.begin([[1, 'refused']]);
  const [first, , second] = await revokeUnseen(outcomes, rows, LOST, proxy, journal);
  expect(first?.reason).toContain('could not be revoked (503 Service Unavailable) and expires after 7 days');
  expect(second?.reason).toContain('The link was revoked');
  const [unasked] = await revokeUnseen(outcomes, rows, LOST, null, journal);
  expect(unasked?.reason).toContain('run the command onboard for a fresh one');
});

it('leaves all as it is where the files are still at hand', async () => {
  const { proxy, rows, outcomes, journal } = await world();
  const [first] = await revokeUnseen(outcomes, rows, { ...LOST, isLost: false }, proxy, journal);
  expect(first).toMatchObject({
    status: 'FAILED',
    reason: expect.stringContaining('The link is in the output directory'),
  });
  expect(proxy.invitations).toHaveLength(5);
});

it('deletes a key that nobody has seen, also that of a user whose link was mailed', async () => {
  const { proxy, rows, outcomes, journal } = await world();
  const hash = proxy.key('new-mailed', null, 'k');
  const row = rows.get('new-mailed');
  const secret = proxy.keys[0]?.secret ?? '';
  if (row !== undefined) rows.set('new-mailed', { ...row, apiKey: new Secret(secret) });
  const told = await revokeUnseen(outcomes, rows, LOST, proxy, journal);
  expect(told[1]).toMatchObject({ status: 'FAILED', key: null, reason: expect.stringContaining('was deleted') });
  expect(told[1]?.reason).not.toContain('revoked');
  expect(proxy.keys.map(hashOf)).not.toContain(hash);
  expect(proxy.invitations.map(({ userId }) => userId)).toContain('new-mailed');
});
