/**
 * RunningWorker: the core that pushes and pulls, with its host around it: carries out its effects and reports events
 * (docs/sync-worker.md). It has two homes: a dedicated Worker of each window (sync-worker.ts), and a service worker
 * (service-home.ts).
 */
import type { BrowserModule } from '../core/browser-module.ts';
import type {
  FetchEffect,
  ResponseEvent,
  SocketEvent,
  StatusRecord,
  TokenNeed,
} from '../core/core-types.ts';
import type { Times } from '../core/effects.ts';
import { maxBodyBytes } from '../core/limits.ts';
import type {
  InspectMessage,
  Message,
  TraceMessage,
  WorkerInput,
  WorkerMessage,
} from '../core/messages.ts';
import { tokenToSend, userOfDatabase } from '../core/user.ts';
import { WorkerCore } from '../core/worker-core.ts';
import type {
  SocketCommand,
  WorkerEffect,
  WorkerEvent,
  WorkerOnlyEffect,
  WorkerOnlyEvent,
} from '../core/worker-effects.ts';
import type { Channel } from '../host/channel.ts';
import { EffectRunner, isMessage, type WorkerRunner } from '../host/effect-runner.ts';
import type { WorkerSideHost } from '../host/host.ts';
import type { Socket } from '../host/socket.ts';
import type { Storage } from '../host/storage.ts';
import { transportFailure } from '../host/transport.ts';
import type { WorkerStart } from '../host/worker-link.ts';
import type { ImageJobs, ImageParts } from './image-jobs.ts';
import { LockKeeper } from './lock-keeper.ts';

/** The configuration that a window posts at the start, or that a service worker has found in storage. */
export type RunningConfig = Omit<WorkerStart, 'module' | 'wasmUrl' | 'mode'> & {
  readonly mode: 'lease' | 'service' | 'helper';
};

export interface RunningParts {
  readonly host: WorkerSideHost;
  readonly config: RunningConfig;
  readonly module: BrowserModule;
  readonly storage: Storage;
  /** A message for the window. Absent in a service worker, which posts to all windows on the channel. */
  readonly post?: (message: WorkerMessage) => void;
  readonly onStatus: (status: StatusRecord) => void;
  /** The core failed (the worker has `ended`), or has an effect that is not known here. */
  readonly onFailed: (error: { code: string; message: string }, ended: boolean) => void;
  /** The user has logged out. */
  readonly onLogout?: () => void;
  /** Asked for tokens, instead of the window. */
  readonly token?: ((why: TokenNeed) => Promise<string | null>) | null;
  /** Absent where no images are made. */
  readonly images?: (parts: ImageParts) => ImageJobs;
}

const stopLimitMs = 2000;
/** So long after an inspector has asked, requests are reported. */
const inspectMs = 60_000;

export class RunningWorker {
  readonly #host: WorkerSideHost;
  readonly #post: (message: WorkerMessage) => void;
  readonly #parts: RunningParts;
  readonly #config: RunningConfig;
  readonly #core: WorkerCore;
  readonly #storage: Storage;
  readonly #channel: Channel;
  readonly #runner: WorkerRunner;
  readonly #locks: LockKeeper | null;
  readonly #images: ImageJobs | null;
  readonly #fetches = new Map<number, AbortController>();
  readonly #forgetModule: () => void;
  #socket: Socket | null = null;
  /** Of the monotonic clock. */
  #inspectedUntil = 0;
  #closed = false;

