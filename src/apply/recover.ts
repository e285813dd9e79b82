import type { ProxyUser } from '../core/inventory.ts';
import type { OnboardingRow, Outcome } from '../core/outcome.ts';
import type { ChangeRecord, JournalLine } from '../journal/format.ts';
import { FileJournal } from '../journal/journal.ts';
import { type Candidate, candidateOf, type Newcomer, newcomerOf, notCreated } from './add/new-user.ts';
import { Newcomers } from './add/phase.ts';
import { deletedOutcome } from './delete.ts';
import { reasonOf } from './messages.ts';
import { look, missingSteps, type Seen, teamIdsOf, updatedOutcome } from './observed.ts';
import { Run, type WriteOptions } from './run.ts';

/** As for a new run; what the killed one wanted, its journal tells. `proxy: null`: no key at hand, only report. */
export type RecoverOptions = Omit<WriteOptions, 'journal' | 'apiKeys' | 'invitations' | 'proxy'> & {
  readonly proxy: WriteOptions['proxy'] | null;
};

export interface RecoveryReport {
  /** `unsettled`: something is still open, the files stay as they are; another recovery can settle it. */
  readonly state: 'nothing' | 'settled' | 'unsettled';
  /** Of the run that was killed, in its plan's order; without the users that it did not change. */
  readonly outcomes: readonly Outcome[];
}

/** A change of the killed run that has no outcome yet. */
interface OpenChange {
  readonly change: number;
  readonly record: ChangeRecord;
  /** The user ids of the writes that had begun, the last one first. */
  readonly intended: readonly string[];
}

interface Story {
  readonly wants: { readonly apiKeys: boolean; readonly invitations: boolean };
  readonly finished: boolean;
  readonly outcomes: Map<number, Outcome>;
  readonly open: readonly OpenChange[];
}

/**
 * Settles what a killed run left in a directory: looks up whom it created, deletes keys that nobody has seen and makes
 * them again, makes the missing links, and tells what became of every change. May be killed itself and begun again.
 */
export async function recover(
  directory: string,
  options: RecoverOptions,
  journal: FileJournal = FileJournal.resume(directory),
): Promise<RecoveryReport> {
  const story = readStory(await journal.lines());
  if (story === null) return { state: 'nothing', outcomes: [] };
  if (options.proxy === null || story.finished) return reportOf(story, story.outcomes, options.proxy !== null);
  const run = new Run({ ...options, ...story.wants, proxy: options.proxy, journal });
  try {
    await settleOpen(run, story.open, await journal.onboardingFile.read());
    await run.saved();
    await journal.finish(run.isComplete);
  } catch (error) {
    run.isFatal(error);
    options.log.warning(`What a killed run left could not be settled: ${reasonOf(error)}. Its files are kept.`);
    await run.saved();
  }
  await journal.close();
  const lines = await journal.lines();
  const settled = readStory(lines) ?? story;
  return reportOf(settled, new Map([...run.outcomes, ...settled.outcomes]), true);
}

function readStory(lines: readonly JournalLine[]): Story | null {
  const wants = lines.find((line) => line.t === 'run');
  if (wants === undefined) return null;
  const outcomes = new Map<number, Outcome>();
  const intended = new Map<number, string[]>();
  for (const line of lines) {
    if (line.t === 'outcome') outcomes.set(line.change, line.outcome);
    if (line.t !== 'intend') continue;
    for (const [change, userId] of line.rows) intended.set(change, [userId, ...(intended.get(change) ?? [])]);
  }
  const open = lines.flatMap((line): OpenChange[] => {
    if (line.t !== 'change' || outcomes.has(line.change)) return [];
    return [{ change: line.change, record: line.record, intended: intended.get(line.change) ?? [] }];
  });
  return { wants, finished: lines.some((line) => line.t === 'finished'), outcomes, open };
}

function reportOf(story: Story, outcomes: ReadonlyMap<number, Outcome>, hasProxy: boolean): RecoveryReport {
  const all = new Map(outcomes);
  const reason = hasProxy
    ? 'the run was killed and could not be settled yet; run again with the same output-directory'
    : 'the run was killed; the next run with this output-directory and a key settles it';
  for (const open of story.open) {
    if (!all.has(open.change)) all.set(open.change, failed(open, open.intended.length > 0 ? reason : NEVER_BEGUN));
  }
  return {
    state: story.finished ? 'settled' : 'unsettled',
    outcomes: [...all].sort(([a], [b]) => a - b).map(([, outcome]) => outcome),
  };
}

