// Makes the pictures of the README from what the demo really prints and writes: docs/images/comment.png, demo.png.
// Needs Chromium (CHROMIUM_PATH, else /usr/bin/chromium).
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Marked } from 'marked';
import { chromium } from 'playwright-core';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const style = readFileSync(join(root, 'scripts', 'images.css'), 'utf8');

/** GitHub's `> [!WARNING]`, which Markdown itself does not know. */
const ALERT = /^<p>\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*(?:<br>)?\s*/;
const markdown = new Marked({
  gfm: true,
  renderer: {
    blockquote({ tokens }) {
      const body = this.parser.parse(tokens);
      const kind = ALERT.exec(body)?.[1];
      if (kind === undefined) return `<blockquote>${body}</blockquote>`;
      const title = kind[0] + kind.slice(1).toLowerCase();
      return `<blockquote class="alert ${title.toLowerCase()}"><b>${title}</b>${body.replace(ALERT, '<p>')}</blockquote>`;
    },
  },
});

function comment(text) {
  return `<div class="comment"><header><strong>github-actions</strong><span>bot</span>commented</header>
    <div class="markdown">${markdown.parse(text)}</div></div>`;
}

function terminal(command, output) {
  return `<div class="terminal"><header><i></i><i></i><i></i></header><pre>$ ${command}\n${escaped(output)}</pre></div>`;
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** From the demo's beginning to its third step: what comes behind is long, and is read better as text. */
function demo() {
  const output = execFileSync('npm', ['run', '--silent', 'demo'], { cwd: root, encoding: 'utf8' });
  const [shown] = output.replaceAll(`${root}/`, '').split('\n\n3. ');
  return shown.trimEnd();
}

async function picture(page, name, body) {
  await page.setContent(`<!doctype html><meta charset="utf-8"><style>${style}</style>${body}`);
  await page.locator('body > div').screenshot({ path: join(root, 'docs', 'images', name) });
  console.log(`docs/images/${name}`);
}

mkdirSync(join(root, 'docs', 'images'), { recursive: true });
const output = demo();
const executablePath = process.env.CHROMIUM_PATH || '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: { width: 1240, height: 800 }, deviceScaleFactor: 2 });
  await picture(page, 'comment.png', comment(readFileSync(join(root, 'demo-output', 'comment.md'), 'utf8')));
  await picture(page, 'demo.png', terminal('npm run demo', output));
} finally {
  await browser.close();
}
