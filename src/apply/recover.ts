import type { ProxyUser } from '../core/inventory.ts';
import { failedWith, type OnboardingRow, type Outcome } from '../core/outcome.ts';
import type { RowEntry } from '../core/row-plan.ts';
import {
  type ChangeRecord,
  type JournalLine,
  type MailState,
  usersRevoked,
  type WritingCommand,
} from '../journal/format.ts';
import { FileJournal } from '../journal/journal.ts';
import { type Candidate, candidateOf, type NewUserState, newUserState, notCreated } from './add/new-user.ts';
import { AddPhase } from './add/phase.ts';
import { untouchedOutcome } from './apply.ts';
import { Run, type WriteOptions } from './apply-run.ts';
import { applyInvites, deliverLinks, invitedOutcome } from './links.ts';
import { type FailureReason, reasonOf, userOutcome } from './messages.ts';
import { missingSteps, type Observed, observe, teamIdsOf, type UpdateTarget, updatedOutcome } from './observed.ts';
import { fail } from './recreate.ts';
import { applyUpdates, type UpdateRow } from './update.ts';

/** As for a new run; what the cut-off one wanted, its journal tells. `proxy: null`: no key at hand, only report. */
export type RecoverOptions = Omit<WriteOptions, 'journal' | 'command' | 'apiKeys' | 'invitations' | 'proxy'> & {
  readonly proxy: WriteOptions['proxy'] | null;
};

/** What became of a run that was cut off. */
export interface Recovered {
  readonly command: WritingCommand;
  /** `false`: something is still open, the files stay as they are; another recovery can complete it. */
  readonly isComplete: boolean;
  /** In the plan's order; without the users whom it did not change. */
  readonly outcomes: readonly Outcome[];
  /** The rows of the command's file in their order; `null` where the plan was about the file as a whole. */
  readonly rows: readonly RowEntry[] | null;
  /** The changes of its plan, by their index. */
  readonly changes: ReadonlyMap<number, ChangeRecord>;
  /** What the audit record has of them, by index. */
  readonly audited: ReadonlyMap<number, string>;
}

/** A change of the cut-off run that has no outcome yet. */
interface OpenChange {
  readonly index: number;
  readonly record: ChangeRecord;
  /** The user ids of the writes that had begun, the last one first. */
  readonly intended: readonly string[];
}

interface JournalState {
  readonly changes: ReadonlyMap<number, ChangeRecord>;
  readonly head: Extract<JournalLine, { t: 'run' }>;
  readonly rows: readonly RowEntry[] | null;
  readonly finished: boolean;
  /** Users whose secrets were being taken back when the run was killed. */
  readonly revoking: ReadonlySet<string>;
  readonly audited: ReadonlyMap<number, string>;
  readonly outcomes: ReadonlyMap<number, Outcome>;
  readonly mails: ReadonlyMap<number, MailState>;
  readonly open: readonly OpenChange[];
}

/**
 * Completes what a cut-off run left in a directory: looks up whom it created, deletes keys that nobody has seen and
 * makes them again, makes the missing links, and tells what became of every change. May be killed itself and begun again.
 * @returns `null` where no run left anything
 */
export async function recover(
  directory: string,
  options: RecoverOptions,
  journal: FileJournal = FileJournal.resume(directory),
): Promise<Recovered | null> {
  const state = readState(await journal.lines());
  if (state === null) return null;
  if (options.proxy === null || (state.finished && state.revoking.size === 0))
    return reportOf(state, state.outcomes, options.proxy !== null);
  const { command, apiKeys, invitations } = state.head;
  const { proxy } = options;
  const run = new Run({ ...options, isRecovery: true, command, apiKeys, invitations, proxy, journal });
  try {
    for (const [index, outcome] of state.outcomes) run.outcomes.set(index, outcome);
    await finishRevocation(run, state, journal);
    await complete(run, state, journal);
    await deliverLinks(run, journal, state.mails);
    await run.flush();
    await journal.finish(run.isComplete);
  } catch (error) {
    run.haltIfFatal(error);
    options.log.warning(`What an interrupted run left could not be completed: ${reasonOf(error)}. Its files are kept.`);
    await run.flush();
  }
  await journal.close();
  const after = readState(await journal.lines()) ?? state;
  return reportOf(after, new Map([...after.outcomes, ...run.outcomes]), true);
}

function readState(lines: readonly JournalLine[]): JournalState | null {
  const head = lines.find((line) => line.t === 'run');
  if (head === undefined) return null;
  const outcomes = new Map<number, Outcome>();
  const mails = new Map<number, MailState>();
  const changes = new Map(lines.flatMap((line) => (line.t === 'change' ? [[line.index, line.record]] : [])));
  const intended = new Map<number, string[]>();
  for (const line of lines) {
    if (line.t === 'outcome') outcomes.set(line.index, line.outcome);
    if (line.t === 'mail') mails.set(line.index, line.mail);
    if (line.t !== 'intend') continue;
    for (const [index, userId] of line.rows) intended.set(index, [userId, ...(intended.get(index) ?? [])]);
  }
  const open = lines.flatMap((line): OpenChange[] => {
    if (line.t !== 'change' || outcomes.has(line.index)) return [];
    return [{ index: line.index, record: line.record, intended: intended.get(line.index) ?? [] }];
  });
  const rows = head.hasRows ? lines.flatMap((line) => (line.t === 'row' ? [line.row] : [])) : null;
  const finished = lines.some((line) => line.t === 'finished');
  const audited = new Map(lines.flatMap((line) => (line.t === 'audited' ? line.rows : [])));
  return { changes, head, rows, finished, revoking: usersRevoked(lines), audited, outcomes, mails, open };
}

