import { z } from 'zod';
import { type LimitSettings, ROLES } from '../core/inventory.ts';
import type { Delivery, Outcome } from '../core/outcome.ts';
import type { Change } from '../core/plan.ts';
import type { RowEntry } from '../core/row-plan.ts';

const team = z.object({ teamId: z.string(), name: z.string() });
const teams = z.array(team).readonly();
const role = z.enum(ROLES);
const person = { email: z.string(), userId: z.string(), role: z.string().nullable(), teams };

const amount = z.number().nullable();
const limits = z.object({
  maxBudget: amount,
  budgetDuration: z.string().nullable(),
  tpmLimit: amount,
  rpmLimit: amount,
  models: z.array(z.string()).readonly(),
});
const limitChange = z.discriminatedUnion('field', [
  z.object({ field: z.literal('maxBudget'), from: amount, to: amount }),
  z.object({ field: z.literal('budgetDuration'), from: z.string().nullable(), to: z.string().nullable() }),
  z.object({ field: z.literal('tpmLimit'), from: amount, to: amount }),
  z.object({ field: z.literal('rpmLimit'), from: amount, to: amount }),
  z.object({ field: z.literal('models'), from: limits.shape.models, to: limits.shape.models }),
]);
const keyFate = z.discriminatedUnion('fate', [
  z.object({ team, fate: z.literal('moves'), to: team }),
  z.object({ team, fate: z.enum(['deleted', 'survives']), to: z.null() }),
]);

/** A change as far as recovery needs it. */
const record = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('add'),
    email: z.string(),
    role: role.nullable(),
    teams: teams.nullable(),
    keyName: z.string().nullable(),
    limits: limits.partial().transform((settings) => settings as LimitSettings),
  }),
  z.object({ kind: z.literal('delete'), ...person }),
  z.object({ kind: z.literal('deactivate'), ...person }),
  z.object({ kind: z.literal('invite'), ...person }),
  z.object({
    kind: z.literal('update'),
    email: z.string(),
    userId: z.string(),
    role: z.object({ from: z.string().nullable(), to: role }).nullable(),
    rename: z.object({ from: z.string(), to: z.string() }).nullable(),
    teams: z.object({ from: teams, to: teams, join: teams, leave: teams }).nullable(),
    limits: z.array(limitChange).readonly(),
    reactivates: z.boolean(),
    currentRole: z.string().nullable(),
    currentTeams: teams,
    currentLimits: limits,
    keyFates: z.array(keyFate).readonly(),
  }),
]);

const base = {
  index: z.number().nullable(),
  action: z.enum(['ADDED', 'DELETED', 'UPDATED', 'UNCHANGED', 'DEACTIVATED', 'REACTIVATED']),
  email: z.string(),
  userId: z.string(),
  role: z.string(),
  teamName: z.string(),
  key: z.object({ hash: z.string(), shown: z.string() }).nullable(),
  reason: z.string(),
  recreated: z.literal(true).optional(),
};

const failureCode = z.enum([
  'exists',
  'invalid',
  'unauthorized',
  'forbidden',
  'unavailable',
  'other',
  'lost',
  'unknown',
  'incomplete',
  'unverified',
  'not attempted',
  'interrupted',
  'gone',
  'undelivered',
  'row',
]);
const skipCode = z.enum(['withheld', 'superseded', 'exists', 'missing']);

const failed = z.object({ status: z.literal('FAILED'), code: failureCode, ...base });
const skipped = z.object({ status: z.literal('SKIPPED'), code: skipCode, ...base });
const outcome: z.ZodType<Outcome> = z.discriminatedUnion('status', [
  z.object({ status: z.literal('SUCCESS'), ...base }),
  failed,
  skipped,
]);

/** A row of the file, in its order: a change of the plan, or why it is none. */
const row: z.ZodType<RowEntry> = z.union([
  z.object({ index: z.number() }),
  z.object({ left: z.discriminatedUnion('status', [failed, skipped]) }),
]);

