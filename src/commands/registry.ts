import type { AnyHost, ExitCode } from '../host/port.ts';
import type { Command, Inputs } from '../inputs.ts';
import { add } from './add.ts';
import { deleteUsers } from './delete.ts';
import { exportUsers } from './export.ts';
import { list } from './list.ts';
import { onboard } from './onboard.ts';
import { sync } from './sync.ts';

type Run = (inputs: Inputs, host: AnyHost) => Promise<ExitCode>;

/** Every command by its name: a new one is registered here. */
const RUNS: Readonly<Record<Command, Run>> = { sync, add, delete: deleteUsers, onboard, list, export: exportUsers };

/** Runs the command that the inputs name. */
export function runCommand(inputs: Inputs, host: AnyHost): Promise<ExitCode> {
  return RUNS[inputs.command](inputs, host);
}
