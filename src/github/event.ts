import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { EventError, messageOf, type Repository } from './client.ts';

export type Visibility = 'private' | 'public' | 'internal' | 'unknown';

export interface PullRequest {
  readonly number: number;
  readonly headSha: string;
  /** Of the base branch, as the event has it: what the pull request's file is compared with. */
  readonly baseSha: string;
  readonly fromFork: boolean;
}

export interface Push {
  readonly after: string;
  /** Newest last on GitHub, newest first on Gitea (at most 5 there); `after` always among them. */
  readonly commits: readonly string[];
  /** By commit: numbers behind a `#` in its first line, as merge and squash commits carry them. */
  readonly mentioned: readonly (readonly number[])[];
}

/** What started this run, on GitHub or on Gitea. */
export interface RunEvent {
  readonly name: string;
  readonly repository: Repository;
  /** `null`: the payload does not say. */
  readonly defaultBranch: string | null;
  /** Of `GITHUB_REF`; `null` where that is no branch. */
  readonly branch: string | null;
  readonly sha: string;
  readonly visibility: Visibility;
  readonly pullRequest: PullRequest | null;
  readonly push: Push | null;
  readonly runUrl: string;
  readonly actor: string;
}

const Owned = z.object({ full_name: z.string() });

const Payload = z.object({
  repository: z
    .object({
      default_branch: z.string().optional(),
      visibility: z.string().optional(),
      private: z.boolean().optional(),
      internal: z.boolean().optional(),
    })
    .nullish(),
  pull_request: z
    .object({
      number: z.number(),
      head: z.object({ sha: z.string(), repo: Owned.nullish() }),
      base: z.object({ sha: z.string(), repo: Owned }),
    })
    .nullish(),
});

const PushPayload = z.object({
  after: z.string(),
  commits: z.array(z.object({ id: z.string(), message: z.string().default('') })).nullish(),
});

const Variables = z.object({
  GITHUB_EVENT_NAME: z.string().min(1),
  GITHUB_EVENT_PATH: z.string().min(1),
  GITHUB_REPOSITORY: z.string().regex(/^[^/]+\/[^/]+$/, 'must be owner/name'),
  GITHUB_SHA: z.string().min(1),
  GITHUB_REF: z.string().default(''),
  GITHUB_ACTOR: z.string().default(''),
  GITHUB_SERVER_URL: z.string().min(1),
  GITHUB_RUN_ID: z.string().min(1),
});

/**
 * Reads the event of this run from the variables and the file that the runner provides.
 * @throws EventError: variables missing, file unreadable, or a payload of a shape that we do not know
 */
export async function readEvent(env: NodeJS.ProcessEnv): Promise<RunEvent> {
  const variables = parse(Variables, env, 'The environment of a GitHub Actions job is not complete');
  const name = variables.GITHUB_EVENT_NAME;
  const raw = await readPayload(variables.GITHUB_EVENT_PATH);
  const unknownShape = `The payload of the event '${name}' (GITHUB_EVENT_PATH) has an unknown shape`;
  const payload = parse(Payload, raw, unknownShape);
  const [owner = '', repositoryName = ''] = variables.GITHUB_REPOSITORY.split('/');
  return {
    name,
    repository: { owner, name: repositoryName },
    defaultBranch: payload.repository?.default_branch ?? null,
    branch: /^refs\/heads\/(.+)$/.exec(variables.GITHUB_REF)?.[1] ?? null,
    sha: variables.GITHUB_SHA,
    visibility: readVisibility(payload.repository),
    pullRequest: readPullRequest(payload.pull_request),
    push: name === 'push' ? readPush(parse(PushPayload, raw, unknownShape)) : null,
    runUrl: `${variables.GITHUB_SERVER_URL}/${variables.GITHUB_REPOSITORY}/actions/runs/${variables.GITHUB_RUN_ID}`,
    actor: variables.GITHUB_ACTOR,
  };
}

async function readPayload(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new EventError(`The event's payload (GITHUB_EVENT_PATH) cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown, intent: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'payload'}: ${message}`);
  throw new EventError(`${intent}: ${problems.join('; ')}.`);
}

