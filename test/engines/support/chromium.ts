// Chromium, by puppeteer-core and DevTools: the one engine where everything can be done.
import type { Page } from 'puppeteer-core';
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
    await this.#page(id).goto('about:blank');
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

  #page(id: string): Page {
    const page = this.#pages.get(id);
    if (!page) throw new Error(`there is no window ${id}`);
    return page;
  }
}
