import { setFailed } from '@actions/core';
import { connectProxy } from '../commands/connection.ts';
import { deliver } from '../commands/deliver.ts';
import { settleLeftovers } from '../commands/settle.ts';
import { stopOnSignals } from '../host/stop.ts';
import { ActionHost } from './action-host.ts';
import type { Job } from './job.ts';

/**
 * Settles what a `main` left that was killed in the midst of writing: its rows, keys and links are handed over. Red
 * where a row failed, as `main` would have been.
 */
export async function settleInPost(job: Job): Promise<void> {
  const host = new ActionHost(job, stopOnSignals(job.log));
  const proxy = job.inputs.masterKey === null ? null : connectProxy(job.inputs, host);
  const { state, outcomes } = await settleLeftovers(job.inputs, host, proxy);
  if (state === 'nothing') return;
  if ((await deliver(outcomes, { host, proxy, plan: null })) !== 0) setFailed(host.verdict);
}
