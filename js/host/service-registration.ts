/**
 * ServiceLink on the browser's service workers: registers the script, posts to the active worker, and asks for a `sync`
 * event where there are any, so that changes are pushed after the last window was closed.
 */
import type { ToServiceMessage } from '../core/messages.ts';
import { type Locks, webLocks } from './locks.ts';
import { PauseLock } from './pause-lock.ts';
import {
  type Envelope,
  type ServiceHost,
  type ServiceLink,
  type ServiceState,
  serviceProtocol,
  syncTag,
} from './service-link.ts';
import { explained, trustedUrl } from './trusted-url.ts';

/** Background Sync, which is not in the DOM's types. */
interface Registration extends ServiceWorkerRegistration {
  readonly sync?: { register(tag: string): Promise<void> };
  readonly periodicSync?: {
    register(tag: string, options: { minInterval: number }): Promise<void>;
  };
}

/** Asking for `sync` events costs a round trip to the browser process: so often at most. */
const syncEveryMs = 1000;
const periodMs = 12 * 3600_000;

export const registerService: ServiceHost = async (url, database, version, onState) => {
  const container = globalThis.navigator?.serviceWorker;
  if (!container) return absent(onState, 'this browser has no service workers here');
  const locks = webLocks();
  if (!locks) return absent(onState, 'this browser has no Web Locks');
  let registration: Registration;
  try {
    registration = await register(container, url);
  } catch (error) {
    return absent(onState, `the service worker was refused: ${explained(error).message}`);
  }
  return new BrowserServiceLink(registration, locks, database, version, onState);
};

function absent(onState: (state: ServiceState) => void, reason: string): ServiceLink {
  onState({ active: false, reason });
  return { wake() {}, changed() {}, pause() {}, close() {} };
}

/** The application may have registered it itself, as it likes. Else classic comes first, as most bundles are classic. */
async function register(container: ServiceWorkerContainer, url: URL): Promise<Registration> {
  for (const registration of await container.getRegistrations()) {
    const { active, waiting, installing } = registration;
    if ([active, waiting, installing].some((worker) => worker?.scriptURL === url.href))
      return registration;
  }
  const options = { updateViaCache: 'none' } as const;
  const address = trustedUrl(url);
  return container
    .register(address, options)
    .catch(() => container.register(address, { ...options, type: 'module' }));
}

class BrowserServiceLink implements ServiceLink {
  readonly #registration: Registration;
  readonly #pause: PauseLock;
  readonly #database: string;
  readonly #version: number;
  readonly #onState: (state: ServiceState) => void;
  #reported: boolean | null = null;
  #syncTimer: ReturnType<typeof setTimeout> | null = null;
  #syncAgain = false;
  #closed = false;

  constructor(
    registration: Registration,
    locks: Locks,
    database: string,
    version: number,
    onState: (state: ServiceState) => void,
  ) {
    this.#registration = registration;
    this.#pause = new PauseLock(locks, database);
    this.#database = database;
    this.#version = version;
    this.#onState = onState;
    this.#look();
    this.#watch();
    registration.addEventListener('updatefound', this.#watch);
  }

  wake(message: ToServiceMessage): void {
    this.#look();
    const envelope: Envelope = {
      skerry: serviceProtocol,
      database: this.#database,
      version: this.#version,
      message,
    };
    this.#registration.active?.postMessage(envelope);
  }

  changed(): void {
    this.wake({ type: 'wake', reason: 'mutation', online: navigator.onLine ?? true });
    if (!this.#registration.sync) return;
    if (this.#syncTimer === null) this.#askSync();
    else this.#syncAgain = true;
  }

  pause(paused: boolean): void {
    this.#pause.set(paused);
  }

  close(): void {
    this.#closed = true;
    this.#pause.set(false);
    this.#registration.removeEventListener('updatefound', this.#watch);
    if (this.#syncTimer !== null) clearTimeout(this.#syncTimer);
    if (this.#syncAgain) this.#askSync();
  }

  /** A worker is being installed: from `activated` on it is the one to wake. */
  readonly #watch = (): void => {
    const { installing, waiting } = this.#registration;
    for (const worker of [installing, waiting])
      worker?.addEventListener('statechange', () => this.#look());
  };

  #look(): void {
    const active = this.#registration.active !== null;
    if (this.#closed || this.#reported === active) return;
    const first = this.#reported === null;
    this.#reported = active;
    const reason = active
      ? 'the service worker pushes'
      : first
        ? 'the service worker is being installed'
        : 'the service worker is gone';
    this.#onState({ active, reason });
    if (active) void this.#askPeriodic();
  }

  #askSync(): void {
    this.#syncAgain = false;
    // Refused where the user does not want it: the message has woken it all the same.
    this.#registration.sync?.register(syncTag + this.#database).catch(() => {});
    if (this.#closed) return;
    this.#syncTimer = setTimeout(() => {
      this.#syncTimer = null;
      if (this.#syncAgain) this.#askSync();
    }, syncEveryMs);
  }

  /** A worker that is still being installed would be refused. */
  async #askPeriodic(): Promise<void> {
    try {
      const name = 'periodic-background-sync' as PermissionName;
      const { state } = await navigator.permissions.query({ name });
      if (state === 'granted')
        await this.#registration.periodicSync?.register(syncTag + this.#database, {
          minInterval: periodMs,
        });
    } catch {
      // An engine that does not know the permission has no such events.
    }
  }
}
