import { type AddChange, type Change, isApplied, isRemoval, type TeamRef, type UpdateChange } from '../core/plan.ts';
import { code, prose } from './escape.ts';
import {
  changesTeams,
  DEFAULT_TEAMS,
  leavingWords,
  limitWords,
  mendWords,
  money,
  moveNote,
  moveWords,
  NO_ROLE,
  NO_TEAM,
  plural,
  settingWords,
  teamLabel,
} from './labels.ts';

/** Most teams or keys named in one cell. */
const MOST_NAMED = 20;
/** Up to how many teams before and after are shown side by side; beyond, only what changes is. */
const SIDE_BY_SIDE = 5;
const NOTHING = '–';

/** The cells of one change; `limits` and `cost` are `–` where there are none. All are Markdown. */
export interface ChangeCells {
  readonly user: string;
  readonly role: string;
  readonly teams: string;
  readonly limits: string;
  readonly cost: string;
  readonly applied: string;
}

/** What a row of a plan's table says of a change. */
export function changeCells(change: Change): ChangeCells {
  const user = code(change.email);
  const applied = change.withheld === null ? 'yes' : `**no**: ${prose(change.withheld)}`;
  switch (change.kind) {
    case 'add': {
      const limits = cellOf(settingWords(change.limits, code));
      return { user, role: role(change.role), teams: teams(change.teams), limits, cost: NOTHING, applied };
    }
    case 'update':
      return {
        user: change.rename === null ? user : `${code(change.rename.from)} → ${user}`,
        role: roleMove(change),
        teams: teamMove(change),
        limits: cellOf(limitWords(change, code)),
        cost: cellOf(leavingWords(change, code, named)),
        applied,
      };
    default: {
      const cost = isRemoval(change) ? removalCost(change) : NOTHING;
      return { user, role: role(change.role), teams: teams(change.teams), limits: NOTHING, cost, applied };
    }
  }
}

export function keyNameCell({ keyName }: AddChange): string {
  return keyName === null ? NOTHING : code(keyName);
}

/** Whether the change sets a limit. */
export function hasLimits(change: Change): boolean {
  if (change.kind === 'add') return Object.keys(change.limits).length > 0;
  return change.kind === 'update' && change.limits.length > 0;
}

/** Whether there is something to say in the column of costs. */
export function hasCost(change: Change): boolean {
  return isRemoval(change) || (change.kind === 'update' && leavingWords(change, code, named).length > 0);
}

type Removal = Extract<Change, { readonly kind: 'delete' | 'deactivate' }>;

function removalCost(change: Removal): string {
  const { kind, keyCount, spend, active, expired } = change;
  const keys = keyCount === null ? 'keys not known' : plural(keyCount, 'key');
  return [
    ...(expired === null ? [] : [`expired ${code(expired)}`]),
    ...(active ? [] : ['deactivated before']),
    kind === 'delete' ? `${keys}, ${money(spend)} spend` : `${keys} ${keyCount === 1 ? 'stops' : 'stop'} working`,
  ].join('; ');
}

function roleMove({ role: move, currentRole }: UpdateChange): string {
  return move === null ? role(currentRole) : `${role(move.from)} → ${role(move.to)}`;
}

function teamMove({ teams: move, currentTeams }: UpdateChange): string {
  if (move === null) return teams(currentTeams);
  const mended = mendWords(move, teams);
  const few = move.from.length <= SIDE_BY_SIDE && move.to.length <= SIDE_BY_SIDE;
  const sides = `${teams(move.from)} → ${teams(move.to)}${moveNote(move, teams)}`;
  const shown = changesTeams(move) ? (few ? sides : moveWords(move, teams)) : teams(move.to);
  return mended === '' ? shown : `${shown}, ${mended}`;
}

const role = (value: string | null) => (value ? code(value) : NO_ROLE);

function cellOf(parts: readonly string[]): string {
  return parts.length === 0 ? NOTHING : parts.join('; ');
}

function teams(refs: readonly TeamRef[] | null): string {
  if (refs === null) return DEFAULT_TEAMS;
  return refs.length === 0 ? NO_TEAM : named(refs.map((ref) => code(teamLabel(ref))));
}

function named(items: readonly string[]): string {
  const more = items.length - MOST_NAMED;
  return items.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** Whether any of the changes is withheld: only then a column says which are applied. */
export function someWithheld(changes: readonly Change[]): boolean {
  return !changes.every(isApplied);
}
