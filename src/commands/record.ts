import { join } from 'node:path';
import { auditLines } from '../core/audit.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Change } from '../core/plan.ts';
import { appendLines } from '../files/write.ts';
import type { AuditRecord, Host, Provenance } from '../host/port.ts';
import type { Inputs } from '../inputs.ts';
import type { ChangeRecord, WritingCommand } from '../journal/format.ts';
import { redactEmail, redactText } from '../render/redact.ts';

const AUDIT_FILE = 'audit.jsonl';

/** A change of a run, with what became of it. */
export interface RecordedChange {
  readonly change: Change | ChangeRecord;
  readonly outcome: Outcome;
  readonly provenance: Provenance;
}

/**
 * Appends to the audit record what a run did, withheld and failed to do.
 * @returns `null` where there is nothing to tell, or the input asks for none
 */
export async function writeRecord(
  command: WritingCommand,
  changes: readonly RecordedChange[],
  { inputs, host }: { readonly inputs: Inputs; readonly host: Host },
): Promise<AuditRecord | null> {
  if (inputs.auditRetentionDays === 0 || changes.length === 0) return null;
  const path = join(host.outputDirectory, AUDIT_FILE);
  const run = { ...host.origin, target: inputs.target === '' ? null : inputs.target, command };
  const time = new Date().toISOString();
  const entries = changes.map(({ change, outcome, provenance }) => ({
    time,
    change: audited(change),
    userId: outcome.userId,
    email: change.email,
    ...provenance,
    result: outcome.status,
    reason: outcome.reason,
  }));
  const lines = auditLines(run, entries, host.redacts ? { email: redactEmail, text: redactText } : null);
  await appendLines(path, lines);
  return { path, text: lines.map((line) => `${line}\n`).join('') };
}

/** Of an interrupted run its costs are not known any more. */
function audited(change: Change | ChangeRecord) {
  switch (change.kind) {
    case 'delete':
    case 'deactivate':
      return { keyCount: null, ...change };
    default:
      return change;
  }
}
