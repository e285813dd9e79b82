import { unlinkSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const LOCK_FILE = '.litellm-user-sync.lock';

/** Another run is writing in this directory: to this one its journal would look like a killed run's. */
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
  while (!(await created(path, owner))) await takeOver(path, directory);
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

async function created(path: string, owner: string): Promise<boolean> {
  try {
    await writeFile(path, owner, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function takeOver(path: string, directory: string): Promise<void> {
  const [pid = '', started = ''] = (await textOf(path)).split(' ');
  if (isAlive(Number(pid)) && started === (await startOf(Number(pid)))) {
    throw new DirectoryInUseError(directory, Number(pid), path);
  }
  await rm(path, { force: true });
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
  const stat = await textOf(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
