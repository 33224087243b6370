/**
 * DatabaseCore: everything of one open database that is not public: one window's core with its host around it.
 */
import { ClosedError, errorFromCode, type SkerryError, StorageError } from '../core/errors.ts';
import type { CoreModule } from '../core/module.ts';
import { RowView } from '../core/row-view.ts';
import type { SchemaCodec } from '../core/values.ts';
import { type Message, WindowCore } from '../core/window-core.ts';
import { Backoff } from '../host/backoff.ts';
import { EffectRunner, isMessage } from '../host/effect-runner.ts';
import type { Host } from '../host/host.ts';
import { storageNewer } from '../host/idb-request.ts';
import type { ImagePointer, ImageReader } from '../host/image-reader.ts';
import { uuid } from '../host/random.ts';
import type { Storage, StorageEnd } from '../host/storage.ts';
import { ConflictInbox } from './conflicts.ts';
import { type DatabaseEvents, EventListeners } from './events.ts';
import { Lifecycle } from './lifecycle.ts';
import { LiveRegistry } from './live.ts';
import { loadImage } from './load-image.ts';
import { Mutations } from './mutations.ts';
import type { OpenOptions, UpdateReason } from './options.ts';
import { scopesOf } from './query.ts';
import type { ScopesFailed } from './scopes.ts';
import { ServiceMode } from './service-mode.ts';
import { type Problem, type SyncAnswer, SyncControl } from './sync-api.ts';
import { type WindowState, workerError } from './sync-status.ts';
import type { Tables } from './types.ts';
import { WindowChannel } from './window-channel.ts';
import { WorkerClient } from './worker-client.ts';

/** How long `close` waits for unsaved changes, and then for the worker. */
const closeLimitMs = 5000;

/** What a database is made of. */
export interface CoreParts {
  readonly options: OpenOptions<Tables, unknown>;
  readonly host: Host;
  readonly module: CoreModule;
  readonly storage: Storage;
  readonly images: ImageReader;
  readonly codec: SchemaCodec;
  readonly database: string;
}

export class DatabaseCore {
  readonly parts: CoreParts;
  readonly options: OpenOptions<Tables, unknown>;
  readonly host: Host;
  readonly view: RowView;
  readonly lives: LiveRegistry;
  readonly mutations: Mutations;
  readonly conflicts: ConflictInbox;
  readonly sync: SyncControl;
  readonly worker: WorkerClient | null;
  readonly runner: EffectRunner;
  readonly #core: WindowCore;
  readonly #lifecycle: Lifecycle;
  readonly events = new EventListeners();
  readonly #closeChannel: () => void;
  readonly #forgetModule: () => void;
  #ready: { resolve(): void; reject(error: SkerryError): void } | null = null;
  #closing: Promise<void> | null = null;
  readonly #service: ServiceMode;

