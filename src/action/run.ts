import { getState, saveState, setFailed } from '@actions/core';
import { FileProblemsError } from '../commands/problems.ts';
import { runCommand } from '../commands/run.ts';
import { actionsLog } from '../github/actions-log.ts';
import { moreProblems } from '../github/annotations.ts';
import { NO_OUTPUTS, setOutputs } from '../github/outputs.ts';
import { stopOnSignals } from '../host/stop.ts';
import { INPUT_NAMES, type Inputs, parseInputs, type RawInputs } from '../inputs.ts';
import { redactText } from '../render/redact.ts';
import { plural } from '../render/words.ts';
import { ActionHost } from './action-host.ts';
import { type Job, openJob } from './job.ts';
import { settleInPost } from './post.ts';

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
    if (job === null && !isPost) setOutputs(NO_OUTPUTS);
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
  const message = error instanceof Error ? error.message : String(error);
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
