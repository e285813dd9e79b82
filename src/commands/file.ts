import { readFile } from 'node:fs/promises';
import { UsageError } from '../core/errors.ts';

/**
 * The bytes of the CSV file.
 * @throws UsageError if it is missing or cannot be read
 */
export async function readCsvFile(path: string, shownAs: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw new UsageError(`ERROR: CSV file '${shownAs}' not found.`, { cause: error });
    const why = code === 'EISDIR' ? 'is a folder' : `cannot be read (${code})`;
    throw new UsageError(`ERROR: CSV file '${shownAs}' ${why}.`, { cause: error });
  }
}
