#!/usr/bin/env node
import { OLDEST_NODE } from './version.ts';

/** The tool itself is loaded only by a Node that can: an older one may fail at its first line, and not say why. */
if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `litellm-user-sync needs Node ${OLDEST_NODE} or newer, and this is Node ${process.versions.node} (${process.execPath}).\n`,
  );
  process.exitCode = 2;
} else {
  const { main } = await import('./cli/run.ts');
  await main();
}
