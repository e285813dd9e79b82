import { leavings, type UserInTeam, uncounted, withCosts } from '../core/costs.ts';
import { type DesiredUser, desiredUsers, problemsOffline, type UserList, type UserRow } from '../core/desired.ts';
import { makePlan, type Policy, takenKeyNames } from '../core/diff.ts';
import { budgetNotes } from '../core/hints.ts';
import { emailKey, type Inventory, type ProxyFacts, type ProxyKey } from '../core/inventory.ts';
import type { Plan } from '../core/plan.ts';
import { type Problem, withCells } from '../core/problem.ts';
import { type ChangesByLine, Lookup, Rows, rowPlan } from '../core/row-plan.ts';
import { UsersByEmail } from '../core/scope.ts';
import { teamDirectory } from '../core/teams.ts';
import { unknownModels } from '../core/user-limits.ts';
import type { RunPlan } from '../host/port.ts';
import type { RunContext } from './lifecycle.ts';
import { FileProblemsError } from './problems.ts';

/** What a plan asks of the proxy. */
export interface PlanReads {
  /** Proven complete. */
  inventory(): Promise<Inventory>;
  /** @throws where the proxy is too old to be written to */
  checkVersion(): Promise<void>;
  facts(): Promise<ProxyFacts>;
  /** Names of `/v1/models`. */
  modelNames(): Promise<ReadonlySet<string>>;
  /** Which of these aliases exist, and whose key has them. */
  takenAliases(aliases: readonly string[]): Promise<ReadonlyMap<string, string | null>>;
  /** The keys of these users in these teams; `unknown`: the key that we use may not list them. */
  leavingKeys(pairs: readonly UserInTeam[]): Promise<readonly ProxyKey[] | 'unknown'>;
  /** Which of these memberships have a budget of the member's own. */
  ownBudgets(pairs: readonly UserInTeam[]): Promise<readonly UserInTeam[]>;
  /** Numbers of keys; users whose number may not be seen are left out. */
  keyCounts(userIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
}

/** The inputs that shape a plan. */
export type PlanInputs = Policy & { readonly csvFile: string };

/** A file without users is a slip, not a wish to delete everybody. */
const NO_USERS: Problem = {
  line: null,
  column: null,
  message: 'The file holds no users. That never means "delete everyone": use the command `delete` for that.',
};

/**
 * The plan for a file, from a fresh look at the proxy, with what its changes cost.
 * @param today `YYYY-MM-DD`, UTC: rows that expired before it count as missing
 * @throws FileProblemsError with everything that is wrong with the file, or with the users that it names
 */
export async function planFor(
  list: UserList,
  inputs: PlanInputs,
  proxy: PlanReads,
  today: string,
): Promise<{ readonly plan: Plan; readonly desired: readonly DesiredUser[] }> {
  if (list.rows.length === 0) throw new FileProblemsError(inputs.csvFile, problemsOfList(list, today));
  const { inventory, facts } = await observeProxy(proxy, list, inputs, today);
  const directory = teamDirectory(inventory.teams);
  const users = new UsersByEmail(inventory.users);
  const { users: desired, problems } = desiredUsers(list, { directory, emails: users, today });
  const modelNames = await modelsFor(list.rows, proxy);
  const planned = makePlan(desired, { inventory, users, directory, facts, modelNames }, inputs, today);
  const keyNames = await keyNameProblems(planned.plan, list.rows, inputs, proxy);
  const found = [...problems, ...withCells([...planned.problems, ...keyNames], list)];
  if (found.length > 0) throw new FileProblemsError(inputs.csvFile, found);
  return { plan: await costed(planned.plan, proxy, facts), desired };
}

/** What is wrong with a file that was read, as far as that can be told without the proxy. */
export function problemsOfList(list: UserList, today: string): readonly Problem[] {
  const isEmpty = list.readable && list.rows.length === 0 && list.problems.length === 0;
  return isEmpty ? [NO_USERS] : problemsOffline(list, today);
}

/** The state of the proxy; if it cannot be read, the file's own problems are worth more than that. */
async function observeProxy(
  proxy: PlanReads,
  list: UserList,
  { csvFile }: PlanInputs,
  today: string,
): Promise<{ readonly inventory: Inventory; readonly facts: ProxyFacts }> {
  try {
    const [inventory, facts] = await Promise.all([proxy.inventory(), proxy.facts(), proxy.checkVersion()]);
    return { inventory, facts };
  } catch (error) {
    throw list.problems.length > 0 ? new FileProblemsError(csvFile, problemsOffline(list, today)) : error;
  }
}

/** A proxy that does not list its models must not cost us the plan: names go unchecked, and the plan says so. */
async function modelsFor(rows: readonly UserRow[], proxy: PlanReads): Promise<ReadonlySet<string> | null> {
  if (!rows.some((row) => row.limits.models.kind === 'value')) return null;
  try {
    return await proxy.modelNames();
  } catch {
    return null;
  }
}

async function keyNameProblems(
  plan: Plan,
  rows: readonly UserRow[],
  inputs: PlanInputs,
  proxy: PlanReads,
): Promise<Problem[]> {
  if (!inputs.apiKeys) return [];
  const adds = plan.changes.filter((change) => change.kind === 'add');
  const names = adds.flatMap((change) => change.keyName ?? []);
  if (names.length === 0) return [];
  const taken = await proxy.takenAliases([...new Set(names)]);
  return takenKeyNames(rows, new Set(adds.map((change) => emailKey(change.email))), new Set(taken.keys()));
}

/** The plan with what its changes cost: keys and budgets that go along. */
async function costed(plan: Plan, proxy: PlanReads, facts: ProxyFacts): Promise<Plan> {
  const pairs = leavings(plan);
  const userIds = uncounted(plan);
  const [keys, ownBudgets, keyCounts] = await Promise.all([
    pairs.length === 0 ? [] : proxy.leavingKeys(pairs),
    pairs.length === 0 ? [] : proxy.ownBudgets(pairs),
    userIds.length === 0 ? new Map<string, number>() : proxy.keyCounts(userIds),
  ]);
  return withCosts(plan, { facts, keys, ownBudgets, keyCounts });
}

/**
 * The plan for the rows of a file one by one: bad rows are left out and told, the others go on.
 * @param action what carrying a row out means
 * @param plan the rows' changes; takes the rows out that are none
 */
export async function planRows(
  list: UserList,
  action: 'ADDED' | 'DELETED',
  { proxy, inputs, host }: RunContext,
  plan: (rows: Rows, lookup: Lookup) => Promise<ChangesByLine>,
): Promise<RunPlan> {
  if (list.rows.length === 0) host.log.warning(`${inputs.csvFile} holds no users: there is nothing to do.`);
  const [inventory, facts] = await Promise.all([proxy.inventory(), proxy.facts(), proxy.checkVersion()]);
  const rows = new Rows(list.rows, action, action === 'ADDED' ? inputs.userRole : '');
  rows.refuse(list.problems);
  const lookup = new Lookup(inventory, inputs);
  const planned = rowPlan(rows, await plan(rows, lookup), lookup);
  const costs = await costed(await withLimitsTold(planned.plan, rows.open, proxy, facts), proxy, facts);
  const problems = withCells(planned.problems, list);
  return { kind: 'rows', plan: costs, rowPlan: { ...planned, plan: costs, problems } };
}

/** The plan with what a reader of its limits has to know. */
async function withLimitsTold(
  plan: Plan,
  rows: readonly UserRow[],
  proxy: PlanReads,
  facts: ProxyFacts,
): Promise<Plan> {
  const warnings = unknownModels(rows, await modelsFor(rows, proxy));
  return { ...plan, warnings, notes: budgetNotes(plan.changes, facts) };
}
