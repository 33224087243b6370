// Elements as a screen reader has them: by role and name.
import type { ElementHandle, Page } from 'puppeteer-core';
import { patience } from '../../support/patience.ts';

const LIMIT_MS = 30_000;

export const named = (role: string, name: string) => `::-p-aria([role="${role}"][name="${name}"])`;

/** The element of this role and name, once it is there. */
export async function find(page: Page, role: string, name: string): Promise<ElementHandle> {
  const found = await page.waitForSelector(named(role, name), { timeout: patience(LIMIT_MS) });
  if (!found) throw new Error(`there is no ${role} ${name}`);
  return found;
}

/** Clicks it; what is drawn again at that moment is found again. */
export async function press(page: Page, role: string, name: string): Promise<void> {
  await page.locator(named(role, name)).setTimeout(patience(LIMIT_MS)).click();
}

/** Resolves when no such element is there. */
export async function gone(page: Page, role: string, name: string): Promise<void> {
  const timeout = patience(LIMIT_MS);
  const end = performance.now() + timeout;
  while ((await page.$(named(role, name))) !== null) {
    if (performance.now() > end) throw new Error(`${role} ${name} is still there`);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  }
}
