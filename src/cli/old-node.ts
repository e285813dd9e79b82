import { OLDEST_NODE } from '../version.ts';

// Imported before everything else, and so run before everything else: what an old Node lacks is mostly missed when
// modules are loaded, in words that tell nobody what to do.
if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `litellm-user-sync needs Node ${OLDEST_NODE} or newer, and this is Node ${process.versions.node} (${process.execPath}).\n`,
  );
  process.exit(2);
}
