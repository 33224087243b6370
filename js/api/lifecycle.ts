/**
 * A window's life: hidden, frozen, put aside, brought back. A frozen page keeps its locks and open transactions, and
 * blocks every other window: so its worker is ended and its connection closed before, and its leases are let go of by
 * blind puts on the open connection, because nothing that waits for an answer can be counted on any more. A blind put may
 * overwrite a claim that another window made a moment ago: that window then finds its epoch gone at its next beat, and
 * claims anew; nothing is written under a lost epoch either way.
 */

import { NetworkError } from '../core/errors.ts';
import type { WindowCore } from '../core/window-core.ts';
import type { Channel } from '../host/channel.ts';
import type { EffectRunner } from '../host/effect-runner.ts';
import type { Host } from '../host/host.ts';
import type { PageEvent } from '../host/page.ts';
import type { Storage } from '../host/storage.ts';
import type { SyncControl } from './sync-api.ts';
import type { WorkerClient } from './worker-client.ts';

interface Parts {
  readonly host: Host;
  readonly runner: EffectRunner;
  readonly storage: Storage;
  readonly channel: Channel;
  readonly core: WindowCore;
  readonly worker: WorkerClient | null;
  readonly sync: SyncControl;
}

export class Lifecycle {
  readonly #parts: Parts;
  #frozen = false;
  #stop: () => void = () => {};

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  start(): void {
    this.#stop = this.#parts.host.page.on((event) => this.#on(event));
  }

  stop(): void {
    this.#stop();
  }

  #on(event: PageEvent): void {
    const { worker, sync } = this.#parts;
    switch (event.type) {
      case 'visibility':
        worker?.post({ type: 'visible', visible: event.visible });
        if (event.visible) this.#shown();
        break;
      case 'online':
        sync.update({ online: event.online });
        if (sync.status.mode !== 'local') worker?.post({ type: 'online', online: event.online });
        if (event.online) this.#restart();
        break;
      case 'pagehide':
        if (event.persisted) this.#freeze();
        else this.#releaseLeases();
        break;
      case 'freeze':
        this.#freeze();
        break;
      case 'pageshow':
        if (event.persisted) this.#resume();
        break;
      case 'resume':
        this.#resume();
        break;
      default:
        event satisfies never;
    }
  }

  #shown(): void {
    this.#restart();
    // With a remote, workers tell of the last record's number. Without one, a window that ended between storing a record and
    // telling of it has left the others behind: whoever is looked at reads again.
    if (!this.#frozen && this.#parts.sync.status.mode === 'local')
      this.#parts.runner.dispatch({ type: 'timer', name: 'reread' });
  }

  #releaseLeases(): void {
    const { worker, core, storage, channel, host } = this.#parts;
    const now = host.clock.now();
    for (const [name, { owner, epoch }] of worker?.leases ?? []) {
      const record = { v: 1, owner, epoch, beat: 0, claimedAt: now, beatAt: now, job: null };
      const lease = core.releasedLease({ record, owner, epoch, now });
      if (lease === null || !storage.putNow('sync', name, lease)) continue;
      channel.post({ type: 'lease', name, lease, outcome: 'left' });
    }
  }

  #freeze(): void {
    if (this.#frozen) return;
    this.#frozen = true;
    const { worker, runner, storage, sync } = this.#parts;
    this.#releaseLeases();
    worker?.terminate();
    sync.abandon(
      new NetworkError('network', 'The page was frozen before the server answered.', {
        retryable: true,
      }),
    );
    runner.dispatch({ type: 'freeze' });
    runner.failOutstanding({ name: 'AbortError', message: 'The page is frozen.' });
    storage.suspend();
  }

  #resume(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    this.#parts.runner.dispatch({ type: 'resume' });
    this.#restart();
  }

  /** Starts the worker unless one runs: it was ended, or had failed. */
  #restart(): void {
    const { worker, sync } = this.#parts;
    if (this.#frozen || !worker || worker.running) return;
    sync.update({ error: null });
    worker.start();
    sync.workerStarted();
  }
}
