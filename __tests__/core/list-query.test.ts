import { describe, expect, it } from 'vitest';
import { isListed, type ListQuery, listQuery } from '../../src/core/list-query.ts';

const NOTHING = { role: '', emailLike: '', columns: '', showAll: false };

function query(over: Partial<typeof NOTHING> = {}): ListQuery {
  const found = listQuery({ ...NOTHING, ...over });
  if ('problems' in found) throw new Error(found.problems.join());
  return found;
}

describe('what is asked for', () => {
  it('is the usual columns of everybody, if nothing is said', () => {
    expect(query()).toEqual({
      columns: ['user_id', 'user_email', 'user_role', 'teams', 'created_at', 'updated_at'],
      role: null,
      emailLike: '',
      showAll: false,
    });
  });

  it('is columns in the order they are named, each once', () => {
    expect(query({ columns: 'spend, user_id,,spend' }).columns).toEqual(['spend', 'user_id']);
  });

  it('is refused for columns and roles that there are not, all of them at once', () => {
    const found = listQuery({ ...NOTHING, role: 'admin', columns: 'user_emial,metadata' });
    expect('problems' in found && found.problems).toEqual([
      expect.stringMatching(/^Input `columns` has `user_emial`; allowed: user_id, .* Did you mean `user_email`\?$/),
      expect.stringMatching(/^Input `columns` has `metadata`; allowed: user_id, /),
      expect.stringMatching(/^Input `role` is `admin`; allowed: proxy_admin, /),
    ]);
  });
});

describe('who is shown', () => {
  it.each([
    ['an internal user', 'a@x.io', 'internal_user', {}, true],
    ['no role', 'a@x.io', null, {}, true],
    ['another role', 'a@x.io', 'customer', {}, false],
    ['another role, all', 'a@x.io', 'customer', { showAll: true }, true],
    ['another role, by name', 'a@x.io', 'customer', { role: 'customer' }, true],
    ['no email', null, 'internal_user', {}, false],
    ['a blank email', ' ', 'internal_user', {}, false],
    ['no email, all', null, 'internal_user', { showAll: true }, true],
    ['no email, all like', null, 'internal_user', { showAll: true, emailLike: 'x' }, false],
    ['like, in other letters', 'Ann@X.io', 'internal_user', { emailLike: 'NN@x' }, true],
    ['not like', 'bob@x.io', 'internal_user', { emailLike: 'ann' }, false],
    ['the role', 'a@x.io', 'proxy_admin', { role: 'proxy_admin' }, true],
    ['not the role', 'a@x.io', 'internal_user', { role: 'proxy_admin' }, false],
    ['no role is default', 'a@x.io', '', { role: 'default' }, true],
  ])('%s', (_, email, role, asked, shown) => {
    expect(isListed({ email, role }, query(asked))).toBe(shown);
  });
});
