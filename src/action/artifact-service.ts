import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { ArtifactUploadError, forgeOf, messageOf } from '../github/client.ts';

export interface ArtifactUpload {
  readonly name: string;
  /** Absolute paths. Only their names inside `rootDirectory` reach the log. */
  readonly files: readonly string[];
  readonly rootDirectory: string;
  readonly retentionDays: number;
}

export interface UploadedArtifact {
  readonly id: number;
  /** May differ from the one asked for where that is taken in this run (a job of a matrix without `target`). */
  readonly name: string;
  readonly url: string;
}

/** The part of `@actions/artifact` that we use. */
export interface ArtifactService {
  uploadArtifact(
    name: string,
    files: string[],
    rootDirectory: string,
    options: { retentionDays: number },
  ): Promise<{ id?: number }>;
}

const ATTEMPTS = 4;
/** Names that are easy to read are tried first. Each is a question of its own, so the many jobs of a matrix get any name. */
const NUMBERED_NAMES = 4;
const MOST_NAMES = 20;

/**
 * Uploads files as one artifact of this run; tried again on failure, under another name where the first is taken.
 * The toolkit writes to the log itself: artifact and file names, sizes; contents never.
 * @throws ArtifactUploadError
 */
export async function uploadArtifact(
  upload: ArtifactUpload,
  env: NodeJS.ProcessEnv = process.env,
  service?: ArtifactService,
  sleep: (milliseconds: number) => Promise<unknown> = wait,
): Promise<UploadedArtifact> {
  const client = service ?? (await toolkit());
  let name = upload.name;
  let names = 1;
  for (let attempt = 1; ; ) {
    try {
      const { id } = await client.uploadArtifact(name, [...upload.files], upload.rootDirectory, {
        retentionDays: upload.retentionDays,
      });
      if (id === undefined) throw new Error('the service named no artifact id');
      return { id, name, url: artifactUrl(env, name, id) };
    } catch (error) {
      const reason = withoutQueries(messageOf(error));
      const isTried = isTaken(reason) ? names === MOST_NAMES : attempt === ATTEMPTS;
      if (isTried || isFinal(error)) {
        // The toolkit's further lines are advice on self-hosted runners, which has no place in a row's reason.
        const [firstLine = ''] = reason.split('\n', 1);
        throw new ArtifactUploadError(
          `Failed to upload the artifact '${upload.name}': ${firstLine.trim().replace(/\.$/, '')}.`,
        );
      }
      // A name that is taken may be our own first attempt, of which only the answer was lost; it stays as it is.
      if (isTaken(reason)) name = nextName(upload.name, ++names);
      else await sleep(1000 * 2 ** attempt++);
    }
  }
}

function nextName(name: string, count: number): string {
  return `${name}-${count <= NUMBERED_NAMES ? count : randomUUID().slice(0, 8)}`;
}

/**
 * Why no artifact can be uploaded from here, or `null`. To be asked before anything is written: secrets that cannot be
 * uploaded would be lost. Source: `isGhes()` and the two variables in `@actions/artifact`'s `internal/shared/config`.
 */
export function artifactServiceMissing(env: NodeJS.ProcessEnv): string | null {
  const wayOut = "Set 'artifacts: false' and upload the files of 'output-directory' in a step of your own.";
  const host = hostOf(env.GITHUB_SERVER_URL || 'https://github.com');
  if (host !== 'github.com' && !host.endsWith('.ghe.com') && !host.endsWith('.localhost')) {
    return (
      `Artifacts cannot be uploaded to '${host}': @actions/artifact does not support GitHub Enterprise Server. ` +
      `${wayOut} There, actions/upload-artifact@v3 does it.`
    );
  }
  const missing = ['ACTIONS_RUNTIME_TOKEN', 'ACTIONS_RESULTS_URL'].filter((name) => !env[name]);
  if (missing.length === 0) return null;
  return `This runner offers no artifact service (${missing.join(', ')} not set). ${wayOut}`;
}

async function toolkit(): Promise<ArtifactService> {
  const { DefaultArtifactClient } = await import('@actions/artifact');
  return new DefaultArtifactClient();
}

/** The page that downloads it. Gitea knows artifacts by their name there (its route `/runs/{run}/artifacts/{name}`). */
function artifactUrl(env: NodeJS.ProcessEnv, name: string, id: number): string {
  const artifact = forgeOf(env.GITHUB_API_URL ?? '') === 'gitea' ? encodeURIComponent(name) : id;
  return `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}/actions/runs/${env.GITHUB_RUN_ID}/artifacts/${artifact}`;
}

/**
 * What no second attempt can mend (names of the toolkit's own error classes), and a service that is down: there the
 * toolkit itself has tried for half a minute (`internal/shared/artifact-twirp-client`).
 */
function isFinal(error: unknown): boolean {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const hasTried = /Failed to make request after \d+ attempts/.test(message);
  return hasTried || ['FilesNotFoundError', 'GHESNotSupportedError', 'UsageError'].includes(name);
}

function isTaken(reason: string): boolean {
  return /\b409\b|already exists/i.test(reason);
}

/** A storage service's addresses carry their signature in the query. */
function withoutQueries(text: string): string {
  return text.replace(/(https?:\/\/[^\s?"']+)\?[^\s"']*/g, '$1?…');
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.trimEnd().toLowerCase() : url;
}
