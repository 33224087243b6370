/**
 * ServiceHome: the sync workers of a service worker, one for each database that it is woken for (docs/service-worker.md).
 * The windows have written the configuration of such a worker (schema, server, address of the wasm) into the database, so
 * that it can start without a window. A browser stops a service worker as it likes: nothing is kept here that storage does
 * not have.
 */
import { loadModule } from '../../core/browser-module.ts';
import type { StatusRecord } from '../../core/core-types.ts';
import {
  ClosedError,
  errorFromCode,
  SkerryError,
  UnsupportedError,
  UpdateNeededError,
} from '../../core/errors.ts';
import type { PausedMessage, ToServiceMessage } from '../../core/messages.ts';
import type { WorkerSideHost } from '../../host/host.ts';
import { pauseLock } from '../../host/pause-lock.ts';
import { uuid } from '../../host/random.ts';
import { readNow, type Storage } from '../../host/storage.ts';
import type { Transport } from '../../host/transport.ts';
import { RunningWorker } from '../running-worker.ts';

/** The configuration of an application's own script: it goes before that of the windows. */
export interface OwnService {
  readonly name: string;
  readonly schema: { readonly version: number };
  readonly remote: {
    readonly url: string;
    readonly credentials: RequestCredentials;
    readonly token: ((why: 'start' | 'expired' | 'refused') => Promise<string | null>) | null;
  };
}

/** The record `service` of the store `sync`, as windows write it. */
interface ServiceRecord {
  readonly v: number;
  /** The user has logged out, and no window was opened for them since: no worker pushes in their name. */
  readonly loggedOut?: boolean;
  readonly schema: { readonly version: number };
  readonly remote: { readonly url: string; readonly credentials: RequestCredentials };
  readonly auth: boolean;
  readonly times: Readonly<Record<string, number>> | null;
  /** Where the windows have found the wasm: the last of these, since earlier builds had two files. */
  readonly wasm: readonly string[] | null;
}

/** When nothing is left to do, or nothing can be done now. */
export interface Rest {
  /** Mutations that are not confirmed. */
  readonly pending: number;
}

interface RunningDatabase {
  readonly version: number;
  readonly storage: Storage;
  readonly running: RunningWorker;
  status: StatusRecord | null;
  ended: boolean;
  resting: (() => void)[];
}

/** How long, beside a paused window, one that is not paused may take to answer. Later it wakes this worker itself. */
const answerMs = 5_000;
/** How long a database of a newer release is left alone. */
const newerMs = 60_000;
const recordVersion = 1;
const loggedOut = 'logged_out';
/** A window is about to write the record `service`: its Worker wakes this one once it has. */
const notSetUp = 'service';

export class ServiceHome {
  readonly #host: WorkerSideHost;
  readonly #own: OwnService | null;
  readonly #online: () => boolean;
  readonly #exists: (database: string) => Promise<boolean>;
  readonly #entries = new Map<string, Promise<RunningDatabase>>();
  /**
   * Databases that a newer release has upgraded, or waits to upgrade, and when that was seen: they are not opened again at
   * each message. The upgrade may fail, and the database may be deleted and made again.
   */
  readonly #newer = new Map<string, number>();

  /** `exists`: whether a database is there; one that was deleted meanwhile must not be created again. */
  constructor(
    host: WorkerSideHost,
    own: OwnService | null,
    online: () => boolean,
    exists: (database: string) => Promise<boolean>,
  ) {
    this.#host = host;
    this.#own = own;
    this.#online = online;
    this.#exists = exists;
  }

  /**
   * A message of a window (docs/sync-worker.md, section 4), or a wake of the browser's. `version` is that of the window's
   * schema. Resolves when this worker rests again, or was ended.
   */
  async wake(database: string, message: ToServiceMessage, version = 0): Promise<void> {
    await this.#work(database, message, version);
  }

