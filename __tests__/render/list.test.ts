import { expect, it } from 'vitest';
import { listText } from '../../src/render/list.ts';

it('a table has columns as wide as their widest cell, and no blanks at the end of a line', () => {
  const users = [
    ['ann@example.com', 'internal_user', ['a', 'b']],
    ['bö@example.com', null, []],
  ];
  expect(listText(users, ['user_email', 'user_role', 'teams'], 'table')).toBe(
    ['user_email       user_role      teams', 'ann@example.com  internal_user  a;b', 'bö@example.com', ''].join('\n'),
  );
});

it('a table of nobody is its header', () => {
  expect(listText([], ['user_email', 'user_id'], 'table')).toBe('user_email  user_id\n');
});