/**
 * GitHub says `visibility` in most payloads. Gitea has `private` and `internal` in its place; GitHub Enterprise Server
 * before 3.x and some events have `private` alone, which is true for internal repositories too.
 */
function readVisibility(repository: z.infer<typeof Payload>['repository']): Visibility {
  const { visibility, private: isPrivate, internal } = repository ?? {};
  if (visibility === 'public' || visibility === 'private' || visibility === 'internal') return visibility;
  if (visibility !== undefined) return 'unknown';
  if (isPrivate === false) return 'public';
  if (isPrivate === true && internal !== undefined) return internal ? 'internal' : 'private';
  return 'unknown';
}

function readPullRequest(pull: z.infer<typeof Payload>['pull_request']): PullRequest | null {
  if (!pull) return null;
  return {
    number: pull.number,
    headSha: pull.head.sha,
    baseSha: pull.base.sha,
    // `head.repo.fork` would not do: the repository itself may be a fork. A deleted fork has no repository.
    fromFork: pull.head.repo?.full_name !== pull.base.repo.full_name,
  };
}

function readPush({ after, commits }: z.infer<typeof PushPayload>): Push {
  const list = commits ?? [];
  const mentioned = list.map(({ message }) => {
    const firstLine = message.split('\n', 1)[0] as string;
    return [...new Set([...firstLine.matchAll(/#(\d{1,9})\b/g)].map((match) => Number(match[1])))];
  });
  return {
    after,
    commits: [...new Set([...list.map(({ id }) => id), after])],
    mentioned: mentioned.filter((numbers) => numbers.length > 0),
  };
}

export type DryRun = 'auto' | 'true' | 'false';

export type Mode =
  | { readonly mode: 'plan' }
  | { readonly mode: 'apply' }
  /** `reason`: a whole sentence with the way out. */
  | { readonly mode: 'refused'; readonly reason: string };

/**
 * Whether this run may write. `auto` applies only what has arrived on the default branch (`push`, `workflow_dispatch`)
 * and plans on everything else, known or not.
 */
export function decideMode(event: RunEvent, dryRun: DryRun): Mode {
  if (event.name === 'pull_request_target') {
    return {
      mode: 'refused',
      reason:
        "The event 'pull_request_target' gives the repository's secrets to a stranger's pull request: " +
        "it is never served. Use 'on: pull_request'.",
    };
  }
  if (dryRun === 'true') return { mode: 'plan' };
  if (dryRun === 'auto') return { mode: arrivedOnDefaultBranch(event) ? 'apply' : 'plan' };
  const isMerged = event.pullRequest === null && !/^(pull_request|merge_group)/.test(event.name);
  if (isMerged) return { mode: 'apply' };
  return {
    mode: 'refused',
    reason:
      `'dry-run: false' would apply a file that nobody has merged yet (event '${event.name}'). ` +
      "Leave 'dry-run' at 'auto': the pull request is planned, and applied when it is merged.",
  };
}

function arrivedOnDefaultBranch({ name, branch, defaultBranch }: RunEvent): boolean {
  return (name === 'push' || name === 'workflow_dispatch') && branch !== null && branch === defaultBranch;
}

/** Whether emails are masked in everything that readers of the repository can see. `auto`: unless it is private. */
export function redactEmails(setting: 'auto' | 'true' | 'false', visibility: Visibility): boolean {
  return setting === 'auto' ? visibility !== 'private' : setting === 'true';
}

/**
 * Why secrets may not be uploaded from this repository, or `null` where they may: whoever may read the repository may
 * download its artifacts, so outside of a private one they must be encrypted.
 */
export function secretUploadRefusal(visibility: Visibility, encrypted: boolean): string | null {
  if (encrypted || visibility === 'private') return null;
  const readers = {
    public: 'This repository is public: everybody',
    internal: 'This repository is internal: everybody in the enterprise',
    unknown: 'It is not known who may read this repository: anybody',
  }[visibility];
  return (
    `${readers} could download API keys and onboarding links from the artifact. ` +
    "Set 'encrypt-to' to the age recipients who may read them, or 'api-keys: false' and 'invitations: false', " +
    "or 'artifacts: false', or mail the links ('deliver: smtp') with 'api-keys: false'."
  );
}
