// The service worker of a page, through DevTools: stopped as the browser stops it, and woken by a `sync` event.
import type { CDPSession, Page } from 'puppeteer-core';
import { patience } from '../../support/patience.ts';

interface Version {
  readonly versionId: string;
  readonly registrationId: string;
  readonly runningStatus: 'stopped' | 'starting' | 'running' | 'stopping';
  readonly status: string;
}

const LIMIT_MS = patience(15_000);

export class ServiceControl {
  readonly #session: CDPSession;
  readonly #origin: string;
  #versions = new Map<string, Version>();
  readonly #waiters = new Set<() => void>();

  private constructor(session: CDPSession, origin: string) {
    this.#session = session;
    this.#origin = origin;
    session.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
      for (const version of versions) this.#versions.set(version.versionId, version as Version);
      for (const look of [...this.#waiters]) look();
    });
  }

  static async of(page: Page): Promise<ServiceControl> {
    const session = await page.createCDPSession();
    const control = new ServiceControl(session, `${new URL(page.url()).origin}/`);
    await session.send('ServiceWorker.enable');
    return control;
  }

  get #active(): Version | undefined {
    return [...this.#versions.values()].findLast(({ status }) => status === 'activated');
  }

  get running(): boolean {
    return this.#active?.runningStatus === 'running';
  }

  async stop(): Promise<void> {
    await this.#until(() => this.running);
    const versionId = this.#active?.versionId as string;
    await this.#session.send('ServiceWorker.stopWorker', { versionId });
    await this.#until(() => this.#versions.get(versionId)?.runningStatus === 'stopped');
  }

  /** Resolves when it runs. */
  async started(): Promise<void> {
    await this.#until(() => this.running);
  }

  async syncEvent(tag: string, lastChance = false): Promise<void> {
    await this.#until(() => this.#active !== undefined);
    const registrationId = this.#active?.registrationId as string;
    await this.#session.send('ServiceWorker.dispatchSyncEvent', {
      origin: this.#origin,
      registrationId,
      tag,
      lastChance,
    });
  }

  async periodicSyncEvent(tag: string): Promise<void> {
    await this.#until(() => this.#active !== undefined);
    const registrationId = this.#active?.registrationId as string;
    const origin = this.#origin;
    await this.#session.send('ServiceWorker.dispatchPeriodicSyncEvent', {
      origin,
      registrationId,
      tag,
    });
  }

  #until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const states = () =>
        [...this.#versions.values()].map((v) => `${v.status} ${v.runningStatus}`);
      const timer = setTimeout(() => {
        this.#waiters.delete(look);
        reject(new Error(`the service worker is not as it should be: ${states().join(', ')}`));
      }, LIMIT_MS);
      const look = () => {
        if (!holds()) return;
        clearTimeout(timer);
        this.#waiters.delete(look);
        resolve();
      };
      this.#waiters.add(look);
    });
  }
}
