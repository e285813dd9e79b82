import { isRole } from '../core/inventory.ts';
import type { TeamRef } from '../core/plan.ts';
import type { Candidate } from './add/new-user.ts';
import { Newcomers } from './add/phase.ts';
import { pieces } from './bulk.ts';
import { deleteUsers } from './delete.ts';
import { reasonOf } from './messages.ts';
import { type UpdateTarget, updatedOutcome } from './observed.ts';
import type { ApplyOptions, Run } from './run.ts';
import type { Stuck } from './update.ts';

const NOTE = "recreated under a new user id: the old user's keys and spend are gone";

/**
 * Deletes users whose update the proxy does not take, and creates them anew with the role and teams that they should
 * have. Only those whose teams all exist: else the creation would fail and the user be lost.
 */
export async function recreate(run: Run<ApplyOptions>, stuck: readonly Stuck[]): Promise<void> {
  for (const piece of pieces(stuck, run.options.proxy.batchSize)) {
    const able = await withTeams(run, piece);
    const doomed = able.map(({ change, target }) => ({ change, userId: target.userId }));
    const deletions = await deleteUsers(run, doomed);
    const gone: Stuck[] = [];
    for (const row of able) {
      const deletion = deletions.get(row.target.userId);
      if (deletion?.gone === true) gone.push(row);
      else fail(run, row, `not recreated: ${deletion?.reason ?? 'not attempted'}`);
    }
    await new Newcomers(run, { created: () => undefined, completed: () => undefined }).add(gone, (row) =>
      candidateOf(row, run.options),
    );
  }
}

/** The row of an update that stays as it is. */
export function fail(run: Run, { change, target, seen, reason }: Stuck, more: string): void {
  run.settle(change, updatedOutcome(target, seen, more === '' ? reason : `${reason}; ${more}`));
}

async function withTeams(run: Run, rows: readonly Stuck[]): Promise<Stuck[]> {
  try {
    const ids = new Set(rows.flatMap(({ target, seen }) => teamsOf(target, seen).map((team) => team.teamId)));
    const found = ids.size === 0 ? [] : await run.options.proxy.findTeams([...ids]);
    const existing = new Set(found.map((team) => team.teamId));
    return rows.filter((row) => {
      const absent = teamsOf(row.target, row.seen).find((team) => !existing.has(team.teamId));
      if (absent !== undefined) fail(run, row, `not recreated: team ${absent.name} does not exist`);
      return absent === undefined;
    });
  } catch (error) {
    run.isFatal(error);
    for (const row of rows) fail(run, row, `not recreated: the teams could not be looked up (${reasonOf(error)})`);
    return [];
  }
}

function candidateOf({ change, target, seen }: Stuck, options: ApplyOptions): Candidate {
  const teams = teamsOf(target, seen);
  const role = target.role?.to ?? target.currentRole;
  return {
    change,
    action: 'UPDATED',
    user: {
      userId: options.newUserId(),
      email: target.email,
      role: role !== null && isRole(role) ? role : null,
      teams: teams.map((team) => team.teamId),
      withKey: options.apiKeys,
      keyAlias: null,
    },
    teams,
    note: NOTE,
  };
}

function teamsOf(target: UpdateTarget, seen: Stuck['seen']): readonly TeamRef[] {
  if (target.teams !== null) return target.teams.to;
  const names = new Map(target.currentTeams.map((team) => [team.teamId, team.name]));
  const present = seen.users.get(target.userId)?.teams ?? [];
  return present.map((teamId) => ({ teamId, name: names.get(teamId) ?? teamId }));
}
