/**
 * Host: everything outside of the program that it uses, each behind one interface. `browser-host.ts` is a browser's,
 * `memory/` one for tests and Node. The core never sees any of it: it gets events and returns effects.
 */
import type { AccountHost } from './account-host.ts';
import type { ChannelHost } from './channel.ts';
import type { Clock } from './clock.ts';
import type { Locks } from './locks.ts';
import type { PageHost } from './page.ts';
import type { Random } from './random.ts';
import type { ServiceHost } from './service-link.ts';
import type { SessionHost } from './session.ts';
import type { SocketHost } from './socket.ts';
import type { StorageHost } from './storage.ts';
import type { Timers } from './timers.ts';
import type { Transport } from './transport.ts';
import type { WorkerHost } from './worker-link.ts';

/** The parts that window and worker both have. */
export interface CommonHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: StorageHost;
  readonly channels: ChannelHost;
  timers(): Timers;
  /** The bytes of the wasm module, or a response to compile while it arrives. */
  wasm(url: URL): Promise<Response | Uint8Array>;
}

/** The option `host` of `open`. */
export interface Host extends CommonHost {
  readonly page: PageHost;
  readonly workers: WorkerHost;
  /** Whether its workers have locks, and can write images (WorkerSideHost). */
  readonly locks: boolean;
  readonly images: boolean;
  /** Null where there are no service workers. */
  readonly services: ServiceHost | null;
  /** For leaving an account, and for adopting local data. Without one it is a browser's, loaded when it is needed. */
  readonly accounts?: AccountHost;
  /** What a tab keeps while its page is loaded again; where there is no such thing, it is left out. */
  readonly session?: SessionHost;
  /** The address that an application's own, perhaps relative, one means. */
  resolve(url: string): URL;
  /** For tests: other pauses and time limits of the sync worker. */
  readonly workerTimes?: Readonly<Record<string, number>>;
}

export interface WorkerSideHost extends CommonHost {
  readonly transport: Transport;
  readonly sockets: SocketHost;
  readonly locks: Locks | null;
  /**
   * Whether this device can load and write images: Emscripten's IDBFS works here. A service worker leaves them to the Workers
   * of its windows.
   */
  readonly images: boolean;
}
