import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readUserList } from '../core/desired.ts';
import { holdsSecret, isCreated } from '../core/outcome.ts';
import { outcomesCsv } from '../render/csv.ts';
import type { Writing } from './lifecycle.ts';
import { planFor, problemsOfList } from './plan.ts';

const RESULT_FILE = 'user_sync_result.csv';

/** Makes the proxy's users match the file. */
export const SYNC: Writing = {
  command: 'sync',
  read: (bytes) => readUserList(bytes),
  // All that is wrong is told at once, with what only the proxy knows: by the plan.
  problemsOfFile: () => [],
  problemsOffline: problemsOfList,
  plan: async (list, { inputs, proxy, today }) => ({
    kind: 'file',
    rows: list.rows,
    ...(await planFor(list, inputs, proxy, today)),
  }),
  word: (outcome) => outcome,
  writeSecrets: async (outcomes, { journal }) => {
    const rows = outcomes.some(isCreated) ? [...(await journal.onboardingFile.read()).values()] : [];
    return { files: [], secretFiles: rows.some(holdsSecret) ? [journal.onboardingFile.path] : [] };
  },
  writeResults: async (outcomes, { host }) => {
    const path = join(host.outputDirectory, RESULT_FILE);
    await writeFile(path, outcomesCsv(outcomes));
    return [path];
  },
  notes: () => [],
};
