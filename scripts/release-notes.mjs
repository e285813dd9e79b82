// Prints the section of CHANGELOG.md that belongs to a tag: `node scripts/release-notes.mjs v1.2.3`.
// Exit code 1 where package.json, src/version.ts or the changelog are not at that version yet.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../src/version.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const read = (path) => readFileSync(join(root, path), 'utf8');
const [tag = ''] = process.argv.slice(2);
const version = tag.replace(/^v/, '');

/** What stands below `## [1.2.3] - 2026-01-31`, up to the next version. */
function section(changelog) {
  const [, ...sections] = changelog.split(/^## /m);
  const found = sections.find((text) => text.startsWith(`[${version}] - `));
  return found?.slice(found.indexOf('\n')).trim() ?? '';
}

/** A release's page resolves no links of the repository: they are given its address, at this tag. */
function withWholeLinks(text) {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env;
  if (!server || !repository) return text;
  return text.replace(/\]\((?![a-z]+:|#)/g, `](${server}/${repository}/blob/${tag}/`);
}

const notes = section(read('CHANGELOG.md'));
const problems = [
  [/^v\d+\.\d+\.\d+$/.test(tag), `The tag '${tag}' is no version such as v1.2.3.`],
  [JSON.parse(read('package.json')).version === version, `package.json is not at version ${version}.`],
  [VERSION === version, `src/version.ts is not at version ${version}.`],
  [notes !== '', `CHANGELOG.md has no section '## [${version}] - DATE'.`],
].flatMap(([holds, problem]) => (holds ? [] : [problem]));
if (problems.length === 0) console.log(withWholeLinks(notes));
else {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}
