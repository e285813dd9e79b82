import { setOutput } from '@actions/core';

/** The action's outputs, in the order of `action.yml`. */
export interface Outputs {
  readonly 'has-changes': boolean;
  readonly added: number;
  readonly deleted: number;
  readonly updated: number;
  readonly deactivated: number;
  readonly reactivated: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly skipped: number;
  readonly 'plan-file': string;
  readonly 'result-file': string;
  readonly 'comment-url': string;
  readonly 'artifact-url': string;
  readonly 'onboarding-artifact-url': string;
}

/** What a run that did nothing has to say. */
export const NO_OUTPUTS: Outputs = {
  'has-changes': false,
  added: 0,
  deleted: 0,
  updated: 0,
  deactivated: 0,
  reactivated: 0,
  unchanged: 0,
  failed: 0,
  skipped: 0,
  'plan-file': '',
  'result-file': '',
  'comment-url': '',
  'artifact-url': '',
  'onboarding-artifact-url': '',
};

/** Sets every output, also those without a value: a workflow's `if:` then compares with what is documented. */
export function setOutputs(outputs: Outputs): void {
  for (const [name, value] of Object.entries(outputs)) setOutput(name, value);
}
