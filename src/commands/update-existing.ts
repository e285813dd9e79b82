import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { emailKey, type ProxyKey } from '../core/inventory.ts';
import { compare } from '../core/order.ts';
import type { Outcome } from '../core/outcome.ts';
import { memberships, type TeamDirectory, teamDirectory, teamRefs } from '../core/teams.ts';
import type { ExitCode, Host } from '../host/port.ts';
import type { Inputs } from '../inputs.ts';
import type { ListedRow, ProxyClient } from '../litellm/client.ts';
import { type RegistrationRow, registrationErrorsCsv } from '../render/csv.ts';
import { connectProxy } from './connection.ts';
import { runFailureOf } from './problems.ts';
import { ERROR_FILE, writeRows } from './registrations.ts';

/** Keys that the proxy makes for a login to its admin pages. */
const LOGIN_TEAM = 'litellm-dashboard';

/**
 * `add` with `update-existing`: all users with an email, in the columns of `user_reg_result.csv`, sorted by email. Keys
 * are abbreviated as the proxy has them. Reads no file and creates nobody.
 */
export async function writeExisting<E>(inputs: Inputs, host: Host<E>): Promise<ExitCode> {
  try {
    const rows = await existingUsers(connectProxy(inputs, host));
    const path = await writeRows(rows, { host, masks: host.redacts });
    const errors = join(host.outputDirectory, ERROR_FILE);
    await writeFile(errors, registrationErrorsCsv([]));
    const notes = ['Existing users were written, nobody was created (update-existing).'];
    await host.finished({
      command: 'add',
      plan: null,
      evidence: null,
      outcomes: rows.map(unchanged),
      notes,
      files: [path, errors],
      secretFiles: [],
      linksExpire: null,
      audit: null,
      secretsUrl: '',
      isUnfinished: false,
    });
    return 0;
  } catch (error) {
    await host.failed(runFailureOf(error), null, false);
    throw error;
  }
}

async function existingUsers(proxy: ProxyClient): Promise<RegistrationRow[]> {
  const [users, teams, keys] = await Promise.all([proxy.listUsers([], slim), proxy.listTeams(), proxy.listKeys()]);
  const directory = teamDirectory(teams);
  const memberOf = memberships(teams);
  const keyNames = namesByUser(keys);
  return users
    .flatMap((user) => (user.email === '' ? [] : [user]))
    .sort((a, b) => compare(emailKey(a.email), emailKey(b.email)) || compare(a.userId, b.userId))
    .map((user) => ({
      email: user.email,
      role: user.role,
      userId: user.userId,
      teamName: teamNames(memberOf(user), directory),
      models: user.models,
      apiKeys: keyNames.get(user.userId)?.join(';') ?? null,
      invitationUrl: null,
    }));
}

function slim(row: ListedRow) {
  return {
    userId: row.user_id,
    email: (row.user_email ?? '').trim(),
    role: row.user_role ?? '',
    teams: row.teams,
    models: row.models,
  };
}

function teamNames(
  { full, half }: { full: readonly string[]; half: readonly string[] },
  directory: TeamDirectory,
): string {
  return teamRefs([...full, ...half], directory)
    .map((team) => team.name)
    .join(';');
}

function namesByUser(keys: readonly ProxyKey[]): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { userId, teamId, name } of keys) {
    if (userId !== null && teamId !== LOGIN_TEAM) names.set(userId, [...(names.get(userId) ?? []), name]);
  }
  return names;
}

function unchanged(row: RegistrationRow): Outcome {
  const { email, userId, role, teamName } = row;
  return { index: null, action: 'UNCHANGED', email, userId, role, teamName, key: null, status: 'SUCCESS', reason: '' };
}