function reportOf(state: JournalState, outcomes: ReadonlyMap<number, Outcome>, hasProxy: boolean): Recovered {
  const all = new Map(outcomes);
  const reason = hasProxy
    ? 'the run was interrupted and could not be completed yet; run again with the same output-directory'
    : 'the run was interrupted; the next run with this output-directory and a key completes it';
  for (const open of state.open) {
    if (all.has(open.index)) continue;
    const failure: FailureReason = open.intended.length > 0 ? { code: 'interrupted', reason } : NEVER_BEGUN;
    all.set(open.index, untouchedOutcome(open.index, open.record, failure));
  }
  const inOrder = [...all]
    .sort(([a], [b]) => a - b)
    .map(([, outcome]) =>
      state.revoking.has(outcome.userId) ? failedWith(outcome, 'incomplete', MAY_BE_DEAD) : outcome,
    );
  const { head, rows, changes, audited, finished } = state;
  return { command: head.command, isComplete: finished, outcomes: inOrder, rows, changes, audited };
}

/** Of a revocation that is still under way. */
const MAY_BE_DEAD =
  'Key and link could not be handed over, and taking them back was interrupted: the next run with this output-directory and a key completes it';

const NEVER_BEGUN: FailureReason = {
  code: 'not attempted',
  reason: 'not attempted: the run was interrupted; the next run takes it up',
};

/**
 * Goes on where a run was killed that took back what it could not hand over: nobody gets to see these keys and links, and
 * those of its users who were done with are so no more.
 */
async function finishRevocation(run: Run, { revoking, outcomes }: JournalState, journal: FileJournal): Promise<void> {
  if (revoking.size === 0) return;
  const rows = await journal.onboardingFile.read();
  const failures = new Map<string, string>();
  for (const userId of revoking) {
    const row = rows.get(userId);
    if (row === undefined) continue;
    await revoke(run, row).catch((error) => failures.set(userId, reasonOf(error)));
  }
  await journal.onboardingFile.strip(revoking);
  for (const [index, outcome] of outcomes) {
    const why = failures.get(outcome.userId);
    const told = why === undefined ? REVOKED : `${NOT_REVOKED} (${why}): look at the user in the proxy's UI.`;
    if (revoking.has(outcome.userId)) run.record(index, failedWith(outcome, 'incomplete', told));
  }
  await run.flush();
  await journal.revocation([...revoking], true);
}

const REVOKED =
  "Key and link could not be handed over and were taken back: `onboard` makes a fresh link, a key is made in the proxy's UI.";

const NOT_REVOKED = 'Key and link could not be handed over, nor taken back';

async function revoke({ options: { proxy } }: Run, { userId, apiKey, invitationId }: OnboardingRow): Promise<void> {
  if (invitationId !== null) await proxy.deleteInvitation(invitationId);
  if (apiKey === null) return;
  const hash = apiKey.hash();
  const keys = await proxy.keysOfUser(userId);
  if (keys.some((key) => key.hash === hash)) await proxy.deleteKeys([hash]);
}

async function complete(run: Run, { open, head }: JournalState, { onboardingFile }: FileJournal): Promise<void> {
  const begun = open.filter((change) => change.intended.length > 0);
  for (const { index, record, intended } of open) {
    if (intended.length === 0) run.record(index, untouchedOutcome(index, record, NEVER_BEGUN));
  }
  // Before anything is appended: rows of this run are told from older ones by their place in the file.
  const ownLinks = await onboardingFile.read(head.onboardingRows);
  const written = await onboardingFile.read();
  const missingLinks = recordWrittenLinks(run, begun, ownLinks);
  await run.flush();
  const others = begun.filter(({ record }) => record.kind !== 'invite');
  const teamIds = others.flatMap(({ record }) => (record.kind === 'update' ? teamIdsOf(record) : []));
  const observed = await settled(run, others, teamIds);
  const created: NewUserState[] = [];
  const moving: UpdateRow[] = [];
  for (const change of others) {
    const { index, record } = change;
    const user = createdUser(change, observed, run, written);
    if (user !== null) created.push(user);
    else if (record.kind === 'update' && hasKeysUnderWay(record, observed)) moving.push({ index, target: record });
    else run.record(index, outcomeFrom(change, observed, run.options.apiKeys));
  }
  const silent = { created: () => undefined, completed: () => undefined };
  await new AddPhase(run, silent).complete(created);
  for (const row of await applyUpdates(run, moving, false, silent.completed)) fail(run, row, '');
  await applyInvites(run, missingLinks, silent.completed);
}

