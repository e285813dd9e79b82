import { expect, it } from 'vitest';
import { placeOf } from '../../src/core/problem.ts';

const at = (more: object) => placeOf({ line: 2, column: 3, message: 'Unknown team `x`.', ...more });

it.each([
  ['column and row', { columnName: 'team_name', email: 'a@x.io' }, 'team_name of a@x.io'],
  ['the column, where the message names the row', { columnName: 'email', email: 'x', message: '`x`' }, 'email'],
  ['the column of a row without email', { columnName: 'team_name' }, 'team_name'],
  ['the row', { email: 'a@x.io' }, 'a@x.io'],
  ['nothing for a whole file', {}, ''],
])('a place is %s', (_what, more, place) => {
  expect(at(more)).toBe(place);
});
