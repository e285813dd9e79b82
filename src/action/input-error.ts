import { resolve } from 'node:path';
import { parseMarker, readMarker, targetHash } from '../core/review.ts';
import { Secret } from '../core/secret.ts';
import { findAuthor, isBy } from '../github/author.ts';
import type { GitHubClient } from '../github/client.ts';
import { findComments, type IssueComment, writeStickyComment } from '../github/comments.ts';
import { type RunEvent, readEvent } from '../github/event.ts';
import { redactEmails } from '../github/visibility.ts';
import type { InputName } from '../inputs.ts';
import { failureMarkdown } from '../render/markdown.ts';
import { redactText } from '../render/redact.ts';
import { emptyMarker, withMarker } from './comment.ts';
import { clientFor, pathInRepository } from './job.ts';
import { TITLE } from './labels.ts';

/**
 * Replaces the comment of a pull request whose run cannot even begin, because its inputs are wrong: the plan that
 * stands there is outdated, and approves nothing any more. Without a comment there is nothing to replace. Never throws.
 */
export async function commentInputError(env: NodeJS.ProcessEnv, message: string): Promise<void> {
  try {
    const event = await readEvent(env);
    const client = clientOf(env, event);
    if (client === null || event.pullRequest === null) return;
    const { number, headSha } = event.pullRequest;
    const author = await findAuthor(client);
    const isByUs = ({ user, body }: IssueComment): boolean => isBy(author, user) && readMarker(body) !== null;
    const ours = await findComments(client, event.repository, number, isByUs);
    const target = await targetOf(env, ours);
    await writeStickyComment({
      client,
      repository: event.repository,
      number,
      isOurs: (comment) => isByUs(comment) && parseMarker(comment.body, target) !== null,
      render: withMarker(emptyMarker(target), () => text(env, event, message)),
      create: false,
      onlyAtHead: headSha,
    });
  } catch {
    // The run fails with the message itself; that its comment stays outdated is the lesser evil.
  }
}

/** An input as it is given: nothing is known of it yet. */
function input(env: NodeJS.ProcessEnv, name: InputName): string {
  return env[`INPUT_${name.toUpperCase()}`]?.trim() ?? '';
}

/** For a run that is refused altogether (`pull_request_target`), nothing is asked of anybody. */
function clientOf(env: NodeJS.ProcessEnv, event: RunEvent): GitHubClient | null {
  const token = input(env, 'github-token');
  if (event.name === 'pull_request_target' || !['', 'sync'].includes(input(env, 'command'))) return null;
  const githubToken = token === '' ? null : new Secret(token);
  return clientFor({ command: 'sync', githubToken, comment: input(env, 'comment') !== 'false' }, env);
}

/** Without a `base-url`, which may be what is missing, the target is not known: then one comment alone can only be it. */
async function targetOf(env: NodeJS.ProcessEnv, ours: readonly IssueComment[]): Promise<string> {
  const workspace = env.GITHUB_WORKSPACE || process.cwd();
  const csvPath = resolve(workspace, input(env, 'csv-file') || 'user_list.csv');
  const target = input(env, 'target');
  const baseUrl = input(env, 'base-url') || env.LITELLM_BASE_URL || '';
  const hash = targetHash({ target, csvPath: (await pathInRepository(csvPath, workspace)) ?? csvPath, baseUrl });
  const [only, ...others] = new Set(ours.flatMap(({ body }) => readMarker(body)?.target ?? []));
  const isKnown = target !== '' || URL.canParse(baseUrl);
  return isKnown || only === undefined || others.length > 0 ? hash : only;
}

function text(env: NodeJS.ProcessEnv, event: RunEvent, message: string): string {
  const setting = (['true', 'false'] as const).find((value) => value === input(env, 'redact-emails')) ?? 'auto';
  const shown = redactEmails(setting, event.visibility) ? redactText(message) : message;
  const links = [{ label: 'Run', url: event.runUrl }];
  return failureMarkdown(shown, { title: TITLE, target: input(env, 'target') || null, links });
}
