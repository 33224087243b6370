/** `db.sync` (sync-types.ts): the state of synchronisation, and the calls that control it. */

import type { MendedEffect, ProblemEffect, SyncScope, WantedScope } from '../core/core-types.ts';
import {
  ClosedError,
  errorFromCode,
  errorFromCore,
  NetworkError,
  type SkerryError,
  ValidationError,
} from '../core/errors.ts';
import type {
  AskPausedMessage,
  PausedMessage,
  ScopesFailed,
  SyncedByNumber,
  WindowMessage,
} from '../core/messages.ts';
import type { WorkerStart } from '../host/worker-link.ts';
import {
  Comparing,
  type ComparingParts,
  type MendedRow,
  type Verified,
  type VerifyOptions,
} from './comparing.ts';
import { Listeners } from './listeners.ts';
import { type Scope, Scopes, type ScopesParts } from './scopes.ts';
import {
  hasSynced,
  makeStatus,
  type StatusInput,
  type SyncStatus,
  sameStatus,
} from './sync-status.ts';
import type { SyncApi } from './sync-types.ts';
import type { Stop } from './types.ts';

export interface SyncParts extends ScopesParts {
  readonly online: boolean;
  readonly isVisible: () => boolean;
  readonly comparing: ComparingParts;
  /** A message for the sync worker. */
  readonly post: (message: WindowMessage<WorkerStart>) => void;
  /** The pause of this window, where a service worker sees it. */
  readonly showPause: (paused: boolean) => void;
  /** Resolves when nothing of this window waits for storage. */
  readonly durable: () => Promise<void>;
  /** The core reports its state, if it differs. */
  readonly askState: () => void;
}

interface Request {
  resolve(): void;
  reject(error: SkerryError): void;
}

export class SyncControl implements SyncApi {
  readonly #parts: SyncParts;
  readonly #listeners = new Listeners<SyncStatus>();
  readonly #requests = new Map<number, Request>();
  readonly #ends = new Set<(error: SkerryError) => void>();
  /** Conditions that callers wait for: checked after every change of either side. */
  readonly #checks = new Set<() => void>();
  /** What the status is made of; an inspector reads it, too. */
  input: StatusInput;
  #status: SyncStatus;
  /** The status of which subscribers were told last. */
  #told: SyncStatus | null = null;
  readonly #scopes: Scopes;
  readonly comparing: Comparing;
  #passing: SkerryError | null = null;
  #isStale = false;
  #isRead = false;
  #paused = false;
  #closed = false;
  #serial = 0;

