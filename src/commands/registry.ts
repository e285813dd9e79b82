import type { ExitCode, Host } from '../host/port.ts';
import type { Command, Inputs } from '../inputs.ts';
import { ADD } from './add.ts';
import { DELETE } from './delete.ts';
import { exportUsers } from './export.ts';
import { finishInterrupted, runWriting, type Writing, type Writings } from './lifecycle.ts';
import { list } from './list.ts';
import { ONBOARD } from './onboard.ts';
import { SYNC } from './sync.ts';
import { writeExisting } from './update-existing.ts';

const WRITINGS: Writings = { sync: SYNC, add: ADD, delete: DELETE, onboard: ONBOARD };

type RunCommand = <E>(inputs: Inputs, host: Host<E>) => Promise<ExitCode>;

const writing =
  (command: Writing): RunCommand =>
  (inputs, host) =>
    runWriting(command, WRITINGS, inputs, host);

/** Every command by its name: a new one is registered here. */
const RUNS: Readonly<Record<Command, RunCommand>> = {
  sync: writing(SYNC),
  // With `update-existing` nobody is created, as in `add_user.py`.
  add: (inputs, host) => (inputs.updateExisting ? writeExisting(inputs, host) : writing(ADD)(inputs, host)),
  delete: writing(DELETE),
  onboard: writing(ONBOARD),
  list,
  export: exportUsers,
};

/** Runs the command that the inputs name. */
export function runCommand<E>(inputs: Inputs, host: Host<E>): Promise<ExitCode> {
  return RUNS[inputs.command](inputs, host);
}

/** Ends what a killed run of any command left in the output directory. */
export function runLeftovers<E>(inputs: Inputs, host: Host<E>): Promise<ExitCode> {
  return finishInterrupted(WRITINGS, inputs, host);
}