  constructor(parts: CoreParts) {
    const { options, host, module, storage, codec, database } = parts;
    const { remote } = options;
    const tab = uuid(host.random.bytes(16));
    const schema = codec.describe() as { readonly version: number };
    const server = {
      remote: {
        url: remote ? host.resolve(remote.url).href : '',
        credentials: remote?.credentials ?? ('omit' as const),
      },
      auth: remote ? remote.token !== null : false,
      times: host.workerTimes ?? null,
    };
    const timers = host.timers();
    this.parts = parts;
    this.options = options;
    this.host = host;
    this.#service = new ServiceMode({
      host,
      database,
      version: schema.version,
      url: remote ? options.serviceWorker : false,
      onState: (state) => this.worker?.post({ type: 'service', ...state }),
    });
    this.#core = new WindowCore(module, {
      schema,
      tab,
      defaultRealm: options.defaultRealm ?? null,
      seed: host.random.bytes(32),
      remote: remote !== undefined,
      user: options.user ?? null,
    });
    this.view = new RowView(this.#core, codec);
    this.lives = new LiveRegistry(this.view);
    const onMessage = (message: unknown) => {
      const type = isMessage(message) ? message.type : null;
      if (type === 'logout') void this.close('logout');
      else if (type === 'askPaused') channel.post(this.sync.pausedOrNot());
      else if (type === 'image') this.sync.update({ image: null });
      else this.runner.hear(message);
    };
    const channel = new WindowChannel(host.channels, database, remote === undefined, onMessage);
    this.#closeChannel = () => channel.close();
    this.runner = new EffectRunner({
      clock: host.clock,
      timers,
      channel,
      storage,
      relaxed: options.durability === 'relaxed',
      call: (event) => this.#core.handle(event),
      settle: () => this.#settle(),
      post: (message) => {
        // Without a detour: a window may be closed at once.
        if ((message as Message).type === 'mutated' && !this.sync.paused)
          this.#service.link?.changed();
        this.worker?.post(message);
      },
      special: (effect) => this.#special(effect),
    });
    this.#forgetModule = module.onBroken((error) => this.#broken(error));
    const { view, lives, runner } = this;
    this.mutations = new Mutations({
      view,
      lives,
      runner,
      clock: host.clock,
      mutated: () => this.sync.mutated(),
      first: () => {
        // Chromium drops a page that is put aside while it asks.
        if (this.#lifecycle.isAside) return false;
        if (options.persist !== false) host.storage.persist();
        return true;
      },
    });
    this.conflicts = new ConflictInbox(codec, (event) => runner.dispatch(event));
    this.sync = new SyncControl({
      local: remote === undefined,
      online: host.page.online,
      timers: host.timers(),
      backoff: new Backoff(host.clock, host.workerTimes),
      post: (message) => this.worker?.post(message),
      isHeard: () => this.worker?.running === true,
      checkScopes: (wanted) => this.#core.checkScopes(wanted),
      changeScopes: (add, drop) => runner.dispatch({ type: 'scopes', add, drop }),
      durable: () => this.mutations.durable(),
      askState: () => runner.dispatch({ type: 'state' }),
    });
    // Without a remote the worker never goes online: it only rolls records up into images.
    this.worker =
      remote || host.images
        ? new WorkerClient({
            host,
            url: options.workerUrl ?? null,
            remote: remote ?? null,
            user: options.user ?? null,
            config: () => ({
              schema,
              tab,
              database,
              ...server,
              visible: host.page.visible,
              online: remote !== undefined && host.page.online,
              wasmUrl: options.wasmUrl?.href ?? null,
              mode: this.#service.state.active ? 'helper' : 'lease',
              reason: this.#service.state.reason,
              keepToken: remote?.keepToken === true,
              service: options.serviceWorker ? server : null,
            }),
            onMessage: (message) => this.#fromWorker(message),
            onFailed: (error) => this.sync.failed(error),
            onEnded: () => this.#lifecycle.workerEnded(),
            onToken: () => this.sync.tokenGiven(),
          })
        : null;
    this.#lifecycle = new Lifecycle({
      host,
      runner,
      storage,
      channel,
      core: this.#core,
      worker: this.worker,
      sync: this.sync,
      loggedOut: () => void this.close('logout'),
    });
  }

  /** Loads local data. Resolves when queries answer. */
  async start(): Promise<void> {
    if (this.options.remote) this.sync.want(scopesOf(this.lives, this.options.scopes));
    const ready = new Promise<void>((resolve, reject) => {
      this.#ready = { resolve, reject };
    });
    this.runner.dispatch({ type: 'open' });
    await ready;
    this.#lifecycle.start();
    if (!this.worker) return;
    // Only now: on a cold start a worker would compete with the page for the processor.
    void this.#service.begin().then(() => {
      if (this.#closing) return;
      this.#lifecycle.startWorker();
    });
  }

  /** Drains the core: forgets rows that changed, brings live values up to date, and gives the calls to make last. */
  #settle(): () => void {
    if (this.#core.closed) return () => {};
    const drained = this.#core.drain();
    this.view.forget(drained);
    return this.lives.take(drained.live);
  }

  #special(effect: Message): void {
    switch (effect.type) {
      case 'settle':
        this.mutations.settle(effect);
        break;
      case 'state':
        this.sync.update({ window: effect as unknown as WindowState });
        break;
      case 'conflicts':
        this.conflicts.replace(effect);
        break;
      case 'resolved':
        this.conflicts.resolved(effect);
        break;
      case 'loadImage':
        void this.#loadImage(effect as unknown as ImagePointer);
        break;
      case 'ready':
        this.#ready?.resolve();
        break;
      case 'openFailed': {
        const { name, message } = effect['error'] as { name: string; message: string };
        const code = name === 'storage_newer' ? name : 'storage_refused';
        this.#ready?.reject(new StorageError(code, `${name}: ${message}`));
        break;
      }
      case 'notify':
        this.#notify(effect);
        break;
      case 'problem':
        this.sync.problem(effect as unknown as Problem);
        break;
      default:
        // An effect of a newer core: shown, because nobody else would.
        this.sync.passing(errorFromCode('internal', effect.type, { retryable: true }));
    }
  }

  async #loadImage(pointer: ImagePointer): Promise<void> {
    const loaded = await loadImage(this.parts.images, this.#core, pointer);
    if (!this.#core.closed) this.runner.dispatch(loaded);
  }

  #notify(effect: Message): void {
    switch (effect['kind']) {
      case 'dataLost':
        this.events.dataLost(String(effect['detail'] ?? ''));
        break;
      case 'updateNeeded':
        this.#updateNeeded(effect['reason'] as UpdateReason);
        break;
      case 'storageFailed': {
        const { name, message } = effect['error'] as { name: string; message: string };
        const code = name === 'QuotaExceededError' ? 'quota' : 'storage';
        const error = errorFromCode(code, message, { retryable: true }, StorageError);
        this.sync.update({ storage: error });
        this.events.emit('storageFailed', { error });
        break;
      }
      case 'storageRecovered':
        this.sync.update({ storage: null });
        break;
    }
  }

  #updateNeeded(reason: UpdateReason): void {
    this.options.onUpdateNeeded?.({ reason });
    this.events.emit('updateNeeded', { reason });
  }

  #fromWorker(message: Message): void {
    switch (message.type) {
      case 'status': {
        this.#lifecycle.workerSpoke();
        // Without a remote it tells of a worker that is offline for good, which says nothing.
        if (!this.options.remote) break;
        const status = message['status'] as Message;
        const before = this.sync.status.error?.code;
        this.sync.update({ worker: status });
        const code = this.sync.status.error?.code;
        const reason = code?.replaceAll('_', '-');
        if (code !== before && (reason === 'client-old' || reason === 'server-old'))
          this.#updateNeeded(reason);
        break;
      }
      case 'imageFailed':
        this.sync.update({ image: workerError(message) });
        return;
      case 'wakeService':
        this.#service.link?.wake(message['message']);
        return;
      case 'scopesFailed':
        this.sync.scopesFailed(message as unknown as ScopesFailed);
        return;
      case 'synced':
        this.sync.answered(message as unknown as SyncAnswer);
        return;
    }
    this.runner.dispatch({ type: 'post', message });
  }

  /** Storage was taken away: nothing can be durable any more. */
  lost(loss: StorageEnd, error: Error | null): void {
    if (loss === 'newer-version') {
      this.#leave();
      return;
    }
    const message = error?.message ?? `The database is gone (${loss}).`;
    const retryable = loss === 'connection-lost';
    const told = new StorageError('storage_lost', message, { cause: error, retryable });
    this.#ready?.reject(told);
    this.sync.update({ storage: told });
    if (loss === 'evicted') this.events.dataLost('The browser has deleted what it had stored.');
    if (loss !== 'connection-lost') void this.close(loss);
    else this.events.emit('storageFailed', { error: told });
  }

  /** A newer version of the application has the database, or waits for it. What was written here is stored first. */
  #leave(): void {
    const text =
      'A newer version of this application has upgraded the database: load the page again.';
    this.#ready?.reject(storageNewer(this.parts.database));
    this.sync.update({ storage: errorFromCode('newer_tab', text) });
    this.#closing ??= this.#close('deleted-or-upgraded', true);
    this.#updateNeeded('newer-tab');
  }

  /** The core trapped: what is stored is safe, what is in memory is not to be trusted, so this window ends. */
  #broken(error: SkerryError): void {
    this.runner.stop();
    this.sync.update({ error });
    this.#ready?.reject(error);
    void this.close('core-failed');
  }

  close(reason: DatabaseEvents['closed']['reason'] = 'close'): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  /** Waits for a part of closing, but not for ever: storage or worker may not answer any more. */
  async #withinLimit(part: Promise<void>): Promise<void> {
    const timers = this.host.timers();
    const limit = new Promise<void>((resolve) => timers.set('close', closeLimitMs, resolve));
    await Promise.race([part, limit]);
    timers.clear();
  }

  async #close(
    reason: DatabaseEvents['closed']['reason'],
    canStore = reason === 'close' || reason === 'logout',
  ): Promise<void> {
    this.#lifecycle.stop();
    // What the application wrote before is stored first, unless storage is gone or does not answer.
    if (canStore) await this.#withinLimit(this.mutations.durable());
    // Another window waits for it.
    if (reason === 'deleted-or-upgraded') this.parts.storage.close();
    if (this.worker) await this.#withinLimit(this.worker.stop());
    this.worker?.terminate();
    this.#service.close();
    this.runner.stop();
    this.#closeChannel();
    this.parts.storage.close();
    this.mutations.close();
    this.conflicts.close();
    this.sync.close();
    this.#ready?.reject(new ClosedError('closed', 'The database was closed while it was opened.'));
    this.#core.close();
    this.#forgetModule();
    this.events.emit('closed', { reason });
  }
}
