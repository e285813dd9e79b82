import { join } from 'node:path';
import { inviteUsers } from '../apply/invite.ts';
import { ONBOARD_LIST, readUserList, type UserList } from '../core/desired.ts';
import { UsageError } from '../core/errors.ts';
import type { Lookup } from '../core/index.ts';
import { addedInWords } from '../core/manual-words.ts';
import type { OnboardingRow, Outcome } from '../core/outcome.ts';
import { newUsers, planAdds, takeExisting } from '../core/row-plan.ts';
import type { ExitCode, RowsHost } from '../host/port.ts';
import type { Inputs } from '../inputs.ts';
import { writeBesideOlder } from '../journal/onboarding-file.ts';
import { plural } from '../render/labels.ts';
import { onboardingJson } from '../render/onboarding-json.ts';
import { redactOutcomes } from '../render/redact.ts';
import { withFreeKeyNames } from './add.ts';
import { applyOptions } from './apply-options.ts';
import { type RowCommand, type RowRun, runRows, type Written } from './row-run.ts';

const RESULT_FILE = 'onboarding_results.json';

/** Gives everybody in the file a link: new users are created, existing ones get a fresh link and nothing else. */
export async function onboard(inputs: Inputs, host: RowsHost): Promise<ExitCode> {
  if (!inputs.invitations) throw new UsageError('Input `invitations` is `false`; `onboard` is there to make links.');
  return runRows(onboarding(inputs), inputs, host);
}

function onboarding(inputs: Inputs): RowCommand {
  return {
    action: 'ADDED',
    read: (bytes) => withTeam(readUserList(bytes, ONBOARD_LIST), inputs.teamId),
    plan: async (rows, lookup, context) => {
      assertTeam(inputs.teamId, lookup);
      const existing = takeExisting(rows, lookup);
      const others = rows.open.filter((row) => !existing.has(row));
      const users = await withFreeKeyNames(newUsers(rows, lookup, others), rows, context);
      return { plan: planAdds(users, lookup), invited: [...existing.values()] };
    },
    beside: async (run) => inviteUsers(run.plan.invited, await applyOptions(run.journal, run, async () => true)),
    word: addedInWords,
    write: writeResults,
    writeErrors: async () => [],
    notes: (outcomes) => {
      const linked = outcomes.filter((row) => row.action === 'UNCHANGED' && row.status === 'SUCCESS').length;
      return linked === 0
        ? []
        : [`Fresh links for ${plural(linked, 'existing user')}: role, teams and keys as before.`];
    },
  };
}

/** The input `team-id` stands for a blank cell. */
function withTeam(list: UserList, teamId: string): UserList {
  const names = teamId.split(';').flatMap((name) => name.trim() || []);
  if (names.length === 0) return list;
  return { ...list, rows: list.rows.map((row) => ({ ...row, teamNames: row.teamNames ?? names })) };
}

/** One mistake in an input is told once, not as a bad row for every user. */
function assertTeam(teamId: string, { directory }: Lookup): void {
  for (const name of teamId.split(';').flatMap((part) => part.trim() || [])) {
    const found = directory.find(name);
    if (!found.found) throw new UsageError(`Input \`team-id\`: ${found.message}`);
  }
}

/** Writes `onboarding_results.json` beside `onboarding_links.csv`; both hold links. */
async function writeResults(outcomes: readonly Outcome[], run: RowRun): Promise<Written> {
  const { host, journal } = run;
  await journal.onboardingFile.compact();
  const links = await journal.onboardingFile.read();
  const told = outcomes.filter((outcome) => outcome.action === 'ADDED' || outcome.action === 'UNCHANGED');
  const entries = told.map((outcome) => ({ outcome, row: rowOf(outcome, links) }));
  // Also a user whose link failed may have a key there.
  const holdsSecrets = told.some((outcome) => links.has(outcome.userId));
  const masks = host.redacts && !holdsSecrets;
  const masked = redactOutcomes(told).map((outcome) => ({ outcome, row: null }));
  const text = onboardingJson(masks ? masked : entries);
  const path = join(host.outputDirectory, RESULT_FILE);
  await writeBesideOlder(path, text, '[]');
  const files = [path, journal.onboardingFile.path];
  return holdsSecrets ? { files, secretFiles: files } : { files: [path], secretFiles: [] };
}

function rowOf(outcome: Outcome, links: ReadonlyMap<string, OnboardingRow>): OnboardingRow | null {
  return outcome.status === 'SUCCESS' ? (links.get(outcome.userId) ?? null) : null;
}
