import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Locator } from 'playwright-core';

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
  const profile = mkdtempSync(join(tmpdir(), 'e2e-browser-'));
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: FLAGS });
  try {
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
