// Chromium's own page about windows, where a test discards one as the browser does for lack of memory.
import puppeteer, { type Browser } from 'puppeteer-core';
import { patience } from '../../support/patience.ts';

const LIMIT_MS = patience(10_000);

/** Discards the window of this address. Nothing else may have DevTools attached to it. */
export async function discardWindow(endpoint: string, url: string): Promise<void> {
  const browser = await puppeteer.connect({
    browserWSEndpoint: endpoint,
    targetFilter: (target) => target.url() !== url,
  });
  try {
    await discardIn(browser, url);
  } finally {
    await browser.disconnect();
  }
}

async function discardIn(browser: Browser, url: string): Promise<void> {
  const list = await browser.newPage();
  await list.goto('chrome://discards/');
  const tab = await list.waitForSelector('discards-main >>> discards-tab');
  if (!tab) throw new Error('this browser shows no list of windows');
  const end = performance.now() + LIMIT_MS;
  for (;;) {
    // Asked for again until it is done: the list comes a moment after its page.
    const state = await tab.evaluate((element, wanted) => {
      const rows = [...(element.shadowRoot?.querySelectorAll('tbody tr') ?? [])];
      const row = rows.find((one) => one.querySelector('.tab-url-cell')?.textContent === wanted);
      const text = row?.textContent?.replace(/\s+/g, ' ') ?? 'not in the list';
      if (text.includes('discarded')) return 'discarded';
      const links = [...(row?.querySelectorAll<HTMLElement>('.actions-cell div') ?? [])];
      links.find(({ textContent }) => textContent?.trim() === '[Urgent Discard]')?.click();
      return text;
    }, url);
    if (state === 'discarded') break;
    if (performance.now() > end) throw new Error(`${url} is not discarded: ${state}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await list.close();
}
