import { compare } from '../../core/order.ts';
import type { OnboardingRow, Outcome, OutcomeAction } from '../../core/outcome.ts';
import type { AddChange, TeamRef } from '../../core/plan.ts';
import { Secret } from '../../core/secret.ts';
import type { CreatedUser, Invitation, NewUser } from '../ports.ts';

/** A user who is to be created: by an add, or by the recreation of an update. */
export interface Candidate {
  /** The number of the change in the plan. */
  readonly change: number;
  readonly action: OutcomeAction;
  readonly user: NewUser;
  /** `null`: the proxy's default teams. */
  readonly teams: readonly TeamRef[] | null;
  /** Stands in the row of a success: what a reader should know of it. */
  readonly note: string;
}

/** A user who was created, on the way to key, teams and link. Holds state. */
export interface Newcomer {
  readonly candidate: Candidate;
  /** As the proxy says; `null`: not known, or not yet. */
  role: string | null;
  /** Team ids; `null`: to be looked up. */
  joined: readonly string[] | null;
  /** The proxy's words on what failed of the creation. */
  readonly warning: string | null;
  key: Secret | null;
  /** There may be keys of his that nobody has seen. */
  keysUnseen: boolean;
  invitation: Invitation | null;
  /** The link that an earlier run, which was killed, had written already. */
  linked: boolean;
  /** What is missing, each with the way out. */
  readonly problems: string[];
  /** Deleted by somebody meanwhile: a write that names him would create him anew. */
  gone: boolean;
  /** Recovery has something to do: keys that nobody has seen may be left. */
  open: boolean;
}

export function candidateOf(
  change: Pick<AddChange, 'email' | 'role' | 'teams' | 'keyName'>,
  number: number,
  userId: string,
  apiKeys: boolean,
): Candidate {
  return {
    change: number,
    action: 'ADDED',
    user: {
      userId,
      email: change.email,
      role: change.role,
      teams: change.teams?.map((team) => team.teamId) ?? null,
      withKey: apiKeys,
      keyAlias: change.keyName,
    },
    teams: change.teams,
    note: '',
  };
}

export function newcomerOf(candidate: Candidate, created: Extract<CreatedUser, { ok: true }> | null): Newcomer {
  return {
    candidate,
    role: candidate.user.role,
    // A recreation is verified, whatever the answer says: the old user is gone.
    joined: candidate.action === 'UPDATED' ? null : (created?.teams ?? null),
    warning: created?.warning ?? null,
    key: created?.key ?? null,
    keysUnseen: created === null,
    invitation: null,
    linked: false,
    problems: [],
    gone: false,
    open: false,
  };
}

/** Teams that he should be in and, as far as is known, is not. */
export function missingTeams({ candidate, joined }: Newcomer): readonly TeamRef[] {
  return candidate.teams?.filter((team) => !joined?.includes(team.teamId)) ?? [];
}

export function outcomeOf(newcomer: Newcomer): Outcome {
  const { candidate, problems } = newcomer;
  return {
    ...rowOf(candidate),
    userId: candidate.user.userId,
    role: newcomer.role ?? '',
    teamName: teamNames(newcomer),
    keyShown: newcomer.key?.abbreviated() ?? '',
    status: problems.length === 0 ? 'SUCCESS' : 'FAILED',
    reason: problems.length === 0 ? candidate.note : `created, but ${problems.join('; ')}`,
  };
}

/** The row of a user who did not come to be. */
export function notCreated(candidate: Candidate, reason: string): Outcome {
  return {
    ...rowOf(candidate),
    reason: candidate.action === 'UPDATED' ? `deleted to be recreated, but ${reason}` : reason,
  };
}

export function onboardingRow(newcomer: Newcomer, linkFor: (invitationId: string) => string): OnboardingRow {
  const { candidate, key, invitation } = newcomer;
  return {
    email: candidate.user.email,
    userId: candidate.user.userId,
    role: newcomer.role ?? '',
    teamName: teamNames(newcomer),
    keyName: candidate.user.withKey ? (candidate.user.keyAlias ?? '') : '',
    apiKey: key,
    invitationId: invitation?.id ?? null,
    expiresAt: invitation?.expiresAt ?? '',
    link: invitation === null ? null : new Secret(linkFor(invitation.id.reveal())),
  };
}

function rowOf({ action, user, teams }: Candidate): Outcome {
  return {
    action,
    email: user.email,
    userId: '',
    role: user.role ?? '',
    teamName: teams?.map((team) => team.name).join(';') ?? '',
    keyShown: '',
    status: 'FAILED',
    reason: '',
  };
}

/** Names where the plan knows them, ids where the proxy chose the team; sorted, as 1.75 lists them in any order. */
function teamNames({ candidate, joined }: Newcomer): string {
  const names = new Map(candidate.teams?.map((team) => [team.teamId, team.name]));
  const ids = joined ?? (candidate.teams ?? []).map((team) => team.teamId);
  return ids
    .map((id) => names.get(id) ?? id)
    .sort(compare)
    .join(';');
}
