/**
 * DatabaseCore: everything of one open database that is not public. It opens and closes the parts, which
 * `buildDatabase` (build-database.ts) has made and connected.
 */
import type { BrowserModule } from '../core/browser-module.ts';
import { ClosedError, errorFromCode, type SkerryError, StorageError } from '../core/errors.ts';
import type { RowView } from '../core/row-view.ts';
import type { SchemaCodec } from '../core/values.ts';
import type { WindowCore } from '../core/window-core.ts';
import type { WindowRunner } from '../host/effect-runner.ts';
import type { Host } from '../host/host.ts';
import { storageNewer } from '../host/idb-request.ts';
import type { ImageReader } from '../host/image-reader.ts';
import { closeLimitMs, type Storage, type StorageEnd } from '../host/storage.ts';
import type { ConflictInbox } from './conflicts.ts';
import type { DatabaseState } from './database-state.ts';
import type { DatabaseEvents, EventListeners } from './events.ts';
import type { KeptUndo } from './kept-undo.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { LiveRegistry } from './live.ts';
import type { Mutations } from './mutations.ts';
import type { OpenOptions } from './options.ts';
import type { Problems } from './problems.ts';
import { scopesOf } from './query.ts';
import type { RealmsApi } from './realms.ts';
import type { ServiceMode } from './service-mode.ts';
import { type Streams, streamsOf } from './streams.ts';
import type { SyncControl } from './sync-api.ts';
import type { Tables } from './types.ts';
import type { Undo } from './undo.ts';
import type { Validation } from './validation.ts';
import type { WindowChannel } from './window-channel.ts';
import type { WorkerClient } from './worker-client.ts';

type CloseReason = DatabaseEvents['closed']['reason'];

/** What the parts of a database are built on: options, module, storage and hosts. */
export interface DatabaseDependencies {
  readonly options: OpenOptions<Tables, unknown>;
  readonly host: Host;
  /** @internal */
  readonly module: BrowserModule;
  /** Where it lies. */
  readonly wasmUrl: URL;
  readonly storage: Storage;
  readonly images: ImageReader;
  readonly codec: SchemaCodec;
  readonly database: string;
}

/** The parts of a database. */
export interface DatabaseParts extends DatabaseDependencies {
  /** The name of this window among those of the database. */
  readonly tab: string;
  readonly core: WindowCore;
  readonly view: RowView;
  readonly lives: LiveRegistry;
  readonly events: EventListeners;
  readonly channel: WindowChannel;
  readonly service: ServiceMode;
  /** Null without a remote where the host makes no images. */
  readonly worker: WorkerClient | null;
  readonly runner: WindowRunner;
  readonly mutations: Mutations;
  readonly conflicts: ConflictInbox;
  readonly undo: Undo;
  readonly keptUndo: KeptUndo;
  readonly validation: Validation;
  readonly realms: RealmsApi;
  readonly streams: Streams;
  readonly problems: Problems;
  readonly sync: SyncControl;
  readonly lifecycle: Lifecycle;
  readonly state: DatabaseState;
}

export class DatabaseCore {
  readonly parts: DatabaseParts;
  readonly #forgetModule: () => void;

  constructor(parts: DatabaseParts) {
    this.parts = parts;
    this.#forgetModule = parts.module.onBroken((error) => this.#broken(error));
  }

  /** Loads local data. Resolves when queries answer. */
  async start(): Promise<void> {
    const { options, sync, lives, runner, state, lifecycle, worker, service } = this.parts;
    if (options.remote) {
      sync.want(scopesOf(lives, options.scopes));
      this.parts.streams.want(streamsOf(options.streams ?? []));
    }
    this.parts.keptUndo.take();
    runner.dispatch({ type: 'open' });
    await state.opened;
    if (state.isOver) return;
    lifecycle.start(() => void this.close('logout'));
    if (!worker) return;
    // Only now: on a cold start a worker would compete with the page for the processor.
    void service
      .begin((active) => worker.post({ type: 'service', ...active }))
      .then(() => {
        if (!state.isOver) lifecycle.startWorker();
      });
  }

  /** Storage was taken away: nothing can be durable any more. */
  lost(loss: StorageEnd, error: Error | null): void {
    if (loss === 'newer-version') {
      this.#leave();
      return;
    }
    const { state, sync, events } = this.parts;
    const message = error?.message ?? `The database is gone (${loss}).`;
    const retryable = loss === 'connection-lost';
    const reason = new StorageError('storage_lost', message, { cause: error, retryable });
    state.lose(reason);
    sync.update({ storage: reason });
    if (loss === 'evicted') events.dataLost('The browser has deleted what it had stored.');
    if (loss !== 'connection-lost') void this.close(loss);
    else events.emit('storageFailed', { error: reason });
  }

  /** A newer version of the application has the database, or waits for it. Changes of this window are stored first. */
  #leave(): void {
    const { state, sync, events, database } = this.parts;
    const newer = storageNewer(database);
    state.refuse(newer);
    sync.update({ storage: errorFromCode('newer_tab', newer.message) });
    void this.close('deleted-or-upgraded', true);
    events.updateNeeded('newer-tab');
  }

  /** The core trapped: what is stored is safe, what is in memory is not to be trusted, so this window ends. */
  #broken(error: SkerryError): void {
    const { runner, sync, state } = this.parts;
    runner.stop();
    sync.update({ error });
    state.refuse(error);
    void this.close('core-failed');
  }

  /** `canStore`: what was written before can still be stored, and is waited for. */
  close(
    reason: CloseReason = 'close',
    canStore = reason === 'close' || reason === 'logout',
  ): Promise<void> {
    return this.parts.state.close(() => this.#close(reason, canStore));
  }

  /** Waits for a part of closing, but not for ever: storage or worker may not answer any more. */
  async #withinLimit(part: Promise<void>): Promise<void> {
    const timers = this.parts.host.timers();
    const limit = new Promise<void>((resolve) => timers.set('close', closeLimitMs, resolve));
    await Promise.race([part, limit]);
    timers.clear();
  }

  async #close(reason: CloseReason, canStore: boolean): Promise<void> {
    const { lifecycle, mutations, storage, worker, service, runner, state } = this.parts;
    lifecycle.stop();
    // Whoever opens it next may be another user, or the same one with other data.
    if (reason !== 'close') this.parts.keptUndo.forget();
    if (canStore) await this.#withinLimit(mutations.durable());
    // Another window waits for it.
    if (reason === 'deleted-or-upgraded') storage.close();
    // A worker that stops answers that it is offline: the reason is that the database was closed.
    this.parts.sync.close();
    if (worker) await this.#withinLimit(worker.stop());
    worker?.terminate();
    service.close();
    runner.stop();
    this.parts.channel.close();
    storage.close();
    mutations.close();
    this.parts.conflicts.close();
    this.parts.streams.close();
    state.refuse(new ClosedError('closed', 'The database was closed while it was opened.'));
    this.parts.core.close();
    this.#forgetModule();
    this.parts.events.emit('closed', { reason });
  }
}
