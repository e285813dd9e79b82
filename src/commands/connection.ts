import type { Host } from '../host/port.ts';
import { type Inputs, requireMasterKey } from '../inputs.ts';
import { connect, type ProxyClient } from '../litellm/client.ts';
import { USER_AGENT } from '../version.ts';

/** The proxy that the inputs name; nothing is asked of it yet. */
export function connectProxy(inputs: Inputs, host: Host): ProxyClient {
  return connect({
    baseUrl: inputs.baseUrl,
    masterKey: requireMasterKey(inputs),
    timeoutSeconds: inputs.timeoutSeconds,
    retries: inputs.retries,
    concurrency: inputs.concurrency,
    log: host.log,
    onSecret: host.onSecret,
    userAgent: USER_AGENT,
  });
}

/** Turns an invitation id into the address that a new user opens; `add` keeps the form of its manual. */
export async function onboardingLinks(inputs: Inputs, proxy: ProxyClient): Promise<(invitationId: string) => string> {
  if (inputs.command === 'add') return (id) => `${inputs.publicUrl}/ui/?invitation_id=${id}&action=reset_password`;
  const page = await proxy.onboardingPage();
  return (id) =>
    page
      ? `${inputs.publicUrl}/ui/onboarding?id=${id}&invitation_id=${id}`
      : `${inputs.publicUrl}/ui/?invitation_id=${id}`;
}
