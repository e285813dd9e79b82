// Ends with one sentence where this Node cannot run our TypeScript: npm's scripts run on the dependency `node`, but
// not where npm was kept from running its install script. Plain JavaScript that every old Node reads.
const WANTED = [22, 18];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < WANTED[0] || (major === WANTED[0] && minor < WANTED[1])) {
  console.error(
    `This needs Node ${WANTED.join('.')} or newer, and this is Node ${process.versions.node}: run \`npm ci\` without --ignore-scripts, which brings Node 24 along, or install a newer Node.`,
  );
  process.exitCode = 1;
}
