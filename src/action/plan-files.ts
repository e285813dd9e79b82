import { writeFile } from 'node:fs/promises';
import type { Plan } from '../core/plan-types.ts';
import { artifactServiceMissing } from '../github/artifact.ts';
import { planJson } from '../render/json.ts';
import { planBody } from './documents.ts';
import { besides, upload } from './handover.ts';
import type { Job } from './job.ts';
import { shownPlan } from './shown.ts';
import { artifactOf, named, RESULTS } from './words.ts';

export const PLAN_FILE = 'plan.json';

/** A plan of fewer bytes is in the comment as a whole. */
const COMMENT_BYTES = 60_000;

/** Writes the plan as JSON. @returns its path */
export async function writePlan(job: Job, plan: Plan): Promise<string> {
  const path = besides(job, PLAN_FILE);
  await writeFile(path, planJson(shownPlan(job, plan), named(job)));
  return path;
}

/**
 * Uploads a plan that a comment has to cut: only then it is worth an artifact. A failure is a warning.
 * @returns its address, or a blank
 */
export async function uploadPlan(job: Job, plan: Plan, planFile: string): Promise<string> {
  const whole = planBody(job, plan, artifactOf(job))(Number.MAX_SAFE_INTEGER);
  if (Buffer.byteLength(whole) < COMMENT_BYTES || artifactServiceMissing(job.env) !== null) return '';
  const readable = besides(job, 'plan.md');
  await writeFile(readable, whole);
  try {
    return await upload(job, RESULTS, [planFile, readable]);
  } catch (error) {
    job.log.warning(error instanceof Error ? error.message : String(error));
    return '';
  }
}