  constructor(parts: RunningParts) {
    const { host, config, module, storage } = parts;
    this.#host = host;
    this.#parts = parts;
    this.#post = parts.post ?? ((message) => this.#channel.post(message));
    this.#config = config;
    this.#storage = storage;
    const report = (event: WorkerOnlyEvent) => this.#runner.dispatch(event);
    const { database, remote } = config;
    this.#images = parts.images?.({ host, storage, database, remote, report }) ?? null;
    this.#core = new WorkerCore(module, {
      schema: config.schema,
      tab: config.tab,
      user: userOfDatabase(database),
      seed: host.random.bytes(32),
      visible: config.visible,
      online: config.online,
      locks: host.locks !== null,
      auth: config.auth,
      socket: true,
      images: host.images,
      mode: config.mode,
      reason: config.reason,
      keepToken: config.keepToken,
      service: config.service,
      times: config.times ?? undefined,
    });
    this.#forgetModule = module.onBroken((error) => {
      parts.onFailed({ code: error.code, message: error.message }, true);
      this.close();
    });
    this.#channel = host.channels.open(config.database, (message) => {
      // A window's own worker is ended by its window.
      const type = isMessage(message) && message.type;
      if (type === 'logout') parts.onLogout?.();
      else if (type === 'inspect')
        this.#inspectedUntil = (message as InspectMessage).on ? host.clock.mono() + inspectMs : 0;
      else this.#runner.hear(message);
    });
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
      call: (event) => this.#call(event),
    });
    this.#runner.connect({
      special: (effect) => this.#special(effect),
    });
  }

  start(): void {
    this.#runner.dispatch({ type: 'start' });
  }

  receive(message: WorkerInput): void {
    if (message.type === 'token') this.#runner.dispatch(message);
    else this.#runner.dispatch({ type: 'post', message });
  }

  /** Stands still, as a frozen page's worker does: locks and leases stay, nothing is answered. */
  hold(hold: boolean): void {
    if (hold) this.#runner.hold();
    else this.#runner.release();
  }

  /** Lets the core finish: it releases its leases. Storage that does not answer is not waited for. */
  async stop(): Promise<void> {
    this.#runner.release();
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
    this.#images?.abortAll();
    this.#socket?.close();
    this.#runner.stop();
    this.#locks?.releaseAll();
    this.#channel.close();
    this.#storage.close();
    this.#core.close();
    this.#forgetModule();
  }

  #call(event: WorkerEvent & Times): readonly WorkerEffect[] {
    if (this.#closed) return [];
    try {
      return this.#core.handle(event);
    } catch (error) {
      // The core has trapped, which was reported (`onFailed`).
      if (this.#closed) return [];
      throw error;
    }
  }

  #special(effect: WorkerOnlyEffect): void {
    switch (effect.type) {
      case 'post':
        this.#post(effect.message);
        break;
      case 'fetch':
        void this.#fetch(effect);
        break;
      case 'abortFetch':
        this.#fetches.get(effect.id)?.abort();
        this.#fetches.delete(effect.id);
        break;
      case 'lock':
        this.#locks?.do(effect.name, effect.action);
        break;
      case 'needToken':
        if (this.#parts.token) void this.#askToken(this.#parts.token, effect.why);
        else this.#post(effect);
        break;
      case 'socket':
        this.#socketAction(effect);
        break;
      case 'image':
        this.#images?.start(effect.id, effect.job);
        break;
      case 'abortImage':
        this.#images?.abort(effect.id);
        break;
      case 'status':
        this.#parts.onStatus(effect.status);
        break;
      case 'wakeService':
        this.#post(effect);
        break;
      default: {
        effect satisfies never;
        // An effect of a newer core: nothing else would show it.
        const message = (effect as Message).type;
        this.#parts.onFailed({ code: 'internal', message }, false);
      }
    }
  }

  async #askToken(ask: NonNullable<RunningParts['token']>, why: TokenNeed): Promise<void> {
    // None, one that could not be had, and one that is another user's: all wait for a window that has a right one.
    const token = await ask(why)
      .then((given) => given && tokenToSend(given, userOfDatabase(this.#config.database)))
      .catch(() => null);
    this.#runner.dispatch({ type: 'token', token });
  }

  async #fetch({ id, method, path, body, token, timeoutMs, maxBytes }: FetchEffect): Promise<void> {
    const stop = new AbortController();
    this.#fetches.set(id, stop);
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (token !== null) headers['authorization'] = `Bearer ${token}`;
    const { clock } = this.#host;
    const request = { id, method, path, sent: body.length, at: clock.now() };
    const begun = clock.mono();
    this.#trace(request);
    let event: ResponseEvent;
    try {
      const answer = await this.#host.transport.request({
        method,
        url: this.#config.remote.url + path,
        headers,
        body: method === 'GET' ? null : body,
        timeoutMs,
        maxBytes: maxBytes ?? maxBodyBytes,
        gzip: true,
        credentials: this.#config.remote.credentials,
        signal: stop.signal,
      });
      // NaN where it is a date or missing: then the pauses grow by themselves.
      const seconds = Number(answer.headers['retry-after'] || Number.NaN);
      const retryAfter = seconds >= 0 ? { retryAfter: seconds } : {};
      const { status, body: bytes } = answer;
      event = { type: 'response', id, status, ...retryAfter, body: bytes };
    } catch (error) {
      event = { type: 'response', id, error: transportFailure(error) };
    }
    const { status, error } = event;
    const received = (event.body as Uint8Array | undefined)?.length;
    this.#trace({ ...request, status, received, error, ms: clock.mono() - begun });
    if (stop.signal.aborted) return;
    this.#fetches.delete(id);
    this.#runner.dispatch(event);
  }

  /** Nothing is made or sent of it while no inspector is open. */
  #trace(trace: Omit<TraceMessage, 'type' | 'from'>): void {
    if (this.#host.clock.mono() < this.#inspectedUntil)
      this.#channel.post({ type: 'trace', from: this.#config.tab, ...trace });
  }

  #socketAction(effect: SocketCommand): void {
    switch (effect.action) {
      case 'open': {
        this.#socket?.close();
        const url = `${this.#config.remote.url}/poke`.replace(/^http/, 'ws');
        const report = (event: SocketEvent) => this.#runner.dispatch(event);
        this.#socket = this.#host.sockets.open(url, {
          onOpen: () => report({ type: 'socket', state: 'open' }),
          onMessage: (text) => report({ type: 'socket', state: 'message', text }),
          onClose: (code) => report({ type: 'socket', state: 'closed', code }),
        });
        break;
      }
      case 'send':
        this.#socket?.send(effect.text);
        break;
      case 'close':
        this.#socket?.close();
        this.#socket = null;
        break;
      default:
        effect satisfies never;
    }
  }
}
