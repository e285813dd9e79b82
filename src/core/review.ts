import { createHash } from 'node:crypto';
import type { DesiredUser } from './desired.ts';
import { addition, type Policy, withLimits } from './diff.ts';
import { emailKey, ROLES, type Role, type UserLimits } from './inventory.ts';
import type { Limits } from './limits.ts';
import { compare } from './order.ts';
import {
  type AddChange,
  type Change,
  isApplied,
  isRemoval,
  type LimitField,
  type Plan,
  type TeamKeysFate,
  type TeamMove,
  type TeamRef,
  type UpdateChange,
} from './plan.ts';
import { sortTeams } from './teams.ts';

/** 16 hexadecimal digits, 64 bits: names one change so that a later run knows whether it was reviewed. */
export type Digest = string;

/**
 * Names one of several proxies or files without telling the proxy's host. 16 hexadecimal digits.
 * With `target` that alone counts: the file may be renamed and the proxy may move. Else two spellings of one file or
 * one address are one target: `./user_list.csv`, letter case of the host, `:443`, a slash at the end.
 * @param of.csvPath from the repository's root where the file is in it
 */
export function targetHash(of: { target: string; csvPath: string; baseUrl: string }): string {
  const parts = of.target === '' ? ['file', plainPath(of.csvPath), plainAddress(of.baseUrl)] : ['target', of.target];
  return sha256(parts).slice(0, 16);
}

function plainPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.replaceAll('\\', '/').split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return (path.startsWith('/') ? '/' : '') + parts.join('/');
}

/** The parser of addresses lower-cases the host and drops the default port. Who asks and how is no part of a target. */
function plainAddress(baseUrl: string): string {
  if (!URL.canParse(baseUrl)) return baseUrl;
  const { protocol, host, pathname } = new URL(baseUrl);
  return `${protocol}//${host}${pathname}`.replace(/\/+$/, '');
}

/**
 * Covers target, action, who, role and teams from → to, and what else of a user changes, where it does; never what
 * the change costs, which moves on by itself. Keys are covered as what becomes of them, not one by one.
 */
export function changeDigest(target: string, change: Change): Digest {
  return sha256([target, ...content(change)]).slice(0, 16);
}

/**
 * Digests of what the plan would write, in its order. Withheld changes were not approved by anybody, and who leaves
 * because the day in their row has passed was approved with that row.
 */
export function planDigests(target: string, plan: Plan): Digest[] {
  return plan.changes.filter(needsReview).map((change) => changeDigest(target, change));
}

function needsReview(change: Change): boolean {
  return isApplied(change) && !(isRemoval(change) && change.expired !== null);
}

/** One digest of all: 32 hexadecimal digits, for plans whose digests fit into no comment. */
export function wholeDigest(digests: readonly Digest[]): string {
  return sha256([...digests].sort()).slice(0, 32);
}

/** First the fields that every change has; the others follow only where they change. */
function content(change: Change): unknown[] {
  switch (change.kind) {
    case 'add':
      return [
        'add',
        emailKey(change.email),
        change.role,
        change.teams && ids(change.teams),
        ...limitParts(Object.entries(change.limits) as [LimitField, LimitValue][]),
      ];
    case 'delete':
    case 'deactivate':
    case 'invite':
      return [change.kind, change.userId, change.role, ids(change.teams)];
    case 'update':
      return [
        'update',
        change.userId,
        change.role && [change.role.from, change.role.to],
        change.teams && [ids(change.teams.from), ids(change.teams.to)],
        ...updateParts(change),
      ];
  }
}

function updateParts({ rename, limits, reactivates, keyFates }: UpdateChange): unknown[] {
  return [
    ...(rename ? [['rename', emailKey(rename.from), emailKey(rename.to)]] : []),
    ...limitParts(limits.map(({ field, from, to }): [LimitField, LimitValue, LimitValue] => [field, from, to])),
    ...(reactivates ? ['reactivates'] : []),
    ...keyParts(keyFates.filter(({ fate }) => fate !== 'survives')),
  ];
}

/** What becomes of the keys of each team that is left, whether there are any or not. */
function keyParts(fates: readonly TeamKeysFate[]): unknown[] {
  const parts = fates.map(({ team, to }) => [team.teamId, to?.teamId ?? null]);
  return parts.length === 0 ? [] : [['keys', parts]];
}

type LimitValue = UserLimits[LimitField] | undefined;

