import { OLDEST_NODE } from '../version.ts';

// Imported, and so run, before everything else: an old Node would fail while modules are loaded, with an error that
// does
// not say what to do.
if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `litellm-user-sync needs Node ${OLDEST_NODE} or newer, and this is Node ${process.versions.node} (${process.execPath}).\n`,
  );
  process.exit(2);
}
