// Writes the inputs of action.yml from the table in src/inputs.ts, and fills the generated blocks of README and docs:
// tables of inputs and outputs, the help text, whole example files.
// A block stands between `<!-- generated: KIND [ARGUMENT] -->` and `<!-- /generated -->`.
// With --check nothing is written: exit code 1 where a page is out of date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { helpText } from '../src/cli/args.ts';
import { COMMANDS, defaultWords, INPUT_NAMES, inputSpec } from '../src/inputs.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const read = (path) => readFileSync(join(root, path), 'utf8');
const action = parse(read('action.yml'));

const KINDS = {
  inputs: () => table(['Input', 'Default', ''], INPUT_NAMES.map(inputRow)),
  outputs: () => table(['Output', ''], Object.entries(action.outputs).map(outputRow)),
  help: (command) => fence('text', helpText(command ?? null)),
  file: (path) => fence(path.endsWith('.csv') ? 'csv' : 'yaml', read(path)),
};

function inputRow(name) {
  const { description, commands, actionDefault } = inputSpec(name);
  const words = actionDefault === undefined ? defaultWords(name, null, 'action') : `\`${actionDefault}\``;
  const takers = commands.length === COMMANDS.length ? '' : ` (${commands.map((one) => `\`${one}\``).join(', ')})`;
  return [`\`${name}\``, words || '–', `${description}${takers}`];
}

/** Defaults that depend on the command or come of the environment are not in action.yml but in the code: there, words. */
function actionInput(name) {
  const { description, fallback, actionDefault } = inputSpec(name);
  const words = defaultWords(name, null, 'action');
  const preset = actionDefault ?? (typeof fallback === 'string' ? fallback : undefined);
  if (preset !== undefined) return { description, default: preset };
  return { description: words === '' ? description : `${description} Default: ${words}.` };
}

function actionYaml() {
  const inputs = Object.fromEntries(INPUT_NAMES.map((name) => [name, actionInput(name)]));
  const text = stringify({ inputs }, { lineWidth: 0, singleQuote: true });
  return read('action.yml').replace(/^inputs:\n(?:(?: .*)?\n)*/m, () => `${text}\n`);
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
const wanted = new Map([['action.yml', actionYaml()], ...pages.map((page) => [page, filled(page)])]);
const stale = [...wanted].filter(([path, text]) => text !== read(path));
if (process.argv.includes('--check')) {
  for (const [path] of stale) console.error(`${path} is out of date: run \`npm run docs\`.`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const [path, text] of stale) writeFileSync(join(root, path), text);
  console.log(stale.length > 0 ? `Written: ${stale.map(([path]) => path).join(', ')}` : 'All pages are up to date.');
}
