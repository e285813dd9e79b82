import {
  type AddChange,
  type Change,
  type DeactivateChange,
  type DeleteChange,
  type InviteChange,
  isStopped,
  type Plan,
  type TeamRef,
  type UpdateChange,
} from '../core/plan.ts';
import { plain } from './escape.ts';
import {
  adminChange,
  type ChangeKind,
  changesTeams,
  countWords,
  DEFAULT_TEAMS,
  kindOf,
  leavingWords,
  limitWords,
  mendWords,
  money,
  moveNote,
  NO_ROLE,
  NO_TEAM,
  planCounts,
  plural,
  settingWords,
  teamLabel,
  untouched,
  withheldCounts,
} from './labels.ts';

export interface PlanTextOptions {
  /** `not applied`: the run should have applied it, and may not. */
  readonly stage: 'dry run' | 'applying' | 'not applied';
  readonly csvFile: string;
}

/** From how many changes on the counts stand at the end again. */
export const LONG = 25;

/**
 * The plan for log and terminal, in the form that the manual of the Python `sync_user.py` shows: the four counts always,
 * then one `+`, `-` or `~` line per change. Changes of administrators are named first, as `!` lines, and stand again
 * among the others. Ends with a line break.
 */
export function planText(plan: Plan, options: PlanTextOptions): string {
  const blocks = [
    counts(plan),
    ...changes(plan, options),
    messageLines('Warnings:', plan.warnings),
    messageLines('Notes:', plan.notes),
    soonLines(plan),
    untouched(plan).join('\n'),
    breachLines(plan),
    plan.changes.length > LONG ? `Plan: ${countWords(planCounts(plan))}, ${plan.unchanged.length} unchanged.` : '',
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function counts(plan: Plan): string {
  const { add, delete: gone, deactivate, update, reactivate, unchanged } = planCounts(plan);
  const withheld = [...withheldCounts(plan)].map(([reason, count]) => `  Not applied: ${count} (${reason})`);
  return [
    'Synchronization Plan:',
    `  Users to add: ${add}`,
    `  Users to delete: ${gone}`,
    ...(deactivate > 0 ? [`  Users to deactivate: ${deactivate}`] : []),
    `  Users to update: ${update}`,
    ...(reactivate > 0 ? [`  Users to reactivate: ${reactivate}`] : []),
    `  Users unchanged: ${unchanged}`,
    ...withheld,
  ].join('\n');
}

function changes(plan: Plan, options: PlanTextOptions): string[] {
  if (plan.changes.length === 0) return [`No changes: the proxy matches ${plain(options.csvFile)}.`];
  const of = (kind: ChangeKind) => plan.changes.filter((change) => kindOf(change) === kind);
  return [
    HEADINGS[options.stage],
    ...administratorBlocks(plan),
    block('Users to ADD:', of('add'), changeLine),
    block('Users to DELETE:', of('delete'), changeLine),
    block('Users to DEACTIVATE:', of('deactivate'), changeLine),
    block('Users to UPDATE:', of('update'), changeLine),
    block('Users to REACTIVATE:', of('reactivate'), changeLine),
    block('Existing users who get a FRESH LINK:', of('invite'), changeLine),
  ];
}

/** Who becomes an administrator, is one no longer, or is one under another email. */
export function administratorBlocks({ changes: all }: Plan): string[] {
  return [
    block('ADMINISTRATORS gained:', all.filter(is('gained')), gainedLine),
    block('ADMINISTRATORS lost:', all.filter(is('lost')), lostLine),
    block('ADMINISTRATORS renamed:', all.filter(is('renamed')), renamedLine),
  ];
}

const HEADINGS: Readonly<Record<PlanTextOptions['stage'], string>> = {
  'dry run': 'DRY RUN - Changes that would be made:',
  applying: 'Changes to be made:',
  'not applied': 'NOT APPLIED - Changes that would be made:',
};

function block(title: string, items: readonly Change[], line: (change: Change) => string): string {
  if (items.length === 0) return '';
  return [`  ${title}`, ...items.map((change) => `    ${line(change)}${notApplied(change)}`)].join('\n');
}

function is(what: 'gained' | 'lost' | 'renamed'): (change: Change) => boolean {
  return (change) => adminChange(change) === what;
}

function gainedLine(change: Change): string {
  if (change.kind !== 'update') return `! ${emails(change)} becomes proxy_admin (new user)`;
  const was = change.reactivates ? 'was deactivated' : `was ${role(change.currentRole)}`;
  return `! ${emails(change)} becomes proxy_admin (${was})`;
}

function lostLine(change: Change): string {
  return `! ${emails(change)} is no longer proxy_admin (${becomes(change)})`;
}

function becomes(change: Change): string {
  if (change.kind === 'update') return `becomes ${change.role?.to}`;
  return change.kind === 'deactivate' ? 'deactivated' : 'deleted';
}

function renamedLine(change: Change): string {
  return `! ${emails(change)} is a proxy_admin with another email`;
}

/** `new@x`, of somebody who is renamed `old@x → new@x`. */
function emails(change: Change): string {
  const rename = change.kind === 'update' ? change.rename : null;
  return rename === null ? plain(change.email) : `${plain(rename.from)} → ${plain(change.email)}`;
}

/** One line that says all of a change. */
export function changeLine(change: Change): string {
  switch (change.kind) {
    case 'add':
      return addLine(change);
    case 'delete':
      return deleteLine(change);
    case 'deactivate':
      return deactivateLine(change);
    case 'update':
      return updateLine(change);
    case 'invite':
      return inviteLine(change);
  }
}

/** `+ email (Role: …, Team: …)` */
function addLine(change: AddChange): string {
  const parts = [
    `Role: ${role(change.role)}`,
    `Team: ${teams(change.teams)}`,
    ...(change.keyName === null ? [] : [`Key: ${plain(change.keyName)}`]),
    ...settingWords(change.limits, plain),
  ];
  return `+ ${plain(change.email)} (${parts.join(', ')})`;
}

/** `- email (Role: …, Team: …): what goes with the user` */
function deleteLine(change: DeleteChange): string {
  const { keyCount, spend } = change;
  const cost = keyCount === 0 && spend === 0 ? '' : `: ${keys(keyCount)}, ${money(spend)} spend go with the user`;
  return `${leaverLine(change)}${cost}`;
}

function deactivateLine(change: DeactivateChange): string {
  const { keyCount } = change;
  return `${leaverLine(change)}${keyCount === 0 ? '' : `: ${keys(keyCount)} ${keyCount === 1 ? 'stops' : 'stop'} working`}`;
}

function leaverLine(change: DeleteChange | DeactivateChange): string {
  const parts = [
    `Role: ${role(change.role)}`,
    `Team: ${teams(change.teams)}`,
    ...(change.expired === null ? [] : [`expired ${plain(change.expired)}`]),
    ...(change.active ? [] : ['deactivated before']),
  ];
  return `- ${plain(change.email)} (${parts.join(', ')})`;
}

function keys(count: number | null): string {
  return count === null ? 'keys not known' : plural(count, 'key');
}

/** `* email (user id)`; a masked email has its own mark behind it already. */
function inviteLine({ email, userId }: InviteChange): string {
  return email.endsWith(')') ? `* ${plain(email)}` : `* ${plain(email)} (${plain(userId)})`;
}

function updateLine(change: UpdateChange): string {
  const parts = [
    ...(change.reactivates ? ['reactivated'] : []),
    ...(change.role === null ? [] : [`Role: ${role(change.role.from)} → ${role(change.role.to)}`]),
    ...teamMove(change),
    ...limitWords(change, plain),
  ];
  const costs = leavingWords(change, plain, (items) => items.join(', '));
  const details = parts.length === 0 ? '' : ` (${parts.join(', ')})`;
  return `~ ${emails(change)}${details}${costs.length === 0 ? '' : `: ${costs.join('; ')}`}`;
}

function teamMove({ teams: move }: UpdateChange): string[] {
  if (move === null) return [];
  const shown = changesTeams(move) ? `${teams(move.from)} → ${teams(move.to)}` : teams(move.to);
  const mended = mendWords(move, teams);
  return [`Teams: ${shown}${changesTeams(move) ? moveNote(move, teams) : ''}${mended === '' ? '' : `, ${mended}`}`];
}

/** ` [not applied: …]`, or nothing. */
export function notApplied({ withheld }: Change): string {
  return withheld === null ? '' : ` [not applied: ${withheld}]`;
}

/** Messages below their title, or nothing. */
export function messageLines(title: string, messages: readonly string[]): string {
  return messages.length === 0 ? '' : [title, ...messages.map((message) => `  * ${plain(message)}`)].join('\n');
}

function soonLines({ leavingSoon }: Plan): string {
  const lines = leavingSoon.map(
    ({ email, expires, line }) => `  until ${plain(expires)}: ${plain(email)} (line ${line})`,
  );
  return lines.length === 0 ? '' : [`Leaving within 30 days: ${lines.length}`, ...lines].join('\n');
}

/** The limits that the plan breaches, or nothing. */
export function breachLines(plan: Plan): string {
  if (plan.breaches.length === 0) return '';
  const lines = plan.breaches.map(({ limit, message }) => `  ${limit}: ${plain(message)}`);
  const what = isStopped(plan) ? 'nothing of this plan is applied' : 'what goes beyond it is not applied';
  return [`LIMIT BREACHED - ${what}:`, ...lines].join('\n');
}

const role = (value: string | null) => plain(value || NO_ROLE);

function teams(refs: readonly TeamRef[] | null): string {
  if (refs === null) return DEFAULT_TEAMS;
  return refs.length === 0 ? NO_TEAM : refs.map((ref) => plain(teamLabel(ref))).join(';');
}
