import { UsageError } from '../core/errors.ts';
import { emailKey } from '../core/inventory.ts';
import { isListed, type ListQuery, listQuery } from '../core/list-query.ts';
import { compare } from '../core/order.ts';
import { isNoTeam, type TeamDirectory, teamDirectory, teamRefs } from '../core/teams.ts';
import type { ExitCode, Host } from '../host/port.ts';
import type { Inputs } from '../inputs.ts';
import type { ListedRow } from '../litellm/client.ts';
import { teamLabel } from '../render/labels.ts';
import { type ListedUser, listCells, listText } from '../render/list.ts';
import { redactText } from '../render/redact.ts';
import { connectProxy } from './connection.ts';
import { runFailureOf } from './problems.ts';

interface Found {
  readonly email: string;
  readonly userId: string;
  readonly fields: ListedUser;
}

/** Shows the proxy's users, sorted by email; reads alone, so that every mode does the same. */
export async function list<E>(inputs: Inputs, host: Host<E>): Promise<ExitCode> {
  try {
    const query = listQuery(inputs);
    if ('problems' in query) throw new UsageError(query.problems.join('\n'));
    const proxy = connectProxy(inputs, host);
    const byName = inputs.team !== '' || query.columns.includes('teams');
    const directory = teamDirectory(byName ? await proxy.listTeams() : []);
    const isMember = teamFilter(inputs.team, directory);
    const asked = query.columns.filter((column) => column !== TEAM_IDS);
    const users = await proxy.listUsers(asked, (row) => (isMember(row) ? found(row, query, directory) : null));
    await show(sorted(users), query, inputs, host);
    return 0;
  } catch (error) {
    await host.failed(runFailureOf(error), null, false);
    throw error;
  }
}

/**
 * Who is in one of the teams that the input names; `-`: who is in no team.
 * @throws UsageError where there is no such team
 */
function teamFilter(team: string, directory: TeamDirectory): (row: ListedRow) => boolean {
  if (team === '') return () => true;
  if (isNoTeam(team)) return ({ teams }) => teams.length === 0;
  const lookups = directory.read(team);
  const problems = lookups.flatMap((one) => (one.found ? [] : `Input \`team\`: ${one.message}`));
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  const wanted = new Set(lookups.flatMap((one) => (one.found ? one.team.teamId : [])));
  return ({ teams }) => teams.some((teamId) => wanted.has(teamId));
}

/** Of a user only what is shown stays in memory; `null` for one who is not shown at all. */
function found(row: ListedRow, query: ListQuery, directory: TeamDirectory): Found | null {
  const email = row.user_email ?? '';
  if (!isListed({ email, role: row.user_role }, query)) return null;
  const fields = query.columns.map((column) => field(row, column, directory));
  return { email: emailKey(email), userId: row.user_id, fields };
}

/** A column of ours alone. */
const TEAM_IDS = 'team_ids';

/** Teams by name; one that is gone by its id. */
function field(row: ListedRow, column: string, directory: TeamDirectory): unknown {
  if (column === TEAM_IDS) return row.teams;
  if (column === 'teams') return teamRefs([...new Set(row.teams)], directory).map(teamLabel);
  return row[column] ?? null;
}

function sorted(users: readonly (Found | null)[]): ListedUser[] {
  return users
    .filter((user) => user !== null)
    .sort((a, b) => compare(a.email, b.email) || compare(a.userId, b.userId))
    .map((user) => user.fields);
}

async function show(users: readonly ListedUser[], query: ListQuery, inputs: Inputs, host: Host): Promise<void> {
  const { columns } = query;
  const shown = host.redacts ? users.map(redacted) : users;
  if (users.length === 0) host.log.info('No users found');
  await host.shown({
    kind: 'list',
    text: listText(shown, columns, inputs.format),
    fileName: `user_list_output.${inputs.format === 'table' ? 'txt' : inputs.format}`,
    columns,
    count: shown.length,
    row: (index) => listCells(shown[index] ?? []),
  });
}

/** Masks emails in every field: ids, aliases and teams may be named after one. */
function redacted(user: ListedUser): ListedUser {
  return user.map(redactedValue);
}

function redactedValue(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  return Array.isArray(value) ? value.map(redactedValue) : value;
}
