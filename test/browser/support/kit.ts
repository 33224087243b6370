// Windows of the bare test page (page/page.ts), and what tests wait for in them.
import type { Page } from 'puppeteer-core';
import type { StartOptions } from '../page/page.ts';
import type { Profile, WindowOptions } from './browser.ts';
import { until } from './until.ts';

/** A window of the test page with nothing open. */
export function bare(
  profile: Profile,
  url: string,
  more: Partial<WindowOptions> = {},
): Promise<Page> {
  return profile.window({ url, unready: true, ...more });
}

/** A window of the test page with its database open. */
export async function opened(
  profile: Profile,
  url: string,
  options: StartOptions = {},
  more: Partial<WindowOptions> = {},
): Promise<Page> {
  const page = await bare(profile, url, more);
  await page.evaluate((how) => kit.start(how), options);
  return page;
}

/** Reloads the page and opens the database again. */
export async function reopened(page: Page, options: StartOptions = {}): Promise<void> {
  await page.reload({ waitUntil: 'domcontentloaded' });
  await page.evaluate((how) => kit.start(how), options);
}

/** Nothing is pending and the realm `public` has been pulled. */
export async function inStep(page: Page, limitMs = 60_000): Promise<void> {
  await until(
    page,
    () => db.sync.status.pending === 0 && db.sync.status.revisions['public'] !== undefined,
    [],
    limitMs,
  );
}

/** As inStep, with every earlier change of the other windows. */
export async function caughtUp(page: Page): Promise<void> {
  await page.evaluate(() => db.sync.waitForSync({ timeoutMs: 60_000 }));
}

/** Writes so many notes and waits until they are confirmed. A realm of more than 2,000 is filled by an image. */
export async function writeNotes(page: Page, count: number): Promise<void> {
  await page.evaluate(async (total) => {
    const rows = Array.from({ length: total }, (_, i) => ({
      title: `Note ${i}`,
      body: 'x'.repeat(i % 50),
      rank: i,
    }));
    const { confirmed } = db.transact((tx) => tx.notes.createMany(rows));
    await confirmed;
  }, count);
}
