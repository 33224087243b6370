/**
 * SyncWorker: a window's own RunningWorker, from the window's first message on. It is the whole of a dedicated Worker; in
 * the tests it runs in the test's own program.
 */
import { ownModule } from '../core/browser-module.ts';
import { SkerryError, StorageError } from '../core/errors.ts';
import type { WindowMessage, WorkerInput, WorkerMessage } from '../core/messages.ts';
import { compile } from '../core/module.ts';
import type { WorkerSideHost } from '../host/host.ts';
import type { WorkerStart } from '../host/worker-link.ts';
import { ImageJobs } from './image-jobs.ts';
import { RunningWorker } from './running-worker.ts';

/** Messages that may wait while module and storage are opened. */
const maxEarlyMessages = 10_000;

export class SyncWorker {
  readonly #host: WorkerSideHost;
  readonly #post: (message: WorkerMessage) => void;
  readonly #onStopped: () => void;
  #running: RunningWorker | null = null;
  #early: WorkerInput[] = [];
  #held = false;
  #stopped = false;

  constructor(host: WorkerSideHost, post: (message: WorkerMessage) => void, onStopped: () => void) {
    this.#host = host;
    this.#post = post;
    this.#onStopped = onStopped;
  }

  /** Takes a message of the window. */
  receive(message: WindowMessage<WorkerStart>): void {
    if (message.type === 'init') void this.#start(message.config);
    else if (message.type === 'hold') this.#hold(message.hold);
    else if (message.type === 'stop') void this.stop();
    else if (this.#running) this.#running.receive(message);
    else if (this.#early.length < maxEarlyMessages) this.#early.push(message);
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.#running?.stop();
    this.#post({ type: 'stopped' });
    this.#onStopped();
  }

  /** Ends at once, as a terminated Worker does: nothing is released but what the engine itself releases. */
  kill(): void {
    this.#stopped = true;
    this.#running?.close();
  }

  #hold(hold: boolean): void {
    this.#held = hold;
    this.#running?.hold(hold);
  }

  async #start(config: WorkerStart): Promise<void> {
    try {
      const opening = this.#host.storage.reopen(config.database, (_loss, error) =>
        this.#lost(error),
      );
      const loading = ownModule(config.module ?? this.#compile(config));
      const [module, storage] = await Promise.all([loading, opening]).catch((error: unknown) => {
        // It will not be used.
        void opening.then(
          (opened) => opened.close(),
          () => {},
        );
        throw error;
      });
      if (this.#stopped) {
        storage.close();
        return;
      }
      try {
        this.#running = new RunningWorker({
          host: this.#host,
          config: { ...config, service: withWasm(config) },
          module,
          storage,
          post: this.#post,
          onFailed: (error, ended) => this.#post({ type: 'failed', error, ended }),
          onStatus: (status) => this.#post({ type: 'status', status }),
          images: (parts) => new ImageJobs(parts),
        });
      } catch (error) {
        storage.close();
        throw error;
      }
      this.#running.hold(this.#held);
      this.#running.start();
      for (const message of this.#early.splice(0)) this.#running.receive(message);
    } catch (error) {
      // Its database is gone: the window learns it from its own connection.
      if (!this.#stopped) this.#failed(error, true);
    }
  }

  #compile({ wasmUrl }: WorkerStart): Promise<WebAssembly.Module> {
    return compile((url) => this.#host.wasm(url), new URL(wasmUrl));
  }

  #lost(error: Error | null): void {
    if (error) {
      this.#failed(new StorageError('storage_lost', error.message, { retryable: true }), false);
      return;
    }
    // Nothing can be written or released in it any more.
    this.#running?.close();
    void this.stop();
  }

  /** `ended`: the window starts another. */
  #failed(error: unknown, ended: boolean): void {
    const { message } = error as Error;
    const { code, retryable } =
      error instanceof SkerryError ? error : { code: 'worker', retryable: false };
    this.#post({ type: 'failed', error: { code, message, retryable }, ended });
  }
}

/** Adds the place where the window has found the wasm, for the service worker. */
function withWasm({ service, wasmUrl }: WorkerStart): unknown {
  return service ? { ...(service as object), wasm: [wasmUrl] } : null;
}