const NEVER_BEGUN = 'not attempted: the run was killed; the next run takes it up';

async function settleOpen(
  run: Run,
  open: readonly OpenChange[],
  written: ReadonlyMap<string, OnboardingRow>,
): Promise<void> {
  const begun = open.filter((change) => change.intended.length > 0);
  for (const change of open) {
    if (change.intended.length === 0) run.settle(change.change, failed(change, NEVER_BEGUN));
  }
  const teamIds = begun.flatMap(({ record }) => (record.kind === 'update' ? teamIdsOf(record) : []));
  const seen = await look(run.options.proxy, idsOf(begun), teamIds);
  const newcomers: Newcomer[] = [];
  for (const change of begun) {
    const newcomer = newcomerAmong(change, seen, run, written);
    if (newcomer === null) run.settle(change.change, truthOf(change, seen, run.options.apiKeys));
    else newcomers.push(newcomer);
  }
  const silent = { created: () => undefined, completed: () => undefined };
  await new Newcomers(run, silent).complete(newcomers);
}

function idsOf(open: readonly OpenChange[]): string[] {
  return [...new Set(open.flatMap((change) => change.intended))];
}

/** The user whom the killed run created for this change, as far as he had come; `null` where it created none. */
function newcomerAmong(
  open: OpenChange,
  seen: Seen,
  run: Run,
  written: ReadonlyMap<string, OnboardingRow>,
): Newcomer | null {
  const own = open.record.kind === 'add' ? null : open.record.userId;
  const user = open.intended
    .map((id) => seen.users.get(id))
    .find((found) => found !== undefined && found.userId !== own);
  if (user === undefined) return null;
  const row = written.get(user.userId);
  const newcomer = newcomerOf(candidateFor(open, user.userId, run.options.apiKeys), null);
  return { ...newcomer, ...stateOf(user, row) };
}

function stateOf(user: ProxyUser, row: OnboardingRow | undefined): Partial<Newcomer> {
  return { role: user.role, key: row?.apiKey ?? null, linked: row !== undefined && row.link !== null };
}

function candidateFor(open: OpenChange, userId: string, apiKeys: boolean): Candidate {
  const { record, change } = open;
  if (record.kind === 'add') return candidateOf(record, change, userId, apiKeys);
  const target = record.kind === 'update' ? record : null;
  const teams = target?.teams?.to ?? target?.currentTeams ?? [];
  const base = { email: record.email, role: target?.role?.to ?? null, teams, keyName: null };
  return {
    ...candidateOf(base, change, userId, apiKeys),
    action: 'UPDATED',
    note: 'recreated under a new user id: the old keys and spend are gone',
  };
}

/** What the proxy's state says of a change whose answer nobody waited for. */
function truthOf(open: OpenChange, seen: Seen, apiKeys: boolean): Outcome {
  const { record } = open;
  if (record.kind === 'delete') {
    const gone = !seen.users.has(record.userId);
    return deletedOutcome(
      record,
      gone ? { gone } : { gone, reason: 'not deleted: the run was killed; the next run takes it up' },
    );
  }
  if (record.kind === 'add') {
    const reason = 'not created: the run was killed; the next run adds the user';
    return notCreated(candidateFor(open, '', apiKeys), reason);
  }
  if (!seen.users.has(record.userId)) {
    return updatedOutcome(record, seen, 'the run was killed and the user is gone; the next run adds the user');
  }
  const done = missingSteps(record, seen).length === 0;
  return updatedOutcome(record, seen, done ? null : 'not completed: the run was killed; the next run takes it up');
}

function failed(open: OpenChange, reason: string): Outcome {
  const { record } = open;
  if (record.kind === 'delete') return deletedOutcome(record, { gone: false, reason });
  if (record.kind === 'update') return updatedOutcome(record, null, reason);
  return notCreated(candidateOf(record, open.change, '', false), reason);
}
