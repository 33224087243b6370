// Chromium on a profile of its own, which can be closed and started again on the same profile.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';

const kArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
];

export class Browser {
  #profile = mkdtempSync(join(tmpdir(), 'skerry-bench-profile-'));
  #browser = null;

  async #start() {
    this.#browser ??= await puppeteer.launch({
      executablePath: process.env.CHROMIUM_PATH,
      headless: true,
      userDataDir: this.#profile,
      args: kArguments,
      protocolTimeout: 300_000,
    });
    return this.#browser;
  }

  /** A page at this address, once its script has run. */
  async page(url) {
    const page = await (await this.#start()).newPage();
    page.on('pageerror', (error) => console.error(`the page failed: ${error}`));
    await page.goto(url);
    await page.waitForFunction('globalThis.bench');
    return page;
  }

  async close() {
    await this.#browser?.close();
    this.#browser = null;
  }

  async remove() {
    await this.close();
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
