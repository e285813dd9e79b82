import { join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { DELIVERED, isCreated, type OnboardingRow, type Outcome } from '../core/outcome.ts';
import { Secret } from '../core/secret.ts';
import { writeBesideOlder } from '../files/write.ts';
import { type RegistrationRow, registrationsCsv } from '../render/csv.ts';
import { redactEmail, redactText } from '../render/redact.ts';
import type { EndingRun, WrittenFiles } from './lifecycle.ts';

const RESULT_FILE = 'user_reg_result.csv';
export const ERROR_FILE = 'user_reg_error.csv';

/**
 * Writes `user_reg_result.csv`, mode 0600, an older one is kept under another name. While the run went on, its keys and
 * links were in `onboarding_links.csv`, where they outlive a killed run; once this file is handed over they are in it alone.
 */
export async function writeRegistrations(outcomes: readonly Outcome[], run: EndingRun): Promise<WrittenFiles> {
  const made = outcomes.filter(isCreated);
  const userIds = made.map((outcome) => outcome.userId);
  const [links, models] = await Promise.all([run.journal.onboardingFile.read(), modelsOf(userIds, run)]);
  const rows = made.map((outcome) => registration(outcome, links.get(outcome.userId), models));
  const holdsSecrets = rows.some((row) => row.invitationUrl instanceof Secret || row.apiKeys instanceof Secret);
  const path = await writeRows(rows, { ...run, masks: run.host.redacts && !holdsSecrets });
  return { files: [path], secretFiles: holdsSecrets ? [path] : [], moved: userIds };
}

/** @param masks whether emails are masked: a file with secrets goes to nobody who must not see them */
export async function writeRows(
  rows: readonly RegistrationRow[],
  { host, masks }: Pick<EndingRun, 'host'> & { readonly masks: boolean },
): Promise<string> {
  const path = join(host.outputDirectory, RESULT_FILE);
  const text = registrationsCsv(masks ? rows.map(masked) : rows, { header: true });
  await writeBesideOlder(path, text, registrationsCsv([], { header: true }));
  return path;
}

function registration(
  outcome: Outcome,
  links: OnboardingRow | undefined,
  models: ReadonlyMap<string, readonly string[]>,
): RegistrationRow {
  return {
    email: outcome.email,
    role: outcome.role,
    userId: outcome.userId,
    teamName: outcome.teamName,
    models: models.get(outcome.userId) ?? null,
    apiKeys: links?.apiKey ?? outcome.key?.shown ?? null,
    invitationUrl: links?.link ?? (links?.delivered ? DELIVERED : null),
  };
}

/** Users are there by now, whatever becomes of this look-up: where it fails, the column stays blank. */
async function modelsOf(
  userIds: readonly string[],
  { proxy, host }: EndingRun,
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (proxy === null) return new Map();
  try {
    return await proxy.modelsOf(userIds);
  } catch (error) {
    host.log.warning(`The column models of ${RESULT_FILE} is blank: ${messageOf(error)}`);
    return new Map();
  }
}

function masked(row: RegistrationRow): RegistrationRow {
  return {
    ...row,
    email: redactEmail(row.email),
    userId: redactText(row.userId),
    teamName: redactText(row.teamName),
  };
}
