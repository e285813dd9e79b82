import { access, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { messageOf, RefusedError } from '../core/errors.ts';
import { type Change, isApplied, type Plan } from '../core/plan.ts';
import { secretUploadRefusal } from '../github/event.ts';
import type { AuditRecord } from '../host/port.ts';
import { planJson } from '../render/json.ts';
import { artifactServiceMissing, uploadArtifact } from './artifact-service.ts';
import { type PlanContext, planBody } from './documents.ts';
import type { Job } from './job.ts';
import { artifactName, artifactOf, fileAndTarget, RESULTS, redactedPlan } from './labels.ts';

/** Whether the change, once applied, brings an API key or an onboarding link into being. */
function createsSecret(change: Change, { apiKeys, invitations }: Job['inputs']): boolean {
  if (!isApplied(change)) return false;
  return change.kind === 'invite' || (change.kind === 'add' && (apiKeys || invitations));
}

/**
 * Why the secrets that the plan creates may not be uploaded from this repository; `null`: they may, or there are none.
 * Links that go out by mail need no upload: what a mail did not deliver is revoked.
 */
export function secretsObstacle(plan: Plan, { inputs, event }: Pick<Job, 'inputs' | 'event'>): string | null {
  if (!inputs.artifacts || !plan.changes.some((change) => createsSecret(change, inputs))) return null;
  if (inputs.deliver === 'smtp' && !inputs.apiKeys) return null;
  return secretUploadRefusal(event.visibility, inputs.encryptTo.length > 0);
}

/**
 * Refuses a run whose results could not be published, before its first write.
 * @throws RefusedError
 */
export async function assertPublishable(plan: Plan, job: Job): Promise<void> {
  const { inputs, env, log } = job;
  if (!inputs.artifacts || !plan.changes.some(isApplied)) return;
  const obstacle = artifactServiceMissing(env) ?? secretsObstacle(plan, job);
  if (obstacle !== null) throw new RefusedError(`${obstacle} Nothing was written.`);
  const ofAdmin = plan.changes.some((change) => createsSecret(change, inputs) && change.role === 'proxy_admin');
  if (ofAdmin && inputs.encryptTo.length === 0) {
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
export async function upload(
  job: Job,
  name: string,
  files: readonly string[],
  retentionDays = job.inputs.artifactRetentionDays,
): Promise<string> {
  const { inputs, env, log } = job;
  const [first] = files;
  if (!inputs.artifacts || first === undefined) return '';
  const artifact = await uploadArtifact(
    {
      name: artifactName(name, inputs.target),
      files,
      rootDirectory: dirname(first),
      retentionDays,
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

/**
 * Uploads what this run has told the audit record. The file itself may hold what other runs told, or `main` before `post`,
 * which is in their artifacts.
 * @throws ArtifactUploadError
 */
export async function uploadRecord(job: Job, { path, text }: AuditRecord): Promise<void> {
  const { inputs, env } = job;
  if (!inputs.artifacts) return;
  const folder = await mkdtemp(join(env.RUNNER_TEMP || tmpdir(), 'litellm-user-sync-audit-'));
  const file = join(folder, basename(path));
  try {
    await writeFile(file, text, { mode: 0o600 });
    await upload(job, 'user-sync-audit', [file], inputs.auditRetentionDays);
  } finally {
    await rm(folder, { recursive: true });
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
 * Uploads a plan that is too long for a comment; a shorter one needs no artifact. A failure is a warning.
 * @returns its address, or a blank
 */
export async function uploadPlan(job: Job, plan: Plan, context: PlanContext, planFile: string): Promise<string> {
  const whole = planBody(job, plan, context, artifactOf(job))(Number.MAX_SAFE_INTEGER);
  if (Buffer.byteLength(whole) < COMMENT_BYTES || artifactServiceMissing(job.env) !== null) return '';
  const readable = outputPath(job, 'plan.md');
  await writeFile(readable, whole);
  try {
    return await upload(job, RESULTS, [planFile, readable]);
  } catch (error) {
    job.log.warning(messageOf(error));
    return '';
  }
}

/**
 * An encrypter for age recipients (`age1…`); the library is loaded only when there are any.
 * @throws RefusedError naming the recipient that is none
 */
async function encrypterFor(recipients: readonly string[]) {
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch (error) {
      const shown = `Input \`encrypt-to\`: \`${recipient}\` is not an age recipient; allowed: public keys such as \`age1…\`, one a line.`;
      throw new RefusedError(`${shown} Nothing was written.`, { cause: error });
    }
  }
  return encrypter;
}

/**
 * Makes sure that all recipients can be encrypted to.
 * @throws RefusedError
 */
export async function assertRecipients(recipients: readonly string[]): Promise<void> {
  if (recipients.length > 0) await encrypterFor(recipients);
}

/**
 * Encrypts files to age recipients.
 * @returns the paths of the encrypted files: the same with `.age` behind them, mode 0600; older ones, which others may
 * have the key to, are kept under another name
 */
export async function encryptFiles(paths: readonly string[], recipients: readonly string[]): Promise<string[]> {
  const encrypter = await encrypterFor(recipients);
  const encrypted: string[] = [];
  for (const path of paths) {
    await moveAway(path);
    await writeFile(`${path}.age`, await encrypter.encrypt(await readFile(path)), { mode: 0o600, flag: 'wx' });
    encrypted.push(`${path}.age`);
  }
  return encrypted;
}

/** Renames `links.csv.age` to the first free of `links-1.csv.age`, `links-2.csv.age`… */
async function moveAway(path: string): Promise<void> {
  if (!(await exists(`${path}.age`))) return;
  const extension = extname(path);
  const stem = path.slice(0, path.length - extension.length);
  let number = 1;
  while (await exists(`${stem}-${number}${extension}.age`)) number += 1;
  await rename(`${path}.age`, `${stem}-${number}${extension}.age`);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
