// Fills the generated blocks of README and docs: tables from action.yml, the help text, whole example files.
// A block stands between `<!-- generated: KIND [ARGUMENT] -->` and `<!-- /generated -->`.
// With --check nothing is written: exit code 1 where a page is out of date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { helpText } from '../src/cli/args.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const read = (path) => readFileSync(join(root, path), 'utf8');
const action = parse(read('action.yml'));

const KINDS = {
  inputs: () => table(['Input', 'Default', ''], Object.entries(action.inputs).map(inputRow)),
  outputs: () => table(['Output', ''], Object.entries(action.outputs).map(outputRow)),
  help: () => fence('text', helpText()),
  file: (path) => fence(path.endsWith('.csv') ? 'csv' : 'yaml', read(path)),
};

function inputRow([name, { description, default: fallback }]) {
  const shown = fallback === undefined ? '–' : `\`${fallback}\``;
  return [`\`${name}\``, shown, description];
}

function outputRow([name, { description }]) {
  return [`\`${name}\``, description];
}

function table(header, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

function fence(language, text) {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

const BLOCK = /(<!-- generated: (\w+)(?: (\S+))? -->\n)[\s\S]*?(\n<!-- \/generated -->)/g;

function filled(page) {
  return read(page).replace(BLOCK, (_, begin, kind, argument, end) => {
    if (!(kind in KINDS)) throw new Error(`${page}: unknown generated block '${kind}'; known: ${Object.keys(KINDS)}`);
    return `${begin}\n${KINDS[kind](argument)}\n${end}`;
  });
}

const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs')).flatMap((name) => (/\.md$/.test(name) ? `docs/${name}` : [])),
];
const stale = pages.filter((page) => filled(page) !== read(page));
if (process.argv.includes('--check')) {
  for (const page of stale) console.error(`${page} is out of date: run \`npm run docs\`.`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const page of stale) writeFileSync(join(root, page), filled(page));
  console.log(stale.length > 0 ? `Written: ${stale.join(', ')}` : 'All pages are up to date.');
}
