import type { AddChange, Change, DeleteChange, TeamMove, TeamRef, UpdateChange } from '../core/plan.ts';
import { code, prose } from './escape.ts';
import { changesTeams, DEFAULT_TEAMS, mendedTeams, money, NO_ROLE, NO_TEAM, plural } from './labels.ts';

/** Most teams or keys named in one cell. */
const MOST_NAMED = 20;
/** Up to how many teams before and after are shown side by side; beyond, only what changes is. */
const SIDE_BY_SIDE = 5;
const NOTHING = '–';

/** The cells of one change; `cost` is `–` where there is none. All are Markdown. */
export interface ChangeCells {
  readonly user: string;
  readonly role: string;
  readonly teams: string;
  readonly cost: string;
  readonly applied: string;
}

/** What a row of a plan's table says of a change. */
export function changeCells(change: Change): ChangeCells {
  const user = code(change.email);
  const applied = change.withheld === null ? 'yes' : `**no**: ${prose(change.withheld)}`;
  switch (change.kind) {
    case 'add':
      return { user, role: role(change.role), teams: teams(change.teams), cost: NOTHING, applied };
    case 'delete':
      return { user, role: role(change.role), teams: teams(change.teams), cost: deleteCost(change), applied };
    case 'invite':
      return { user, role: role(change.role), teams: teams(change.teams), cost: NOTHING, applied };
    case 'update':
      return { user, role: roleMove(change), teams: teamMove(change), cost: keyCost(change), applied };
  }
}

export function keyNameCell({ keyName }: AddChange): string {
  return keyName === null ? NOTHING : code(keyName);
}

/** Whether the change takes something away that does not come back. */
export function hasCost(change: Change): boolean {
  return change.kind === 'delete' || (change.kind === 'update' && change.teamKeys.length > 0);
}

function deleteCost({ keyCount, spend }: DeleteChange): string {
  return `${plural(keyCount, 'key')}, ${money(spend)} spend`;
}

function keyCost({ teamKeys, teamKeysDeleted }: UpdateChange): string {
  if (teamKeys.length === 0) return NOTHING;
  const keys = teamKeys.map(({ name, alias }) => code(name) + (alias === null ? '' : ` (${code(alias)})`));
  const fate = teamKeysDeleted ? 'deleted' : teamKeys.length === 1 ? 'survives' : 'survive';
  return `${plural(teamKeys.length, 'key')} ${fate}: ${named(keys)}`;
}

function roleMove({ role: move, currentRole }: UpdateChange): string {
  return move === null ? role(currentRole) : `${role(move.from)} → ${role(move.to)}`;
}

function teamMove({ teams: move, currentTeams }: UpdateChange): string {
  if (move === null) return teams(currentTeams);
  const mended = mendedTeams(move);
  const words = mended.length === 0 ? '' : `, membership mended: ${teams(mended)}`;
  return (changesTeams(move) ? otherTeams(move) : teams(move.to)) + words;
}

function otherTeams(move: TeamMove): string {
  if (move.from.length <= SIDE_BY_SIDE && move.to.length <= SIDE_BY_SIDE) {
    return `${teams(move.from)} → ${teams(move.to)}`;
  }
  const joins = move.join.length === 0 ? [] : [`joins ${teams(move.join)}`];
  const leaves = move.leave.length === 0 ? [] : [`leaves ${teams(move.leave)}`];
  return [...joins, ...leaves].join('; ');
}

const role = (value: string | null) => (value ? code(value) : NO_ROLE);

function teams(refs: readonly TeamRef[] | null): string {
  if (refs === null) return DEFAULT_TEAMS;
  return refs.length === 0 ? NO_TEAM : named(refs.map(({ name }) => code(name)));
}

function named(items: readonly string[]): string {
  const more = items.length - MOST_NAMED;
  return items.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
