import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BrowserContext, chromium, type Locator } from 'playwright-core';
import { commentHtml, STYLE } from './comment-page.ts';

/** Nothing of the browser's own goes over the network. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** What a new user sees behind an onboarding link. */
export interface Onboarding {
  /** In the form, before they type anything. */
  readonly email: string;
  /** Where they are after they have sent the form. */
  readonly arrivedAt: string;
}

/**
 * Opens an onboarding link and sets a password, as its receiver does.
 * @param pictures screenshots of the form and of what comes after it are written to `<pictures>-form.png`, `…-done.png`
 */
export async function acceptInvitation(link: string, password: string, pictures: string): Promise<Onboarding> {
  return inBrowser(async (context) => {
    const page = await context.newPage();
    await page.goto(link);
    const form = page.locator('form');
    await form.locator('input[type=password]').first().waitFor({ timeout: 30_000 });
    const email = await shownEmail(form.locator('input:not([type=password])').first());
    await page.screenshot({ path: `${pictures}-form.png` });
    for (const field of await form.locator('input[type=password]').all()) await field.fill(password);
    const claimed = page.waitForResponse((response) => response.url().includes('/onboarding/claim_token'));
    await form.locator('button[type=submit]').click();
    const answer = await claimed;
    if (!answer.ok()) throw new Error(`The password was not accepted: ${answer.status()} ${await answer.text()}`);
    await page.waitForURL((url) => !url.pathname.includes('onboarding'), { timeout: 30_000 });
    await page.getByText('Loading', { exact: false }).first().waitFor({ state: 'hidden', timeout: 30_000 });
    await page.waitForLoadState('networkidle');
    await page.screenshot({ path: `${pictures}-done.png` });
    return { email, arrivedAt: page.url() };
  });
}

/** Writes what a comment looks like to `<pictures>-light.png` and `<pictures>-dark.png`. */
export async function photograph(comment: string, pictures: string): Promise<void> {
  await inBrowser(async (context) => {
    const page = await context.newPage();
    await page.setViewportSize({ width: 908, height: 200 });
    await page.setContent(`<!doctype html><meta charset="utf-8"><style>${STYLE}</style>${commentHtml(comment)}`);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${pictures}-${colorScheme}.png`, fullPage: true });
    }
  });
}

/** A browser with a profile of its own. */
async function inBrowser<T>(work: (context: BrowserContext) => Promise<T>): Promise<T> {
  const profile = mkdtempSync(join(tmpdir(), 'e2e-browser-'));
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: FLAGS });
  try {
    return await work(context);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** The page fills it in once it has asked the proxy; empty where it does not. */
async function shownEmail(field: Locator): Promise<string> {
  for (let look = 0; look < 50; look++) {
    const email = await field.inputValue();
    if (email !== '') return email;
    await sleep(200);
  }
  return '';
}
