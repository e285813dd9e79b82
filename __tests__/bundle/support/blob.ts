import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';

/** The name that git gives to a file's content, as GitHub's contents API has it. */
export function blobSha(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

/** Whether a program is there. */
export function hasProgram(name: string, ...args: string[]): boolean {
  try {
    execFileSync(name, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
