import { createHash } from 'node:crypto';
import { access, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { z } from 'zod';
import {
  type GitHubClient,
  GitHubError,
  LookupFailedError,
  lookup,
  type Repository,
  repositoryPath,
} from './client.ts';
import type { RunEvent } from './event.ts';

/**
 * Where a file stands in its git checkout, with `/`: the path that the forge knows it by. `null`: outside of one.
 * Looked for upwards, because `actions/checkout` may have put the repository into a folder of the workspace. A file
 * that is not there stands where it would be.
 */
export async function pathInCheckout(file: string): Promise<string | null> {
  const real = await realPath(file);
  for (let folder = dirname(real); ; folder = dirname(folder)) {
    if (await exists(join(folder, '.git'))) return relative(folder, real).split(sep).join('/');
    if (folder === dirname(folder)) return null;
  }
}

async function realPath(file: string): Promise<string> {
  if (await exists(file)) return realpath(file);
  return file === dirname(file) ? file : join(await realPath(dirname(file)), basename(file));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** A file of a repository at a branch or commit. */
export interface FileAtRef {
  readonly client: GitHubClient;
  readonly repository: Repository;
  /** With `/`, from the repository's root. */
  readonly path: string;
  /** A branch or a commit. */
  readonly ref: string;
}

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
export function isSuperseded({ client, event, branch, path, content }: SupersededQuestion): Promise<boolean> {
  return lookup(`compare '${path}' with the head of the branch`, 'contents: read', async () => {
    const { repository } = event;
    const atHead = (await entryAt({ client, repository, path, ref: branch }))?.sha ?? null;
    if (atHead === blobSha(content)) return false;
    const atOurs = (await entryAt({ client, repository, path, ref: event.sha }))?.sha ?? null;
    if (atHead === null && atOurs === null) await assertReadable(client, repository, branch);
    return atHead !== atOurs;
  });
}

/**
 * A file's content at a ref. `null`: it is not there. `'unreadable'`: whatever else, a missing permission included.
 * For what is nice to know: never throws.
 */
export async function readFileAt(file: FileAtRef): Promise<Uint8Array | null | 'unreadable'> {
  const { client, repository, ref } = file;
  try {
    const entry = await entryAt(file);
    if (entry !== null) return entry.content ?? (await blobContent(client, repository, entry.sha));
    await client.get(`${repositoryPath(repository)}/git/commits/${encodeURIComponent(ref)}`);
    return null;
  } catch {
    return 'unreadable';
  }
}

/** The name that git gives to a file's content. */
export function blobSha(content: Uint8Array): string {
  return createHash('sha1').update(`blob ${content.byteLength}\0`).update(content).digest('hex');
}

const Sha = z.string().regex(/^[0-9a-f]{40,64}$/);
const File = z.object({
  type: z.literal('file'),
  sha: Sha,
  size: z.number(),
  encoding: z.string().nullish(),
  content: z.string().nullish(),
});
const Tree = z.object({
  tree: z.array(z.object({ path: z.string(), type: z.string(), sha: Sha })),
  truncated: z.boolean().nullish(),
});
const Blob = z.object({ encoding: z.literal('base64'), content: z.string() });

interface Entry {
  readonly sha: string;
  /** `null`: the forge did not send it along. */
  readonly content: Uint8Array | null;
}

/**
 * `null`: 404, which is no such file, or no such ref, or no permission to read either.
 * The contents API leaves the content out above 1 MB, and refuses with `too_large` above 100 MB; some forges and
 * gateways answer nothing at all there. Then the folders are walked down by git's own objects.
 */
async function entryAt(file: FileAtRef): Promise<Entry | null> {
  const { client, repository, path, ref } = file;
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  let answer: unknown;
  try {
    answer = await client.get(`${repositoryPath(repository)}/contents/${encoded}`, { ref });
  } catch (error) {
    if (error instanceof GitHubError && error.status === 404) return null;
    if (error instanceof GitHubError && /too[_ ]large/i.test(error.reason)) return entryByTrees(file);
    throw error;
  }
  if (isEmpty(answer)) return entryByTrees(file);
  const { success, data } = File.safeParse(answer);
  if (!success) throw new LookupFailedError(`Failed to look up '${path}' at ${ref}: it is no regular file there.`);
  const isSent = data.encoding === 'base64' && data.content && data.size > 0;
  return { sha: data.sha, content: isSent ? Buffer.from(data.content as string, 'base64') : null };
}

function isEmpty(answer: unknown): boolean {
  return answer === undefined || answer === null || answer === '';
}

/** By one folder at a time: a whole tree may be cut off, a folder of the path hardly ever is. */
async function entryByTrees({ client, repository, path, ref }: FileAtRef): Promise<Entry | null> {
  let sha = ref;
  const names = path.split('/');
  for (const [depth, name] of names.entries()) {
    const route = `${repositoryPath(repository)}/git/trees/${encodeURIComponent(sha)}`;
    const { tree, truncated } = Tree.parse(await client.get(route));
    const type = depth === names.length - 1 ? 'blob' : 'tree';
    const entry = tree.find((one) => one.path === name);
    if (entry === undefined && truncated) {
      throw new LookupFailedError(`Failed to look up '${path}' at ${ref}: its folder has too many files.`);
    }
    if (entry === undefined) return null;
    if (entry.type !== type) {
      throw new LookupFailedError(`Failed to look up '${path}' at ${ref}: it is no regular file there.`);
    }
    sha = entry.sha;
  }
  return { sha, content: null };
}

async function blobContent(client: GitHubClient, repository: Repository, sha: string): Promise<Uint8Array> {
  const blob = Blob.parse(await client.get(`${repositoryPath(repository)}/git/blobs/${sha}`));
  return Buffer.from(blob.content, 'base64');
}

/** A token without `contents: read` gets 404 for everything: that the branch is seen shows that the 404s were true. */
async function assertReadable(client: GitHubClient, repository: Repository, branch: string): Promise<void> {
  await client.get(`${repositoryPath(repository)}/branches/${encodeURIComponent(branch)}`);
}
