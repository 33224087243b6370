/**
 * Two devices on one real server, for the tests of a file: one of another user, and a new one for each test, behind a proxy
 * that breaks its network.
 */
import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { StartOptions } from '../page/page.ts';
import { Profile } from './browser.ts';
import { FaultProxy } from './fault-proxy.ts';
import { inStep, opened } from './kit.ts';
import { type Served, serveSite } from './served.ts';

export class TwoDevices {
  served!: Served;
  proxy!: FaultProxy;
  /** The window of the other user. */
  theirs!: Page;
  /** Of this test's device. */
  profile!: Profile;
  #other: Profile | undefined;
  #round = 0;

  constructor() {
    beforeAll(async () => {
      this.served = await serveSite();
      this.proxy = await FaultProxy.start(this.served.server.url);
      this.#other = new Profile();
      this.theirs = await opened(this.#other, this.served.server.url, { user: 'them' });
      await inStep(this.theirs);
    });
    afterEach(async () => {
      this.proxy.rules();
      this.proxy.setOffline(false);
      await this.profile?.remove();
    });
    afterAll(async () => {
      await this.#other?.remove();
      await this.proxy?.close();
      await this.served?.stop();
    });
  }

  /** The user of this test's device. */
  get user(): string {
    return `me-${this.#round}`;
  }

  newDevice(): void {
    this.profile = new Profile();
    this.#round++;
  }

  /** A window of this test's device, which is not waited for until it is in step. */
  open(serviceWorker: boolean, options: StartOptions = {}): Promise<Page> {
    const whole = { user: this.user, serviceWorker, ...options };
    return opened(this.profile, this.proxy.url, whole, { serviceWorker });
  }
}