function limitParts(fields: readonly (readonly [LimitField, ...LimitValue[]])[]): unknown[] {
  const sorted = [...fields].sort(([a], [b]) => compare(a, b));
  return sorted.map(([field, ...values]) => ['limit', field, ...values.map(asSet)]);
}

function asSet(value: LimitValue): LimitValue {
  return Array.isArray(value) ? [...new Set(value)].sort() : value;
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
  /** Changes that the comment showed and that were applied: they approve nothing any more. */
  readonly applied: readonly Digest[];
}

/** Base64 of 4,500 digests: leaves 17,000 of a comment's 65,536 characters to its reader. */
const MOST_DIGESTS = 4_500;

/** A marker for these digests; one digest of the whole where they are too many for a comment. */
export function markerFor(target: string, digests: readonly Digest[]): Marker {
  return digests.length <= MOST_DIGESTS
    ? { target, digests, whole: null, applied: [] }
    : { target, digests: [], whole: wholeDigest(digests), applied: [] };
}

/** One line, an HTML comment: the first line of a comment's body. */
export function markerText({ target, digests, whole, applied }: Marker): string {
  const done = applied.length === 0 ? '' : ` applied=${packed(applied)}`;
  return `<!-- litellm-user-sync:1 target=${target} digests=${packed(digests)} whole=${whole ?? ''}${done} -->`;
}

const BASE64 = '([0-9A-Za-z+/=]*)';
const MARKER = new RegExp(
  `^<!-- litellm-user-sync:1 target=([0-9a-f]{16}) digests=${BASE64} whole=([0-9a-f]{32})?(?: applied=${BASE64})? -->`,
);

/** Reads the marker at the very beginning of a body, whatever its target; `null` where there is none. */
export function readMarker(body: string): Marker | null {
  const found = MARKER.exec(body);
  if (found === null) return null;
  const [, target = '', digests = '', whole = null, applied = ''] = found;
  return { target, digests: unpacked(digests), whole, applied: unpacked(applied) };
}

/** Reads the marker at the very beginning of a body; `null` where there is none or it is another target's. */
export function parseMarker(body: string, target: string): Marker | null {
  const marker = readMarker(body);
  return marker?.target === target ? marker : null;
}

/** The body with another marker in place of its own. */
export function replaceMarker(body: string, marker: Marker): string {
  return body.replace(MARKER, () => markerText(marker));
}

function packed(digests: readonly Digest[]): string {
  return Buffer.from(digests.join(''), 'hex').toString('base64');
}

function unpacked(text: string): Digest[] {
  return Buffer.from(text, 'base64').toString('hex').match(/.{16}/g) ?? [];
}

/** The first line of the issue about drift. It names the target, and approves nothing. */
export function driftMarker(target: string): string {
  return `<!-- litellm-user-sync:drift target=${target} -->`;
}

/** What comments on merged pull requests showed. */
export interface Reviewed {
  readonly approved: ReadonlySet<Digest>;
  /** Digests of whole plans, see `markerFor`. */
  readonly wholes: ReadonlySet<string>;
}

/** By email key: the add that the row of an update would be, were its user not there. */
export type Additions = ReadonlyMap<string, AddChange>;

/** What the rows of the plan's updates would have been as adds, for {@link withholdUnreviewed}. */
export function additionsFor(
  plan: Plan,
  rows: readonly DesiredUser[],
  policy: Pick<Policy, 'userRole' | 'noAdd' | 'apiKeys'>,
): Additions {
  const updated = new Set(plan.changes.flatMap((change) => (change.kind === 'update' ? emailKey(change.email) : [])));
  const rowsOfUpdates = rows.filter((row) => updated.has(emailKey(row.email)));
  return new Map(rowsOfUpdates.map((row) => [emailKey(row.email), addition(row, policy)]));
}

/** Digests that approve a change, any one of them: an update has the one of the add that it was at the review, too. */
function approvingDigests(target: string, change: Change, additions: Additions): Digest[] {
  const asAdd = change.kind === 'update' ? additions.get(emailKey(change.email)) : undefined;
  return [change, asAdd].flatMap((one) => (one === undefined ? [] : changeDigest(target, one)));
}

/** What has to be looked for on merged pull requests: for each change the digests that approve it. */
export function wantedDigests(target: string, plan: Plan, additions: Additions): Digest[][] {
  return plan.changes.filter(needsReview).map((change) => approvingDigests(target, change, additions));
}

