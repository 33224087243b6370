// Chromium on a profile of its own, which can be closed and started again on the same profile. Every wait has a limit,
// and an error that a page did not catch fails the run.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import puppeteer from 'puppeteer-core';
import { within } from './within.mjs';

const kLimitMs = 180_000;
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
  // A page that was left is gone, and its worker with it: it does not work beside the one that is measured.
  '--disable-back-forward-cache',
];

const kEndLimitMs = 20_000;

export class Browser {
  #profile = mkdtempSync(join(tmpdir(), 'skerry-bench-profile-'));
  #browser = null;
  #more;
  #stray;
  /** Rejects when a page fails. */
  #failed;
  #fail;

  /** `more`: arguments besides. `stray`, if it is given, hears of errors that no page caught, instead of failing. */
  constructor({ more = [], stray } = {}) {
    this.#more = more;
    this.#stray = stray ?? ((error) => this.#fail(error));
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => {});
  }

  async #start() {
    this.#browser ??= await puppeteer.launch({
      executablePath: process.env.CHROMIUM_PATH,
      headless: true,
      userDataDir: this.#profile,
      args: [...kArguments, ...this.#more],
      protocolTimeout: kLimitMs,
    });
    return this.#browser;
  }

  /** A page at this address, once its script has run. */
  async page(url) {
    const page = await (await this.#start()).newPage();
    // Opening another page hides this one, and hidden windows do not push: with its focus emulated it stays visible.
    await page.emulateFocusedPage(true);
    page.on('pageerror', (error) => this.#stray(error));
    page.on('error', (error) => this.#fail(error));
    await page.goto(url);
    return page;
  }

  /** Calls a workload of the page; `cold` is what it does on its own. */
  async call(page, name, ...args) {
    const answer = page.evaluate(
      async (method, list) => {
        const member = globalThis.bench[method];
        return typeof member === 'function' ? member(...list) : member;
      },
      name,
      args,
    );
    return within(kLimitMs, `${name} on ${page.url()}`, Promise.race([this.#failed, answer]));
  }

  /** The folder of its profile. */
  get folder() {
    return this.#profile;
  }

  /** [{ type, id }] of its processes. */
  async processes() {
    const session = await (await this.#start()).target().createCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    await session.detach();
    return processInfo;
  }

  /** Ends it as a power cut would: all its processes at once, or, on demand, the first one only. */
  async kill({ firstOnly = false } = {}) {
    const browser = this.#browser?.process();
    this.#browser = null;
    if (!browser?.pid) throw new Error('there is no browser to be killed');
    const ended = new Promise((resolve) => browser.once('exit', resolve));
    // Puppeteer starts it as the leader of a group of its own.
    process.kill(firstOnly ? browser.pid : -browser.pid, 'SIGKILL');
    await within(kEndLimitMs, 'the end of the browser', ended);
    if (!firstOnly) await within(kEndLimitMs, 'the end of its processes', groupEnds(browser.pid));
    // What a browser that lives puts there, so that no other uses its profile.
    for (const file of ['SingletonLock', 'SingletonSocket', 'SingletonCookie'])
      rmSync(join(this.#profile, file), { force: true });
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

async function groupEnds(pid) {
  for (;;) {
    try {
      process.kill(-pid, 0);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
      return;
    }
    await sleep(2);
  }
}
