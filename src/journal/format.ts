import { z } from 'zod';
import { ROLES } from '../core/inventory.ts';
import type { Change } from '../core/plan.ts';

const team = z.object({ teamId: z.string(), name: z.string() });
const teams = z.array(team);
const role = z.enum(ROLES);

/** A change as far as recovery needs it. */
const record = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('add'),
    email: z.string(),
    role: role.nullable(),
    teams: teams.nullable(),
    keyName: z.string().nullable(),
  }),
  z.object({ kind: z.literal('delete'), email: z.string(), userId: z.string(), role: z.string().nullable(), teams }),
  z.object({
    kind: z.literal('update'),
    email: z.string(),
    userId: z.string(),
    role: z.object({ from: z.string().nullable(), to: role }).nullable(),
    teams: z.object({ from: teams, to: teams, join: teams, leave: teams }).nullable(),
    currentRole: z.string().nullable(),
    currentTeams: teams,
  }),
]);

const outcome = z.object({
  action: z.enum(['ADDED', 'DELETED', 'UPDATED', 'UNCHANGED']),
  email: z.string(),
  userId: z.string(),
  role: z.string(),
  teamName: z.string(),
  keyShown: z.string(),
  status: z.enum(['SUCCESS', 'FAILED', 'SKIPPED']),
  reason: z.string(),
});

const line = z.discriminatedUnion('t', [
  z.object({ t: z.literal('run'), proxy: z.string(), apiKeys: z.boolean(), invitations: z.boolean() }),
  z.object({ t: z.literal('change'), change: z.number(), record }),
  z.object({ t: z.literal('intend'), rows: z.array(z.tuple([z.number(), z.string()])) }),
  z.object({ t: z.literal('outcome'), change: z.number(), outcome }),
  z.object({ t: z.literal('finished') }),
]);

export type ChangeRecord = z.infer<typeof record>;
export type JournalLine = z.infer<typeof line>;

/** Drops costs and everything else that only a reader of the plan needs. */
export function toRecord(change: Change): ChangeRecord {
  return record.parse(change);
}

/** The lines of a journal. One that was cut when the run was killed says nothing that anybody relied on: left out. */
export function parseJournal(text: string): JournalLine[] {
  return text.split('\n').flatMap((raw) => {
    const parsed = line.safeParse(jsonOf(raw));
    return parsed.success ? [parsed.data] : [];
  });
}

function jsonOf(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return null;
  }
}
