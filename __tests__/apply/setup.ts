import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Papa from 'papaparse';
import { onTestFinished } from 'vitest';
import type { ApplyOptions } from '../../src/apply/apply.ts';
import type { Role } from '../../src/core/inventory.ts';
import type {
  AddChange,
  Change,
  DeleteChange,
  InviteChange,
  Plan,
  TeamRef,
  UpdateChange,
} from '../../src/core/plan.ts';
import { FileJournal, type Journal } from '../../src/journal/journal.ts';
import { type FakeProxy, Unauthorized } from './fake-proxy.ts';

export function teams(...ids: string[]): TeamRef[] {
  return ids.map((id) => ({ teamId: id, name: `Team ${id}` }));
}

export function add(email: string, more: Partial<AddChange> = {}): AddChange {
  return { kind: 'add', email, role: 'internal_user', teams: null, keyName: null, withheld: null, ...more };
}

export function remove(userId: string, more: Partial<DeleteChange> = {}): DeleteChange {
  const row = { email: `${userId}@example.com`, userId, role: 'internal_user', teams: [], keyCount: 0, spend: 0 };
  return { kind: 'delete', ...row, withheld: null, ...more };
}

export function invite(userId: string, more: Partial<InviteChange> = {}): InviteChange {
  const row = { email: `${userId}@example.com`, userId, role: 'internal_user', teams: [] };
  return { kind: 'invite', ...row, withheld: null, ...more };
}

export function update(userId: string, more: Partial<UpdateChange> = {}): UpdateChange {
  return {
    kind: 'update',
    email: `${userId}@example.com`,
    userId,
    role: null,
    teams: null,
    currentRole: 'internal_user',
    currentTeams: [],
    teamKeys: [],
    teamKeysDeleted: true,
    withheld: null,
    ...more,
  };
}

export function setRole(userId: string, to: Role): UpdateChange {
  return update(userId, { role: { from: 'internal_user', to } });
}

export function move(userId: string, from: string[], to: string[]): UpdateChange {
  const join = to.filter((team) => !from.includes(team));
  const leave = from.filter((team) => !to.includes(team));
  return update(userId, {
    teams: { from: teams(...from), to: teams(...to), join: teams(...join), leave: teams(...leave) },
    currentTeams: teams(...from),
  });
}

export function planOf(...changes: Change[]): Plan {
  const unmanaged = { withoutEmail: 0, otherRole: 0, ownUser: 0, protected: 0 };
  return { changes, unchanged: [], managed: changes.length, admins: 1, unmanaged, breaches: [] };
}

const silent = { debug: () => {}, info: () => {}, warning: () => {}, error: () => {} };

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'apply-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** What the first line of a journal tells of the run. */
export const HEAD = { command: 'sync', proxy: 'proxy', rows: null } as const;

let ids = 0;

export function optionsFor(proxy: FakeProxy, journal: Journal, more: Partial<ApplyOptions> = {}): ApplyOptions {
  return {
    proxy,
    journal,
    log: silent,
    apiKeys: true,
    invitations: true,
    recreateOnFailure: false,
    concurrency: 4,
    retries: 3,
    newUserId: () => `new-${++ids}`,
    linkFor: (id) => `https://llm.example.com/ui/?invitation_id=${id}`,
    head: HEAD,
    signal: new AbortController().signal,
    isFatal: (error) => error instanceof Unauthorized,
    beforeDeletes: async () => true,
    onProgress: () => {},
    pause: async () => {},
    ...more,
  };
}

/** A journal in a directory of its own, and the options to apply with it. */
export async function started(proxy: FakeProxy, more: Partial<ApplyOptions> = {}) {
  const directory = await temporaryDirectory();
  const journal = await FileJournal.create(directory);
  return { directory, journal, options: optionsFor(proxy, journal, more) };
}

/** `onboarding_links.csv` as rows of named cells. */
export async function linksIn(directory: string): Promise<Record<string, string>[]> {
  const text = await readFile(join(directory, 'onboarding_links.csv'), 'utf8').catch(() => '');
  return Papa.parse<Record<string, string>>(text, { header: true, delimiter: ',', skipEmptyLines: true }).data;
}
