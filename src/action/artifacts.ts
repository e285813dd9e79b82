import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { RefusedError } from '../core/errors.ts';
import { type Change, isApplied, type Plan } from '../core/plan.ts';
import { secretUploadRefusal } from '../github/visibility.ts';
import { planJson } from '../render/plan-json.ts';
import { artifactServiceMissing, uploadArtifact } from './artifact-service.ts';
import { planBody } from './documents.ts';
import type { Job } from './job.ts';
import { artifactName, artifactOf, fileAndTarget, RESULTS, redactedPlan } from './labels.ts';

/** Whether the change, once applied, brings an API key or an onboarding link into being. */
function createsSecret(change: Change, { apiKeys, invitations }: Job['inputs']): boolean {
  if (!isApplied(change)) return false;
  return change.kind === 'invite' || (change.kind === 'add' && (apiKeys || invitations));
}

/**
 * Refuses a run whose results could not be published, before its first write.
 * @throws RefusedError
 */
export async function assertPublishable(plan: Plan, { inputs, env, event, log }: Job): Promise<void> {
  if (!inputs.artifacts || !plan.changes.some(isApplied)) return;
  const missing = artifactServiceMissing(env);
  if (missing !== null) throw new RefusedError(`${missing} Nothing was written.`);
  const withSecrets = plan.changes.filter((change) => createsSecret(change, inputs));
  if (withSecrets.length === 0) return;
  const encrypted = inputs.encryptTo.length > 0;
  const refusal = secretUploadRefusal(event.visibility, encrypted);
  if (refusal !== null) throw new RefusedError(refusal);
  if (!encrypted && withSecrets.some((change) => change.role === 'proxy_admin')) {
    log.warning(
      'This run creates an onboarding link or key of an administrator and uploads it unencrypted: whoever may read this repository can take the account. Consider `encrypt-to`.',
    );
  }
}

/**
 * Uploads files as an artifact of this run, named after the target where there are several.
 * @returns its address; a blank with `artifacts: false`
 * @throws ArtifactUploadError
 */
export async function upload(job: Job, name: string, files: readonly string[]): Promise<string> {
  const { inputs, env, log } = job;
  const [first] = files;
  if (!inputs.artifacts || first === undefined) return '';
  const artifact = await uploadArtifact(
    {
      name: artifactName(name, inputs.target),
      files,
      rootDirectory: dirname(first),
      retentionDays: inputs.artifactRetentionDays,
    },
    env,
  );
  log.info(`Uploaded ${files.map((file) => basename(file)).join(', ')} as artifact ${artifact.name}.`);
  return artifact.url;
}

/**
 * Uploads files without secrets as the artifact of the results. Where no artifact service can be, nothing was written
 * either (see {@link assertPublishable}): that is a warning.
 * @returns its address, and an upload that failed, which is told after everything else
 */
export async function uploadResults(
  job: Job,
  files: readonly string[],
): Promise<{ url: string; failure: Error | null }> {
  const missing = job.inputs.artifacts ? artifactServiceMissing(job.env) : null;
  if (missing !== null) {
    job.log.warning(missing);
    return { url: '', failure: null };
  }
  try {
    return { url: await upload(job, RESULTS, files), failure: null };
  } catch (error) {
    return { url: '', failure: error as Error };
  }
}

/** Where a file of results is put, beside the others. */
export function outputPath(job: Job, name: string): string {
  return join(job.outputDirectory, name);
}

export const PLAN_FILE = 'plan.json';

/** A plan of fewer bytes is in the comment as a whole. */
const COMMENT_BYTES = 60_000;

/** Writes the plan as JSON. @returns its path */
export async function writePlan(job: Job, plan: Plan): Promise<string> {
  const path = outputPath(job, PLAN_FILE);
  await writeFile(path, planJson(redactedPlan(job, plan), fileAndTarget(job)));
  return path;
}

/**
 * Uploads a plan that a comment has to cut: only then it is worth an artifact. A failure is a warning.
 * @returns its address, or a blank
 */
export async function uploadPlan(job: Job, plan: Plan, planFile: string): Promise<string> {
  const whole = planBody(job, plan, artifactOf(job))(Number.MAX_SAFE_INTEGER);
  if (Buffer.byteLength(whole) < COMMENT_BYTES || artifactServiceMissing(job.env) !== null) return '';
  const readable = outputPath(job, 'plan.md');
  await writeFile(readable, whole);
  try {
    return await upload(job, RESULTS, [planFile, readable]);
  } catch (error) {
    job.log.warning(error instanceof Error ? error.message : String(error));
    return '';
  }
}
