import { badEmails, type DesiredUser, resolveTeams, type UserList } from '../core/desired.ts';
import { leavings, makePlan, takenKeyNames, withTeamKeys } from '../core/diff.ts';
import { emailKey } from '../core/inventory.ts';
import type { Plan } from '../core/plan.ts';
import type { Problem } from '../core/problem.ts';
import { teamDirectory } from '../core/teams.ts';
import type { Inputs } from '../inputs.ts';
import type { ProxyClient } from '../litellm/client.ts';
import { FileProblemsError } from './problems.ts';

/** A file without users is a slip, not a wish to delete everybody. */
const NO_USERS: Problem = {
  line: null,
  column: null,
  message: 'The file holds no users. That never means "delete everyone": use the command `delete` for that.',
};

/** What is wrong with a file that was read, as far as that can be told without the proxy. */
export function problemsOffline(list: UserList): readonly Problem[] {
  return [...list.problems, ...badEmails(list.rows, new Set())];
}

/** A file without a single row. Else all that is wrong is told at once, with what only the proxy knows: by the plan. */
export function problemsOfEmptyFile({ rows, problems }: UserList): readonly Problem[] {
  if (rows.length > 0) return [];
  return problems.length === 0 ? [NO_USERS] : problems;
}

/**
 * The plan for a file, from a fresh look at the proxy, with what its changes cost.
 * @throws FileProblemsError with everything that is wrong with the file, or with the users that it names
 */
export async function planFor(list: UserList, inputs: Inputs, proxy: ProxyClient): Promise<Plan> {
  const inventory = await look(proxy, () => new FileProblemsError(inputs.csvFile, problemsOffline(list)), list);
  const directory = teamDirectory(inventory.teams);
  const { users, problems } = resolveTeams(list.rows, directory);
  const known = new Set(inventory.users.flatMap((user) => (user.email === null ? [] : [emailKey(user.email)])));
  const planned = makePlan(users, inventory, directory, inputs);
  const found = [...list.problems, ...badEmails(list.rows, known), ...problems, ...planned.problems];
  found.push(...(await keyNameProblems(users, planned.plan, inputs, proxy)));
  if (found.length > 0) throw new FileProblemsError(inputs.csvFile, found);
  return costed(planned.plan, proxy);
}

/** The inventory; if the proxy cannot be read, the file's own problems are worth more than that. */
async function look(proxy: ProxyClient, fileProblems: () => FileProblemsError, list: UserList) {
  try {
    const [inventory] = await Promise.all([proxy.inventory(), proxy.checkVersion()]);
    return inventory;
  } catch (error) {
    throw list.problems.length > 0 ? fileProblems() : error;
  }
}

async function keyNameProblems(
  users: readonly DesiredUser[],
  plan: Plan,
  inputs: Inputs,
  proxy: ProxyClient,
): Promise<Problem[]> {
  if (!inputs.apiKeys) return [];
  const adds = plan.changes.filter((change) => change.kind === 'add');
  const names = adds.flatMap((change) => change.keyName ?? []);
  if (names.length === 0) return [];
  const taken = await proxy.takenAliases([...new Set(names)]);
  return takenKeyNames(users, new Set(adds.map((change) => emailKey(change.email))), new Set(taken.keys()));
}

async function costed(plan: Plan, proxy: ProxyClient): Promise<Plan> {
  const pairs = leavings(plan);
  if (pairs.length === 0) return plan;
  const [keys, deleted] = await Promise.all([proxy.teamKeys(pairs), proxy.keysDeletedOnLeave()]);
  return withTeamKeys(plan, keys, deleted);
}
