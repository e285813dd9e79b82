import { didYouMean } from './nearest.ts';
import type { TeamRef } from './plan-types.ts';
import type { Team } from './user.ts';

export type TeamLookup =
  | { readonly found: true; readonly team: TeamRef }
  | { readonly found: false; readonly message: string };

/** Finds teams by the name or id that somebody wrote, and names them back. */
export interface TeamDirectory {
  /** An id wins over an alias, so that every team can be written; an alias must be unique. */
  find(written: string): TeamLookup;
  /** The team with the name that `find` takes: its alias, or its id where the alias is missing or would mislead. */
  ref(teamId: string): TeamRef;
  has(teamId: string): boolean;
}

export function teamDirectory(teams: readonly Team[]): TeamDirectory {
  const byId = new Map(teams.map((team) => [team.teamId, team]));
  const byAlias = new Map<string, Team[]>();
  for (const team of teams) {
    if (team.alias !== null) byAlias.set(team.alias, [...(byAlias.get(team.alias) ?? []), team]);
  }
  const nameOf = (teamId: string): string => {
    const alias = byId.get(teamId)?.alias ?? null;
    return alias !== null && isWritable(alias) && byAlias.get(alias)?.length === 1 && !byId.has(alias) ? alias : teamId;
  };
  const ref = (teamId: string): TeamRef => ({ teamId, name: nameOf(teamId) });
  const find = (written: string): TeamLookup => {
    if (byId.has(written)) return { found: true, team: ref(written) };
    const [first, ...others] = byAlias.get(written) ?? [];
    if (first === undefined) return { found: false, message: unknown(written) };
    if (others.length > 0) return { found: false, message: ambiguous(written, [first, ...others]) };
    return { found: true, team: ref(first.teamId) };
  };
  const unknown = (written: string): string =>
    `Unknown team \`${written}\`.${didYouMean(written, new Set(teams.flatMap(({ teamId }) => [nameOf(teamId), teamId])))} Teams are made in LiteLLM, not here; a team's name or id is allowed.`;
  // One wrong name may stand in thousands of rows, and its nearest is looked for among all teams.
  const found = new Map<string, TeamLookup>();
  const findOnce = (written: string): TeamLookup => {
    const known = found.get(written) ?? find(written);
    found.set(written, known);
    return known;
  };
  return { find: findOnce, ref, has: (teamId) => byId.has(teamId) };
}

function ambiguous(written: string, teams: readonly Team[]): string {
  const ids = teams.map((team) => `\`${team.teamId}\``).sort();
  return `Ambiguous team name \`${written}\`: ${ids.length} teams have it. Write the id instead, one of ${ids.join(', ')}.`;
}

/** Whether a name can stand in the `team_name` column and mean itself. */
export function isWritable(name: string): boolean {
  return name !== '' && name !== '-' && name.trim() === name && !/[;\r\n]/.test(name);
}
