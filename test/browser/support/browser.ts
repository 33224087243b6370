// A real Chromium on its own profile folder, driven by puppeteer-core: windows of the demo, crashes, SIGKILL, clocks.
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { patience } from '../../support/patience.ts';
import { discardWindow } from './discard.ts';
import { groupEnds } from './processes.ts';

const READY_LIMIT_MS = patience(60_000);

export interface ProfileOptions {
  /** More arguments of the command line. */
  readonly more?: readonly string[];
  /** As for a user: only the window in front is visible, and the timers of the other windows are throttled. */
  readonly hides?: boolean;
  /** With the browser's own pages for its developers, one of which discards windows. */
  readonly internals?: boolean;
}

/** Puppeteer's own arguments, and ours, so that windows behind others run as if they were visible. */
const ALL_IN_FRONT = [
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  '--disable-background-timer-throttling',
];

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
];

export interface WindowOptions {
  readonly url: string;
  readonly user?: string;
  /** Which worker pushes in the demo: its windows', unless the test is about its service worker. */
  readonly serviceWorker?: boolean;
  /** Added to Date in the page and in its workers. */
  readonly clockShiftMs?: number;
  /** Runs in the page, and in each of its workers, before their first statement. */
  readonly script?: string;
  /** Do not wait until the database is open. */
  readonly unready?: boolean;
}

export class Profile {
  readonly folder: string;
  #browser: Browser | null = null;
  #process: ChildProcess | null = null;
  readonly problems: string[] = [];

  readonly #options: ProfileOptions;

  constructor(
    folder = mkdtempSync(join(tmpdir(), 'skerry-profile-')),
    options: ProfileOptions = {},
  ) {
    this.folder = folder;
    this.#options = options;
  }

