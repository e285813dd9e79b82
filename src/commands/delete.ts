import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DELETE_LIST, readUserList } from '../core/desired.ts';
import { deletedInWords } from '../core/manual-words.ts';
import { planDeletes } from '../core/row-plan.ts';
import type { ExitCode, RowsHost } from '../host/port.ts';
import type { Inputs } from '../inputs.ts';
import { deletionErrorsCsv, deletionsCsv } from '../render/csv.ts';
import { redactOutcomes } from '../render/redact.ts';
import { clearLinks, type RowCommand, runRows } from './row-run.ts';

/** Deletes the users of the file and nobody else. */
export function deleteUsers(inputs: Inputs, host: RowsHost): Promise<ExitCode> {
  return runRows(DELETE, inputs, host);
}

const DELETE: RowCommand = {
  action: 'DELETED',
  read: (bytes) => readUserList(bytes, DELETE_LIST),
  plan: async (rows, lookup) => ({ plan: planDeletes(rows, lookup), invited: [] }),
  beside: async () => [],
  word: deletedInWords,
  write: async (outcomes, run) => {
    const { host } = run;
    const told = (host.redacts ? redactOutcomes(outcomes) : outcomes).filter((row) => row.action === 'DELETED');
    const results = join(host.outputDirectory, 'user_del_result.csv');
    const errors = join(host.outputDirectory, 'user_del_error.csv');
    await writeFile(results, deletionsCsv(told.filter((row) => row.status === 'SUCCESS')));
    await writeFile(errors, deletionErrorsCsv(told.filter((row) => row.status !== 'SUCCESS')));
    await clearLinks(run, []);
    return { files: [results, errors], secretFiles: [] };
  },
  writeErrors: async () => [],
  notes: () => [],
};
