import { type FileHandle, open } from 'node:fs/promises';

/**
 * A file that only grows and whose rows outlive a killed process. Appends that come while the disk is busy go out
 * together, so that many small ones cost few flushes.
 */
export class AppendFile {
  readonly #handle: FileHandle;
  #waiting = '';
  #next: Promise<void> | null = null;
  #last: Promise<void> = Promise.resolve();

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Opens for appending; a last line without line end (a write that was cut) is ended first. */
  static async open(path: string, mode = 0o600): Promise<AppendFile> {
    const handle = await open(path, 'a+', mode);
    await handle.chmod(mode);
    const file = new AppendFile(handle);
    const { size } = await handle.stat();
    if (size > 0) {
      const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
      if (buffer[0] !== 0x0a) await file.append('\n');
    }
    return file;
  }

  /** Resolves once the text is on disk. After a failure (a full disk) every further append fails too. */
  append(text: string): Promise<void> {
    this.#waiting += text;
    this.#next ??= this.#last = this.#last.then(() => this.#flush());
    return this.#next;
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined);
    await this.#handle.close();
  }

  async #flush(): Promise<void> {
    const text = this.#waiting;
    this.#waiting = '';
    this.#next = null;
    await this.#handle.appendFile(text);
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