const delivery: z.ZodType<Delivery> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('sent'), response: z.string() }),
  z.object({ kind: z.literal('failed'), response: z.string() }),
  z.object({ kind: z.literal('not known'), reason: z.string() }),
]);

/** How far the mail of a change has come. `unsent`: for certain not sent, and still due. */
const mail = z.discriminatedUnion('state', [
  z.object({ state: z.enum(['intended', 'unsent']) }),
  z.object({ state: z.literal('answered'), delivery }),
]);

const line = z.discriminatedUnion('t', [
  z.object({
    t: z.literal('run'),
    command: z.enum(['sync', 'add', 'delete', 'onboard']),
    proxy: z.string(),
    apiKeys: z.boolean(),
    invitations: z.boolean(),
    /** Data rows that the onboarding file had when the run began: those behind them are the run's own. */
    onboardingRows: z.number(),
    /** Whether the command's rows follow, each with its place in the file. */
    hasRows: z.boolean(),
  }),
  z.object({ t: z.literal('row'), row }),
  z.object({ t: z.literal('change'), index: z.number(), record }),
  z.object({ t: z.literal('intend'), rows: z.array(z.tuple([z.number(), z.string()])) }),
  z.object({ t: z.literal('outcome'), index: z.number(), outcome }),
  z.object({ t: z.literal('mail'), index: z.number(), mail }),
  /** Keys and links of these users are taken back, as they could not be handed over. `done`: to the last one. */
  z.object({ t: z.literal('revocation'), userIds: z.array(z.string()).readonly(), done: z.boolean() }),
  /** These outcomes stand in the audit record. */
  z.object({ t: z.literal('audited'), rows: z.array(z.tuple([z.number(), z.string()])).readonly() }),
  z.object({ t: z.literal('finished') }),
]);

export type ChangeRecord = z.infer<typeof record>;
export type JournalLine = z.infer<typeof line>;
export type MailState = z.infer<typeof mail>;
export type WritingCommand = Extract<JournalLine, { t: 'run' }>['command'];

/** What another process must know to finish a run. */
export interface RunHead {
  readonly command: WritingCommand;
  /** A hash that tells the run's proxy from others. */
  readonly proxy: string;
  readonly apiKeys: boolean;
  readonly invitations: boolean;
  /** The rows of the command's file in their order; `null` where the plan is about the file as a whole. */
  readonly rows: readonly RowEntry[] | null;
}

/** Drops costs and everything else that only a reader of the plan needs. */
export function toRecord(change: Change): ChangeRecord {
  return record.parse(change);
}

/** The lines of a journal. One that was cut when the run was killed says nothing that anybody relied on: left out. */
export function parseJournal(text: string): JournalLine[] {
  return text.split('\n').flatMap((raw) => lineOf(jsonOf(raw)));
}

/** Whether recovery has nothing to do. Of the many lines about changes it looks at the kind alone. */
export function isJournalOver(text: string): boolean {
  const told = text.split('\n').map(jsonOf).filter(isAboutRun).flatMap(lineOf);
  return told.length === 0 || (told.some((line) => line.t === 'finished') && usersRevoked(told).size === 0);
}

function isAboutRun(json: unknown): boolean {
  return ABOUT_RUN.has((json as Partial<JournalLine> | null)?.t ?? '');
}

/** Every journal begins with `run`. */
const ABOUT_RUN: ReadonlySet<string> = new Set(['run', 'revocation', 'finished']);

function lineOf(json: unknown): JournalLine[] {
  const parsed = line.safeParse(json);
  return parsed.success ? [parsed.data] : [];
}

/** Users whose secrets are still being taken back. */
export function usersRevoked(lines: readonly JournalLine[]): ReadonlySet<string> {
  const users = new Set<string>();
  for (const line of lines) {
    if (line.t !== 'revocation') continue;
    for (const userId of line.userIds) line.done ? users.delete(userId) : users.add(userId);
  }
  return users;
}

/** What the audit record has of an outcome: once done, however it is worded. */
export function auditMark({ status, reason }: Outcome): string {
  return status === 'SUCCESS' ? status : `${status} ${reason}`;
}

function jsonOf(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return null;
  }
}
