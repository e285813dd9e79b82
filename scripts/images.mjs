// Makes the pictures of the README from what the demo really prints and writes: docs/images/comment.png, demo.png.
// Needs Chromium (CHROMIUM_PATH, else /usr/bin/chromium).
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { commentHtml, STYLE } from '../__tests__/e2e/comment-page.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

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
  await page.setContent(`<!doctype html><meta charset="utf-8"><style>${STYLE}</style>${body}`);
  await page.locator('body > div').screenshot({ path: join(root, 'docs', 'images', name) });
  console.log(`docs/images/${name}`);
}

mkdirSync(join(root, 'docs', 'images'), { recursive: true });
const output = demo();
const executablePath = process.env.CHROMIUM_PATH || '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({
    viewport: { width: 1240, height: 800 },
    deviceScaleFactor: 2,
    colorScheme: 'light',
  });
  await picture(page, 'comment.png', commentHtml(readFileSync(join(root, 'demo-output', 'comment.md'), 'utf8')));
  await picture(page, 'demo.png', terminal('npm run demo', output));
} finally {
  await browser.close();
}
