import { getState, saveState, setFailed } from '@actions/core';
import { FileProblemsError } from '../commands/problems.ts';
import { runCommand, runLeftovers } from '../commands/registry.ts';
import { didYouMean } from '../core/did-you-mean.ts';
import { messageOf } from '../core/errors.ts';
import { withoutKeys } from '../core/secret.ts';
import { stopOnSignals } from '../host/signals.ts';
import { INPUT_NAMES, type Inputs, parseInputs, type RawInputs, unknownInputs } from '../inputs.ts';
import { defectText, isDefect } from '../process.ts';
import { plural } from '../render/labels.ts';
import { redactText } from '../render/redact.ts';
import { commentInputError } from './comment.ts';
import { ActionHost } from './host.ts';
import { type Job, openJob } from './job.ts';
import { actionsLog, moreProblems } from './log.ts';
import { NO_OUTPUTS, setOutputs } from './outputs.ts';

/**
 * Ends what a `main` left that was killed in the midst of writing, or was asked to stop: its rows, keys and links are
 * published, in its own command's files. Red where a row failed, as `main` would have been.
 */
async function finishInPost(job: Job): Promise<void> {
  const host = new ActionHost(job, stopOnSignals(job.log).signal);
  if ((await runLeftovers(job.inputs, host)) !== 0) setFailed(host.verdict);
}

/** Runs the step, or what is left of it once the job's other steps are through: one bundle serves `main` and `post`. */
export async function runAction(env: NodeJS.ProcessEnv): Promise<void> {
  const isPost = getState('main') !== '';
  const pending = getState('pending');
  if (isPost && pending === '') return;
  saveState('main', 'started');
  let job: Job | null = null;
  try {
    if (!isPost) warnOfUnknown(env);
    const inputs = readInputs(env);
    job = await openJob(inputs, env, pending);
    if (isPost) await finishInPost(job);
    else await runMain(job);
  } catch (error) {
    if (job === null && !isPost) {
      setOutputs(NO_OUTPUTS);
      await commentInputError(env, messageOf(error));
    }
    fail(error, job, env);
  }
}

/** A misspelt input is passed on by the runner, and would go unnoticed with its default in force. */
function warnOfUnknown(env: NodeJS.ProcessEnv): void {
  for (const name of unknownInputs(env))
    actionsLog.warning(`Unknown input \`${withoutKeys(name)}\`: it has no effect.${didYouMean(name, INPUT_NAMES)}`);
}

function readInputs(env: NodeJS.ProcessEnv): Inputs {
  const raw: RawInputs = {};
  for (const name of INPUT_NAMES) raw[name] = env[`INPUT_${name.toUpperCase()}`] ?? '';
  return parseInputs(raw, env, env.GITHUB_WORKSPACE || process.cwd(), { from: 'action' });
}

async function runMain(job: Job): Promise<void> {
  const host = new ActionHost(job, stopOnSignals(job.log).signal);
  try {
    const code = await runCommand(job.inputs, host);
    if (code !== 0 || host.isDrift) setFailed(host.verdict);
  } finally {
    host.finish();
  }
}

function fail(error: unknown, job: Job | null, env: NodeJS.ProcessEnv): void {
  const message = isDefect(error) ? defectText(error, env) : messageOf(error);
  const shown = job?.redacts || isDefect(error) ? redactText(message) : message;
  if (!(error instanceof FileProblemsError)) {
    setFailed(shown);
    return;
  }
  (job?.log ?? actionsLog).info(shown);
  const count = error.problems.length;
  setFailed(`${job?.inputs.csvFile}: ${plural(count, 'problem')}, nothing was written.${moreProblems(count)}`);
}
