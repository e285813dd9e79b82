import { dashNote, didYouMean } from './did-you-mean.ts';
import { nameKey, type ProxyUser, type Team } from './inventory.ts';
import { compare } from './order.ts';
import type { TeamMove, TeamRef } from './plan.ts';

/** A user's teams as the proxy's two places have them; teams that no longer exist are left out. */
export interface Membership {
  /** In `user.teams` and in the roster: a member. */
  readonly full: readonly string[];
  /** In only one of the two: to be mended. */
  readonly half: readonly string[];
  /** Those of `half` whose roster has the user: no route adds the other half, so that they must leave and join again. */
  readonly rosterOnly: readonly string[];
}

export type Memberships = (user: Pick<ProxyUser, 'userId' | 'teams'>) => Membership;

/** Looks memberships up by user; built once for all users. */
export function memberships(teams: readonly Team[]): Memberships {
  const known = new Set(teams.map((team) => team.teamId));
  const rosters = new Map<string, readonly string[]>();
  for (const team of teams) {
    // One list for all users of the same teams, and not one a user: of 100,000 it saves 6 MB.
    const longer = new Map<readonly string[] | undefined, readonly string[]>();
    for (const member of team.members) {
      const before = rosters.get(member);
      const after = longer.get(before) ?? [...(before ?? []), team.teamId];
      longer.set(before, after);
      rosters.set(member, after);
    }
  }
  return (user) => {
    const claimed = [...new Set(user.teams)].filter((teamId) => known.has(teamId));
    const listed = rosters.get(user.userId) ?? [];
    const full = claimed.filter((teamId) => listed.includes(teamId));
    const half = [...new Set([...claimed, ...listed])].filter((teamId) => !full.includes(teamId));
    return { full, half, rosterOnly: listed.filter((teamId) => half.includes(teamId)) };
  };
}

/** Teams as people know them, sorted by name. */
export function teamRefs(teamIds: readonly string[], directory: TeamDirectory): readonly TeamRef[] {
  return directory.refs(teamIds);
}

/** What makes the membership match the wanted teams; `null` if it does. */
export function teamMove(
  membership: Membership,
  wanted: readonly TeamRef[],
  directory: TeamDirectory,
): TeamMove | null {
  const wantedIds = new Set(wanted.map((team) => team.teamId));
  const present = [...membership.full, ...membership.half];
  const join = wanted.filter((team) => !membership.full.includes(team.teamId));
  const leave = present.filter((teamId) => !wantedIds.has(teamId));
  if (join.length === 0 && leave.length === 0) return null;
  return {
    from: teamRefs(present, directory),
    to: sortTeams(wanted),
    join: sortTeams(join),
    rejoin: sortTeams(join.filter((team) => membership.rosterOnly.includes(team.teamId))),
    leave: teamRefs(leave, directory),
  };
}

export function sortTeams(teams: readonly TeamRef[]): TeamRef[] {
  return [...teams].sort((a, b) => compare(a.name, b.name) || compare(a.teamId, b.teamId));
}

export type TeamLookup =
  | { readonly found: true; readonly team: TeamRef }
  | { readonly found: false; readonly message: string; readonly code?: 'unknown team' };

/** What the message about an unknown team begins with. */
export const UNKNOWN_TEAM = 'Unknown team';

/** Finds teams by the name or id that somebody wrote, and names them back. */
export interface TeamDirectory {
  /** An id wins over an alias, so that every team can be written; an alias must be unique. */
  find(written: string): TeamLookup;
  /**
   * The teams of a whole cell. A cell that is a team's name means that team, whatever it holds; else names are separated
   * by `;`. A part that is no name, but whose pieces between commas all are, means those, as in LiteLLM's own template.
   */
  read(cell: string): readonly TeamLookup[];
  /** The team with the name that `find` takes: its alias, or its id where the alias is missing or would mislead. */
  ref(teamId: string): TeamRef;
  /** Those of several teams, sorted by name. */
  refs(teamIds: readonly string[]): readonly TeamRef[];
  has(teamId: string): boolean;
}

