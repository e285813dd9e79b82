import { createHash } from 'node:crypto';
import type { Change, Plan, TeamRef } from './plan-types.ts';
import { emailKey } from './user.ts';

/** 16 hexadecimal digits, 64 bits: names one change so that a later run knows whether it was reviewed. */
export type Digest = string;

/**
 * Names one of several proxies or files without telling the proxy's host. 16 hexadecimal digits.
 * With `target` that alone counts: the file may be renamed and the proxy may move.
 */
export function targetHash(of: { target: string; csvFile: string; baseUrl: string }): string {
  const parts = of.target === '' ? ['file', of.csvFile, of.baseUrl] : ['target', of.target];
  return sha256(parts).slice(0, 16);
}

/** Covers target, action, who, role and teams from → to; never what the change costs, which moves on by itself. */
export function changeDigest(target: string, change: Change): Digest {
  return sha256([target, ...content(change)]).slice(0, 16);
}

/** Digests of what the plan would write, in its order. Withheld changes were not approved by anybody. */
export function planDigests(target: string, plan: Plan): Digest[] {
  return plan.changes.filter((change) => change.withheld === null).map((change) => changeDigest(target, change));
}

/** One digest of all: 32 hexadecimal digits, for plans whose digests fit into no comment. */
export function wholeDigest(digests: readonly Digest[]): string {
  return sha256([...digests].sort()).slice(0, 32);
}

function content(change: Change): unknown[] {
  switch (change.kind) {
    case 'add':
      return ['add', emailKey(change.email), change.role, change.teams && ids(change.teams)];
    case 'delete':
      return ['delete', change.userId, change.role, ids(change.teams)];
    case 'update':
      return [
        'update',
        change.userId,
        change.role && [change.role.from, change.role.to],
        change.teams && [ids(change.teams.from), ids(change.teams.to)],
      ];
  }
}

function ids(teams: readonly TeamRef[]): string[] {
  return teams.map((team) => team.teamId).sort();
}

function sha256(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
