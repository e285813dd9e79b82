import { getState, saveState, setFailed } from '@actions/core';
import { connectProxy } from '../commands/connection.ts';
import { deliver } from '../commands/deliver.ts';
import { FileProblemsError } from '../commands/problems.ts';
import { runCommand } from '../commands/registry.ts';
import { settleLeftovers } from '../commands/settle.ts';
import { messageOf } from '../github/errors.ts';
import { stopOnSignals } from '../host/signals.ts';
import { INPUT_NAMES, type Inputs, parseInputs, type RawInputs } from '../inputs.ts';
import { plural } from '../render/labels.ts';
import { redactText } from '../render/redact.ts';
import { moreProblems } from './annotations.ts';
import { ActionHost } from './host.ts';
import { commentInputError } from './input-error.ts';
import { type Job, openJob } from './job.ts';
import { actionsLog } from './log.ts';
import { NO_OUTPUTS, setOutputs } from './outputs.ts';

/**
 * Settles what a `main` left that was killed in the midst of writing: its rows, keys and links are handed over. Red
 * where a row failed, as `main` would have been.
 */
async function settleInPost(job: Job): Promise<void> {
  const host = new ActionHost(job, stopOnSignals(job.log));
  const proxy = job.inputs.masterKey === null ? null : connectProxy(job.inputs, host);
  const { state, outcomes } = await settleLeftovers(job.inputs, host, proxy);
  if (state === 'nothing') return;
  if ((await deliver(outcomes, { host, proxy, plan: null })) !== 0) setFailed(host.verdict);
}

const ANNOTATED = 9;

/** Runs the step, or what is left of it once the job's other steps are through: one bundle serves `main` and `post`. */
export async function runAction(env: NodeJS.ProcessEnv): Promise<void> {
  const isPost = getState('main') !== '';
  const pending = getState('pending');
  if (isPost && pending === '') return;
  saveState('main', 'started');
  let job: Job | null = null;
  try {
    const inputs = readInputs(env);
    job = await openJob(inputs, env, pending);
    if (isPost) await settleInPost(job);
    else await runMain(job);
  } catch (error) {
    if (job === null && !isPost) {
      setOutputs(NO_OUTPUTS);
      await commentInputError(env, messageOf(error));
    }
    fail(error, job);
  }
}

function readInputs(env: NodeJS.ProcessEnv): Inputs {
  const raw: RawInputs = {};
  for (const name of INPUT_NAMES) raw[name] = env[`INPUT_${name.toUpperCase()}`] ?? '';
  return parseInputs(raw, env, env.GITHUB_WORKSPACE || process.cwd());
}

async function runMain(job: Job): Promise<void> {
  const host = new ActionHost(job, stopOnSignals(job.log));
  try {
    const code = await runCommand(job.inputs, host);
    if (code !== 0 || host.isDrift) setFailed(host.verdict);
  } finally {
    host.finish();
  }
}

function fail(error: unknown, job: Job | null): void {
  const message = messageOf(error);
  const shown = job?.redacts ? redactText(message) : message;
  if (!(error instanceof FileProblemsError)) {
    setFailed(shown);
    return;
  }
  (job?.log ?? actionsLog).info(shown);
  const count = error.problems.length;
  const more = moreProblems(Math.max(0, count - ANNOTATED));
  setFailed(`${job?.inputs.csvFile}: ${plural(count, 'problem')}, nothing was written.${more}`);
}