export function teamDirectory(teams: readonly Team[]): TeamDirectory {
  const byId = groups(teams.map((team) => [team.teamId, team]));
  const byAlias = groups(teams.flatMap((team) => (team.alias === null ? [] : [[team.alias, team] as const])));
  const exact = new Map(teams.map((team) => [team.teamId, team]));
  const nameOf = (teamId: string): string => {
    const alias = exact.get(teamId)?.alias ?? null;
    if (alias === null || !isWritable(alias)) return teamId;
    const key = nameKey(alias);
    return byAlias.get(key)?.length === 1 && !byId.has(key) ? alias : teamId;
  };
  const ref = (teamId: string): TeamRef => {
    const name = nameOf(teamId);
    const alias = exact.get(teamId)?.alias?.trim() ?? '';
    return alias === '' || alias === name ? { teamId, name } : { teamId, name, alias };
  };
  const matches = (written: string): readonly Team[] => {
    const team = exact.get(written);
    if (team !== undefined) return [team];
    const key = nameKey(written);
    return byId.get(key) ?? byAlias.get(key) ?? [];
  };
  // One list for all users of the same teams: of 100,000 it saves 10 MB.
  const lists = new Map<string, readonly TeamRef[]>();
  const refs = (teamIds: readonly string[]): readonly TeamRef[] => {
    const key = JSON.stringify(teamIds);
    const known = lists.get(key) ?? sortTeams(teamIds.map(ref));
    lists.set(key, known);
    return known;
  };
  const find = (written: string): TeamLookup => {
    const [first, ...others] = matches(written);
    if (first === undefined) return { found: false, message: unknown(written), code: 'unknown team' };
    if (others.length > 0) return { found: false, message: ambiguous(written, [first, ...others]) };
    return { found: true, team: ref(first.teamId) };
  };
  const unknown = (written: string): string =>
    `${UNKNOWN_TEAM} \`${written}\`${dashNote(written)}.${writtenById(written, teams) ?? didYouMean(written, new Set(teams.flatMap(({ teamId }) => [nameOf(teamId), teamId])))} Teams are made in LiteLLM, not here; a team's name or id is allowed.`;
  // One wrong name may stand in thousands of rows, and its nearest is looked for among all teams.
  const found = new Map<string, TeamLookup>();
  const findOnce = (written: string): TeamLookup => {
    const known = found.get(written) ?? find(written);
    found.set(written, known);
    return known;
  };
  const isName = (written: string): boolean => matches(written).length > 0;
  const readCell = (cell: string): TeamLookup[] =>
    (isName(cell) ? [cell] : parts(cell, ';').flatMap((part) => piecesOf(part, isName))).map(findOnce);
  const cells = new Map<string, TeamLookup[]>();
  const read = (cell: string): TeamLookup[] => {
    const known = cells.get(cell) ?? readCell(cell);
    cells.set(cell, known);
    return known;
  };
  return { find: findOnce, read, ref, refs, has: (teamId) => exact.has(teamId) };
}

/** Teams by what their names or ids are compared by. */
function groups(entries: readonly (readonly [string, Team])[]): Map<string, Team[]> {
  const found = new Map<string, Team[]>();
  for (const [name, team] of entries) {
    const key = nameKey(name);
    const same = found.get(key);
    if (same) same.push(team);
    else found.set(key, [team]);
  }
  return found;
}

function parts(text: string, separator: string): string[] {
  return text.split(separator).flatMap((part) => part.trim() || []);
}

/** The names between commas if one of them is known; the others are then told as unknown. Else the part is one name. */
function piecesOf(part: string, isName: (written: string) => boolean): string[] {
  const pieces = parts(part, ',');
  // Separators and `-` are no names: the reader of the cell recognises them.
  if (pieces.length === 0 || isNoTeam(part)) return [];
  return !isName(part) && pieces.some(isName) ? pieces : [part];
}

/** Tells of a team whose name cannot stand here as it is: it holds `;`, or outer blanks that were trimmed. */
function writtenById(written: string, teams: readonly Team[]): string | null {
  const key = nameKey(written);
  const found = teams.find(
    ({ alias }) => alias !== null && !isWritable(alias) && parts(nameKey(alias), ';').includes(key),
  );
  return found === undefined
    ? null
    : ` A team is named \`${found.alias}\`, which is written by its id here: \`${found.teamId}\`.`;
}

function ambiguous(written: string, teams: readonly Team[]): string {
  const ids = teams.map((team) => `\`${team.teamId}\``).sort();
  return `Ambiguous team name \`${written}\`: ${ids.length} teams have it. Write the id instead, one of ${ids.join(', ')}.`;
}

/** Whether a name can stand in the `team_name` column and mean itself. */
function isWritable(name: string): boolean {
  return !isNoTeam(name) && name.trim() === name && !/[;\r\n]/.test(name) && teamCellFault(name) === null;
}

/** `-` alone: no team at all. */
export function isNoTeam(cell: string): boolean {
  return cell === '-';
}

/**
 * What is wrong with a cell of teams whatever teams there are; `null` if nothing is.
 * @param isOneOfTwo whether another cell of the row names teams, too
 */
export function teamCellFault(cell: string, isOneOfTwo = false): string | null {
  if (/^[\s;,]*$/.test(cell)) {
    return `\`${cell}\` holds separators and no team. Write the teams' names, \`-\` for no team at all, or nothing to leave the teams alone.`;
  }
  return parts(cell, ';').includes('-') && (cell !== '-' || isOneOfTwo)
    ? '`-` means no team at all and must stand alone; a team of that name is written by its id.'
    : null;
}
