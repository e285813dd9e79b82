import fc from 'fast-check';
import { ROLES } from '../../src/core/inventory.ts';
import type { AddChange, DeleteChange, Plan, TeamMove, TeamRef, UpdateChange } from '../../src/core/plan.ts';
import { HOSTILE } from './plans.ts';

const NASTY = [
  '`',
  '``',
  '|',
  '\\',
  '<',
  '>',
  '!--',
  '@',
  '#',
  '##[',
  '::',
  '$',
  '*',
  '_',
  '[',
  ']',
  '(',
  ')',
  '\n',
  ' ',
];

/** Values made to disturb: known attacks, pieces of syntax in any order, any Unicode. */
export const hostileValue = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.array(fc.constantFrom(...NASTY, 'a', '1', 'U+0041>'), { maxLength: 12 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ maxLength: 20 }),
);

const emailLike = fc.oneof(hostileValue, fc.emailAddress()).filter((value) => value !== '');
const role = fc.constantFrom(...ROLES);
const maybeRole = fc.option(role);
const team: fc.Arbitrary<TeamRef> = fc.record({ teamId: fc.string(), name: hostileValue });
const teams = fc.array(team, { maxLength: 8 });
const withheld = fc.constantFrom(null, 'no-add', 'no-delete', 'no-update', 'not reviewed');
const count = fc.nat(5);

const addChange: fc.Arbitrary<AddChange> = fc.record({
  kind: fc.constant('add'),
  email: emailLike,
  role: maybeRole,
  teams: fc.option(teams),
  keyName: fc.option(hostileValue),
  withheld,
});

const deleteChange: fc.Arbitrary<DeleteChange> = fc.record({
  kind: fc.constant('delete'),
  email: emailLike,
  userId: hostileValue,
  role: fc.option(hostileValue),
  teams,
  keyCount: count,
  spend: fc.double({ min: 0, max: 1e9, noNaN: true }),
  withheld,
});

const teamMove: fc.Arbitrary<TeamMove> = fc.record({ from: teams, to: teams, join: teams, leave: teams });
const proxyKey = fc.record({
  hash: fc.string(),
  name: hostileValue,
  alias: fc.option(hostileValue),
  userId: fc.option(hostileValue),
  teamId: fc.option(hostileValue),
  spend: fc.nat(9),
});

const updateChange: fc.Arbitrary<UpdateChange> = fc.record({
  kind: fc.constant('update'),
  email: emailLike,
  userId: hostileValue,
  role: fc.option(fc.record({ from: fc.option(hostileValue), to: role })),
  teams: fc.option(teamMove),
  currentRole: fc.option(hostileValue),
  currentTeams: teams,
  teamKeys: fc.array(proxyKey, { maxLength: 25 }),
  teamKeysDeleted: fc.boolean(),
  withheld,
});

export const anyPlan: fc.Arbitrary<Plan> = fc.record({
  changes: fc.array(fc.oneof(addChange, deleteChange, updateChange), { maxLength: 60 }),
  unchanged: fc.constant([]),
  managed: count,
  admins: count,
  unmanaged: fc.record({ withoutEmail: count, otherRole: count, ownUser: count, protected: count }),
  breaches: fc.array(fc.record({ limit: fc.constantFrom('max-deletes', 'min-admins'), message: hostileValue }), {
    maxLength: 2,
  }),
});
