import { createHash } from 'node:crypto';
import type { Phase, WriteOptions } from '../apply/apply-run.ts';
import { type Change, isApplied, type Plan } from '../core/plan.ts';
import type { Host } from '../host/port.ts';
import { type Inputs, requireMasterKey } from '../inputs.ts';
import type { WritingCommand } from '../journal/format.ts';
import { connect, type ProxyClient } from '../litellm/client.ts';
import { ProxyAuthError } from '../litellm/errors.ts';
import { isLocal, isUnreachableForUsers } from '../litellm/transport.ts';
import { USER_AGENT } from '../version.ts';

/** The proxy that the inputs name; nothing is asked of it yet. */
export function connectProxy(
  inputs: Inputs,
  host: Pick<Host, 'log' | 'onSecret' | 'signal' | 'progress'>,
): ProxyClient {
  return connect({
    baseUrl: inputs.baseUrl,
    masterKey: requireMasterKey(inputs),
    timeoutSeconds: inputs.timeoutSeconds,
    retries: inputs.retries,
    concurrency: inputs.concurrency,
    log: host.log,
    onSecret: host.onSecret,
    userAgent: USER_AGENT,
    signal: host.signal,
    extraHeaders: inputs.extraHeaders,
    keyHeader: inputs.keyHeader,
    onRead: (done, total) => host.progress({ phase: 'Reading users', done, total }),
  });
}

/** Tells a proxy from others in files, without its address. */
export function proxyHash({ baseUrl }: Inputs): string {
  return createHash('sha256').update(baseUrl).digest('hex').slice(0, 16);
}

/** Turns an invitation id into the address that a new user opens; `add` keeps the form of its manual. */
async function onboardingLinks(
  command: WritingCommand,
  { publicUrl }: Inputs,
  proxy: ProxyClient,
): Promise<(invitationId: string) => string> {
  if (command === 'add') return (id) => `${publicUrl}/ui/?invitation_id=${id}&action=reset_password`;
  const page = await proxy.onboardingPage();
  return (id) =>
    page ? `${publicUrl}/ui/onboarding?id=${id}&invitation_id=${id}` : `${publicUrl}/ui/?invitation_id=${id}`;
}

/**
 * Tells that the links which a plan makes may open for nobody: a name or an address that only the proxy's own network
 * knows. Somebody who tries a proxy on their own machine, in a terminal there, needs no warning.
 */
export function warnOfLinks(
  plan: Plan,
  { baseUrl, publicUrl, invitations }: Inputs,
  host: Pick<Host, 'log' | 'origin'>,
) {
  if (!invitations || !plan.changes.some(makesLink) || !isUnreachableForUsers(publicUrl)) return;
  const [own, links] = [new URL(baseUrl).hostname, new URL(publicUrl).hostname];
  if (host.origin.run === null && isLocal(own) && isLocal(links)) return;
  host.log.warning(
    `Onboarding links begin with ${publicUrl}, and ${links} is a name or an address that only its own network knows: set public-url to the address by which users reach the proxy.`,
  );
}

/** Whether applying the change makes a link. */
export function makesLink(change: Change): boolean {
  return isApplied(change) && (change.kind === 'add' || change.kind === 'invite');
}

/** How a command's writes are made. */
export async function writeOptions(
  command: WritingCommand,
  { inputs, host, proxy }: { readonly inputs: Inputs; readonly host: Host; readonly proxy: ProxyClient },
): Promise<Omit<WriteOptions, 'journal' | 'apiKeys' | 'invitations' | 'deliver'>> {
  return {
    proxy,
    command,
    log: host.log,
    concurrency: inputs.concurrency,
    retries: inputs.retries,
    linkFor: await onboardingLinks(command, inputs, proxy),
    signal: host.signal,
    isFatal: (error) => error instanceof ProxyAuthError,
  };
}

/** The phases of applying, as a reader says them. */
export const PHASES: Readonly<Record<Phase, string>> = {
  add: 'Adding users',
  invite: 'Creating onboarding links',
  delete: 'Deleting users',
  update: 'Updating users',
};
