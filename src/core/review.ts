import { changeDigest, type Digest, planDigests, wholeDigest } from './digest.ts';
import type { Limits } from './limits.ts';
import { withhold, withLimits } from './plan.ts';
import type { Change, Plan } from './plan-types.ts';

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
  const withheld = withhold(plan, 'not reviewed', (change) => !reviewed.approved.has(changeDigest(target, change)));
  return withheld.changes.some((change) => change.withheld === null) ? withLimits(withheld, limits) : withheld;
}

/** Changes that no comment showed. */
export function unreviewed(plan: Plan): Change[] {
  return plan.changes.filter((change) => change.withheld === 'not reviewed');
}
