import type { UserLimits } from '../../core/inventory.ts';
import { compare } from '../../core/order.ts';
import type { MadeKey, OnboardingRow, Outcome } from '../../core/outcome.ts';
import type { AddChange, TeamRef } from '../../core/plan.ts';
import { Secret } from '../../core/secret.ts';
import type { Run } from '../apply-run.ts';
import { type FailureReason, teamNames, withResult } from '../messages.ts';
import type { CreatedUser, Invitation, NewUser } from '../ports.ts';

/** A user who is to be created: by an add, or by the recreation of an update. */
export interface Candidate {
  /** Index of the change in the plan. */
  readonly index: number;
  readonly action: 'ADDED' | 'UPDATED';
  readonly user: NewUser;
  /** `null`: the proxy's default teams. */
  readonly teams: readonly TeamRef[] | null;
  /** Stands in the row of a success: what a reader should know of it. */
  readonly note: string;
}

/** A user who was created, on the way to key, teams and link. Holds state. */
export interface NewUserState {
  readonly candidate: Candidate;
  /** As the proxy says; `null`: not known, or not yet. */
  role: string | null;
  /** Team ids; `null`: to be looked up. */
  joined: readonly string[] | null;
  /** As the proxy says; `null`: not known yet. Read only where the row asks for limits. */
  limits: UserLimits | null;
  /** The proxy's words on what failed of the creation. */
  readonly warning: string | null;
  /** The answer to a join or a key was lost: it may yet take effect. */
  lost: boolean;
  key: Secret | null;
  /** There may be keys of theirs that nobody has seen. */
  keysUnseen: boolean;
  invitation: Invitation | null;
  /** The link that an earlier run, which was cut off, had written already. */
  linked: boolean;
  /** What is missing, each with the way out. */
  readonly problems: string[];
  /** Deleted by somebody in the meantime: a write that names them would create them anew. */
  gone: boolean;
  /** Recovery has something to do: keys that nobody has seen may be left, or a stopped run left something out. */
  unresolved: boolean;
}

export function candidateOf(
  change: Pick<AddChange, 'email' | 'role' | 'teams' | 'keyName' | 'limits'>,
  index: number,
  userId: string,
  apiKeys: boolean,
): Candidate {
  return {
    index,
    action: 'ADDED',
    user: {
      userId,
      email: change.email,
      role: change.role,
      teams: change.teams?.map((team) => team.teamId) ?? null,
      withKey: apiKeys,
      keyAlias: change.keyName,
      limits: change.limits,
    },
    teams: change.teams,
    note: '',
  };
}

export function newUserState(candidate: Candidate, created: Extract<CreatedUser, { ok: true }> | null): NewUserState {
  return {
    candidate,
    role: candidate.user.role,
    // A recreation is verified, whatever the answer says: the old user is gone.
    joined: candidate.action === 'UPDATED' ? null : (created?.teams ?? null),
    limits: created?.limits ?? null,
    warning: created?.warning ?? null,
    lost: created?.lost ?? false,
    key: created?.key ?? null,
    keysUnseen: created === null,
    invitation: null,
    linked: false,
    problems: [],
    gone: false,
    unresolved: false,
  };
}

/**
 * What of a new user is missing, with what brings it. What failed in passing is left to recovery.
 * @param brings what recovery does about it
 * @param otherwise how else it comes about
 */
export function recordLack(
  run: Run,
  user: NewUserState,
  { code, reason }: FailureReason,
  { lack, brings, otherwise }: { readonly lack: string; readonly brings: string; readonly otherwise: string },
): void {
  const isLeft = run.isForRecovery(code);
  if (isLeft) user.unresolved = true;
  const wayOut = isLeft ? `the next run in the same output-directory ${brings}` : otherwise;
  user.problems.push(`${lack}: ${reason}; ${wayOut}`);
}

/** Teams that they should be in and, as far as is known, are not. */
export function missingTeams({ candidate, joined }: NewUserState): readonly TeamRef[] {
  return candidate.teams?.filter((team) => !joined?.includes(team.teamId)) ?? [];
}

export function createdOutcome(state: NewUserState): Outcome {
  const { candidate, problems, key } = state;
  const base = {
    ...baseOf(candidate),
    userId: candidate.user.userId,
    role: state.role ?? '',
    teamName: namesOfTeams(state),
    key: key === null ? null : madeKey(key),
    ...(candidate.action === 'UPDATED' && { recreated: true as const }),
  };
  if (problems.length === 0) return withResult(base, null, candidate.note);
  return withResult(base, { code: 'incomplete', reason: `created, but ${problems.join('; ')}` });
}

function madeKey(key: Secret): MadeKey {
  return { hash: key.hash(), shown: key.abbreviated() };
}

/** The outcome of a user who was not created. */
export function notCreated(candidate: Candidate, { code, reason }: FailureReason): Outcome {
  const told = candidate.action === 'UPDATED' ? `deleted to be recreated, but ${reason}` : reason;
  return withResult(baseOf(candidate), { code, reason: told });
}

export function onboardingRow(state: NewUserState, linkFor: (invitationId: string) => string): OnboardingRow {
  const { candidate, key, invitation } = state;
  return {
    email: candidate.user.email,
    userId: candidate.user.userId,
    role: state.role ?? '',
    teamName: namesOfTeams(state),
    keyName: candidate.user.withKey ? (candidate.user.keyAlias ?? '') : '',
    apiKey: key,
    invitationId: invitation?.id ?? null,
    expiresAt: invitation?.expiresAt ?? '',
    link: invitation === null ? null : new Secret(linkFor(invitation.id.reveal())),
    delivery: '',
    delivered: false,
  };
}

function baseOf({ index, action, user, teams }: Candidate) {
  const teamName = teams === null ? '' : teamNames(teams);
  return { index, action, email: user.email, userId: '', role: user.role ?? '', teamName, key: null };
}

/** Names where the plan knows them, ids where the proxy chose the team; sorted, as 1.75 lists them in any order. */
function namesOfTeams({ candidate, joined }: NewUserState): string {
  const names = new Map(candidate.teams?.map((team) => [team.teamId, team.name]));
  const ids = joined ?? (candidate.teams ?? []).map((team) => team.teamId);
  return ids
    .map((id) => names.get(id) ?? id)
    .sort(compare)
    .join(';');
}
