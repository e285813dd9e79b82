import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Repository } from './client.ts';
import { EventError, messageOf } from './errors.ts';

export type Visibility = 'private' | 'public' | 'internal' | 'unknown';

export interface PullRequest {
  readonly number: number;
  readonly headSha: string;
  readonly baseBranch: string;
  /** As the event has it: a run of `closed` sees false. */
  readonly open: boolean;
  readonly fromFork: boolean;
  /** Empty where the account is deleted. */
  readonly author: string;
}

export interface Push {
  readonly before: string;
  readonly after: string;
  /** Newest last on GitHub, newest first on Gitea (at most 5 there); `after` always among them. */
  readonly commits: readonly string[];
  /** Numbers behind a `#` in the commits' first lines, as merge and squash commits carry them. */
  readonly mentioned: readonly number[];
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
      state: z.string(),
      user: z.object({ login: z.string() }).nullish(),
      head: z.object({ sha: z.string(), repo: Owned.nullish() }),
      base: z.object({ ref: z.string(), repo: Owned }),
    })
    .nullish(),
});

const PushPayload = z.object({
  before: z.string(),
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
    baseBranch: pull.base.ref,
    open: pull.state === 'open',
    // `head.repo.fork` would not do: the repository itself may be a fork. A deleted fork has no repository.
    fromFork: pull.head.repo?.full_name !== pull.base.repo.full_name,
    author: pull.user?.login ?? '',
  };
}

function readPush({ before, after, commits }: z.infer<typeof PushPayload>): Push {
  const list = commits ?? [];
  const firstLines = list.map(({ message }) => message.split('\n', 1)[0] ?? '');
  const mentioned = firstLines.flatMap((line) => [...line.matchAll(/#(\d{1,9})\b/g)].map((match) => Number(match[1])));
  return {
    before,
    after,
    commits: [...new Set([...list.map(({ id }) => id), after])],
    mentioned: [...new Set(mentioned)],
  };
}
