import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../../src/cli/run.ts';
import { Sink } from '../host/sink.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Address {
  readonly baseUrl: string;
  readonly masterKey: string;
}

/** A folder in which the command line tool runs, in this process, against one proxy. */
export class Workplace {
  readonly directory = mkdtempSync(join(tmpdir(), 'commands-'));
  readonly #proxy: Address;

  constructor(proxy: Address) {
    this.#proxy = proxy;
  }

  async run(...argv: readonly string[]): Promise<Ran> {
    const [stdout, stderr] = [new Sink(), new Sink()];
    const { baseUrl, masterKey } = this.#proxy;
    const env = { LITELLM_BASE_URL: baseUrl, LITELLM_MASTER_KEY: masterKey };
    const code = await runCli(argv, env, { stdout, stderr }, this.directory);
    return { code, stdout: stdout.text, stderr: stderr.text };
  }

  write(name: string, text: string | Uint8Array): void {
    writeFileSync(join(this.directory, name), text);
  }

  read(name: string): string {
    return readFileSync(join(this.directory, name), 'utf8');
  }

  has(name: string): boolean {
    return existsSync(join(this.directory, name));
  }

  /** Names of all files that are not hidden, sorted. */
  get files(): string[] {
    return readdirSync(this.directory)
      .filter((name) => !name.startsWith('.'))
      .sort();
  }

  /** Permission bits in octal: `600`. */
  modeOf(name: string): string {
    return (statSync(join(this.directory, name)).mode & 0o777).toString(8);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** A text with everything in it that is new in each run replaced: ids, keys, times, folder, address. */
  settled(text: string): string {
    return text
      .replaceAll(this.directory, '<directory>')
      .replaceAll(this.#proxy.baseUrl, 'http://proxy')
      .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<id>')
      .replace(/sk-\.\.\.[\w-]{4}/g, 'sk-...<end>')
      .replace(/sk-[\w-]{16,}/g, 'sk-<key>')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>');
  }
}
