import type { UserList } from '../core/desired.ts';
import { Lookup } from '../core/index.ts';
import { withCells } from '../core/problem.ts';
import { type ChangesByLine, Rows, rowPlan } from '../core/row-plan.ts';
import type { RunPlan } from '../host/port.ts';
import type { RunContext } from './lifecycle.ts';
import { costed } from './plan-sync.ts';

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
  const costs = await costed(planned.plan, proxy, facts);
  const problems = withCells(planned.problems, list);
  return { kind: 'rows', plan: costs, rowPlan: { ...planned, plan: costs, problems } };
}
