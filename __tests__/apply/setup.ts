import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Papa from 'papaparse';
import { onTestFinished } from 'vitest';
import type { ApplyOptions } from '../../src/apply/apply.ts';
import type { LinkJournal } from '../../src/apply/ports.ts';
import type { Role } from '../../src/core/inventory.ts';
import type {
  AddChange,
  Change,
  DeactivateChange,
  DeleteChange,
  InviteChange,
  LimitChange,
  Plan,
  TeamRef,
  UpdateChange,
} from '../../src/core/plan.ts';
import { FileJournal } from '../../src/journal/journal.ts';
import { type FakeProxy, type Life, NO_LIMITS, Unauthorized } from './fake-proxy.ts';

export function teams(...ids: string[]): TeamRef[] {
  return ids.map((id) => ({ teamId: id, name: `Team ${id}` }));
}

export function add(email: string, more: Partial<AddChange> = {}): AddChange {
  const row = {
    line: null,
    email,
    role: 'internal_user',
    teams: null,
    keyName: null,
    limits: {},
    conflicts: [],
  } as const;
  return { kind: 'add', ...row, withheld: null, ...more };
}

export function remove(userId: string, more: Partial<DeleteChange> = {}): DeleteChange {
  return { kind: 'delete', ...leaver(userId), ...more };
}

export function deactivate(userId: string, more: Partial<DeactivateChange> = {}): DeactivateChange {
  return { kind: 'deactivate', ...leaver(userId), ...more };
}

function leaver(userId: string) {
  const row = { line: null, email: `${userId}@example.com`, userId, role: 'internal_user', teams: [] };
  return { ...row, keyCount: 0, spend: 0, active: true, expired: null, withheld: null };
}

export function invite(userId: string, more: Partial<InviteChange> = {}): InviteChange {
  const row = { email: `${userId}@example.com`, userId, role: 'internal_user', teams: [] };
  return { kind: 'invite', ...row, withheld: null, ...more };
}

export function update(userId: string, more: Partial<UpdateChange> = {}): UpdateChange {
  return {
    kind: 'update',
    line: null,
    email: `${userId}@example.com`,
    userId,
    role: null,
    rename: null,
    teams: null,
    limits: [],
    reactivates: false,
    currentRole: 'internal_user',
    currentTeams: [],
    currentLimits: NO_LIMITS,
    spend: 0,
    keyFates: [],
    leftKeys: [],
    losses: [],
    conflicts: [],
    approvedAsAdd: null,
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
    teams: { from: teams(...from), to: teams(...to), join: teams(...join), rejoin: [], leave: teams(...leave) },
    currentTeams: teams(...from),
  });
}

/** A move whose keys go along, to a team that is joined or that the user is in already. */
export function moveWithKeys(userId: string, from: string[], to: string[], keysTo: string): UpdateChange {
  const change = move(userId, from, to);
  const [destination] = teams(keysTo);
  if (destination === undefined) throw new Error('No destination');
  return {
    ...change,
    keyFates: (change.teams?.leave ?? []).map((team) => ({ team, fate: 'moves', to: destination })),
  };
}

export function rename(userId: string, to: string): UpdateChange {
  return update(userId, { email: to, rename: { from: `${userId}@example.com`, to } });
}

export function setLimits(userId: string, ...limits: LimitChange[]): UpdateChange {
  return update(userId, { limits });
}

export function planOf(...changes: Change[]): Plan {
  const unmanaged = { withoutEmail: 0, otherRole: 0, ownUser: 0, protected: 0, deactivated: 0 };
  const told = { deactivated: 0, breaches: [], warnings: [], notes: [], leavingSoon: [] };
  return { changes, unchanged: [], managed: changes.length, admins: 1, unmanaged, ...told };
}

const silent = { debug: () => {}, info: () => {}, warning: () => {}, error: () => {} };

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'apply-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** What the first line of a journal tells of the run. */
export const HEAD = { proxy: 'proxy', rows: null } as const;

let ids = 0;

export function optionsFor(proxy: FakeProxy, journal: LinkJournal, more: Partial<ApplyOptions> = {}): ApplyOptions {
  return {
    proxy,
    journal,
    log: silent,
    command: 'sync',
    apiKeys: true,
    invitations: true,
    recreateOnFailure: false,
    minAdmins: 0,
    deliver: null,
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

export type Moment = 'before' | 'after';

/** Counts steps; the process dies at the n-th, before or after it has taken effect. */
export function stepOf(at: number, moment: Moment, life: Life) {
  let steps = 0;
  return async <T>(effect: () => Promise<T>): Promise<T> => {
    const mine = ++steps === at;
    if (mine && moment === 'before') {
      life.end();
      return new Promise(() => undefined);
    }
    const result = await effect();
    if (mine) life.end();
    return result;
  };
}

/** A journal whose writes are steps at which its process may die. */
export function dyingAt(journal: LinkJournal, step: ReturnType<typeof stepOf>, life: Life): LinkJournal {
  return life.bind<LinkJournal>({
    onboardingFile: journal.onboardingFile,
    begin: (plan, head) => step(() => journal.begin(plan, head)),
    intend: (rows) => step(() => journal.intend(rows)),
    onboarding: (rows, when) => step(() => journal.onboarding(rows, when)),
    mail: (index, state) => step(() => journal.mail(index, state)),
    recorded: (rows) => step(() => journal.recorded(rows)),
    finish: (complete) => step(() => journal.finish(complete)),
  });
}
