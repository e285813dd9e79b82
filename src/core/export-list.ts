import { byEmail, countUnmanaged, splitManaged } from './managed.ts';
import { compare, type Memberships, memberships, teamRefs } from './membership.ts';
import { sharedMessage } from './plan.ts';
import type { UnmanagedCounts } from './plan-types.ts';
import { type TeamDirectory, teamDirectory } from './team-names.ts';
import type { Inventory, ProxyUser } from './user.ts';

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
  const everybody = byEmail(inventory.users);
  const teams = { directory: teamDirectory(inventory.teams), memberships: memberships(inventory.teams) };
  const entries = [...byEmail(managed)]
    .sort(([a], [b]) => compare(a, b))
    .map(([key, [user]]) => entryOf(key, user as ProxyUser, everybody.get(key) ?? [], teams));
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

/** @param same all users with this email */
function entryOf(key: string, user: ProxyUser, same: readonly ProxyUser[], teams: Teams): Entry {
  // Neither of several is meant: a row that asks for nothing keeps the one that will be left from being deleted.
  if (same.length > 1) {
    const row = { email: key, role: '', teamName: '' };
    return { row, odd: { kind: 'shared', text: sharedMessage(key, same) } };
  }
  const email = (user.email ?? '').trim();
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
  if (names.some((name) => !isCellPart(name))) return { odd: 'unnamable' };
  return { text: names.length === 0 ? '-' : names.join(';') };
}

/** A team's id stands in for a name that cannot; an id may be just as odd. */
function isCellPart(name: string): boolean {
  return name !== '' && name !== '-' && name.trim() === name && !/[;\r\n]/.test(name);
}
