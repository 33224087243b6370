// Firefox, by WebDriver BiDi: windows; its processes are killed by the system.
import { readdirSync } from 'node:fs';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { vi } from 'vitest';
import { namedProcesses, signalGroup, stopProcessOf } from '../../browser/support/processes.ts';
import { patience } from '../../support/patience.ts';
import type { Engine, Running } from './engine.ts';
import { Gone } from './hub.ts';

/** A service worker that nothing keeps busy is ended soon, and one that is kept busy not much later. */
const serviceWorkerPrefs = {
  'dom.serviceWorkers.idle_timeout': 3000,
  'dom.serviceWorkers.idle_extended_timeout': 3000,
};

const kContentProcess = /^(Web Content|Isolated Web Co)/;

const GONE_LIMIT_MS = 2000;

/** Of the whole profile: a site gets a fifth of it, and not less than ten megabytes. */
const SMALL_LIMIT_KB = 20_480;

export const firefox: Engine = {
  name: 'firefox',
  features: new Set(['freeze', 'hide', 'stop-service-worker', 'small-quota']),
  async start(folder, { isPrivate = false, isSmall = false } = {}) {
    const executablePath = process.env['FIREFOX_PATH'];
    if (!executablePath)
      throw new Error('FIREFOX_PATH names no Firefox: run the tests by `npm test`');
    await preferencesAreBack(folder);
    const browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath,
      headless: true,
      userDataDir: folder,
      extraPrefsFirefox: {
        ...serviceWorkerPrefs,
        'browser.privatebrowsing.autostart': isPrivate,
        // The profile keeps the setting: -1 means a part of the disk, the default.
        'dom.quotaManager.temporaryStorage.fixedLimit': isSmall ? SMALL_LIMIT_KB : -1,
      },
      protocolTimeout: patience(120_000),
    });
    return new RunningFirefox(browser);
  },
};

/**
 * Puppeteer keeps the profile's preferences beside its own, and restores them when it notices that the browser has
 * ended: that may be while the next one starts.
 */
function preferencesAreBack(folder: string): Promise<void> {
  const look = () => {
    const kept = readdirSync(folder).find((name) => name.endsWith('.puppeteer'));
    if (kept) throw new Error(`the preferences of ${folder} are not put back: ${kept}`);
  };
  return vi.waitFor(look, { timeout: 10_000, interval: 5 });
}

class RunningFirefox implements Running {
  readonly #browser: Browser;
  readonly #pid: number;
  readonly #pages = new Map<string, Page>();
  readonly #covers = new Map<string, Page>();
  /** Crashes that have begun, and those of them that have not ended. */
  #crashed = 0;
  #crashing = 0;

  constructor(browser: Browser) {
    const pid = browser.process()?.pid;
    if (!pid) throw new Error('Firefox did not start');
    this.#browser = browser;
    this.#pid = pid;
  }

  async open(id: string, url: string): Promise<void> {
    const crashed = this.#crashed;
    const during = this.#crashing > 0;
    try {
      const page = await this.#browser.newPage({ type: 'window' });
      this.#pages.set(id, page);
      await page.goto(url, { waitUntil: 'domcontentloaded' });
    } catch (error) {
      if (!during && this.#crashing === 0 && crashed === this.#crashed) throw error;
      throw new Gone(id); // with the process of another window
    }
  }

  async leave(id: string): Promise<void> {
    await this.#pages.get(id)?.goto('about:blank');
  }

  async goBack(id: string): Promise<void> {
    // BiDi does not report a page that comes back from bfcache.
    await this.#pages.get(id)?.evaluate(() => history.back());
  }

  async close(id: string): Promise<void> {
    await this.#pages.get(id)?.close();
    this.#pages.delete(id);
  }

  /** Behind another tab of its window. */
  async hide(id: string): Promise<void> {
    await this.show(id);
    this.#covers.set(id, await this.#browser.newPage({ type: 'tab' }));
  }

  async show(id: string): Promise<void> {
    await this.#pages.get(id)?.bringToFront();
    await this.#covers.get(id)?.close();
    this.#covers.delete(id);
  }

  async freeze(_id: string, answers: () => Promise<boolean>): Promise<() => Promise<void>> {
    return stopProcessOf(namedProcesses(this.#pid, kContentProcess), answers);
  }

  /** Firefox does not report which process runs the window: one after the other is killed until the window is gone. */
  async crash(id: string, gone: Promise<void>): Promise<void> {
    this.#crashed++;
    this.#crashing++;
    const pids = namedProcesses(this.#pid, kContentProcess);
    for (const pid of pids.reverse()) {
      killIfThere(pid);
      if (await soon(gone)) break;
    }
    await gone;
    this.#crashing--;
    this.#pages.delete(id);
  }

  async signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    await signalGroup(this.#pid, signal);
  }

  async stop(): Promise<void> {
    await signalGroup(this.#pid, 'SIGKILL');
  }

  /** It ends one by itself after three seconds without an event, and what it does then with it. */
  async stopServiceWorker(): Promise<void> {}
}

/** It may have ended since it was listed, by a blow of the same storm. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Whether it happened within the time that a browser takes to notice. */
function soon(event: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), GONE_LIMIT_MS);
    void event.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
