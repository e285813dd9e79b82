import { createHash } from 'node:crypto';
import { withhold, withLimits } from './diff.ts';
import { emailKey } from './inventory.ts';
import type { Limits } from './limits.ts';
import { type Change, isApplied, isRemoval, type Plan, type TeamRef, type UpdateChange } from './plan.ts';

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

/**
 * Covers target, action, who, what changes from → to, and what becomes of keys; never which keys there are and what
 * else the change costs, which moves on by itself.
 */
export function changeDigest(target: string, change: Change): Digest {
  return sha256([target, ...content(change)]).slice(0, 16);
}

/**
 * Digests of what the plan would write, in its order. Withheld changes were not approved by anybody; expiries need no
 * approval, and come due between a plan and its merge.
 */
export function planDigests(target: string, plan: Plan): Digest[] {
  return plan.changes
    .filter((change) => isApplied(change) && !isExpiry(change))
    .map((change) => changeDigest(target, change));
}

/** Whether the change counts as reviewed, because the merged file names its day. */
function isExpiry(change: Change): boolean {
  return isRemoval(change) && change.expired !== null;
}

/** One digest of all: 32 hexadecimal digits, for plans whose digests fit into no comment. */
export function wholeDigest(digests: readonly Digest[]): string {
  return sha256([...digests].sort()).slice(0, 32);
}

function content(change: Change): unknown[] {
  switch (change.kind) {
    case 'add':
      return ['add', emailKey(change.email), change.role, change.teams && ids(change.teams), ...some(change.limits)];
    case 'delete':
    case 'deactivate':
    case 'invite':
      return [change.kind, change.userId, change.role, ids(change.teams)];
    case 'update':
      return updateContent(change);
  }
}

function updateContent(change: UpdateChange): unknown[] {
  const { rename, limits, reactivates, keyFates } = change;
  return [
    'update',
    change.userId,
    change.role && [change.role.from, change.role.to],
    change.teams && [ids(change.teams.from), ids(change.teams.to)],
    ...some({
      ...(rename && { rename: [rename.from, rename.to] }),
      ...Object.fromEntries(limits.map(({ field, from, to }) => [field, [from, to]])),
      ...(reactivates && { reactivates }),
      ...(keyFates.length > 0 && { keys: keyFates.map(({ team, fate, to }) => [team.teamId, fate, to?.teamId ?? null]) }),
    }),
  ];
}

/** New fields enter a digest only where they say something: comments of older versions go on counting. */
function some(fields: Readonly<Record<string, unknown>>): unknown[] {
  return Object.keys(fields).length === 0 ? [] : [fields];
}

function ids(teams: readonly TeamRef[]): string[] {
  return teams.map((team) => team.teamId).sort();
}

function sha256(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** What a comment of ours says to later runs, hidden from its reader. */
export interface Marker {
  /** See `targetHash`. */
  readonly target: string;
  /** Changes that the comment showed and that were not applied yet. */
  readonly digests: readonly Digest[];
  /** In place of `digests` where those are too many: all or nothing. */
  readonly whole: string | null;
}

/** Base64 of 4,500 digests: leaves 17,000 of a comment's 65,536 characters to its reader. */
const MOST_DIGESTS = 4_500;

/** A marker for these digests; one digest of the whole where they are too many for a comment. */
export function markerFor(target: string, digests: readonly Digest[]): Marker {
  return digests.length <= MOST_DIGESTS
    ? { target, digests, whole: null }
    : { target, digests: [], whole: wholeDigest(digests) };
}

/** One line, an HTML comment: the first line of a comment's body. */
export function markerText({ target, digests, whole }: Marker): string {
  const packed = Buffer.from(digests.join(''), 'hex').toString('base64');
  return `<!-- litellm-user-sync:1 target=${target} digests=${packed} whole=${whole ?? ''} -->`;
}

const MARKER = /^<!-- litellm-user-sync:1 target=([0-9a-f]{16}) digests=([0-9A-Za-z+/=]*) whole=([0-9a-f]{32})? -->/;

/** Reads the marker at the very beginning of a body; `null` where there is none or it is another target's. */
export function parseMarker(body: string, target: string): Marker | null {
  const found = MARKER.exec(body);
  if (found === null || found[1] !== target) return null;
  const packed = Buffer.from(found[2] as string, 'base64').toString('hex');
  return { target, digests: packed.match(/.{16}/g) ?? [], whole: found[3] ?? null };
}

/** The body with another marker in place of its own. */
export function replaceMarker(body: string, marker: Marker): string {
  return body.replace(MARKER, () => markerText(marker));
}

/** What comments on merged pull requests showed. */
export interface Reviewed {
  readonly approved: ReadonlySet<Digest>;
  /** Digests of whole plans, see `markerFor`. */
  readonly wholes: ReadonlySet<string>;
}

/**
 * The plan with everything withheld that nobody reviewed. Its limits are measured on what is left; if nothing is,
 * they stay measured on all of it, so that a plan that was red in its pull request does not turn green by being skipped.
 */
export function withholdUnreviewed(plan: Plan, target: string, reviewed: Reviewed, limits: Limits): Plan {
  const digests = planDigests(target, plan);
  if (digests.length === 0 || reviewed.wholes.has(wholeDigest(digests))) return plan;
  const withheld = withhold(
    plan,
    'not reviewed',
    (change) => !isExpiry(change) && !reviewed.approved.has(changeDigest(target, change)),
  );
  return withheld.changes.some(isApplied) ? withLimits(withheld, limits) : withheld;
}

/** Changes that no comment showed. */
export function unreviewed(plan: Plan): Change[] {
  return plan.changes.filter((change) => change.withheld === 'not reviewed');
}