/** How often users of a call that was under way are looked for again, longer apart each time: for seven seconds in all. */
const LOOKS = 3;

/**
 * The proxy goes on with a call whose caller was killed (seen on 1.82: a user made after the first look). Whoever is made
 * after the last look is like any user whom the next plan finds: nobody gets their link.
 */
async function settled(run: Run, begun: readonly OpenChange[], teamIds: readonly string[]): Promise<Observed> {
  for (let look = 0; ; look++) {
    const observed = await observe(run.options.proxy, idsOf(begun), teamIds);
    const isMissing = begun.some(
      ({ record, intended }) => record.kind === 'add' && !intended.some((id) => observed.users.has(id)),
    );
    if (!isMissing || look === LOOKS || run.blocked() !== null) return observed;
    await run.pause(look);
  }
}

/**
 * Whether keys are still to follow the user. Another plan could find no destination any more, as nothing is joined by it,
 * and would delete them. Of several teams that goes for one that nobody has joined yet, too: the call may be under way,
 * and what the proxy carries out after this look (seen on 1.106) would be there when the next plan is made.
 */
function hasKeysUnderWay(target: UpdateTarget, observed: Observed): boolean {
  if (!observed.users.has(target.userId)) return false;
  const isOneOfSeveral = (target.teams?.to.length ?? 0) > 1 && target.keyFates.some((keys) => keys.fate === 'moves');
  return missingSteps(target, observed).some(
    (step) => (step.kind === 'leave' && step.keysTo !== null) || (step.kind === 'join' && isOneOfSeveral),
  );
}

/** Links of existing users that are on disk are done with. @returns those that are not */
function recordWrittenLinks(run: Run, begun: readonly OpenChange[], ownLinks: ReadonlyMap<string, OnboardingRow>) {
  return begun.flatMap(({ index, record }) => {
    if (record.kind !== 'invite') return [];
    const row = ownLinks.get(record.userId);
    if (!row?.link && !row?.delivered) return [{ index, change: record }];
    run.record(index, invitedOutcome(index, record, null));
    return [];
  });
}

function idsOf(open: readonly OpenChange[]): string[] {
  return [...new Set(open.flatMap((change) => change.intended))];
}

/** The user whom the cut-off run created for this change, as far as it had come; `null` where it created none. */
function createdUser(
  open: OpenChange,
  observed: Observed,
  run: Run,
  written: ReadonlyMap<string, OnboardingRow>,
): NewUserState | null {
  const own = open.record.kind === 'add' ? null : open.record.userId;
  const user = open.intended
    .map((id) => observed.users.get(id))
    .find((found) => found !== undefined && found.userId !== own);
  if (user === undefined) return null;
  const state = newUserState(candidateFor(open, user.userId, run.options.apiKeys), null);
  return { ...state, ...progressOf(user, written.get(user.userId)) };
}

function progressOf(user: ProxyUser, row: OnboardingRow | undefined): Partial<NewUserState> {
  return {
    role: user.role,
    key: row?.apiKey ?? null,
    linked: row !== undefined && (row.link !== null || row.delivered),
  };
}

function candidateFor({ record, index }: OpenChange, userId: string, apiKeys: boolean): Candidate {
  if (record.kind === 'add') return candidateOf(record, index, userId, apiKeys);
  const target = record.kind === 'update' ? record : null;
  const teams = target?.teams?.to ?? target?.currentTeams ?? [];
  const base = { email: record.email, role: target?.role?.to ?? null, teams, keyName: null, limits: {} };
  return {
    ...candidateOf(base, index, userId, apiKeys),
    action: 'UPDATED',
    note: 'recreated under a new user id: the old keys and spend are gone',
  };
}

/** What the proxy's state says of a change whose answer nobody waited for. */
function outcomeFrom(open: OpenChange, observed: Observed, apiKeys: boolean): Outcome {
  const { record, index } = open;
  switch (record.kind) {
    case 'delete':
      return userOutcome('DELETED', index, record, observed.users.has(record.userId) ? NOT_DELETED : null);
    case 'deactivate': {
      const isOff = (observed.users.get(record.userId)?.activity ?? 'active') !== 'active';
      return userOutcome('DEACTIVATED', index, record, isOff ? null : NOT_COMPLETED);
    }
    case 'add':
      return notCreated(candidateFor(open, '', apiKeys), NOT_CREATED);
    case 'invite':
      return invitedOutcome(index, record, NEVER_BEGUN);
    case 'update':
      if (!observed.users.has(record.userId)) return updatedOutcome(index, record, observed, GONE);
      return updatedOutcome(
        index,
        record,
        observed,
        missingSteps(record, observed).length === 0 ? null : NOT_COMPLETED,
      );
  }
}

const NOT_DELETED = interrupted('not deleted: the run was interrupted; the next run takes it up');
const NOT_CREATED = interrupted('not created: the run was interrupted; the next run adds the user');
const NOT_COMPLETED = interrupted('not completed: the run was interrupted; the next run takes it up');
const GONE = interrupted('the run was interrupted and the user is gone; the next run adds the user');

function interrupted(reason: string): FailureReason {
  return { code: 'interrupted', reason };
}
