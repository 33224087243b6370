// A real Chromium on a profile folder of its own, driven by puppeteer-core: windows of the demo, crashes, SIGKILL, clocks.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';

const READY_LIMIT_MS = 60_000;

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // One renderer a window, so that a crash of one is a crash of one only.
  '--process-per-tab',
  // One page cannot be shown while the tests look at another: all count as visible and keep their timers.
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  '--disable-background-timer-throttling',
];

export interface WindowOptions {
  readonly url: string;
  readonly user?: string;
  /** Added to Date in the page and in its workers. */
  readonly clockShiftMs?: number;
  /** Do not wait until the database is open. */
  readonly unready?: boolean;
}

export class Profile {
  readonly folder: string;
  #browser: Browser | null = null;
  readonly problems: string[] = [];

  constructor(folder = mkdtempSync(join(tmpdir(), 'skerry-profile-'))) {
    this.folder = folder;
  }

  async browser(): Promise<Browser> {
    if (this.#browser?.connected) return this.#browser;
    const executablePath = process.env['CHROMIUM_PATH'];
    if (!executablePath)
      throw new Error('CHROMIUM_PATH names no Chromium: run the tests by `npm test`');
    this.#browser = await puppeteer.launch({
      executablePath,
      headless: true,
      userDataDir: this.folder,
      args: ARGUMENTS,
      dumpio: false,
      protocolTimeout: 120_000,
    });
    return this.#browser;
  }

  /** A window of the demo whose database is open. */
  async window(options: WindowOptions): Promise<Page> {
    const browser = await this.browser();
    const page = await browser.newPage();
    page.on('pageerror', (error) => this.problems.push(String(error)));
    page.on('console', (message) => {
      // Requests that the network refuses are logged by the browser itself; tests refuse many on purpose.
      if (message.type() === 'error' && !message.text().includes('net::ERR_'))
        this.problems.push(message.text());
    });
    if (options.clockShiftMs) await shiftClock(page, options.clockShiftMs);
    const user = options.user ? `/?user=${encodeURIComponent(options.user)}` : '/';
    await page.goto(`${options.url}${user}`, { waitUntil: 'domcontentloaded' });
    if (!options.unready) await ready(page);
    return page;
  }

  /** Ends all of its processes at once, as a power cut would. */
  async kill(): Promise<void> {
    const process = this.#browser?.process();
    this.#browser = null;
    if (!process || process.exitCode !== null) return;
    await new Promise<void>((resolve) => {
      process.once('exit', () => resolve());
      process.kill('SIGKILL');
    });
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    this.#browser = null;
  }

  async remove(): Promise<void> {
    await this.close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Resolves when the demo of this page says that its database is open; rejects with what it says instead. */
export async function ready(page: Page): Promise<void> {
  await page.waitForFunction(
    () =>
      'ready' in document.documentElement.dataset || 'failed' in document.documentElement.dataset,
    { timeout: READY_LIMIT_MS },
  );
  const failed = await page.evaluate(() =>
    'failed' in document.documentElement.dataset
      ? document.getElementById('sync-error')?.textContent
      : null,
  );
  if (failed) throw new Error(`the demo did not start: ${failed}`);
}

function shiftScript(ms: number): string {
  return `{ const Real = Date; globalThis.Date = class extends Real { constructor(...a) { if (a.length) super(...a); else super(Real.now() + ${ms}); } static now() { return Real.now() + ${ms}; } }; }`;
}

/** Date runs ahead (or behind) in the page, and in each worker from before its first statement. */
async function shiftClock(page: Page, ms: number): Promise<void> {
  await page.evaluateOnNewDocument(shiftScript(ms));
  const session = await page.createCDPSession();
  session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
    const worker = session.connection()?.session(sessionId);
    if (!worker) return;
    const start = async () => {
      if (targetInfo.type === 'worker')
        await worker.send('Runtime.evaluate', { expression: shiftScript(ms) });
      await worker.send('Runtime.runIfWaitingForDebugger');
    };
    start().catch((error: unknown) => {
      throw new Error(`the clock of a worker could not be shifted: ${String(error)}`);
    });
  });
  await session.send('Target.setAutoAttach', {
    autoAttach: true,
    waitForDebuggerOnStart: true,
    flatten: true,
  });
}

/** Crashes the renderer of one window; resolves when the browser has noticed. */
export async function crash(page: Page): Promise<void> {
  const noticed = new Promise<void>((resolve) => page.once('error', () => resolve()));
  const session = await page.createCDPSession();
  // The call itself never answers: the renderer that would is gone.
  session.send('Page.crash').catch(() => undefined);
  await noticed;
}
