import type { AddChange, Change, DeleteChange, Plan, TeamRef, UpdateChange } from '../core/plan.ts';
import {
  adminChange,
  changesTeams,
  DEFAULT_TEAMS,
  mendedTeams,
  money,
  NO_ROLE,
  NO_TEAM,
  planCounts,
  plural,
  unmanagedWords,
  withheldCounts,
} from './labels.ts';
import { plain } from './plain.ts';

export interface PlanTextOptions {
  /** `not applied`: by a run that was to apply it, and may not. */
  readonly stage: 'dry run' | 'applying' | 'not applied';
  readonly csvFile: string;
}

/**
 * The plan for log and terminal, in the form that the manual of the Python `sync_user.py` shows: the four counts always,
 * then one `+`, `-` or `~` line per change. Changes of administrators are named first, as `!` lines, and stand again
 * among the others. Ends with a line break.
 */
export function planText(plan: Plan, options: PlanTextOptions): string {
  const blocks = [counts(plan), ...changes(plan, options), untouchedLine(plan), breachLines(plan)];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function counts(plan: Plan): string {
  const { add, delete: gone, update, unchanged } = planCounts(plan);
  const withheld = [...withheldCounts(plan)].map(([reason, count]) => `  Not applied: ${count} (${reason})`);
  return [
    'Synchronization Plan:',
    `  Users to add: ${add}`,
    `  Users to delete: ${gone}`,
    `  Users to update: ${update}`,
    `  Users unchanged: ${unchanged}`,
    ...withheld,
  ].join('\n');
}

function changes(plan: Plan, options: PlanTextOptions): string[] {
  if (plan.changes.length === 0) return [`No changes: the proxy matches ${plain(options.csvFile)}.`];
  const of = <K extends Change['kind']>(kind: K) =>
    plan.changes.filter((change): change is Extract<Change, { kind: K }> => change.kind === kind);
  return [
    HEADINGS[options.stage],
    block('ADMINISTRATORS gained:', plan.changes.filter(gained), gainedLine),
    block('ADMINISTRATORS lost:', plan.changes.filter(lost), lostLine),
    block('Users to ADD:', of('add'), addLine),
    block('Users to DELETE:', of('delete'), deleteLine),
    block('Users to UPDATE:', of('update'), updateLine),
  ];
}

const HEADINGS: Readonly<Record<PlanTextOptions['stage'], string>> = {
  'dry run': 'DRY RUN - Changes that would be made:',
  applying: 'Changes to be made:',
  'not applied': 'NOT APPLIED - Changes that would be made:',
};

function block<T extends Change>(title: string, items: readonly T[], line: (change: T) => string): string {
  if (items.length === 0) return '';
  return [`  ${title}`, ...items.map((change) => `    ${line(change)}${notApplied(change)}`)].join('\n');
}

const gained = (change: Change) => adminChange(change) === 'gained';
const lost = (change: Change) => adminChange(change) === 'lost';

function gainedLine(change: Change): string {
  const was = change.kind === 'update' ? `was ${role(change.currentRole)}` : 'new user';
  return `! ${plain(change.email)} becomes proxy_admin (${was})`;
}

function lostLine(change: Change): string {
  const becomes = change.kind === 'update' && change.role !== null ? `becomes ${change.role.to}` : 'deleted';
  return `! ${plain(change.email)} is no longer proxy_admin (${becomes})`;
}

/** `+ email (Role: …, Team: …)` */
export function addLine(change: AddChange): string {
  const key = change.keyName === null ? '' : `, Key: ${plain(change.keyName)}`;
  return `+ ${plain(change.email)} (Role: ${role(change.role)}, Team: ${teams(change.teams)}${key})`;
}

/** `- email (Role: …, Team: …): what goes with the user` */
export function deleteLine(change: DeleteChange): string {
  const line = `- ${plain(change.email)} (Role: ${role(change.role)}, Team: ${teams(change.teams)})`;
  if (change.keyCount === 0 && change.spend === 0) return line;
  return `${line}: ${plural(change.keyCount, 'key')}, ${money(change.spend)} spend go with the user`;
}

function updateLine(change: UpdateChange): string {
  const parts = [roleMove(change), teamMove(change)].filter((part) => part !== '');
  return `~ ${plain(change.email)} (${parts.join(', ')})${keyCost(change)}`;
}

function roleMove({ role: move }: UpdateChange): string {
  return move === null ? '' : `Role: ${role(move.from)} → ${role(move.to)}`;
}

function teamMove({ teams: move }: UpdateChange): string {
  if (move === null) return '';
  const shown = changesTeams(move) ? `${teams(move.from)} → ${teams(move.to)}` : teams(move.to);
  const mended = mendedTeams(move);
  return `Teams: ${shown}${mended.length === 0 ? '' : `, membership mended: ${teams(mended)}`}`;
}

function keyCost({ teamKeys, teamKeysDeleted }: UpdateChange): string {
  if (teamKeys.length === 0) return '';
  const keys = teamKeys.map(({ name, alias }) => plain(name) + (alias === null ? '' : ` ("${plain(alias)}")`));
  const one = teamKeys.length === 1;
  const fate = teamKeysDeleted ? (one ? 'is deleted' : 'are deleted') : one ? 'survives' : 'survive';
  return `: ${one ? 'key' : 'keys'} ${keys.join(', ')} ${fate}`;
}

/** ` [not applied: …]`, or nothing. */
export function notApplied({ withheld }: Change): string {
  return withheld === null ? '' : ` [not applied: ${withheld}]`;
}

/** `Users never touched: …`, or nothing. */
export function untouchedLine(plan: Pick<Plan, 'unmanaged'>): string {
  const words = unmanagedWords(plan.unmanaged);
  return words === '' ? '' : `Users never touched: ${words}.`;
}

/** The limits that the plan breaches, or nothing. */
export function breachLines(plan: Plan): string {
  if (plan.breaches.length === 0) return '';
  const lines = plan.breaches.map(({ limit, message }) => `  ${limit}: ${plain(message)}`);
  return ['LIMIT BREACHED - nothing of this plan is applied:', ...lines].join('\n');
}

const role = (value: string | null) => plain(value || NO_ROLE);

function teams(refs: readonly TeamRef[] | null): string {
  if (refs === null) return DEFAULT_TEAMS;
  return refs.length === 0 ? NO_TEAM : refs.map(({ name }) => plain(name)).join(';');
}
