import { appendFile, stat } from 'node:fs/promises';
import { setOutput } from '@actions/core';
import type { Log } from '../core/log.ts';
import { messageOf } from '../github/client.ts';

/** The action's outputs, in the order of `action.yml`. */
export interface Outputs {
  readonly 'has-changes': boolean;
  readonly added: number;
  readonly deleted: number;
  readonly updated: number;
  readonly deactivated: number;
  readonly reactivated: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly skipped: number;
  readonly 'plan-file': string;
  readonly 'result-file': string;
  readonly 'comment-url': string;
  readonly 'artifact-url': string;
  readonly 'onboarding-artifact-url': string;
}

/** What a run that did nothing has to say. */
export const NO_OUTPUTS: Outputs = {
  'has-changes': false,
  added: 0,
  deleted: 0,
  updated: 0,
  deactivated: 0,
  reactivated: 0,
  unchanged: 0,
  failed: 0,
  skipped: 0,
  'plan-file': '',
  'result-file': '',
  'comment-url': '',
  'artifact-url': '',
  'onboarding-artifact-url': '',
};

/** Sets every output, also those without a value: a workflow's `if:` then compares with what is documented. */
export function setOutputs(outputs: Outputs): void {
  for (const [name, value] of Object.entries(outputs)) setOutput(name, value);
}

/** GitHub drops a step's summary above 1 MiB altogether. */
const MOST_BYTES = 1024 * 1024;

/**
 * Appends Markdown to the job summary, below its limit together with what the step has written there before.
 * Never throws: a summary that cannot be written is a warning.
 * @param render the Markdown in at most `limit` characters; called again with less where its bytes are too many
 * @returns whether it was written
 */
export async function appendSummary(
  env: NodeJS.ProcessEnv,
  render: (limit: number) => string,
  log: Log,
): Promise<boolean> {
  const path = env.GITHUB_STEP_SUMMARY;
  if (!path) {
    log.warning('No job summary was written: GITHUB_STEP_SUMMARY is not set.');
    return false;
  }
  try {
    const text = fitting(render, MOST_BYTES - (await sizeOf(path)) - 1);
    if (text === null) {
      log.warning('No job summary was written: this step has used up its 1 MiB.');
      return false;
    }
    await appendFile(path, `${text}\n`);
    return true;
  } catch (error) {
    log.warning(`No job summary was written: ${messageOf(error)}.`);
    return false;
  }
}

function fitting(render: (limit: number) => string, bytes: number): string | null {
  for (let limit = bytes; limit > 0; ) {
    const text = render(limit);
    const size = Buffer.byteLength(text);
    if (size <= bytes) return text;
    limit = Math.floor(Math.min(limit * 0.9, (limit * bytes) / size));
    if (limit < 1000) return null;
  }
  return null;
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
