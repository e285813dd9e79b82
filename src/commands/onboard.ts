import { join } from 'node:path';
import { ONBOARD_LIST, problemsOffline, readUserList, type UserList } from '../core/desired.ts';
import { UsageError } from '../core/errors.ts';
import { holdsSecret, type OnboardingRow, type Outcome } from '../core/outcome.ts';
import type { Change } from '../core/plan.ts';
import type { Lookup } from '../core/row-plan.ts';
import { addedInWords, newUsers, planAdds, planInvites, problemsOfFile } from '../core/row-plan.ts';
import { isNoTeam, teamCellFault } from '../core/teams.ts';
import { writeBesideOlder } from '../files/write.ts';
import type { Inputs } from '../inputs.ts';
import { onboardingJson } from '../render/json.ts';
import { plural } from '../render/labels.ts';
import { redactOutcomes } from '../render/redact.ts';
import { withFreeKeyNames } from './add.ts';
import type { EndingRun, Writing, WrittenFiles } from './lifecycle.ts';
import { planRows } from './plan.ts';

const RESULT_FILE = 'onboarding_results.json';

/** Gives everybody in the file a link: new users are created, existing ones get a fresh link and nothing else. */
export const ONBOARD: Writing = {
  command: 'onboard',
  read: (bytes, inputs) => {
    if (!inputs.invitations) throw new UsageError('Input `invitations` is `false`; `onboard` is there to make links.');
    const list = inputs.emails.length > 0 ? listOf(inputs.emails) : readUserList(bytes, ONBOARD_LIST);
    return withTeam(list, inputs.teamId);
  },
  problemsOfFile,
  problemsOffline,
  plan: (list, context) =>
    planRows(list, 'ADDED', context, async (rows, lookup) => {
      assertTeam(context.inputs, lookup);
      const invites = planInvites(rows, lookup);
      const others = rows.open.filter((row) => !invites.has(row.line));
      const users = await withFreeKeyNames(newUsers(rows, lookup, others), rows, context);
      return new Map<number, Change>([...invites, ...planAdds(users, lookup)]);
    }),
  word: addedInWords,
  writeSecrets: writeResults,
  writeResults: async () => [],
  notes: (outcomes) => {
    const made = (action: Outcome['action']) =>
      outcomes.filter((row) => row.action === action && row.status === 'SUCCESS').length;
    const [added, linked] = [made('ADDED'), made('UNCHANGED')];
    return [
      ...(added === 0 ? [] : [`Onboarding links for ${plural(added, 'new user')}.`]),
      ...(linked === 0 ? [] : [`Fresh links for ${plural(linked, 'existing user')}: role, teams and keys as before.`]),
    ];
  },
};

/** The emails that were given as arguments, as the file that they stand for. */
function listOf(emails: readonly string[]): UserList {
  return readUserList(new TextEncoder().encode(`${emails.join('\n')}\n`), ONBOARD_LIST);
}

/** The input `team-id` stands for a blank cell. */
function withTeam(list: UserList, teamId: string): UserList {
  if (teamId === '') return list;
  const fault = teamCellFault(teamId);
  if (fault !== null) throw new UsageError(`Input \`team-id\`: ${fault}`);
  const cells = isNoTeam(teamId) ? [] : [teamId];
  return { ...list, rows: list.rows.map((row) => ({ ...row, teamNames: row.teamNames ?? cells })) };
}

/** One mistake in an input is told once, not as a bad row for every user. */
function assertTeam({ teamId }: Inputs, { directory }: Lookup): void {
  if (teamId === '' || isNoTeam(teamId)) return;
  for (const found of directory.read(teamId)) {
    if (!found.found) throw new UsageError(`Input \`team-id\`: ${found.message}`);
  }
}

/** Writes `onboarding_results.json` beside `onboarding_links.csv`; both hold links. */
async function writeResults(outcomes: readonly Outcome[], { host, journal }: EndingRun): Promise<WrittenFiles> {
  await journal.onboardingFile.compact();
  const links = await journal.onboardingFile.read();
  const told = outcomes.filter((outcome) => outcome.action === 'ADDED' || outcome.action === 'UNCHANGED');
  const entries = told.map((outcome) => ({ outcome, row: rowOf(outcome, links) }));
  // Also a user whose link failed may have a key there.
  const holdsSecrets = told.some((outcome) => holdsSecretOf(outcome, links));
  const masks = host.redacts && !holdsSecrets;
  const masked = redactOutcomes(told).map((outcome) => ({ outcome, row: null }));
  const path = join(host.outputDirectory, RESULT_FILE);
  await writeBesideOlder(path, onboardingJson(masks ? masked : entries), '[]');
  const files = [path, journal.onboardingFile.path];
  return holdsSecrets ? { files, secretFiles: files } : { files: [path], secretFiles: [] };
}

function holdsSecretOf({ userId }: Outcome, links: ReadonlyMap<string, OnboardingRow>): boolean {
  const row = links.get(userId);
  return row !== undefined && holdsSecret(row);
}

function rowOf(outcome: Outcome, links: ReadonlyMap<string, OnboardingRow>): OnboardingRow | null {
  return outcome.status === 'SUCCESS' ? (links.get(outcome.userId) ?? null) : null;
}
