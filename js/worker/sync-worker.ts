/**
 * SyncWorker: the core that pushes and pulls, with its host around it: carries out its effects and reports events
 * (docs/sync-worker.md). It runs in a dedicated Worker of each window, and in the tests in the test's own program.
 */
import { SkerryError } from '../core/errors.ts';
import type { CoreModule } from '../core/module.ts';
import type { Message } from '../core/window-core.ts';
import { WorkerCore } from '../core/worker-core.ts';
import type { Channel } from '../host/channel.ts';
import { EffectRunner } from '../host/effect-runner.ts';
import type { WorkerSideHost } from '../host/host.ts';
import type { Socket } from '../host/socket.ts';
import type { Storage } from '../host/storage.ts';
import { transportFailure } from '../host/transport.ts';
import { type ImageJob, ImageJobs } from './image-jobs.ts';
import { loadWorkerModule } from './load-module.ts';
import { LockKeeper } from './lock-keeper.ts';

/** What the window says at the start (`WorkerConfig` of js/api/worker-client.ts). */
interface Config {
  readonly schema: unknown;
  readonly tab: string;
  readonly database: string;
  readonly remote: { readonly url: string; readonly credentials: RequestCredentials };
  readonly auth: boolean;
  readonly visible: boolean;
  readonly online: boolean;
  readonly wasmUrl: string | null;
  readonly times: Readonly<Record<string, number>> | null;
}

interface FetchEffect extends Message {
  readonly id: number;
  readonly method: string;
  readonly path: string;
  readonly body: Uint8Array;
  readonly token: string | null;
  readonly timeoutMs: number;
}

/** An answer, inflated, other than an image (src/base/limits.h). */
const maxBodyBytes = 8 << 20;
const stopLimitMs = 2000;
/** Messages that may wait while module and storage are opened. */
const maxEarlyMessages = 10_000;

export class SyncWorker {
  readonly #host: WorkerSideHost;
  readonly #post: (message: unknown) => void;
  readonly #onStopped: () => void;
  #running: RunningWorker | null = null;
  #early: Message[] = [];
  #held = false;
  #stopped = false;

  constructor(host: WorkerSideHost, post: (message: unknown) => void, onStopped: () => void) {
    this.#host = host;
    this.#post = post;
    this.#onStopped = onStopped;
  }

  /** Takes a message of the window. */
  receive(message: Message): void {
    if (message.type === 'init') void this.#start(message['config'] as Config);
    else if (message.type === 'hold') this.#hold(message['hold'] === true);
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

  async #start(config: Config): Promise<void> {
    try {
      const url = config.wasmUrl === null ? undefined : new URL(config.wasmUrl);
      const [module, storage] = await Promise.all([
        loadWorkerModule((address) => this.#host.wasm(address), url),
        this.#host.storage.open(config.database, (_loss, error) => this.#lost(error)),
      ]);
      if (this.#stopped) {
        storage.close();
        return;
      }
      try {
        this.#running = new RunningWorker(this.#host, this.#post, config, module, storage);
      } catch (error) {
        storage.close();
        throw error;
      }
      this.#running.hold(this.#held);
      this.#running.start();
      for (const message of this.#early.splice(0)) this.#running.receive(message);
    } catch (error) {
      this.#failed(error);
    }
  }

  #lost(error: Error | null): void {
    if (error) this.#failed(error);
    else void this.stop();
  }

  #failed(error: unknown): void {
    const code = error instanceof SkerryError ? error.code : 'worker';
    this.#post({ type: 'failed', error: { code, message: (error as Error).message } });
  }
}

class RunningWorker {
  readonly #host: WorkerSideHost;
  readonly #post: (message: unknown) => void;
  readonly #config: Config;
  readonly #core: WorkerCore;
  readonly #storage: Storage;
  readonly #channel: Channel;
  readonly #runner: EffectRunner;
  readonly #locks: LockKeeper | null;
  readonly #images: ImageJobs;
  readonly #fetches = new Map<number, AbortController>();
  readonly #forgetModule: () => void;
  #socket: Socket | null = null;
  #closed = false;

