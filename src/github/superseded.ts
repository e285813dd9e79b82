import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type GitHubClient, type Repository, repositoryPath } from './client.ts';
import { GitHubError, LookupFailedError, lookup } from './errors.ts';
import type { RunEvent } from './event.ts';

export interface SupersededQuestion {
  readonly client: GitHubClient;
  readonly event: RunEvent;
  readonly branch: string;
  /** Of the CSV inside the repository, with `/`. */
  readonly path: string;
  /** Of the CSV as this run reads it. */
  readonly content: Uint8Array;
}

/**
 * Whether the branch's head has another CSV than this run by now: then a newer run takes care of it.
 * A file that is made or changed within the job (line endings, a generator) differs from every commit's; there the
 * head is compared with our own commit. A file that is in neither is none of the repository's: never superseded.
 * @throws LookupFailedError on any failure
 */
export function isSuperseded(question: SupersededQuestion): Promise<boolean> {
  return lookup(`compare '${question.path}' with the head of the branch`, 'contents: read', async () => {
    const { client, event, branch, path, content } = question;
    const atHead = await blobAt(client, event.repository, path, branch);
    if (atHead === blobSha(content)) return false;
    const atOurs = await blobAt(client, event.repository, path, event.sha);
    if (atHead === null && atOurs === null) await assertReadable(client, event.repository, branch);
    return atHead !== atOurs;
  });
}

/** The name that git gives to a file's content. */
export function blobSha(content: Uint8Array): string {
  return createHash('sha1').update(`blob ${content.byteLength}\0`).update(content).digest('hex');
}

const File = z.object({ type: z.literal('file'), sha: z.string().regex(/^[0-9a-f]{40,64}$/) });

/** `null`: 404, which is no such file, or no such ref, or no permission to read either. */
async function blobAt(client: GitHubClient, repository: Repository, path: string, ref: string): Promise<string | null> {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  try {
    const answer = File.safeParse(await client.get(`${repositoryPath(repository)}/contents/${encoded}`, { ref }));
    if (answer.success) return answer.data.sha;
  } catch (error) {
    if (error instanceof GitHubError && error.status === 404) return null;
    throw error;
  }
  throw new LookupFailedError(`Failed to look up '${path}' at ${ref}: it is no regular file there.`);
}

/** A token without `contents: read` gets 404 for everything: that the branch is seen shows that the 404s were true. */
async function assertReadable(client: GitHubClient, repository: Repository, branch: string): Promise<void> {
  await client.get(`${repositoryPath(repository)}/branches/${encodeURIComponent(branch)}`);
}
