import type { RunEvent } from './event.ts';

export type DryRun = 'auto' | 'true' | 'false';

export type Mode =
  | { readonly mode: 'plan' }
  | { readonly mode: 'apply' }
  /** `reason`: a whole sentence with the way out. */
  | { readonly mode: 'refused'; readonly reason: string };

/**
 * Whether this run may write. `auto` applies only what has arrived on the default branch (`push`, `workflow_dispatch`)
 * and plans on everything else, known or not.
 */
export function decideMode(event: RunEvent, dryRun: DryRun): Mode {
  if (event.name === 'pull_request_target') {
    return {
      mode: 'refused',
      reason:
        "The event 'pull_request_target' gives the repository's secrets to a stranger's pull request: " +
        "it is never served. Use 'on: pull_request'.",
    };
  }
  if (dryRun === 'true') return { mode: 'plan' };
  if (dryRun === 'auto') return { mode: arrivedOnDefaultBranch(event) ? 'apply' : 'plan' };
  const isMerged = event.pullRequest === null && !/^(pull_request|merge_group)/.test(event.name);
  if (isMerged) return { mode: 'apply' };
  return {
    mode: 'refused',
    reason:
      `'dry-run: false' would apply a file that nobody has merged yet (event '${event.name}'). ` +
      "Leave 'dry-run' at 'auto': the pull request is planned, and applied when it is merged.",
  };
}

function arrivedOnDefaultBranch({ name, branch, defaultBranch }: RunEvent): boolean {
  return (name === 'push' || name === 'workflow_dispatch') && branch !== null && branch === defaultBranch;
}
