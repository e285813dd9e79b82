import fc from 'fast-check';
import type { UserLimits } from '../../src/core/inventory.ts';
import { ROLES } from '../../src/core/inventory.ts';
import type {
  AddChange,
  DeactivateChange,
  DeleteChange,
  InviteChange,
  KeyFate,
  LimitChange,
  Plan,
  TeamMove,
  TeamRef,
  UpdateChange,
} from '../../src/core/plan.ts';
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
const team: fc.Arbitrary<TeamRef> = fc.record(
  { teamId: fc.string(), name: hostileValue, alias: hostileValue },
  { requiredKeys: ['teamId', 'name'] },
);
const teams = fc.array(team, { maxLength: 8 });
const withheld = fc.constantFrom(null, 'no-add', 'no-delete', 'no-update', 'not reviewed', 'max-deletes');
const count = fc.nat(5);

const line = fc.option(fc.nat(99));
const rate = fc.option(fc.nat(9));
const limits: fc.Arbitrary<UserLimits> = fc.record({
  maxBudget: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true })),
  budgetDuration: fc.option(hostileValue),
  tpmLimit: rate,
  rpmLimit: rate,
  models: fc.array(hostileValue, { maxLength: 3 }),
});
const limitChanges: fc.Arbitrary<LimitChange[]> = fc
  .tuple(limits, limits, fc.subarray(['maxBudget', 'budgetDuration', 'tpmLimit', 'rpmLimit', 'models'] as const))
  .map(([from, to, fields]) => fields.map((field) => ({ field, from: from[field], to: to[field] }) as LimitChange));
const fate: fc.Arbitrary<KeyFate> = fc.oneof(
  fc.record({ fate: fc.constant('moves' as const), to: team }),
  fc.record({ fate: fc.constantFrom('deleted' as const, 'survives' as const), to: fc.constant(null) }),
);
const conflicts = fc.array(fc.record({ team, userId: fc.option(hostileValue) }), { maxLength: 2 });

const addChange: fc.Arbitrary<AddChange> = fc.record({
  kind: fc.constant('add'),
  line,
  email: emailLike,
  role: maybeRole,
  teams: fc.option(teams),
  keyName: fc.option(hostileValue),
  limits: fc.oneof(fc.constant({}), limits),
  conflicts,
  withheld,
});

const leaver = {
  line,
  email: emailLike,
  userId: hostileValue,
  role: fc.option(fc.oneof(role, hostileValue)),
  teams,
  keyCount: fc.option(count),
  spend: fc.double({ min: 0, max: 1e9, noNaN: true }),
  active: fc.boolean(),
  expired: fc.option(hostileValue),
  withheld,
};
const deleteChange: fc.Arbitrary<DeleteChange> = fc.record({ kind: fc.constant('delete'), ...leaver });
const deactivateChange: fc.Arbitrary<DeactivateChange> = fc.record({ kind: fc.constant('deactivate'), ...leaver });
const inviteChange: fc.Arbitrary<InviteChange> = fc.record({
  kind: fc.constant('invite'),
  email: emailLike,
  userId: hostileValue,
  role: fc.option(hostileValue),
  teams,
  withheld,
});

const teamMove: fc.Arbitrary<TeamMove> = fc.record({
  from: teams,
  to: teams,
  join: teams,
  rejoin: teams,
  leave: teams,
});
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
  line,
  email: emailLike,
  userId: hostileValue,
  role: fc.option(fc.record({ from: fc.option(hostileValue), to: role })),
  rename: fc.option(fc.record({ from: emailLike, to: emailLike })),
  teams: fc.option(teamMove),
  limits: limitChanges,
  reactivates: fc.boolean(),
  currentRole: fc.option(fc.oneof(role, hostileValue)),
  currentTeams: teams,
  currentLimits: limits,
  spend: fc.double({ min: 0, max: 1e9, noNaN: true }),
  keyFates: fc.array(
    fc.tuple(fate, team).map(([goes, left]) => ({ ...goes, team: left })),
    { maxLength: 3 },
  ),
  leftKeys: fc.oneof(
    fc.constant('unknown' as const),
    fc.array(
      fc.tuple(fate, proxyKey).map(([goes, key]) => ({ ...goes, key })),
      { maxLength: 25 },
    ),
  ),
  losses: fc.array(fc.record({ team, what: fc.constantFrom('team admin role', 'own budget in the team') }), {
    maxLength: 2,
  }),
  conflicts,
  approvedAsAdd: fc.option(fc.record({ digest: fc.string(), leftOut: fc.array(hostileValue, { maxLength: 2 }) })),
  withheld,
});

export const anyPlan: fc.Arbitrary<Plan> = fc.record({
  changes: fc.array(fc.oneof(addChange, deleteChange, deactivateChange, updateChange, inviteChange), { maxLength: 60 }),
  unchanged: fc.constant([]),
  managed: count,
  admins: count,
  unmanaged: fc.record({ withoutEmail: count, otherRole: count, ownUser: count, protected: count, deactivated: count }),
  deactivated: count,
  breaches: fc.array(
    fc.record({ limit: fc.constantFrom('max-deletes', 'min-admins'), stops: fc.boolean(), message: hostileValue }),
    { maxLength: 2 },
  ),
  warnings: fc.array(hostileValue, { maxLength: 2 }),
  notes: fc.array(hostileValue, { maxLength: 2 }),
  leavingSoon: fc.array(fc.record({ line: count, email: emailLike, expires: hostileValue }), { maxLength: 3 }),
});
