import type { Outcome } from '../core/outcome.ts';
import type { Change, Plan, TeamMove, TeamRef } from '../core/plan.ts';

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

function redactToken(token: string): string {
  if (!token.includes('@')) return token;
  return token.startsWith("'") ? `'${redactEmail(token.slice(1))}` : redactEmail(token);
}

/** The plan with every email masked, also where an id, a team or a key is named after one. */
export function redactPlan(plan: Plan): Plan {
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
  };
}

function redactChange(change: Change): Change {
  const email = redactEmail(change.email);
  switch (change.kind) {
    case 'add': {
      const keyName = change.keyName && redactText(change.keyName);
      return { ...change, email, keyName, teams: change.teams && redactTeams(change.teams) };
    }
    case 'delete':
    case 'invite':
      return { ...change, email, userId: redactText(change.userId), teams: redactTeams(change.teams) };
    case 'update':
      return {
        ...change,
        email,
        userId: redactText(change.userId),
        teams: change.teams && redactMove(change.teams),
        currentTeams: redactTeams(change.currentTeams),
        teamKeys: change.teamKeys.map((key) => ({
          ...key,
          alias: key.alias && redactText(key.alias),
          userId: key.userId && redactText(key.userId),
          teamId: key.teamId && redactText(key.teamId),
        })),
      };
  }
}

function redactMove({ from, to, join, leave }: TeamMove): TeamMove {
  return { from: redactTeams(from), to: redactTeams(to), join: redactTeams(join), leave: redactTeams(leave) };
}

function redactTeams(teams: readonly TeamRef[]): TeamRef[] {
  return teams.map(({ teamId, name }) => ({ teamId: redactText(teamId), name: redactText(name) }));
}

/** The outcomes with every email masked, also in ids, teams and reasons. */
export function redactOutcomes<T extends Outcome>(outcomes: readonly T[]): T[] {
  return outcomes.map((outcome) => ({
    ...outcome,
    email: redactEmail(outcome.email),
    userId: redactText(outcome.userId),
    teamName: redactText(outcome.teamName),
    reason: redactText(outcome.reason),
  }));
}
