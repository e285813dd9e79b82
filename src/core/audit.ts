import { withoutKeys } from './secret.ts';

/** What all lines of a run share. */
export interface AuditRun {
  /** Address of the run; `null` on the command line. */
  readonly run: string | null;
  readonly commit: string | null;
  /** The input `target`; `null` where there is none. */
  readonly target: string | null;
  readonly command: string;
}

/** What became of one change. */
export interface AuditEntry {
  /** ISO 8601. */
  readonly time: string;
  readonly change: AuditedChange;
  /** Empty where no user was created. */
  readonly userId: string;
  readonly email: string;
  /** The pull request whose comment showed the change; `null`: none did. */
  readonly pullRequest: { readonly number: number; readonly author: string } | null;
  /** See `changeDigest`; `null` for commands without review. */
  readonly digest: string | null;
  readonly result: 'SUCCESS' | 'FAILED' | 'SKIPPED';
  readonly reason: string;
}

/** Emails made unreadable, as everywhere in this run. */
export interface AuditRedaction {
  email(email: string): string;
  text(text: string): string;
}

interface Named {
  readonly name: string;
}

/** What the record reads of a planned change. Never a key's name or hash, never metadata. */
export type AuditedChange =
  | {
      readonly kind: 'add';
      readonly role: string | null;
      /** `null`: the proxy's default teams. */
      readonly teams: readonly Named[] | null;
      /** What the row asks for, by the names of `UserLimits`. */
      readonly limits?: object;
    }
  | {
      readonly kind: 'delete' | 'deactivate';
      readonly role: string | null;
      readonly teams: readonly Named[];
      readonly keyCount: number | null;
      /** The day that the row named; `null`: the row is gone. */
      readonly expired?: string | null;
    }
  | {
      readonly kind: 'update';
      readonly role: { readonly from: string | null; readonly to: string } | null;
      readonly rename?: { readonly from: string; readonly to: string } | null;
      readonly teams: { readonly from: readonly Named[]; readonly to: readonly Named[] } | null;
      readonly limits?: readonly { readonly field: string; readonly from: unknown; readonly to: unknown }[];
      readonly reactivates?: boolean;
      readonly leftKeys?: readonly { readonly fate: string }[] | 'unknown';
    }
  | { readonly kind: 'invite' };

/** Lines of `audit.jsonl`, without line ends: one per change, also of those that were withheld or failed. */
export function auditLines(run: AuditRun, entries: readonly AuditEntry[], redact: AuditRedaction | null): string[] {
  return entries.map((entry) => JSON.stringify(record(run, entry, redact ?? UNCHANGED)));
}

const UNCHANGED: AuditRedaction = { email: (email) => email, text: (text) => text };

function record(run: AuditRun, entry: AuditEntry, redact: AuditRedaction): object {
  const { change, pullRequest } = entry;
  return {
    time: entry.time,
    run: run.run,
    commit: run.commit,
    pull_request: pullRequest?.number ?? null,
    pull_request_author: pullRequest?.author ?? null,
    target: run.target,
    command: run.command,
    action: change.kind,
    user_id: redact.text(entry.userId),
    email: redact.email(entry.email),
    changes: shown(fields(change), redact),
    ...costs(change),
    digest: entry.digest,
    result: entry.result,
    reason: redact.text(withoutKeys(entry.reason)),
  };
}

interface Field {
  readonly from: unknown;
  readonly to: unknown;
}

function shown(all: Readonly<Record<string, Field>>, redact: AuditRedaction): Record<string, Field> {
  const one = (value: unknown, text: (value: string) => string): unknown => {
    if (Array.isArray(value)) return value.map((part) => one(part, text));
    return typeof value === 'string' ? text(value) : value;
  };
  return Object.fromEntries(
    Object.entries(all).map(([name, { from, to }]) => {
      const text = name === 'email' ? redact.email : redact.text;
      return [name, { from: one(from, text), to: one(to, text) }];
    }),
  );
}

function fields(change: AuditedChange): Record<string, Field> {
  switch (change.kind) {
    case 'add':
      return {
        role: { from: null, to: change.role ?? 'default' },
        ...(change.teams && { teams: { from: [], to: names(change.teams) } }),
        ...limits(Object.entries(change.limits ?? {}).map(([field, to]) => ({ field, from: null, to }))),
      };
    case 'delete':
      return { role: { from: change.role, to: null }, teams: { from: names(change.teams), to: [] } };
    case 'deactivate':
      return { active: { from: true, to: false } };
    case 'update':
      return {
        ...(change.role && { role: change.role }),
        ...(change.rename && { email: change.rename }),
        ...(change.teams && { teams: { from: names(change.teams.from), to: names(change.teams.to) } }),
        ...limits(change.limits ?? []),
        ...(change.reactivates && { active: { from: false, to: true } }),
      };
    case 'invite':
      return {};
  }
}

function names(teams: readonly Named[]): string[] {
  return teams.map(({ name }) => name);
}

/** `maxBudget` is `max_budget` in the file, and so here. */
function limits(all: readonly { field: string; from: unknown; to: unknown }[]): Record<string, Field> {
  return Object.fromEntries(
    all.map(({ field, from, to }) => [field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), { from, to }]),
  );
}

/** What the change does to keys, in numbers: `{"keys":{"deleted":2}}`; and the day that ended an account. */
function costs(change: AuditedChange): object {
  switch (change.kind) {
    case 'delete':
      return { keys: { deleted: change.keyCount ?? 'unknown' }, ...(change.expired && { expired: change.expired }) };
    case 'deactivate':
      return change.expired ? { expired: change.expired } : {};
    case 'update':
      return keysOf(change.leftKeys ?? []);
    default:
      return {};
  }
}

function keysOf(keys: readonly { fate: string }[] | 'unknown'): object {
  if (keys === 'unknown') return { keys: 'unknown' };
  const counts: Record<string, number> = {};
  for (const { fate } of keys) counts[fate] = (counts[fate] ?? 0) + 1;
  return keys.length === 0 ? {} : { keys: counts };
}