  async browser(): Promise<Browser> {
    if (this.#browser?.connected) return this.#browser;
    const executablePath = process.env['CHROMIUM_PATH'];
    if (!executablePath)
      throw new Error('CHROMIUM_PATH names no Chromium: run the tests by `npm test`');
    const { hides = false, more = [], internals = false } = this.#options;
    if (internals)
      writeFileSync(join(this.folder, 'Local State'), '{"internal_only_uis_enabled":true}');
    this.#browser = await puppeteer.launch({
      executablePath,
      headless: true,
      userDataDir: this.folder,
      // One page cannot be shown while the tests look at another: all count as visible and keep their timers.
      args: [...ARGUMENTS, ...(hides ? [] : ALL_IN_FRONT), ...more],
      ignoreDefaultArgs: hides ? ALL_IN_FRONT : false,
      dumpio: false,
      protocolTimeout: patience(120_000),
    });
    this.#process = this.#browser.process();
    return this.#browser;
  }

  /**
   * Discards the window of this address, as the browser does for lack of memory: its processes end without any event,
   * and it is reloaded when it becomes visible. Needs `internals`. Get all windows again (`page`).
   */
  async discard(url: string): Promise<void> {
    const endpoint = (await this.browser()).wsEndpoint();
    // A window with DevTools attached is not discarded.
    await this.#browser?.disconnect();
    await discardWindow(endpoint, url);
    this.#browser = await puppeteer.connect({
      browserWSEndpoint: endpoint,
      protocolTimeout: patience(120_000),
    });
  }

  /** The window of this address, in front. */
  async page(url: string): Promise<Page> {
    const pages = await (await this.browser()).pages();
    const page = pages.find((one) => one.url() === url);
    if (!page) throw new Error(`there is no window of ${url}`);
    await page.emulateFocusedPage(true);
    await page.bringToFront();
    return page;
  }

  /** A window of the demo whose database is open. */
  async window(options: WindowOptions): Promise<Page> {
    const browser = await this.browser();
    const page = await browser.newPage();
    // Opening another tab hides this one; hidden windows do not push. With its focus emulated a page stays visible.
    if (!this.#options.hides) await page.emulateFocusedPage(true);
    page.on('pageerror', (error) => this.problems.push(String(error)));
    page.on('console', (message) => {
      // Requests that the network refuses are logged by the browser itself; tests refuse many on purpose.
      if (message.type() === 'error' && !message.text().includes('net::ERR_'))
        this.problems.push(message.text());
    });
    const scripts = [options.clockShiftMs ? shiftScript(options.clockShiftMs) : '', options.script];
    const script = scripts.filter(Boolean).join('\n');
    if (script) await runFirst(page, script);
    const query = new URLSearchParams();
    if (options.user) query.set('user', options.user);
    if (!options.serviceWorker) query.set('sync', 'lease');
    await page.goto(`${options.url}/?${query}`, { waitUntil: 'domcontentloaded' });
    if (!options.unready) await ready(page);
    return page;
  }

  /**
   * Ends all of its processes at once, as a power cut would. Were only the first one killed, the others would live a
   * moment longer, and a browser that starts in that moment has been seen to find its databases gone.
   */
  async kill(): Promise<void> {
    const browser = this.#process;
    this.#browser = null;
    this.#process = null;
    if (!browser?.pid || browser.exitCode !== null) return;
    const { pid } = browser;
    const ended = new Promise<void>((resolve) => browser.once('exit', () => resolve()));
    // Puppeteer starts it as the leader of a group of its own.
    process.kill(-pid, 'SIGKILL');
    await ended;
    await groupEnds(pid);
  }

  /** What LevelDB says of the databases of all sites. After a drop it begins with their creation ("since it was missing"). */
  logOfDatabases(): string {
    const folder = join(this.folder, 'Default', 'IndexedDB');
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter(({ name }) => /^LOG(\.old)?$/.test(name))
      .map(({ parentPath, name }) => `${name}:\n${readFileSync(join(parentPath, name), 'utf8')}`)
      .join('\n');
  }

  async close(): Promise<void> {
    const running = this.#process;
    const ended =
      running?.exitCode === null && running.signalCode === null
        ? new Promise((resolve) => running.once('exit', resolve))
        : undefined;
    await this.#browser?.close();
    this.#browser = null;
    this.#process = null;
    await ended;
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

/** Evaluates a script in the page, and in each worker from before its first statement. */
async function runFirst(page: Page, script: string): Promise<void> {
  await page.evaluateOnNewDocument(script);
  const session = await page.createCDPSession();
  session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
    const worker = session.connection()?.session(sessionId);
    if (!worker) return;
    const start = async () => {
      if (targetInfo.type === 'worker')
        await worker.send('Runtime.evaluate', { expression: script });
      await worker.send('Runtime.runIfWaitingForDebugger');
    };
    start().catch((error: unknown) => {
      // A worker may end, and its window with it, before it is asked.
      if (worker.detached || !session.connection()) return;
      throw new Error(`a worker could not be prepared: ${String(error)}`);
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

/** Freezes a window as the browser does with one in the background, with the events that belong to it. */
export async function freeze(page: Page): Promise<{ thaw(): Promise<void> }> {
  const session = await page.createCDPSession();
  // A page whose focus is emulated hears no `freeze`; in front it stays visible until it is frozen.
  await page.bringToFront();
  await page.emulateFocusedPage(false);
  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  return {
    async thaw() {
      await session.send('Page.setWebLifecycleState', { state: 'active' });
      await page.bringToFront();
      await page.emulateFocusedPage(true);
      await session.detach();
    },
  };
}

/** Stops the workers of a window in the middle of their program, without any event: locks and leases are kept. */
export async function stopWorkers(page: Page): Promise<{ goOn(): Promise<void> }> {
  const clients = page.workers().map((worker) => worker.client);
  if (clients.length === 0) throw new Error('the window has no worker');
  for (const client of clients) {
    await client.send('Debugger.enable');
    const paused = new Promise<void>((resolve) => client.once('Debugger.paused', () => resolve()));
    await client.send('Debugger.pause');
    // It stops at its next statement: a heartbeat or a timer.
    await paused;
  }
  return {
    async goOn() {
      for (const client of clients) {
        await client.send('Debugger.resume');
        await client.send('Debugger.disable');
      }
    },
  };
}

/** Limits the storage of the site of `url` to ten megabytes, until the page ends or the returned function is called. */
export async function limitRoom(page: Page, url: string): Promise<() => Promise<void>> {
  const session = await page.createCDPSession();
  const { origin } = new URL(url);
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 10_000_000 });
  return () => session.send('Storage.overrideQuotaForOrigin', { origin });
}

/** Runs a test with a profile of its own. */
export async function withProfile(run: (profile: Profile) => Promise<void>): Promise<void> {
  const profile = new Profile();
  try {
    await run(profile);
  } finally {
    await profile.remove();
  }
}
