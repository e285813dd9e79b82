import type { Outcome } from '../core/outcome.ts';
import type { Handover } from '../host/port.ts';
import type { ProxyClient } from '../litellm/client.ts';

/**
 * After secrets could not be handed over: keys that nobody can see any more are deleted, and the rows say how to get
 * new ones. Links cannot be taken back (the proxy lists none); they die by themselves after seven days.
 */
export async function withdrawSecrets(
  outcomes: readonly Outcome[],
  handover: Extract<Handover, { kind: 'failed' }>,
  proxy: ProxyClient,
): Promise<readonly Outcome[]> {
  const changed: Outcome[] = [];
  for (const outcome of outcomes) changed.push(await withdraw(outcome, handover, proxy));
  return changed;
}

async function withdraw(
  outcome: Outcome,
  handover: Extract<Handover, { kind: 'failed' }>,
  proxy: ProxyClient,
): Promise<Outcome> {
  const isNewcomer = outcome.action === 'ADDED' && outcome.userId !== '' && outcome.status !== 'SKIPPED';
  if (!isNewcomer) return outcome;
  if (!handover.isLost) return failed(outcome, `${handover.reason} The key and link are in the output directory.`);
  const told = `${handover.reason} Nobody has seen the link: run the command onboard for a fresh one.`;
  if (outcome.keyShown === '') return failed(outcome, told);
  try {
    const keys = await proxy.keysOfUser(outcome.userId);
    const unseen = keys.filter((key) => key.name === outcome.keyShown);
    await proxy.deleteKeys(unseen.map((key) => key.hash));
    return failed(
      { ...outcome, keyShown: '' },
      `${told} The key that nobody has seen was deleted: onboard with api-keys: true makes a new one.`,
    );
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return failed(
      outcome,
      `${told} The key ${outcome.keyShown} that nobody has seen could not be deleted (${why}): delete it in LiteLLM.`,
    );
  }
}

function failed(outcome: Outcome, reason: string): Outcome {
  return { ...outcome, status: 'FAILED', reason: outcome.reason === '' ? reason : `${outcome.reason} ${reason}` };
}
