import { appendFileSync } from 'node:fs';
import { type FileHandle, lstat, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { setTimeout } from 'node:timers/promises';

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

/** `soon`: with what else comes in the next milliseconds, so that many small appends cost few flushes. */
export type FlushTime = 'now' | 'soon';

const SOON_MS = 15;

/**
 * A file that only grows. What is appended outlives a killed process from then on, and a power cut once `append`
 * resolves. What comes while the disk is busy is flushed together.
 */
export class AppendFile {
  readonly #handle: FileHandle;
  #next: Promise<void> | null = null;
  /** Once a flush fails, so do all that follow it. */
  #last: Promise<void> = Promise.resolve();
  /** Aborted where the next flush is not to wait. */
  #urgent = new AbortController();
  /** Of a write: what follows it would stand behind a row that may be cut. */
  #failure: unknown = null;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Opens for appending; a last line without line end (a write that was cut) is ended first. */
  static async open(path: string, mode = 0o600): Promise<AppendFile> {
    const file = new AppendFile(await open(path, 'a+', mode));
    try {
      await file.#prepare(mode);
    } catch (error) {
      await file.close();
      throw error;
    }
    return file;
  }

  async #prepare(mode: number): Promise<void> {
    await this.#handle.chmod(mode);
    const { size } = await this.#handle.stat();
    if (size === 0) return;
    const { buffer } = await this.#handle.read(Buffer.alloc(1), 0, 1, size - 1);
    if (buffer[0] !== 0x0a) await this.append('\n');
  }

  /** Resolves once the text is on disk. @throws what the system says; after that (a full disk) every append fails */
  async append(text: string, when: FlushTime = 'now'): Promise<void> {
    this.#write(text);
    if (when === 'now') this.#urgent.abort();
    this.#next ??= this.#last = this.#last.then(() => this.#flush());
    await this.#next;
  }

  /** Not by the thread pool: some hundred bytes are in the system's memory sooner than a thread wakes up. */
  #write(text: string): void {
    if (this.#failure !== null) throw this.#failure;
    try {
      appendFileSync(this.#handle.fd, text);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#urgent.abort();
    await this.#last.catch(() => undefined);
    await this.#handle.close();
  }

  async #flush(): Promise<void> {
    await setTimeout(SOON_MS, undefined, { signal: this.#urgent.signal }).catch(() => undefined);
    this.#urgent = new AbortController();
    this.#next = null;
    await this.#handle.datasync();
  }
}

/** Appends whole lines to a file without secrets, on disk when it resolves. No lines: no file. */
export async function appendLines(path: string, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  const file = await AppendFile.open(path, 0o644);
  try {
    await file.append(lines.map((line) => `${line}\n`).join(''));
  } finally {
    await file.close();
  }
}
