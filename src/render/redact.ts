import type { ProxyKey } from '../core/inventory.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Change, KeyFate, Plan, RosterConflict, TeamMove, TeamRef, UpdateChange } from '../core/plan.ts';
import type { Problem } from '../core/problem.ts';

const HIDDEN = '***';

/**
 * `a***@example.com` for `ann.lee@example.com`: the first letter and the domain stay, so that whoever knows the people
 * can follow a plan. Of a local part of one or two letters nothing stays; without `@` nothing but the first letter. What is masked already stays as it is.
 */
export function redactEmail(email: string): string {
  const at = email.lastIndexOf('@');
  const local = [...(at === -1 ? email : email.slice(0, at))];
  if (local.length <= HIDDEN.length + 1 && local.join('').endsWith(HIDDEN)) return email;
  const first = local.length > 2 ? local[0] : '';
  return first + HIDDEN + (at === -1 ? '' : email.slice(at));
}

/** A run of characters that an email could be; linear in the length of the text. */
const TOKEN = /[^\s"`<>()[\],;]+/g;

/** Free text with every email in it masked as by {@link redactEmail}. */
export function redactText(text: string): string {
  return text.includes('@') ? text.replace(TOKEN, redactToken) : text;
}

/** The example of an email in our messages: no user has it. */
const EXAMPLE = /^name@example\.com\.?$/;

function redactToken(token: string): string {
  if (!token.includes('@') || EXAMPLE.test(token)) return token;
  return token.startsWith("'") ? `'${redactEmail(token.slice(1))}` : redactEmail(token);
}

/**
 * The plan with every email masked, also where an id, a team or a key is named after one. Each user who changes keeps
 * what tells them apart: the line of their row, or the first digits of their id.
 */
export function redactPlan(plan: Plan): Plan {
  const redactNote = noteRedactor(plan);
  return {
    ...plan,
    changes: plan.changes.map(redactChange),
    unchanged: plan.unchanged.map((user) => ({
      ...user,
      email: redactEmail(user.email),
      userId: redactText(user.userId),
      teams: redactTeams(user.teams),
    })),
    breaches: plan.breaches.map((breach) => ({ ...breach, message: redactText(breach.message) })),
    warnings: plan.warnings.map(redactNote),
    notes: plan.notes.map(redactNote),
    leavingSoon: plan.leavingSoon.map((row) => ({ ...row, email: redactEmail(row.email) })),
  };
}

/** Masks the emails of notes. Whom a note names without a line carries the same mark as their change. */
function noteRedactor({ changes }: Plan): (note: string) => string {
  let marks: Map<string, string> | null = null;
  return (note) => {
    marks ??= new Map(changes.map((change, index) => [change.email, markOf(change, index)]));
    const known = marks;
    const marked = note.replace(QUOTED_EMAIL, (quoted, email: string) => {
      const mark = known.get(email);
      return mark === undefined ? quoted : `\`${email} (${mark})\``;
    });
    return redactText(marked);
  };
}

/** `` `a@example.com` ``, but not before ` (line 3)`. */
const QUOTED_EMAIL = /`([^`\s]+@[^`\s]+)`(?! \()/g;

/** `a***@example.com (line 12)`, `a***@example.com (id 3f2a91bc…)`: the email of a change, masked, and told apart. */
function redactedEmailOf(change: Change, index: number): string {
  return `${redactEmail(change.email)} (${markOf(change, index)})`;
}

const SHORT_ID = 8;

/** An id that is an email is no mark; then the change's place in the plan is. */
function markOf(change: Change, index: number): string {
  if (change.kind !== 'invite' && change.line !== null) return `line ${change.line}`;
  if (change.kind === 'add' || change.userId.includes('@')) return `change ${index + 1}`;
  const id = [...change.userId];
  return `id ${id.slice(0, SHORT_ID).join('')}${id.length > SHORT_ID ? '…' : ''}`;
}

function redactChange(change: Change, index: number): Change {
  const email = redactedEmailOf(change, index);
  switch (change.kind) {
    case 'add': {
      const keyName = change.keyName && redactText(change.keyName);
      const teams = change.teams && redactTeams(change.teams);
      return { ...change, email, keyName, teams, conflicts: redactConflicts(change.conflicts) };
    }
    case 'update':
      return { ...redactUpdate(change), email };
    default:
      return { ...change, email, userId: redactText(change.userId), teams: redactTeams(change.teams) };
  }
}

function redactUpdate(change: UpdateChange): UpdateChange {
  const { rename, teams, leftKeys } = change;
  return {
    ...change,
    userId: redactText(change.userId),
    rename: rename && { from: redactEmail(rename.from), to: redactEmail(rename.to) },
    teams: teams && redactMove(teams),
    currentTeams: redactTeams(change.currentTeams),
    keyFates: change.keyFates.map((fate) => ({ ...redactFate(fate), team: redactTeam(fate.team) })),
    leftKeys:
      leftKeys === 'unknown' ? leftKeys : leftKeys.map((left) => ({ ...redactFate(left), key: redactKey(left.key) })),
    losses: change.losses.map((loss) => ({ ...loss, team: redactTeam(loss.team) })),
    conflicts: redactConflicts(change.conflicts),
  };
}

function redactKey(key: ProxyKey): ProxyKey {
  return {
    ...key,
    alias: key.alias && redactText(key.alias),
    userId: key.userId && redactText(key.userId),
    teamId: key.teamId && redactText(key.teamId),
  };
}

function redactFate(fate: KeyFate): KeyFate {
  return fate.fate === 'moves' ? { fate: fate.fate, to: redactTeam(fate.to) } : { fate: fate.fate, to: null };
}

function redactConflicts(conflicts: readonly RosterConflict[]): RosterConflict[] {
  return conflicts.map(({ team, userId }) => ({ team: redactTeam(team), userId: userId && redactText(userId) }));
}

function redactMove({ from, to, join, rejoin, leave }: TeamMove): TeamMove {
  return {
    from: redactTeams(from),
    to: redactTeams(to),
    join: redactTeams(join),
    rejoin: redactTeams(rejoin),
    leave: redactTeams(leave),
  };
}

function redactTeams(teams: readonly TeamRef[]): TeamRef[] {
  return teams.map(redactTeam);
}

function redactTeam({ teamId, name, alias }: TeamRef): TeamRef {
  const team = { teamId: redactText(teamId), name: redactText(name) };
  return alias === undefined ? team : { ...team, alias: redactText(alias) };
}

/** What is wrong with the file, with every email masked; the line tells them apart. */
export function redactProblems(problems: readonly Problem[]): Problem[] {
  return problems.map(({ email, ...problem }) => ({
    ...problem,
    ...(email !== undefined && { email: redactEmail(email) }),
    message: redactText(problem.message),
  }));
}

/**
 * The outcomes with every email masked, also in ids, teams and reasons.
 * @param changes the plan's changes as they were before masking: their lines and ids tell outcomes apart
 */
export function redactOutcomes<T extends Outcome>(outcomes: readonly T[], changes: readonly Change[] = []): T[] {
  return outcomes.map((outcome) => {
    const index = outcome.index ?? -1;
    const change = changes[index];
    return {
      ...outcome,
      email: change === undefined ? redactEmail(outcome.email) : redactedEmailOf(change, index),
      userId: redactText(outcome.userId),
      teamName: redactText(outcome.teamName),
      reason: redactText(outcome.reason),
    };
  });
}
