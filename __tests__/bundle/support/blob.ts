import { createHash } from 'node:crypto';

/** The name that git gives to a file's content, as GitHub's contents API has it. */
export function blobSha(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}
