import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ADD_LIST, type DesiredUser, problemsOffline, readUserList } from '../core/desired.ts';
import {
  addedInWords,
  freeKeyNames,
  newUsers,
  planAdds,
  problemsOfFile,
  type Rows,
  skipExisting,
} from '../core/row-plan.ts';
import { registrationErrorsCsv } from '../render/csv.ts';
import type { RunContext, Writing } from './lifecycle.ts';
import { planRows } from './plan.ts';
import { ERROR_FILE, writeRegistrations } from './registrations.ts';

/** Creates the users of the file who are not there yet. */
export const ADD: Writing = {
  command: 'add',
  read: (bytes) => readUserList(bytes, ADD_LIST),
  problemsOfFile,
  problemsOffline,
  plan: (list, context) =>
    planRows(list, 'ADDED', context, async (rows, lookup) => {
      skipExisting(rows, lookup);
      return planAdds(await withFreeKeyNames(newUsers(rows, lookup, rows.open), rows, context), lookup);
    }),
  word: addedInWords,
  writeSecrets: writeRegistrations,
  writeResults: async (outcomes, { host }) => {
    const path = join(host.outputDirectory, ERROR_FILE);
    const failures = outcomes.filter((row) => row.action === 'ADDED' && row.status !== 'SUCCESS');
    await writeFile(path, registrationErrorsCsv(failures));
    return [path];
  },
  notes: () => [],
};

/** Key names are asked for only where keys are made, and once for all rows. */
export async function withFreeKeyNames(
  users: readonly DesiredUser[],
  rows: Rows,
  { inputs, proxy }: Pick<RunContext, 'inputs' | 'proxy'>,
): Promise<readonly DesiredUser[]> {
  const names = new Set(users.flatMap((user) => user.keyName ?? []));
  if (!inputs.apiKeys || names.size === 0) return users;
  const taken = await proxy.takenAliases([...names]);
  return freeKeyNames(users, rows, new Set(taken.keys()));
}