  constructor(
    host: WorkerSideHost,
    post: (message: unknown) => void,
    config: Config,
    module: CoreModule,
    storage: Storage,
  ) {
    this.#host = host;
    this.#post = post;
    this.#config = config;
    this.#storage = storage;
    const report = (event: Message) => this.#runner.dispatch(event);
    const { database, remote } = config;
    this.#images = new ImageJobs({ host, storage, database, remote, report });
    this.#core = new WorkerCore(module, {
      schema: config.schema,
      tab: config.tab,
      seed: host.random.bytes(32),
      visible: config.visible,
      online: config.online,
      locks: host.locks !== null,
      auth: config.auth,
      socket: true,
      images: host.images,
      times: config.times ?? undefined,
    });
    this.#forgetModule = module.onBroken((error) => {
      this.#post({ type: 'failed', error: { code: error.code, message: error.message } });
      this.close();
    });
    this.#channel = host.channels.open(config.database, (message) =>
      report({ type: 'message', message }),
    );
    this.#locks =
      host.locks &&
      new LockKeeper(host.locks, `${config.database}/`, (name, state) =>
        report({ type: 'lock', name, state }),
      );
    this.#runner = new EffectRunner({
      clock: host.clock,
      timers: host.timers(),
      channel: this.#channel,
      storage,
      call: (event) => (this.#closed ? [] : this.#core.handle(event)),
      post: (message) => this.#post(message),
      special: (effect) => this.#special(effect),
    });
  }

  start(): void {
    this.#runner.dispatch({ type: 'start' });
  }

  receive(message: Message): void {
    if (message.type === 'token') this.#runner.dispatch(message);
    else this.#runner.dispatch({ type: 'post', message });
  }

  /** Stands still, as a frozen page's worker does: locks and leases stay, nothing is answered. */
  hold(hold: boolean): void {
    if (hold) this.#runner.hold();
    else this.#runner.letGo();
  }

  /** Lets the core finish: it releases its leases. Storage that does not answer is not waited for. */
  async stop(): Promise<void> {
    this.#runner.letGo();
    this.#runner.dispatch({ type: 'post', message: { type: 'stop' } });
    const timers = this.#host.timers();
    await Promise.race([
      this.#runner.idle(),
      new Promise<void>((resolve) => timers.set('stop', stopLimitMs, resolve)),
    ]);
    timers.clear();
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const fetching of this.#fetches.values()) fetching.abort();
    this.#images.abortAll();
    this.#socket?.close();
    this.#runner.stop();
    this.#locks?.releaseAll();
    this.#channel.close();
    this.#storage.close();
    this.#core.close();
    this.#forgetModule();
  }

  #special(effect: Message): void {
    switch (effect.type) {
      case 'fetch':
        void this.#fetch(effect as FetchEffect);
        break;
      case 'abortFetch':
        this.#fetches.get(effect['id'] as number)?.abort();
        this.#fetches.delete(effect['id'] as number);
        break;
      case 'lock':
        this.#locks?.do(
          effect['name'] as string,
          effect['action'] as 'request' | 'steal' | 'release',
        );
        break;
      case 'needToken':
        this.#post({ type: 'needToken', why: effect['why'] });
        break;
      case 'socket':
        this.#socketAction(effect);
        break;
      case 'image':
        this.#images.start(effect['id'] as number, effect['job'] as ImageJob);
        break;
      case 'abortImage':
        this.#images.abort(effect['id'] as number);
        break;
      case 'status':
        this.#post({ type: 'status', status: effect['status'] });
        break;
      default: {
        // Nobody else would show it: a problem, or an effect of a newer core.
        const message = String(effect['detail'] ?? effect.type);
        this.#post({ type: 'failed', error: { code: 'internal', message } });
      }
    }
  }

  async #fetch({ id, method, path, body, token, timeoutMs }: FetchEffect): Promise<void> {
    const stop = new AbortController();
    this.#fetches.set(id, stop);
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (token !== null) headers['authorization'] = `Bearer ${token}`;
    let event: Message;
    try {
      const answer = await this.#host.transport.request({
        method,
        url: this.#config.remote.url + path,
        headers,
        body,
        timeoutMs,
        maxBytes: maxBodyBytes,
        gzip: true,
        credentials: this.#config.remote.credentials,
        signal: stop.signal,
      });
      const contentType = answer.headers['content-type'] ?? '';
      event = { type: 'response', id, status: answer.status, contentType, body: answer.body };
    } catch (error) {
      event = { type: 'response', id, error: transportFailure(error) };
    }
    if (stop.signal.aborted) return;
    this.#fetches.delete(id);
    this.#runner.dispatch(event);
  }

  #socketAction(effect: Message): void {
    switch (effect['action']) {
      case 'open': {
        this.#socket?.close();
        const url = `${this.#config.remote.url}/poke`.replace(/^http/, 'ws');
        const report = (more: object) =>
          this.#runner.dispatch({ type: 'socket', ...more } as Message);
        this.#socket = this.#host.sockets.open(url, {
          onOpen: () => report({ state: 'open' }),
          onMessage: (text) => report({ state: 'message', text }),
          onClose: (code) => report({ state: 'closed', code }),
        });
        break;
      }
      case 'send':
        this.#socket?.send(effect['text'] as string);
        break;
      case 'close':
        this.#socket?.close();
        this.#socket = null;
        break;
    }
  }
}
