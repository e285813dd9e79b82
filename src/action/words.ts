import { artifactServiceMissing } from '../github/artifact.ts';
import type { Job } from './job.ts';

export const TITLE = 'LiteLLM User Sync';
/** Where a reader finds what a comment had to leave out. */
export const SUMMARY = 'the job summary';
/** The artifact of everything that holds no secrets. */
export const RESULTS = 'user-sync-results';

/** As `SUMMARY`, for the summary itself. */
export function artifactOf({ inputs, env }: Job): string {
  const isMade = inputs.artifacts && artifactServiceMissing(env) === null;
  return isMade ? `the artifact ${artifactName(RESULTS, inputs.target)}` : 'the result files';
}

/** An artifact's name: where there are several proxies, each has its own. */
export function artifactName(name: string, target: string): string {
  return target === '' ? name : `${name}-${target}`;
}

/** The file and, where there are several, the proxy that a text is about. */
export function named({ inputs }: Job): { csvFile: string; target: string | null } {
  return { csvFile: inputs.csvFile, target: inputs.target === '' ? null : inputs.target };
}
