import { sharedMessage } from './diff.ts';
import type { Inventory, ProxyUser, UserWithEmail } from './inventory.ts';
import { compare } from './order.ts';
import type { UnmanagedCounts } from './plan.ts';
import { byEmail, countUnmanaged, splitManaged } from './scope.ts';
import { isWritable, type Memberships, memberships, type TeamDirectory, teamDirectory, teamRefs } from './teams.ts';

/** A row of the `user_list.csv` that says what the proxy has. */
export interface ExportRow {
  readonly email: string;
  readonly role: string;
  /** Names or ids joined by `;`; `-` for no team; blank where `sync` is to leave the teams alone. */
  readonly teamName: string;
}

export interface ExportList {
  /** Sorted by email: two exports differ only where the proxy does. */
  readonly rows: readonly ExportRow[];
  readonly unmanaged: UnmanagedCounts;
  /** Users of whom only one of the two halves of a membership is there: `team_name` is blank. */
  readonly halfMembers: readonly string[];
  /** Users in a team that no cell can name: `team_name` is blank. */
  readonly unnamable: readonly string[];
  /** One message for each email that several users have. */
  readonly shared: readonly string[];
}

/** The file that a plan would find nothing to do for. Pure: the same inventory gives the same rows. */
export function exportList(inventory: Inventory, protectedUsers: readonly string[]): ExportList {
  const { managed, unmanaged } = splitManaged(inventory, protectedUsers);
  const inReach = new Set(managed);
  const teams = { directory: teamDirectory(inventory.teams), memberships: memberships(inventory.teams) };
  const entries = [...byEmail(inventory.users)]
    .filter(([, users]) => users.some((user) => inReach.has(user)))
    .sort(([a], [b]) => compare(a, b))
    .map(([key, users]) => entryOf(key, users, teams));
  const oddities = (kind: Oddity['kind']): string[] =>
    entries.flatMap(({ odd }) => (odd?.kind === kind ? odd.text : []));
  return {
    rows: entries.map(({ row }) => row),
    unmanaged: countUnmanaged(unmanaged),
    halfMembers: oddities('half'),
    unnamable: oddities('unnamable'),
    shared: oddities('shared'),
  };
}

interface Oddity {
  readonly kind: 'half' | 'unnamable' | 'shared';
  readonly text: string;
}

interface Entry {
  readonly row: ExportRow;
  readonly odd: Oddity | null;
}

/** @param users all users with this email */
function entryOf(key: string, users: readonly UserWithEmail[], teams: Teams): Entry {
  const [user, ...others] = users;
  // Neither of several is meant: a row that asks for nothing keeps the one that will be left from being deleted.
  if (user === undefined || others.length > 0) {
    const row = { email: key, role: '', teamName: '' };
    return { row, odd: { kind: 'shared', text: sharedMessage(key, users) } };
  }
  const email = user.email.trim();
  const role = user.role || 'default';
  const cell = teamCell(user, teams);
  if ('odd' in cell) return { row: { email, role, teamName: '' }, odd: { kind: cell.odd, text: email } };
  return { row: { email, role, teamName: cell.text }, odd: null };
}

interface Teams {
  readonly directory: TeamDirectory;
  readonly memberships: Memberships;
}

function teamCell(
  user: ProxyUser,
  { directory, memberships: of }: Teams,
): { readonly text: string } | { readonly odd: 'half' | 'unnamable' } {
  const { full, half } = of(user);
  if (half.length > 0) return { odd: 'half' };
  const names = teamRefs(full, directory).map((team) => team.name);
  // A team's id stands in for a name that cannot; an id may be just as odd.
  if (!names.every(isWritable)) return { odd: 'unnamable' };
  return { text: names.length === 0 ? '-' : names.join(';') };
}
