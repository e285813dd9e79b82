import { lstat, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, extname } from 'node:path';

/** The file's text, `''` where there is none. */
export async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** Replaces a file as a whole, mode 0600: a reader sees the old content or the new, never a part. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  await rm(temporary, { force: true });
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** Makes a new name or a rename outlive a power cut; where the system has no such thing (Windows) it is left out. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r').catch(() => null);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/**
 * Writes a file whole, mode 0600. One that is there and holds more than a header is moved to a free name first.
 * @param header what a file begins with that holds nothing worth keeping
 */
export async function writeBesideOlder(path: string, text: string, header: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  const isEmpty = found?.isFile() === true && [header.trim(), ''].includes((await textOf(path)).trim());
  if (found !== null && !isEmpty) await moveAside(path);
  await replaceFile(path, text);
}

/** Renames `links.csv` to the first free of `links-1.csv`, `links-2.csv`…; a file that is not there is fine. */
export async function moveAside(path: string): Promise<void> {
  if ((await lstat(path).catch(() => null)) === null) return;
  const extension = extname(path);
  const stem = path.slice(0, path.length - extension.length);
  for (let number = 1; ; number++) {
    const name = `${stem}-${number}${extension}`;
    if ((await lstat(name).catch(() => null)) === null) return rename(path, name);
  }
}