  async #work(
    database: string,
    message: ToServiceMessage,
    version: number,
  ): Promise<RunningDatabase> {
    const entry = await this.#ready(database, version);
    // Replaced before this message was handed on. The next one may be replaced as well.
    if (entry.ended && this.#entries.has(database)) return this.#work(database, message, version);
    const rest = new Promise<void>((resolve) => entry.resting.push(resolve));
    entry.running.receive(message);
    settle(entry);
    await rest;
    return entry;
  }

  async #ready(database: string, version: number): Promise<RunningDatabase> {
    const joins = this.#entries.has(database);
    try {
      return await this.#entry(database, version);
    } catch (error) {
      const { code } = error as { code?: unknown };
      // What was tried began before this message, which may say that the record is there by now.
      if (code === notSetUp && joins) return this.#ready(database, version);
      // There is no window to notify, or one is about to set it up.
      if (code === loggedOut || code === notSetUp) throw error;
      // Windows that are open take over at once, and show why.
      const channel = this.#host.channels.open(database, () => {});
      channel.post({ type: 'serviceFailed', reason: reasonOf(error) });
      channel.close();
      throw error;
    }
  }

  /**
   * By the browser (a `sync` event), which knows nothing of pauses: where a window is paused and none says that it is not,
   * it is left to them. Fails if the worker was ended: nothing is known then.
   */
  async woken(database: string): Promise<Rest> {
    // Deleted meanwhile: nothing is to be done, now or later.
    if (!(await this.#exists(database)) || (await this.#isPaused(database))) return { pending: 0 };
    const wake = { type: 'wake', reason: 'sync', online: true } as const;
    const entry = await this.#work(database, wake, 0);
    // Its status is of the last request that it began: a window may have written since.
    const [pending] = await readNow(entry.storage, [{ store: 'mutations', count: true }]);
    return { pending: pending as number };
  }

  /** A paused window holds a lock, and so need not answer; one that is not paused is asked for. */
  async #isPaused(database: string): Promise<boolean> {
    if (!(await this.#host.locks?.isHeld(database + pauseLock))) return false;
    const id = uuid(this.#host.random.bytes(16));
    const timers = this.#host.timers();
    return new Promise((resolve) => {
      const end = (isPaused: boolean) => {
        timers.clear();
        channel.close();
        resolve(isPaused);
      };
      const channel = this.#host.channels.open(database, (message) => {
        // Nothing else names this id.
        const { paused, to } = message as Partial<PausedMessage>;
        if (to === id && !paused) end(false);
      });
      timers.set('answers', answerMs, () => end(true));
      channel.post({ type: 'askPaused', id });
    });
  }

  /** Ends everything, as a browser does that stops the service worker. */
  async kill(): Promise<void> {
    for (const [database, opening] of [...this.#entries]) {
      this.#entries.delete(database);
      await opening.then(end, () => {});
    }
  }

  #entry(database: string, version: number): Promise<RunningDatabase> {
    const open = this.#entries.get(database);
    if (!open) return this.#open(database);
    return open.then((entry) => {
      if (entry.version >= version || this.#entries.get(database) !== open) return entry;
      // A window has brought a newer schema.
      end(entry);
      return this.#open(database);
    });
  }

  #open(database: string): Promise<RunningDatabase> {
    const forget = () => this.#forget(database, opening);
    const opening = this.#start(database, forget);
    this.#entries.set(database, opening);
    opening.catch(forget);
    return opening;
  }

  /** Another may have replaced it meanwhile, which stays. */
  #forget(database: string, opening: Promise<RunningDatabase>): void {
    if (this.#entries.get(database) === opening) this.#entries.delete(database);
  }

  async #start(database: string, forget: () => void): Promise<RunningDatabase> {
    const host = this.#host;
    let entry: RunningDatabase | null = null;
    let running: RunningWorker | null = null;
    /** Why it has to end, which may come while it starts. */
    let dropped: Error | null = null;
    const drop = (why: Error) => {
      dropped ??= why;
      forget();
      if (entry) end(entry);
    };
    // A job that began before a pause goes on in it, and reads what is changed in it.
    const transport: Transport = {
      request: async (request) => {
        if (request.url.endsWith('/push') && (await this.#isPaused(database))) {
          drop(new ClosedError('closed', 'Paused.'));
          throw dropped;
        }
        return host.transport.request(request);
      },
    };
    const seen = this.#newer.get(database) ?? Number.NEGATIVE_INFINITY;
    if (host.clock.mono() - seen < newerMs) throw newerRelease();
    if (!(await this.#exists(database)))
      throw new UnsupportedError(loggedOut, `There is no ${database} any more.`);
    const storage = await host.storage.reopen(database, (loss, error) => {
      const isNewer = loss === 'newer-version';
      if (isNewer) this.#newer.set(database, host.clock.mono());
      drop(isNewer ? newerRelease() : (error ?? new ClosedError('closed', 'The storage is lost.')));
    });
    try {
      const record = await recordOf(storage);
      const own = database.startsWith(`skerry/${this.#own?.name}/`) ? this.#own : null;
      const newer = own && (!record || own.schema.version >= record.schema.version);
      const schema = newer ? own.schema : record?.schema;
      const remote = own?.remote ?? record?.remote;
      if (!schema || !remote)
        throw new UnsupportedError('service', `No window has set up ${database} for this worker.`);
      const address = named('skerry.wasm', record?.wasm?.at(-1) ?? '');
      const module = await loadModule((url) => host.wasm(url), address);
      running = new RunningWorker({
        host: { ...host, transport },
        module,
        storage,
        config: {
          schema,
          database,
          remote,
          tab: `service-${uuid(host.random.bytes(16))}`,
          auth: own ? own.remote.token !== null || record?.auth === true : record?.auth === true,
          visible: true,
          online: this.#online(),
          times: record?.times ?? null,
          mode: 'service',
          reason: '',
          keepToken: false,
          service: null,
        },
        token: own?.remote.token ?? null,
        onFailed: ({ code, message }) => drop(errorFromCode(code, message)),
        onLogout: () => drop(hasLoggedOut()),
        onStatus: (status) => {
          if (!entry) return;
          entry.status = status;
          settle(entry);
        },
      });
      // It listens by now: the record shows a log-out before that.
      await recordOf(storage);
      if (dropped) throw dropped;
      entry = {
        version: schema.version,
        storage,
        running,
        status: null,
        ended: false,
        resting: [],
      };
      running.start();
      return entry;
    } catch (error) {
      running?.close();
      storage.close();
      // Storage that was closed for that reason fails, and does not say why.
      throw dropped ?? error;
    }
  }
}

/** The file's name goes along, because the name that a bundler gave it says nothing. */
function named(name: string, address: string): URL {
  const url = new URL(address === '' ? name : address, globalThis.location?.href ?? 'file:///');
  url.hash = name;
  return url;
}

async function recordOf(storage: Storage): Promise<ServiceRecord | null> {
  const [record] = await readNow(storage, [{ store: 'sync', get: 'service' }]);
  if (!record) return null;
  const found = record as ServiceRecord;
  if (found.loggedOut) throw hasLoggedOut();
  if (found.v > recordVersion) throw newerRelease();
  return found;
}

function hasLoggedOut(): UnsupportedError {
  return new UnsupportedError(loggedOut, 'The user has logged out.');
}

function newerRelease(): UpdateNeededError {
  return new UpdateNeededError('newer_tab', 'A window runs a newer version of this application.');
}

/** Resolves the promises of those that wait until the worker rests, if it rests. */
function settle(entry: RunningDatabase): void {
  // Until it has started there is no status; while it works it is the holder, or waits for the lock.
  if (entry.ended || entry.status?.role === 'none') release(entry);
}

/** A worker that is ended is not waited for. */
function end(entry: RunningDatabase): void {
  entry.ended = true;
  entry.running.close();
  release(entry);
}

function release({ resting }: RunningDatabase): void {
  for (const resolve of resting.splice(0)) resolve();
}

/** For the windows, in words. */
function reasonOf(error: unknown): string {
  const { message } = error as Error;
  return error instanceof SkerryError ? message : `The service worker could not start: ${message}`;
}
