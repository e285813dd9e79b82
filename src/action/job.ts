import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix, relative, resolve, sep } from 'node:path';
import { setSecret } from '@actions/core';
import { RefusedError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { targetHash } from '../core/review.ts';
import type { GitHubClient } from '../github/client.ts';
import { decideMode, type RunEvent, readEvent, redactEmails } from '../github/event.ts';
import { createGitHubClient } from '../github/octokit.ts';
import { pathInCheckout } from '../github/repository-file.ts';
import type { Mode } from '../host/port.ts';
import { type Inputs, secretsOf } from '../inputs.ts';
import { redactText } from '../render/redact.ts';
import { VERSION } from '../version.ts';
import { actionsLog, mappedLog } from './log.ts';

/** Everything that is known about a job before its work begins. */
export interface Job {
  readonly inputs: Inputs;
  readonly env: NodeJS.ProcessEnv;
  readonly event: RunEvent;
  readonly mode: Mode;
  readonly log: Log;
  /** Whether emails are masked for readers. */
  readonly redacts: boolean;
  /** Absolute; exists. */
  readonly outputDirectory: string;
  /** `null`: nothing is asked of GitHub (no token, no `GITHUB_API_URL`, `comment: false`, another command than `sync`). */
  readonly client: GitHubClient | null;
  /** See `targetHash`. */
  readonly targetHash: string;
  /** Of the CSV inside the repository, with `/`; `null` where it lies outside. */
  readonly repositoryPath: string | null;
}

/**
 * Reads the event and decides what this job may do.
 * @param directory of an earlier phase of the same job, to go on in
 * @throws EventError, RefusedError
 */
export async function openJob(inputs: Inputs, env: NodeJS.ProcessEnv, directory = ''): Promise<Job> {
  for (const secret of secretsOf(inputs)) setSecret(secret.reveal());
  const event = await readEvent(env);
  const redacts = redactEmails(inputs.redactEmails, event.visibility);
  const workspace = env.GITHUB_WORKSPACE || process.cwd();
  const repositoryPath = await pathInRepository(inputs.csvPath, workspace);
  return {
    inputs,
    env,
    event,
    mode: modeOf(event, inputs),
    log: redacts ? mappedLog(actionsLog, redactText) : actionsLog,
    redacts,
    outputDirectory: directory || (await outputDirectory(inputs, env, workspace)),
    client: clientFor(inputs, env),
    targetHash: targetHash({ ...inputs, csvPath: repositoryPath ?? inputs.csvPath }),
    repositoryPath,
  };
}

function modeOf(event: RunEvent, inputs: Inputs): Mode {
  const decided = decideMode(event, inputs.dryRun);
  if (decided.mode === 'refused') throw new RefusedError(decided.reason);
  if (decided.mode === 'apply') return { kind: 'apply' };
  if (inputs.masterKey !== null || event.pullRequest === null) return { kind: 'plan' };
  return { kind: 'offline', reason: keylessReason(event) };
}

function keylessReason({ pullRequest, actor }: RunEvent): string {
  if (pullRequest?.fromFork) return 'This pull request comes from a fork, and forks are given no secrets.';
  if (actor === 'dependabot[bot]') return 'Pull requests of Dependabot are given no Actions secrets.';
  return 'No master-key was given to this run: set the input `master-key` from a secret that this repository has.';
}

async function outputDirectory(inputs: Inputs, env: NodeJS.ProcessEnv, workspace: string): Promise<string> {
  if (inputs.outputDirectory === '') return mkdtemp(join(env.RUNNER_TEMP || tmpdir(), 'litellm-user-sync-'));
  const directory = resolve(workspace, inputs.outputDirectory);
  await mkdir(directory, { recursive: true });
  return directory;
}

/** `null`: nothing may be asked of GitHub. */
export function clientFor(
  inputs: Pick<Inputs, 'command' | 'githubToken' | 'comment'>,
  env: NodeJS.ProcessEnv,
): GitHubClient | null {
  if (inputs.command !== 'sync' || inputs.githubToken === null || !inputs.comment || !env.GITHUB_API_URL) return null;
  return createGitHubClient({
    token: inputs.githubToken,
    apiUrl: env.GITHUB_API_URL,
    graphqlUrl: env.GITHUB_GRAPHQL_URL || null,
    version: VERSION,
  });
}

/** A checkout without git (`actions/checkout` can do without) is taken to lie as the workspace does. */
export async function pathInRepository(csvPath: string, workspace: string): Promise<string | null> {
  const checkedOut = await pathInCheckout(csvPath).catch(() => null);
  if (checkedOut !== null) return checkedOut;
  const inside = relative(workspace, csvPath).split(sep).join(posix.sep);
  return inside === '' || inside.startsWith('../') || inside === '..' || posix.isAbsolute(inside) ? null : inside;
}
