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

  /** Opens for appending, mode 0600; a last line without line end (a write that was cut) is ended first. */
  static async open(path: string): Promise<AppendFile> {
    const handle = await open(path, 'a+', 0o600);
    await handle.chmod(0o600);
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
