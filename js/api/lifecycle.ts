/**
 * A window's life: hidden, frozen, put into the back/forward cache, resumed. A frozen page keeps its locks and open
 * transactions, and blocks every other window. So its worker, its channel and its connection are closed before; the
 * connection last, after the application's own handlers, which may store changes. A page that ends releases its leases
 * by blind puts on the open connection, because it may never see an answer. A blind put may overwrite a claim that another
 * window has just made. That window then finds its epoch gone at its next heartbeat, and claims again. Either way nothing
 * is written under a lost epoch.
 */

import { NetworkError } from '../core/errors.ts';
import type { WindowCore } from '../core/window-core.ts';
import { Backoff } from '../host/backoff.ts';
import type { WindowRunner } from '../host/effect-runner.ts';
import type { Host } from '../host/host.ts';
import type { PageEvent } from '../host/page.ts';
import { readNow, type Storage } from '../host/storage.ts';
import type { Timers } from '../host/timers.ts';
import type { KeptUndo } from './kept-undo.ts';
import type { Streams } from './streams.ts';
import type { SyncControl } from './sync-api.ts';
import type { WindowChannel } from './window-channel.ts';
import type { WorkerClient } from './worker-client.ts';

/** The longest that a worker may take until it speaks. */
const startLimitMs = 60_000;

/** How often a visible window looks for changes that it was not notified of. */
const rereadMs = 60_000;

/** A page that runs so long after its last event has not ended. */
const aliveMs = 1000;

interface LifecycleParts {
  readonly host: Host;
  readonly runner: WindowRunner;
  readonly storage: Storage;
  readonly channel: WindowChannel;
  readonly core: WindowCore;
  readonly worker: WorkerClient | null;
  readonly sync: SyncControl;
  readonly streams: Streams;
  readonly keptUndo: KeptUndo;
}

export class Lifecycle {
  readonly #parts: LifecycleParts;
  #state: 'running' | 'frozen' | 'returning' | 'stopped' = 'running';
  /** Whether a frozen page has closed its connection and its channel. */
  #isSuspended = false;
  #attempts = 0;
  readonly #timers: Timers;
  readonly #backoff: Backoff;
  /** Whether the worker has been started again, and has not reported yet. */
  #restarted = false;
  #stop: () => void = () => {};
  #loggedOut: () => void = () => {};

  constructor(parts: LifecycleParts) {
    this.#parts = parts;
    this.#timers = parts.host.timers();
    this.#backoff = new Backoff(parts.host.clock, parts.host.workerTimes);
  }

  /** The page is frozen, or on its way there. */
  get isFrozen(): boolean {
    return this.#state === 'frozen';
  }

  /** `loggedOut`: the user's session has ended while the page stood still. */
  start(loggedOut: () => void): void {
    this.#loggedOut = loggedOut;
    this.#stop = this.#parts.host.page.on((event) => this.#on(event));
    this.#rereadLater();
  }

  stop(): void {
    this.#reportLeaving();
    this.#state = 'stopped';
    this.#timers.clear();
    this.#stop();
  }

