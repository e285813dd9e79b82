import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RecoveryReport, recover } from '../apply/recover.ts';
import { RefusedError } from '../core/errors.ts';
import { holdDirectory } from '../files/lock.ts';
import type { Host } from '../host/port.ts';
import type { Inputs } from '../inputs.ts';
import { FileJournal, JOURNAL_FILE } from '../journal/journal.ts';
import type { ProxyClient } from '../litellm/client.ts';
import { ProxyAuthError } from '../litellm/errors.ts';
import { onboardingLinks } from './connection.ts';

/**
 * Settles what a killed run left in the output directory: keys that nobody has seen are made again, missing links are
 * made, and every change of that run gets its row. Asks nothing of the proxy where nothing was left.
 * The directory is this process's own from here on.
 * @throws RefusedError where the killed run was on another proxy, whose users this one cannot tell of
 * @param proxy `null`: no key at hand, the files stay as they are and the rows say so
 */
export async function settleLeftovers(inputs: Inputs, host: Host, proxy: ProxyClient | null): Promise<RecoveryReport> {
  await holdDirectory(host.outputDirectory);
  const left = await FileJournal.resume(host.outputDirectory).lines();
  if (left.length === 0) return { state: 'nothing', outcomes: [] };
  if (left.some((line) => line.t === 'run' && line.proxy !== proxyHash(inputs))) throw anotherProxy(host);
  host.log.info(`An earlier run was cut off here (${host.outputDirectory}): settling what it left.`);
  return recover(host.outputDirectory, {
    proxy,
    log: host.log,
    concurrency: inputs.concurrency,
    retries: inputs.retries,
    linkFor: proxy === null ? String : await onboardingLinks(inputs, proxy),
    stop: host.stop,
    isFatal: (error) => error instanceof ProxyAuthError,
    sleep: async (milliseconds) => void (await sleep(milliseconds)),
  });
}

/** Tells a proxy from others in files, without its address. */
export function proxyHash({ baseUrl }: Inputs): string {
  return createHash('sha256').update(baseUrl).digest('hex').slice(0, 16);
}

function anotherProxy({ outputDirectory }: Host): RefusedError {
  return new RefusedError(
    `${join(outputDirectory, JOURNAL_FILE)} tells of a run on another proxy that was cut off. Run once with that proxy's ` +
      'base-url, which settles it, or use another output-directory. Nothing was written.',
  );
}