  constructor(parts: SyncParts) {
    this.#parts = parts;
    this.input = {
      local: parts.local,
      online: parts.online,
      window: null,
      worker: null,
      error: null,
      storage: null,
      scopes: null,
      streams: null,
      image: null,
      restored: 0,
      mended: 0,
    };
    this.#scopes = new Scopes(parts, {
      held: () => this.#heldScopes(),
      until: (done, signal) => this.#until(done, () => {}, signal),
      show: (scopes) => this.update({ scopes }),
    });
    this.comparing = new Comparing(parts.comparing, {
      pull: () => this.now(),
      pending: () => this.#status.pending,
      isIdle: () =>
        this.#status.phase === 'idle' &&
        this.#status.connected &&
        this.#status.pending === 0 &&
        parts.isVisible(),
    });
    if (!parts.local) this.comparing.lookLater();
    this.#status = Object.freeze(makeStatus(this.input));
  }

  get status(): SyncStatus {
    // Reading `status` must not notify subscribers synchronously.
    this.#isRead = true;
    this.#refresh();
    this.#isRead = false;
    return this.#status;
  }

  /** Mutations were made. The core is asked for its state when this task has made them all, or the status is read. */
  mutated(): void {
    if (this.#isStale) return;
    this.#isStale = true;
    queueMicrotask(() => this.#refresh());
  }

  #refresh(): void {
    if (!this.#isStale) return;
    this.#isStale = false;
    this.#parts.askState();
  }

  subscribe(fn: (status: SyncStatus) => void): Stop {
    return this.#listeners.add(fn);
  }

  async now(): Promise<void> {
    this.#refuseClosed();
    // The worker sees what is in storage only.
    await this.#parts.durable();
    this.#refuseClosed();
    if (this.#parts.local) return;
    const id = ++this.#serial;
    await new Promise<void>((resolve, reject) => {
      this.#requests.set(id, { resolve, reject });
      this.#parts.post({ type: 'sync', id });
    });
  }

  pause(): void {
    this.#refuseClosed();
    this.#paused = true;
    this.#parts.showPause(true);
    this.#parts.post({ type: 'pause' });
  }

  resume(): void {
    this.#refuseClosed();
    this.#paused = false;
    this.#parts.showPause(false);
    this.#parts.post({ type: 'resume' });
  }

  async waitForSync(options: { signal?: AbortSignal; timeoutMs?: number } = {}): Promise<void> {
    const { signal, timeoutMs } = options;
    signal?.throwIfAborted();
    this.#refuseClosed();
    let stored = false;
    let pulled = false;
    /** The status at the last failed request; null while none has failed. */
    let failed: SyncStatus | null = null;
    const ask = (check: () => void) => {
      failed = null;
      this.now().then(
        () => {
          pulled = true;
          check();
        },
        () => {
          failed = this.#status;
        },
      );
    };
    await this.#until(
      (status, check) => {
        // The loop tries again on its own. The pull that succeeds then may have begun before this call, so it is asked again.
        if (failed && hasSynced(failed, status)) ask(check);
        else if (failed) failed = status;
        // All else has been pushed, and this is not going to be.
        if (pulled && this.input.window?.held)
          throw new ValidationError('held', "A change is held back by the application's rules.");
        return this.#parts.local ? stored : pulled && status.pending === 0;
      },
      (check) => {
        // Storage may not answer for long: the signal and the time limit hold meanwhile, too.
        void this.#parts.durable().then(() => {
          stored = true;
          if (!this.#parts.local && !this.#closed) ask(check);
          check();
        });
      },
      signal,
      timeoutMs,
    );
  }

  async verify(options: VerifyOptions = {}): Promise<Verified> {
    this.#refuseClosed();
    await this.#parts.durable();
    return this.comparing.verify(options);
  }

  /** The effect `mended`. */
  mended(effect: MendedEffect): readonly MendedRow[] {
    const rows = this.comparing.mended(effect);
    this.update({ mended: this.input.mended + rows.length });
    return rows;
  }

  scope(query: unknown): Scope {
    this.#refuseClosed();
    return this.#scopes.ask(query);
  }

  /** The answer to a service worker that the browser has woken. */
  pausedOrNot({ id }: AskPausedMessage): PausedMessage {
    return { type: 'pausedOrNot', paused: this.#paused, to: id };
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** The option `scopes` of `open`: posted to the worker when it starts. */
  want(scopes: readonly WantedScope[]): void {
    this.#scopes.want(scopes);
  }

  /** A worker has started: the pause, the scopes and the open requests of this window are posted to it. */
  workerStarted(): void {
    if (this.#paused) this.#parts.post({ type: 'pause' });
    this.#scopes.post();
    // Requests that were made while no worker ran. Those to an earlier worker were rejected when it ended.
    for (const id of this.#requests.keys()) this.#parts.post({ type: 'sync', id });
  }

  /** The worker has failed: the status says so, and calls that wait for its answers reject. */
  failed(error: SkerryError): void {
    this.passing(error);
    this.abandon(error);
  }

  /** The application returned a token, or null: an earlier failure of the callback, or a wrong token, is over. */
  tokenGiven(): void {
    const code = this.input.error?.code;
    if (code === 'needs_auth' || code === 'wrong_user') this.update({ error: null });
  }

  /** The status shows the error until a round of the worker has succeeded, which shows that it is over. */
  passing(error: SkerryError): void {
    this.#passing = error;
    this.update({ error });
  }

  /** The effect `problem`. */
  problem({ code, detail, scope }: ProblemEffect): void {
    if (scope) this.#scopes.refused(scope, errorFromCore(code, detail));
    this.passing(errorFromCode('internal', detail, { retryable: true }));
  }

  scopesFailed(message: ScopesFailed): void {
    this.#scopes.failed(message);
  }

  /** For tests (freezeWorker): the worker stands still until it is released. */
  holdWorker(hold: boolean): void {
    this.#parts.post({ type: 'hold', hold });
  }

  /** The worker knows first; without one (hidden, frozen) the window's last reading counts. */
  #heldScopes(): readonly SyncScope[] {
    const { worker, window } = this.input;
    return worker?.scopes ?? window?.scopes ?? [];
  }

  /** Resolves when the status says so; ends with the database, the signal, or the time limit. */
  #until(
    done: (status: SyncStatus, check: () => void) => boolean,
    begin: (check: () => void) => void,
    signal?: AbortSignal,
    timeoutMs?: number,
  ): Promise<void> {
    const timer = `wait ${++this.#serial}`;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const end = (outcome: () => void) => {
        this.#checks.delete(check);
        this.#ends.delete(fail);
        this.#parts.timers.cancel(timer);
        signal?.removeEventListener('abort', onAbort);
        outcome();
      };
      const check = () => {
        try {
          if (this.#checks.has(check) && done(this.#status, check)) end(resolve);
        } catch (error) {
          fail(error);
        }
      };
      const fail = (error: unknown) => end(() => reject(error));
      const onAbort = () => fail(signal?.reason);
      this.#checks.add(check);
      this.#ends.add(fail);
      signal?.addEventListener('abort', onAbort);
      if (timeoutMs !== undefined) {
        this.#parts.timers.set(timer, timeoutMs, () => {
          fail(
            new NetworkError('timeout', `Not synchronised within ${timeoutMs} ms.`, {
              retryable: true,
            }),
          );
        });
      }
      begin(check);
      check();
    });
  }

  update(change: { -readonly [K in keyof StatusInput]?: StatusInput[K] }): void {
    const { worker } = change;
    const isOver = worker && worker.phase === 'idle' && !worker.error;
    if (isOver && this.input.error === this.#passing) change.error = null;
    this.input = { ...this.input, ...change };
    const status = makeStatus(this.input);
    const changed = !sameStatus(status, this.#status);
    if (changed) this.#status = Object.freeze(status);
    for (const check of [...this.#checks]) check();
    if (worker) this.#scopes.changed();
    if (!changed) return;
    if (this.#isRead) queueMicrotask(() => this.#tell());
    else this.#tell();
  }

  #tell(): void {
    if (this.#told === this.#status) return;
    this.#told = this.#status;
    this.#listeners.notify(this.#status);
  }

  answered({ id, error }: SyncedByNumber): void {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    if (error) request?.reject(errorFromCode(error.code, error.message, error));
    else request?.resolve();
  }

  /** What was known of the server was known to the worker. */
  workerEnded(): void {
    const { worker } = this.input;
    if (worker?.connected) this.update({ worker: { ...worker, connected: false } });
  }

  /** The worker is gone (page frozen, or it failed): its answers will not come. */
  abandon(error: SkerryError): void {
    for (const request of this.#requests.values()) request.reject(error);
    this.#requests.clear();
  }

  #refuseClosed(): void {
    if (this.#closed) throw new ClosedError('closed', 'The database is closed.');
  }

  close(): void {
    this.#closed = true;
    this.#scopes.close();
    const error = new ClosedError('closed', 'The database was closed.');
    this.comparing.close(error);
    this.abandon(error);
    for (const end of [...this.#ends]) end(error);
  }
}
