// Checks every relative link and anchor in the repository's Markdown pages, and every picture: exit code 1 for a dead one.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import GithubSlugger from 'github-slugger';
import { marked } from 'marked';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' });
const pages = listed.split('\n').filter((path) => path !== '' && !/^(__tests__|dist|node_modules)\//.test(path));

const tokensOf = (page) => marked.lexer(readFileSync(join(root, page), 'utf8'));

/** Anchors as GitHub makes them of headings, and those that are written as HTML. */
function anchorsOf(page) {
  const slugger = new GithubSlugger();
  const anchors = new Set();
  void marked.walkTokens(tokensOf(page), (token) => {
    if (token.type === 'heading') anchors.add(slugger.slug(plain(token)));
    if (token.type === 'html') for (const [, id] of token.text.matchAll(/\b(?:id|name)="([^"]+)"/g)) anchors.add(id);
  });
  return anchors;
}

function plain({ tokens, text }) {
  return tokens === undefined ? (text ?? '') : tokens.map(plain).join('');
}

function targetsOf(page) {
  const targets = [];
  void marked.walkTokens(tokensOf(page), (token) => {
    if (token.type === 'link' || token.type === 'image') targets.push(token.href);
    if (token.type === 'html')
      for (const [, url] of token.text.matchAll(/\b(?:href|src)="([^"]+)"/g)) targets.push(url);
  });
  return targets.filter((target) => !/^[a-z][a-z+.-]*:/i.test(target));
}

function problem(page, target) {
  const [path, anchor] = target.split('#');
  const file = path === '' ? page : posix.normalize(posix.join(posix.dirname(page), decodeURI(path)));
  if (file.startsWith('..')) return 'leads out of the repository';
  if (!existsSync(join(root, file))) return 'no such file';
  if (anchor === undefined || anchor === '' || !file.endsWith('.md')) return null;
  return anchorsOf(file).has(decodeURI(anchor)) ? null : 'no such heading';
}

let checked = 0;
for (const page of pages) {
  for (const target of targetsOf(page)) {
    checked++;
    const why = problem(page, target);
    if (why === null) continue;
    console.error(`${page}: ${target}: ${why}`);
    process.exitCode = 1;
  }
}
console.log(`${checked} relative links in ${pages.length} pages checked.`);
