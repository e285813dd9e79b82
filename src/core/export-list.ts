import { sharedMessage } from './diff.ts';
import type { Inventory, ProxyUser, UserLimits, UserWithEmail } from './inventory.ts';
import { compare } from './order.ts';
import type { LimitField, UnmanagedCounts } from './plan.ts';
import { countUnmanaged, meantUser, splitManaged, UsersByEmail } from './scope.ts';
import {
  isNoTeam,
  type Memberships,
  memberships,
  type TeamDirectory,
  teamCellFault,
  teamDirectory,
  teamRefs,
} from './teams.ts';
import { LIMIT_HEADERS, limitCell } from './user-limits.ts';

/** A row of the `user_list.csv` that says what the proxy has. */
export interface ExportRow {
  readonly email: string;
  readonly role: string;
  /** Names or ids joined by `;`; `-` for no team; blank where `sync` must leave the teams alone. */
  readonly teamName: string;
  /** Cells in the order of {@link LIMIT_HEADERS}, `-` for none, blank where `sync` must leave a limit alone. */
  readonly limits: readonly string[];
}

export interface ExportList {
  /** Sorted by email: two exports differ only where the proxy does. */
  readonly rows: readonly ExportRow[];
  readonly unmanaged: UnmanagedCounts;
  /** Number of deactivated users who are left out, also of those that {@link unmanaged} counts. */
  readonly inactive: number;
  /** Users of whom only one of the two halves of a membership is there: `team_name` is blank. */
  readonly halfMembers: readonly string[];
  /** Users in a team that no cell can name: `team_name` is blank. */
  readonly unnamable: readonly string[];
  /** Users with a limit that no cell can say: that cell is blank. */
  readonly unwritableLimits: readonly string[];
  /** One message for each email that several users have. */
  readonly shared: readonly string[];
}

export interface ExportOptions {
  /** Whether rows hold the users' limits. */
  readonly limits: boolean;
}

/** The file that a plan would find nothing to do for. Pure: the same inventory gives the same rows. */
export function exportList(
  inventory: Inventory,
  protectedUsers: readonly string[],
  options: ExportOptions = { limits: false },
): ExportList {
  const { managed, unmanaged } = splitManaged(inventory, protectedUsers);
  const context: Context = {
    directory: teamDirectory(inventory.teams),
    memberships: memberships(inventory.teams),
    limits: options.limits,
  };
  const inReach = new Set<ProxyUser>(managed.filter(isActive));
  const byEmail = new UsersByEmail(inventory.users);
  const entries = [...byEmail.keys()]
    .map((key) => ({ key, users: byEmail.get(key), meant: meantUser(byEmail.get(key), unmanaged) }))
    .filter(({ users, meant }) => (meant === null ? users.some((user) => inReach.has(user)) : inReach.has(meant)))
    .sort((a, b) => compare(a.key, b.key))
    .map(({ key, users, meant }) => (meant === null ? sharedEntry(key, users) : entryOf(meant, context)));
  const oddities = (kind: Oddity['kind']): string[] =>
    entries.flatMap(({ odd }) => odd.flatMap((one) => (one.kind === kind ? one.text : [])));
  return {
    rows: entries.map(({ row }) => row),
    unmanaged: countUnmanaged(unmanaged),
    inactive: [...managed, ...unmanaged.keys()].filter((user) => !isActive(user)).length,
    halfMembers: oddities('half'),
    unnamable: oddities('unnamable'),
    unwritableLimits: oddities('limits'),
    shared: oddities('shared'),
  };
}

function isActive(user: ProxyUser): boolean {
  return user.activity === 'active';
}

interface Oddity {
  readonly kind: 'half' | 'unnamable' | 'limits' | 'shared';
  readonly text: string;
}

interface Entry {
  readonly row: ExportRow;
  readonly odd: readonly Oddity[];
}

interface Context extends ExportOptions {
  readonly directory: TeamDirectory;
  readonly memberships: Memberships;
}

/** Several users share this email. A row with blank cells keeps whichever of them is left from being deleted. */
function sharedEntry(key: string, users: readonly UserWithEmail[]): Entry {
  return {
    row: { email: key, role: '', teamName: '', limits: [] },
    odd: [{ kind: 'shared', text: sharedMessage(key, users) }],
  };
}

function entryOf(user: UserWithEmail, context: Context): Entry {
  const email = user.email.trim();
  const teams = teamCell(user, context);
  const limits = context.limits ? FIELDS.map((field) => limitCell(field, user.limits[field])) : [];
  return {
    row: { email, role: user.role || 'default', teamName: teams.text, limits: limits.map((cell) => cell ?? '') },
    odd: [
      ...(teams.odd === null ? [] : [{ kind: teams.odd, text: email }]),
      ...(limits.includes(null) ? [{ kind: 'limits' as const, text: email }] : []),
    ],
  };
}

const FIELDS = Object.keys(LIMIT_HEADERS) as (LimitField & keyof UserLimits)[];

interface TeamCell {
  readonly text: string;
  readonly odd: 'half' | 'unnamable' | null;
}

function teamCell(user: ProxyUser, { directory, memberships: of }: Context): TeamCell {
  const { full, half } = of(user);
  if (half.length > 0) return { text: '', odd: 'half' };
  if (full.length === 0) return { text: '-', odd: null };
  const teams = teamRefs(full, directory);
  const wanted = new Set(full);
  // Names joined may be the name of one other team, and an id may hold what separates names.
  const texts = [teams.map((team) => team.name), teams.map((team) => team.teamId)].map((names) => names.join(';'));
  const text = texts.find((cell) => isCell(cell) && means(cell, wanted, directory));
  return text === undefined ? { text: '', odd: 'unnamable' } : { text, odd: null };
}

/** Whether a cell reads back as the same text, and as teams. */
function isCell(text: string): boolean {
  return text.trim() === text && !/[\r\n]/.test(text) && !isNoTeam(text) && teamCellFault(text) === null;
}

function means(cell: string, teamIds: ReadonlySet<string>, directory: TeamDirectory): boolean {
  const found = directory.read(cell).map((one) => (one.found ? one.team.teamId : null));
  return new Set(found).size === teamIds.size && found.every((teamId) => teamId !== null && teamIds.has(teamId));
}
