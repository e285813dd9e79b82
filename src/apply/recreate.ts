import { isRole, type LimitSettings, type UserLimits } from '../core/inventory.ts';
import type { TeamRef } from '../core/plan.ts';
import type { Candidate } from './add/new-user.ts';
import { AddPhase } from './add/phase.ts';
import type { ApplyOptions, Run } from './apply-run.ts';
import { pieces } from './bulk.ts';
import { reasonOf } from './messages.ts';
import { type UpdateTarget, updatedOutcome } from './observed.ts';
import { deleteUsers } from './remove.ts';
import type { RejectedUpdate } from './update.ts';

const NOTE = "recreated under a new user id: the old user's keys and spend are gone";

/**
 * Deletes users whose update the proxy does not take, and creates them anew with the role and teams that they should
 * have. Only those whose teams all exist: else the creation would fail and the user be lost.
 */
export async function recreate(run: Run<ApplyOptions>, rejected: readonly RejectedUpdate[]): Promise<void> {
  for (const piece of pieces(rejected, run.options.proxy.batchSize)) {
    const able = await withTeams(run, piece);
    const targets = able.map(({ index, target }) => ({ index, userId: target.userId }));
    const failures = await deleteUsers(run, targets);
    const gone: RejectedUpdate[] = [];
    for (const row of able) {
      const failure = failures.get(row.target.userId);
      if (failure === undefined) gone.push(row);
      else fail(run, row, `not recreated: ${failure.reason}`);
    }
    await new AddPhase(run, { created: () => undefined, completed: () => undefined }).add(gone, (row) =>
      candidateOf(row, run.options),
    );
  }
}

/** The row of an update that stays as it is. */
export function fail(run: Run, { index, target, observed, failure }: RejectedUpdate, more: string): void {
  const { code, reason } = failure;
  run.record(
    index,
    updatedOutcome(index, target, observed, { code, reason: more === '' ? reason : `${reason}; ${more}` }),
  );
}

async function withTeams(run: Run, rows: readonly RejectedUpdate[]): Promise<RejectedUpdate[]> {
  try {
    const ids = new Set(rows.flatMap(({ target, observed }) => teamsOf(target, observed).map((team) => team.teamId)));
    const found = ids.size === 0 ? [] : await run.options.proxy.findTeams([...ids]);
    const existing = new Set(found.map((team) => team.teamId));
    return rows.filter((row) => {
      const absent = teamsOf(row.target, row.observed).find((team) => !existing.has(team.teamId));
      if (absent !== undefined) fail(run, row, `not recreated: team ${absent.name} does not exist`);
      return absent === undefined;
    });
  } catch (error) {
    run.haltIfFatal(error);
    for (const row of rows) fail(run, row, `not recreated: the teams could not be looked up (${reasonOf(error)})`);
    return [];
  }
}

function candidateOf({ index, target, observed }: RejectedUpdate, options: ApplyOptions): Candidate {
  const teams = teamsOf(target, observed);
  const role = target.role?.to ?? target.currentRole;
  return {
    index,
    action: 'UPDATED',
    user: {
      userId: options.newUserId(),
      email: target.email,
      role: role !== null && isRole(role) ? role : null,
      teams: teams.map((team) => team.teamId),
      withKey: options.apiKeys,
      keyAlias: null,
      limits: presentLimits(target.currentLimits),
    },
    teams,
    note: NOTE,
  };
}

function teamsOf(target: UpdateTarget, observed: RejectedUpdate['observed']): readonly TeamRef[] {
  if (target.teams !== null) return target.teams.to;
  const names = new Map(target.currentTeams.map((team) => [team.teamId, team.name]));
  const present = observed.users.get(target.userId)?.teams ?? [];
  return present.map((teamId) => ({ teamId, name: names.get(teamId) ?? teamId }));
}

/** What a new account has to be given to be limited as the old one was. */
function presentLimits(limits: UserLimits): LimitSettings {
  const present = Object.entries(limits).filter(
    ([, value]) => value !== null && !(Array.isArray(value) && value.length === 0),
  );
  return Object.fromEntries(present);
}
