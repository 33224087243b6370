// Chromium, by puppeteer-core and DevTools: the one engine where everything can be done.
import type { Page, Protocol } from 'puppeteer-core';
import { vi } from 'vitest';
import { crash, freeze, limitRoom, Profile } from '../../browser/support/browser.ts';
import { signalGroup } from '../../browser/support/processes.ts';
import { ServiceControl } from '../../browser/support/service.ts';
import type { Engine, Running } from './engine.ts';

export const chromium: Engine = {
  name: 'chromium',
  features: new Set(['freeze', 'stop-service-worker', 'small-quota', 'bfcache-with-locks']),
  async start(folder, { isPrivate = false, isSmall = false } = {}) {
    const profile = new Profile(folder, isPrivate ? { more: ['--incognito'] } : {});
    await profile.browser();
    return new RunningChromium(profile, isSmall);
  },
};

const LEAVE_WAIT = { timeout: 10_000, interval: 5 };

class RunningChromium implements Running {
  readonly #profile: Profile;
  readonly #pages = new Map<string, Page>();
  readonly #isSmall: boolean;

  constructor(profile: Profile, isSmall: boolean) {
    this.#profile = profile;
    this.#isSmall = isSmall;
  }

  async open(id: string, url: string): Promise<void> {
    const page = await (await this.#profile.browser()).newPage();
    await page.emulateFocusedPage(true);
    if (this.#isSmall) await limitRoom(page, url);
    await page.goto(url, { waitUntil: 'domcontentloaded' });
    this.#pages.set(id, page);
  }

  async leave(id: string): Promise<void> {
    const page = this.#page(id);
    const session = await page.createCDPSession();
    const { targetInfo } = await session.send('Target.getTargetInfo');
    await session.detach();
    await page.goto('about:blank');
    await this.#workersGone(targetInfo.targetId);
  }

  async goBack(id: string): Promise<void> {
    await this.#page(id).goBack({ waitUntil: 'domcontentloaded' });
  }

  async close(id: string): Promise<void> {
    await this.#page(id).close();
    this.#pages.delete(id);
  }

  async crash(id: string): Promise<void> {
    await crash(this.#page(id));
    this.#pages.delete(id);
  }

  async signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    if (signal === 'SIGKILL') {
      this.#pages.clear();
      return this.#profile.kill();
    }
    const { pid } = (await this.#profile.browser()).process() ?? {};
    if (pid) await signalGroup(pid, signal);
  }

  async stop(): Promise<void> {
    await this.#profile.kill();
  }

  async freeze(id: string): Promise<() => Promise<void>> {
    const { thaw } = await freeze(this.#page(id));
    return thaw;
  }

  async stopServiceWorker(): Promise<void> {
    const [page] = this.#pages.values();
    if (!page) throw new Error('no window is open');
    await (await ServiceControl.of(page)).stop();
  }

  /**
   * Until its worker is gone, a transaction of the worker's may hold up another window's. Chromium then drops the page from
   * bfcache (IndexedDB's "transaction is ongoing and blocking others").
   */
  async #workersGone(page: string): Promise<void> {
    const session = await (await this.#profile.browser()).target().createCDPSession();
    await vi.waitUntil(async () => {
      const { targetInfos } = await session.send('Target.getTargets', {
        filter: [{ type: 'worker' }],
      });
      const workers: (Protocol.Target.TargetInfo & { parentId?: string })[] = targetInfos;
      return !workers.some(({ parentId }) => parentId === page);
    }, LEAVE_WAIT);
    await session.detach();
  }

  #page(id: string): Page {
    const page = this.#pages.get(id);
    if (!page) throw new Error(`there is no window ${id}`);
    return page;
  }
}