/** The digest by whose approval a change of a reviewed plan is carried out. */
export function approvalDigest(target: string, change: Change): Digest {
  const asAdd = change.kind === 'update' ? change.approvedAsAdd : null;
  return asAdd?.digest ?? changeDigest(target, change);
}

/**
 * The plan with everything withheld that nobody reviewed. Its limits are measured on what is left; if nothing is,
 * they stay measured on all of it, so that a plan that was red in its pull request does not turn green by being skipped.
 * An update of a user who was created after their add was reviewed is reduced to what that add would have done.
 */
export function withholdUnreviewed(
  plan: Plan,
  target: string,
  reviewed: Reviewed,
  { limits, additions }: { limits: Limits; additions: Additions },
): Plan {
  const digests = planDigests(target, plan);
  if (digests.length === 0 || reviewed.wholes.has(wholeDigest(digests))) return plan;
  const changes = plan.changes.map((change) => reviewedPart(change, { target, reviewed, additions }));
  const withheld = { ...plan, changes };
  return changes.some(isApplied) ? withLimits(withheld, limits) : withheld;
}

function reviewedPart(
  change: Change,
  { target, reviewed, additions }: { target: string; reviewed: Reviewed; additions: Additions },
): Change {
  if (!needsReview(change)) return change;
  const [own, asAdd] = approvingDigests(target, change, additions);
  if (reviewed.approved.has(own as Digest)) return change;
  const isCovered = change.kind === 'update' && asAdd !== undefined && reviewed.approved.has(asAdd);
  const part = isCovered ? coveredByAdd(change, asAdd) : null;
  return part ?? { ...change, withheld: 'not reviewed' };
}

/**
 * As much of an update as the add of the same row would have brought about; `null`: nothing of it. Whom the row would
 * rename is not the user of that email.
 */
function coveredByAdd(change: UpdateChange, digest: Digest): UpdateChange | null {
  const role = change.role !== null && isHarmless(change.role) ? change.role : null;
  const teams = change.teams === null ? null : joinOnly(change.teams);
  if (change.rename !== null || (role === null && teams === null)) return null;
  const leftOut = [
    ...(change.role !== role ? ['role'] : []),
    ...(change.teams !== null && change.teams.leave.length > 0 ? ['teams to leave'] : []),
    ...(change.limits.length > 0 ? ['limits'] : []),
    ...(change.reactivates ? ['deactivation'] : []),
  ];
  const nothingElse = { limits: [], reactivates: false, keyFates: [], leftKeys: [], losses: [] };
  return { ...change, ...nothingElse, role, teams, approvedAsAdd: { digest, leftOut } };
}

/** An administrator's role is never set on the approval of an add, and no role is lowered on it. */
function isHarmless({ from, to }: { readonly from: string | null; readonly to: Role }): boolean {
  return !to.startsWith('proxy_admin') && rank(to) < rank(from);
}

/** `ROLES` begins with the most powerful one. A role that we do not know may be any; no role at all is less than each. */
function rank(role: string | null): number {
  return role === null ? ROLES.length : (ROLES as readonly string[]).indexOf(role);
}

/** Without the half memberships that would have to be left first. */
function joinOnly({ from, join: all, rejoin }: TeamMove): TeamMove | null {
  const halves = new Set(rejoin.map((team) => team.teamId));
  const join = all.filter((team) => !halves.has(team.teamId));
  const present = new Set(from.map((team) => team.teamId));
  const to = sortTeams([...from, ...join.filter((team) => !present.has(team.teamId))]);
  return join.length === 0 ? null : { from, to, join, rejoin: [], leave: [] };
}

/** What the row of an update says that is carried out on the approval of an add; `null` for every other change. */
export function approvedAsAddNote(change: Change): string | null {
  const asAdd = change.kind === 'update' ? change.approvedAsAdd : null;
  if (asAdd === null) return null;
  const left = asAdd.leftOut.length === 0 ? '' : ` Not reviewed and left as it is: ${asAdd.leftOut.join(', ')}.`;
  return `Reviewed as a new user, who came to be in the meantime: no key, link or mail is made.${left}`;
}

/** Changes that no comment showed. */
export function unreviewed(plan: Plan): Change[] {
  return plan.changes.filter((change) => change.withheld === 'not reviewed');
}
