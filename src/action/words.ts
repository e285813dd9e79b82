import type { Job } from './job.ts';

export const TITLE = 'LiteLLM User Sync';
/** Where a reader finds what a text had to leave out. */
export const SUMMARY = 'the job summary';
export const ARTIFACT = 'the artifact user-sync-results';

/** The file and, where there are several, the proxy that a text is about. */
export function named({ inputs }: Job): { csvFile: string; target: string | null } {
  return { csvFile: inputs.csvFile, target: inputs.target === '' ? null : inputs.target };
}
