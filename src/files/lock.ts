import { unlinkSync } from 'node:fs';
import { link, mkdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const LOCK_FILE = '.litellm-user-sync.lock';

/** Another run is writing in this directory: to this one its journal would look like an interrupted run's. */
export class DirectoryInUseError extends Error {
  override readonly name = 'DirectoryInUseError';

  constructor(directory: string, pid: number, path: string) {
    super(
      `Another run (process ${pid}) is writing in ${directory}. Wait for it, or use another output-directory. ` +
        `If there is no such run, delete ${path}.`,
    );
  }
}

const held = new Set<string>();

/**
 * Keeps a directory for this process until it ends. A lock whose process is gone (killed) is taken over.
 * @throws DirectoryInUseError
 */
export async function holdDirectory(directory: string): Promise<void> {
  const path = join(directory, LOCK_FILE);
  if (held.has(path)) return;
  const owner = `${process.pid} ${await startOf(process.pid)}`;
  while (!(await created(path, owner))) await removeStale(path, directory);
  if (held.size === 0) process.once('exit', giveBack);
  held.add(path);
}

function giveBack(): void {
  for (const path of held) {
    try {
      unlinkSync(path);
    } catch {
      // Gone already, with its directory perhaps: nothing is left to give back.
    }
  }
}

/** The lock appears with its content, by one link: nobody ever reads an empty one. */
async function created(path: string, owner: string): Promise<boolean> {
  const own = `${path}.${process.pid}`;
  await writeFile(own, owner, { mode: 0o600 });
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

/** A process that holds this is judging; killed within that moment, it leaves the folder behind. */
const JUDGING_MS = 5_000;
const WAIT_MS = 20;

/** Judges and removes under a lock of its own: nobody removes a lock that was made after they judged the one before it. */
async function removeStale(path: string, directory: string): Promise<void> {
  const judging = `${path}.judging`;
  try {
    await mkdir(judging);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (Date.now() - (await madeAt(judging)) > JUDGING_MS) await rmdir(judging).catch(() => undefined);
    await sleep(WAIT_MS);
    return;
  }
  try {
    const lock = await readFile(path, 'utf8').catch(() => null);
    // Gone: the one that is there a moment later is a new one.
    if (lock === null) return;
    const [pid = '', started = ''] = lock.split(' ');
    if (isAlive(Number(pid)) && started === (await startOf(Number(pid)))) {
      throw new DirectoryInUseError(directory, Number(pid), path);
    }
    await rm(path, { force: true });
  } finally {
    await rmdir(judging).catch(() => undefined);
  }
}

/** Milliseconds since 1970; now, where the folder is gone. */
async function madeAt(folder: string): Promise<number> {
  return stat(folder).then(
    ({ mtimeMs }) => mtimeMs,
    () => Date.now(),
  );
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process began, in ticks since the start of the system: a number is soon another process's. Linux only. */
async function startOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
