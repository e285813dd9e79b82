import { getState, saveState, setFailed } from '@actions/core';
import { connectProxy } from '../commands/connection.ts';
import { deliver } from '../commands/deliver.ts';
import { FileProblemsError } from '../commands/problems.ts';
import { runCommand } from '../commands/registry.ts';
import { settleLeftovers } from '../commands/settle.ts';
import { didYouMean } from '../core/did-you-mean.ts';
import { withoutKeys } from '../core/secret.ts';
import { defectText, isDefect } from '../defect.ts';
import { stopOnSignals } from '../host/signals.ts';
import { INPUT_NAMES, type Inputs, parseInputs, type RawInputs, unknownInputs } from '../inputs.ts';
import { plural } from '../render/labels.ts';
import { redactText } from '../render/redact.ts';
import { moreProblems } from './annotations.ts';
import { ActionHost } from './host.ts';
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
    if (!isPost) warnOfUnknown(env);
    const inputs = readInputs(env);
    job = await openJob(inputs, env, pending);
    if (isPost) await settleInPost(job);
    else await runMain(job);
  } catch (error) {
    if (job === null && !isPost) setOutputs(NO_OUTPUTS);
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
  const host = new ActionHost(job, stopOnSignals(job.log));
  try {
    const code = await runCommand(job.inputs, host);
    if (code !== 0 || host.isDrift) setFailed(host.verdict);
  } finally {
    host.finish();
  }
}

function fail(error: unknown, job: Job | null, env: NodeJS.ProcessEnv): void {
  const message = isDefect(error) ? defectText(error, env) : error instanceof Error ? error.message : String(error);
  const shown = job?.redacts || isDefect(error) ? redactText(message) : message;
  if (!(error instanceof FileProblemsError)) {
    setFailed(shown);
    return;
  }
  (job?.log ?? actionsLog).info(shown);
  const count = error.problems.length;
  const more = moreProblems(Math.max(0, count - ANNOTATED));
  setFailed(`${job?.inputs.csvFile}: ${plural(count, 'problem')}, nothing was written.${more}`);
}
