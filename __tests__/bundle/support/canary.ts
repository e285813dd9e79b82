import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Run } from './action.ts';
import type { World } from './world.ts';

/** Files that may hold secrets, and nothing else may. */
const SECRET_FILES = /^(onboarding_links\.csv|user_reg_result\.csv|onboarding_results\.json)/;

/** The secrets that the run brought into being: API keys, invitation ids, links. */
export function secretsIn(csv: string): { keys: string[]; invitations: string[]; links: string[] } {
  return {
    keys: csv.match(/\bsk-[\w-]{16,}/g) ?? [],
    invitations: [...csv.matchAll(/invitation_id=([0-9a-f-]{36})/g)].map(([, id]) => id as string),
    links: csv.match(/https?:\/\/[^\s,"]*invitation_id=[^\s,"]*/g) ?? [],
  };
}

/** Everything that somebody may read of a run, by the name of the channel. */
export function channels(run: Run, world: World, outputDirectory: string): Map<string, string> {
  const found = new Map([
    ['stdout', run.stdout.replace(/^::add-mask::.*\n/gm, '')],
    ['stderr', run.stderr],
    ['job summary', run.summary],
    ['outputs', JSON.stringify(run.outputs)],
    ['state', JSON.stringify(run.state)],
    ['comments', world.github.allComments.join('\n')],
    ['requests to GitHub', JSON.stringify(world.github.calls)],
    ['requests to the artifact service', JSON.stringify(world.artifacts.calls)],
  ]);
  for (const [artifact, files] of world.artifacts.finished) {
    if (artifact.startsWith('onboarding-links')) continue;
    for (const [name, content] of files) found.set(`${artifact}/${name}`, content.toString('latin1'));
  }
  for (const [name, text] of filesOf(outputDirectory)) found.set(`file ${name}`, text);
  return found;
}

export function filesOf(directory: string): Map<string, string> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !SECRET_FILES.test(entry.name));
  return new Map(files.map(({ name, parentPath }) => [name, readFileSync(join(parentPath, name), 'latin1')]));
}

/** No secret in any channel, each told by name where there is one. */
export function expectUnseen(secrets: readonly string[], seen: ReadonlyMap<string, string>): void {
  const leaks = [...seen].flatMap(([channel, text]) =>
    secrets.filter((secret) => text.includes(secret)).map((secret) => `${secret} in ${channel}`),
  );
  expect(leaks).toEqual([]);
}

/** Every secret is masked, and before any line that could hold it. */
export function expectMaskedFirst(secrets: readonly string[], run: Run): void {
  const lines = run.stdout.split('\n');
  for (const secret of secrets) {
    const at = lines.findIndex((line) => line.includes(secret));
    expect(lines[at] ?? `nothing masks ${secret}`).toBe(`::add-mask::${secret}`);
  }
}
