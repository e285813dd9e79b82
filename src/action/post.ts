import type { Job } from './job.ts';

/** Settles what a killed `main` left. */
export async function settleInPost(_job: Job, _pending: string): Promise<void> {}