  #on(event: PageEvent): void {
    const { worker, sync, keptUndo } = this.#parts;
    switch (event.type) {
      case 'visibility':
        worker?.post({ type: 'visible', visible: event.visible });
        if (event.visible) this.#shown();
        // A hidden page may be ended without another event.
        else if (this.#state === 'running') keptUndo.ask();
        break;
      case 'online':
        sync.update({ online: event.online });
        if (sync.status.mode !== 'local') worker?.post({ type: 'online', online: event.online });
        if (event.online) this.#restart();
        break;
      case 'pagehide':
        if (event.persisted) this.#freeze();
        else this.#leave();
        break;
      case 'freeze':
        this.#freeze();
        break;
      case 'still':
        if (this.#state === 'running') this.#standStill();
        else this.#suspendStorage();
        break;
      case 'pageshow':
        if (event.persisted) void this.#resume();
        break;
      case 'resume':
        void this.#resume();
        break;
      default:
        event satisfies never;
    }
  }

  #shown(): void {
    // From now on another tab may be made as a copy of this one.
    if (this.#state === 'running') this.#parts.keptUndo.forget();
    this.#restart();
    this.#reread();
  }

  /**
   * Another window may have stored a change without notifying anyone: it ended before it could, or its page was dropped from
   * the back/forward cache. So a visible window reads again: when it is shown, and every minute.
   */
  #reread(): void {
    const { host, runner } = this.#parts;
    if (this.#state === 'running' && host.page.visible)
      runner.dispatch({ type: 'timer', name: 'reread' });
  }

  #rereadLater(): void {
    this.#timers.set('reread', rereadMs, () => {
      this.#reread();
      this.#rereadLater();
    });
  }

  /** The page ends. Changes of the application from here on are stored without waiting for an answer. */
  #leave(): void {
    this.#releaseLeases();
    if (this.#state !== 'running') return;
    const { runner } = this.#parts;
    runner.dispatch({ type: 'freeze', ends: true });
    // No engine is known that lets a page live after it has said so. If one does, the window goes on.
    this.#timers.set('left', aliveMs, () => runner.dispatch({ type: 'resume' }));
  }

  /** The database may be closed before the outcome of what is being stored is reported. */
  #reportLeaving(): void {
    if (this.#state === 'running') this.#parts.runner.dispatch({ type: 'leave' });
  }

  #releaseLeases(): void {
    const { worker, core, storage, channel, host } = this.#parts;
    const now = host.clock.now();
    for (const [name, held] of worker?.leases ?? []) {
      const lease = core.releasedLease(held, now);
      if (!storage.putNow('sync', name, lease)) continue;
      channel.post({ type: 'lease', name, lease, outcome: 'left' });
    }
  }

  #freeze(): void {
    if (this.#state === 'frozen') return;
    const { host, worker, runner, sync, streams } = this.#parts;
    if (this.#state === 'running') {
      // With locks, the worker's end frees them, and the next holder knows. A connection that waits for a put while the page
      // is in the back/forward cache stays open (WebKitGTK 2.50), and no client could delete the database.
      if (!host.locks) this.#releaseLeases();
      worker?.terminate();
      this.#timers.clear();
      const frozen = new NetworkError(
        'network',
        'The page was frozen before the server answered.',
        {
          retryable: true,
        },
      );
      sync.abandon(frozen);
      streams.abandon(frozen);
      runner.dispatch({ type: 'freeze' });
      runner.failOutstanding({ name: 'AbortError', message: 'The page is frozen.' });
    }
    this.#state = 'frozen';
    this.#isSuspended = false;
    // If the engine sends no more events, but lets the page run, other windows are not blocked for long.
    this.#timers.set('still', 0, () => this.#suspendStorage());
  }

  /** The application's handlers have run: it can undo what they have done, too. */
  #standStill(): void {
    this.#parts.runner.dispatch({ type: 'still' });
    this.#parts.keptUndo.ask();
  }

  /** Suspends channel and storage. Changes that the application's handlers made before this point are still stored. */
  #suspendStorage(): void {
    if (this.#state !== 'frozen' || this.#isSuspended) return;
    const { channel, storage } = this.#parts;
    this.#isSuspended = true;
    this.#timers.cancel('still');
    this.#standStill();
    channel.suspend();
    storage.suspend();
  }

  async #resume(): Promise<void> {
    if (this.#state !== 'frozen') return;
    // In an engine that sends no event when it freezes, timers run before this event.
    this.#suspendStorage();
    this.#state = 'returning';
    const attempt = ++this.#attempts;
    const { storage, runner, channel } = this.#parts;
    channel.resume();
    storage.resume();
    const over = await sessionIsOver(storage);
    if (this.#state !== 'returning' || attempt !== this.#attempts) return;
    if (over) return this.#loggedOut();
    this.#state = 'running';
    runner.dispatch({ type: 'resume' });
    this.#parts.keptUndo.take();
    this.#restart();
    this.#rereadLater();
  }

  /**
   * The worker has failed. It is started again after a pause that doubles, or when the page is looked at or online again.
   */
  workerEnded(): void {
    this.#parts.streams.abandon(
      new NetworkError('network', 'The sync worker has ended.', { retryable: true }),
    );
    if (this.#state === 'stopped') return;
    this.#timers.set('worker', this.#backoff.next(), () => this.#restart());
  }

  /** The worker runs: what made the one before it fail is over. */
  workerSpoke(): void {
    this.#timers.cancel('worker');
    if (!this.#restarted) return;
    this.#restarted = false;
    this.#parts.sync.update({ error: null });
  }

  /** Starts the worker unless one runs: it was ended, or had failed. */
  #restart(): void {
    if (this.#state !== 'running' || !this.#parts.worker || this.#parts.worker.running) return;
    this.#restarted = true;
    this.startWorker();
  }

  startWorker(): void {
    // The page may have been frozen meanwhile: a worker is started when it resumes.
    if (this.#state !== 'running') return;
    const { worker, sync, streams } = this.#parts;
    worker?.start();
    if (!worker?.running) return;
    sync.workerStarted();
    streams.post();
    // A worker whose file never loads, or whose storage never opens, reports nothing at all.
    this.#timers.set('worker', startLimitMs, () => {
      worker.fail(new Error(`The sync worker has not started within ${startLimitMs} ms.`));
    });
  }
}

/**
 * Whether another window has logged the user out while this page was frozen. It is read before anything is written.
 * If the database was deleted, its storage has reported that and is closed.
 */
async function sessionIsOver(storage: Storage): Promise<boolean> {
  try {
    const [service] = await readNow(storage, [{ store: 'sync', get: 'service' }]);
    return (service as { loggedOut?: boolean } | null)?.loggedOut === true;
  } catch {
    return false; // The core reads next, and reports what fails.
  }
}
