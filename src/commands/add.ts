import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DesiredUser, readUserList } from '../core/desired.ts';
import { addedInWords } from '../core/manual-words.ts';
import type { Outcome } from '../core/outcome.ts';
import { freeKeyNames, newUsers, planAdds, type Rows, skipExisting } from '../core/row-plan.ts';
import type { ExitCode, RowsHost } from '../host/port.ts';
import type { Inputs } from '../inputs.ts';
import { registrationErrorsCsv } from '../render/csv.ts';
import { redactOutcomes } from '../render/redact.ts';
import { writeRegistrations } from './registrations.ts';
import { type RowCommand, type RowContext, runRows } from './row-run.ts';
import { writeExisting } from './update-existing.ts';

const ERROR_FILE = 'user_reg_error.csv';

/** Creates the users of the file that are not there yet. With `update-existing` nobody is created, as in `add_user.py`. */
export function add(inputs: Inputs, host: RowsHost): Promise<ExitCode> {
  return inputs.updateExisting ? writeExisting(inputs, host, ERROR_FILE) : runRows(ADD, inputs, host);
}

const ADD: RowCommand = {
  action: 'ADDED',
  read: (bytes) => readUserList(bytes),
  plan: async (rows, lookup, context) => {
    skipExisting(rows, lookup);
    const users = await withFreeKeyNames(newUsers(rows, lookup, rows.open), rows, context);
    return { plan: planAdds(users, lookup), invited: [] };
  },
  beside: async () => [],
  word: addedInWords,
  write: writeRegistrations,
  writeErrors: async (outcomes, { host }) => {
    const path = join(host.outputDirectory, ERROR_FILE);
    await writeFile(path, registrationErrorsCsv(failures(host.redacts ? redactOutcomes(outcomes) : outcomes)));
    return [path];
  },
  notes: () => [],
};

function failures(outcomes: readonly Outcome[]): readonly Outcome[] {
  return outcomes.filter((row) => row.action === 'ADDED' && row.status !== 'SUCCESS');
}

/** Key names are asked for only where keys are made, and once for all rows. */
export async function withFreeKeyNames(
  users: readonly DesiredUser[],
  rows: Rows,
  { inputs, proxy }: Pick<RowContext, 'inputs' | 'proxy'>,
): Promise<readonly DesiredUser[]> {
  const names = new Set(users.flatMap((user) => user.keyName ?? []));
  if (!inputs.apiKeys || names.size === 0) return users;
  const taken = await proxy.takenAliases([...names]);
  return freeKeyNames(users, rows, new Set(taken.keys()));
}
