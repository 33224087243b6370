/** Whether a service worker pushes for this window (docs/service-worker.md), and the way to it. */
import type { StatusRecord } from '../core/core-types.ts';
import type { Host } from '../host/host.ts';
import type { ServiceLink, ServiceState } from '../host/service-link.ts';

interface ServiceModeParts {
  readonly host: Host;
  /** The database's name, and its schema's version. */
  readonly database: string;
  readonly version: number;
  /** The option `serviceWorker` of `open`. */
  readonly url: boolean | string | undefined;
}

/** How long the window's own worker waits for the registration, to know which worker pushes. */
const limitMs = 1000;

export class ServiceMode {
  readonly #parts: ServiceModeParts;
  link: ServiceLink | null = null;
  state: ServiceState = { active: false, reason: 'no service worker was asked for' };
  #paused = false;
  #closed = false;
  #onState: (state: ServiceState) => void = () => {};

  constructor(parts: ServiceModeParts) {
    this.#parts = parts;
  }

  /** Registers the script. Resolves when it is known which worker pushes, or after a while. `onState`: it has changed. */
  async begin(onState: (state: ServiceState) => void): Promise<void> {
    const { host, url } = this.#parts;
    if (!url) return;
    this.#onState = onState;
    this.state = { active: false, reason: 'the service worker is being registered' };
    const timers = host.timers();
    const limit = new Promise<void>((resolve) => timers.set('service', limitMs, resolve));
    await Promise.race([this.#register(url, onState), limit]);
    timers.clear();
  }

  async #register(url: boolean | string, onState: (state: ServiceState) => void): Promise<void> {
    const { host, database, version } = this.#parts;
    const onChange = (state: ServiceState) => {
      this.state = state;
      onState(state);
    };
    try {
      const address = host.resolve(url === true ? '/skerry-sw.js' : `${url}`);
      const link = await host.services?.(address, database, version, onChange);
      if (this.#closed) return link?.close();
      this.link = link ?? null;
      this.link?.pause(this.#paused);
    } catch (error) {
      onChange({ active: false, reason: (error as Error).message });
    }
  }

  /**
   * While this window pushes itself. One that was given up is woken by changes all the same, and pushes for the windows again
   * once it has rested without an error.
   */
  heard({ instance, phase, error }: Partial<StatusRecord> = {}): void {
    if (this.state.active && instance && phase === 'idle' && !error) this.#onState(this.state);
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.link?.pause(paused);
  }

  close(): void {
    this.#closed = true;
    this.link?.close();
  }
}
