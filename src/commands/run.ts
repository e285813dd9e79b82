import type { ExitCode, SyncHost } from '../host/host.ts';
import type { Command, Inputs } from '../inputs.ts';
import { sync } from './sync.ts';

type Run = (inputs: Inputs, host: SyncHost) => Promise<ExitCode>;

/** Every command by its name: a new one is registered here. */
const RUNS: Partial<Record<Command, Run>> = { sync };

/** Runs the command that the inputs name. */
export function runCommand(inputs: Inputs, host: SyncHost): Promise<ExitCode> {
  return (RUNS[inputs.command] as Run)(inputs, host);
}
