import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { TerminalHost, terminalLog } from '../../src/host/terminal-host.ts';
import { parseInputs } from '../../src/inputs.ts';
import { planOf, remove } from '../apply/setup.ts';

async function shown(dryRun: 'true' | 'false'): Promise<string> {
  let text = '';
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const terminal = { stdout, stderr: stdout };
  const inputs = parseInputs({ 'dry-run': dryRun }, {}, '/work');
  const log = terminalLog(terminal, false);
  const host = new TerminalHost({ terminal, inputs, log, outputDirectory: '/work', stop: { requested: false } });
  await host.planned(planOf(remove('ann')));
  return text;
}

it('tells a dry run from a run that was to apply its plan and may not', async () => {
  expect(await shown('true')).toContain('DRY RUN - Changes that would be made:');
  expect(await shown('false')).toContain('NOT APPLIED - Changes that would be made:');
});
