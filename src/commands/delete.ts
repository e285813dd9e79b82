import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DELETE_LIST, problemsOffline, readUserList } from '../core/desired.ts';
import { deletedInWords, planDeletes, problemsOfFile } from '../core/row-plan.ts';
import { deletionErrorsCsv, deletionsCsv } from '../render/csv.ts';
import type { Writing } from './lifecycle.ts';
import { planRows } from './plan.ts';

/** Deletes the users of the file and nobody else. */
export const DELETE: Writing = {
  command: 'delete',
  read: (bytes) => readUserList(bytes, DELETE_LIST),
  problemsOfFile,
  problemsOffline,
  plan: (list, context) => planRows(list, 'DELETED', context, async (rows, lookup) => planDeletes(rows, lookup)),
  word: deletedInWords,
  writeSecrets: async () => ({ files: [], secretFiles: [], moved: [] }),
  writeResults: async (outcomes, { host }) => {
    const told = outcomes.filter((row) => row.action === 'DELETED');
    const results = join(host.outputDirectory, 'user_del_result.csv');
    const errors = join(host.outputDirectory, 'user_del_error.csv');
    await writeFile(results, deletionsCsv(told.filter((row) => row.status === 'SUCCESS')));
    await writeFile(errors, deletionErrorsCsv(told.filter((row) => row.status !== 'SUCCESS')));
    return [results, errors];
  },
  notes: () => [],
};
