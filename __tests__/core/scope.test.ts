import { describe, expect, it } from 'vitest';
import { countUnmanaged, meantUser, splitManaged, UsersByEmail, unmatchedGlobs } from '../../src/core/scope.ts';
import { inventory, user } from './build.ts';

const OFF = { activity: 'deactivated by others' } as const;

describe('who may be touched', () => {
  it.each([
    ['an internal user', user('ann'), null],
    ['an administrator', user('ann', { role: 'proxy_admin' }), null],
    ['no role', user('ann', { role: null }), null],
    ['a blank role', user('ann', { role: '' }), null],
    ['role default', user('ann', { role: 'default' }), null],
    ['another role', user('ann', { role: 'customer' }), 'other role'],
    ['no email', user('ann', { email: null }), 'without email'],
    ['a blank email', user('ann', { email: ' ' }), 'without email'],
    ['the user whose key we use', user('me'), 'own user'],
    ['oneself, protected besides', user('me', { email: 'boss@corp.example' }), 'protected'],
    ['whom others deactivated', user('ann', OFF), 'deactivated'],
    ['a protected one whom others deactivated', user('svc', OFF), 'protected'],
    ['whom we deactivated', user('ann', { activity: 'deactivated by us' }), null],
    ['a protected email in other code points', user('ann', { email: 'u\u0308@corp.example' }), 'protected'],
    ['a protected email', user('ann', { email: ' Boss@Corp.example ' }), 'protected'],
    ['a protected id', user('svc/build/1'), 'protected'],
    ['a protected one with another role', user('svc-1', { role: 'customer' }), 'protected'],
  ])('%s', (_, one, reason) => {
    const { managed, unmanaged } = splitManaged(inventory([one], [], 'me'), ['*@corp.example', 'svc*']);
    expect(managed).toEqual(reason === null ? [one] : []);
    expect(unmanaged.get(one) ?? null).toBe(reason);
  });

  it.each([
    ['*', 'anything/at.all', true],
    ['svc?', 'svc1', true],
    ['svc?', 'svc', false],
    ['svc', 'svc1', false],
    ['*@x.io', '.dot@x.io', true],
    ['!ann', 'bob', false],
    ['a+b@x.io', 'a+b@x.io', true],
    ['a.c@x.io', 'abc@x.io', false],
    ['', 'ann', false],
  ])('glob %j and %j: %s', (glob, userId, isProtected) => {
    const { unmanaged } = splitManaged(inventory([user(userId, { email: 'someone@y.io' })]), glob === '' ? [] : [glob]);
    expect(unmanaged.size).toBe(isProtected ? 1 : 0);
  });

  it('counts the others by reason', () => {
    const users = [
      user('a', { email: null }),
      user('b', { role: 'customer' }),
      user('c'),
      user('me'),
      user('vip'),
      user('off', OFF),
    ];
    const { unmanaged } = splitManaged(inventory(users, [], 'me'), ['vip']);
    expect(countUnmanaged(unmanaged)).toEqual({
      withoutEmail: 1,
      otherRole: 1,
      ownUser: 1,
      protected: 1,
      deactivated: 1,
    });
  });
});

describe('users by email', () => {
  it('are found trimmed and in any letter case; those without one are left out', () => {
    const users = [user('1', { email: 'Ann@x.io' }), user('2', { email: ' ann@X.io' }), user('3', { email: null })];
    const byEmail = new UsersByEmail([...users, user('4', { email: 'bob@x.io' }), user('5', { email: 'ann@x.io' })]);
    const found = [...byEmail.keys()].map((key) => [key, byEmail.get(key).map((one) => one.userId)]);
    expect(found).toEqual([
      ['ann@x.io', ['1', '2', '5']],
      ['bob@x.io', ['4']],
    ]);
    expect([...byEmail.shared.keys()]).toEqual(['ann@x.io']);
    expect([byEmail.get('eve@x.io'), byEmail.has('eve@x.io'), byEmail.has('bob@x.io')]).toEqual([[], false, true]);
  });
});

describe('the user that is meant', () => {
  const twin = (userId: string, over = {}) => user(userId, { email: 'two@x.io', ...over });
  it.each([
    ['the only one', [twin('a')], 'a'],
    ['the only one, though protected', [twin('vip-a')], 'vip-a'],
    ['the one that is not protected', [twin('vip-a'), twin('b'), twin('vip-c')], 'b'],
    ['the other one, where the run’s own is protected', [twin('vip-me'), twin('b')], 'b'],
    ['none of two', [twin('a'), twin('b')], null],
    ['none of two, one with another role', [twin('a'), twin('b', { role: 'customer' })], null],
    ['none where all are protected', [twin('vip-a'), twin('vip-b')], null],
  ])('is %s', (_, users, meant) => {
    const { unmanaged } = splitManaged(inventory(users, [], 'vip-me'), ['vip*']);
    expect(meantUser(new UsersByEmail(users).get('two@x.io'), unmanaged)?.userId ?? null).toBe(meant);
  });
});

it('globs that match nobody are told', () => {
  const have = inventory([user('svc', { email: null }), user('ann', { email: ' Ann@x.io ' })]);
  expect(unmatchedGlobs(have, ['svc', 'ANN@*', '*@y.io', 'an'])).toEqual(['*@y.io', 'an']);
});
