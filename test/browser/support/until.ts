// Waits for conditions in a window, with a helpful error when one does not come true.
import type { EvaluateFunc, Page } from 'puppeteer-core';
import { patience } from '../../support/patience.ts';

const LIMIT_MS = 30_000;

/**
 * Resolves with the time that it took, in ms, when `condition` holds in the page. The error of one that does not holds
 * the state of its database: the demo's, or the test page's.
 */
export async function until<A extends [] | unknown[]>(
  page: Page,
  condition: (...args: A) => unknown,
  args: A,
  limitMs = LIMIT_MS,
): Promise<number> {
  const start = performance.now();
  try {
    await page.waitForFunction(
      condition as unknown as EvaluateFunc<A>,
      { timeout: patience(limitMs), polling: 20 },
      ...args,
    );
  } catch (error) {
    const asked = JSON.stringify(args);
    throw new Error(`${condition} of ${asked}: not within ${limitMs} ms; ${await state(page)}`, {
      cause: error,
    });
  }
  return performance.now() - start;
}

async function state(page: Page): Promise<string> {
  try {
    return await page.evaluate(() => {
      const open = 'demo' in globalThis ? demo : 'db' in globalThis ? db : null;
      if (!open) return 'no database';
      const { status } = open.sync;
      const byDemo = document.getElementById('sync-error');
      const lost = 'kit' in globalThis ? kit.happened.dataLost.join() : byDemo?.textContent;
      return `status ${JSON.stringify(status)}, ${status.error?.message}, said of losses: "${lost}"`;
    });
  } catch (error) {
    return `no state: ${error}`;
  }
}
