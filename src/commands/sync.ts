import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readUserList } from '../core/desired.ts';
import { isCreated } from '../core/outcome.ts';
import { outcomesCsv } from '../render/csv.ts';
import { redactOutcomes } from '../render/redact.ts';
import type { Writing } from './lifecycle.ts';
import { planFor, problemsOfEmptyFile } from './plan-sync.ts';

const RESULT_FILE = 'user_sync_result.csv';

/** Makes the proxy's users match the file. */
export const SYNC: Writing = {
  command: 'sync',
  read: (bytes) => readUserList(bytes),
  problemsOfFile: problemsOfEmptyFile,
  plan: async (list, { inputs, proxy }) => ({ kind: 'file', plan: await planFor(list, inputs, proxy) }),
  word: (outcome) => outcome,
  writeSecrets: async (outcomes, { journal }) => ({
    files: [],
    secretFiles: outcomes.some(isCreated) ? [journal.onboardingFile.path] : [],
  }),
  writeResults: async (outcomes, { host }) => {
    const path = join(host.outputDirectory, RESULT_FILE);
    await writeFile(path, outcomesCsv(host.redacts ? redactOutcomes(outcomes) : outcomes));
    return [path];
  },
  notes: () => [],
};
