/**
 * The window's end of its sync worker: starts it, hands it tokens, takes its messages, and knows the leases that it
 * holds, so that the window can release them when it ends (a Worker hears neither `pagehide` nor
 * `freeze`; docs/sync-worker.md, section 5).
 */
import { messageOf } from '../core/brand.ts';
import type { LeaseCopyMessage, LeaseName, TokenNeed } from '../core/core-types.ts';
import { errorFromCode, type SkerryError, UnsupportedError } from '../core/errors.ts';
import { tokenMs } from '../core/limits.ts';
import type { WindowMessage, WorkerMessage } from '../core/messages.ts';
import { tokenToSend } from '../core/user.ts';
import { Backoff } from '../host/backoff.ts';
import type { Host } from '../host/host.ts';
import type { Timers } from '../host/timers.ts';
import type { WorkerLink, WorkerStart } from '../host/worker-link.ts';
import type { Remote } from './remote.ts';

/** The worker waits `tokenMs` for an answer, unless the host says otherwise; the application has this part of it. */
const answerShare = 0.75;

export interface WorkerClientParts {
  readonly host: Host;
  readonly url: URL | null;
  /** Null without one: the worker then only makes images. */
  readonly remote: Remote | null;
  /** The user of the database; null: made without one. */
  readonly user: string | null;
  config(): WorkerStart;
}

/** Messages that concern more than the worker and its tokens. */
export type WorkerReport = Exclude<
  WorkerMessage,
  LeaseCopyMessage | { readonly type: 'stopped' | 'needToken' | 'failed' }
>;

/** Hears what becomes of the worker. */
export interface WorkerOwner {
  onMessage(message: WorkerReport): void;
  onFailed(error: SkerryError): void;
  /** It runs no more, because it failed (after `onFailed`). */
  onEnded(): void;
  /** The application gave a token, or said that there is none. */
  onToken(): void;
}

export interface Lease {
  readonly owner: string;
  readonly epoch: number;
}

export class WorkerClient {
  readonly #parts: WorkerClientParts;
  #owner!: WorkerOwner;
  #link: WorkerLink | null = null;
  readonly #leases = new Map<LeaseName, Lease>();
  readonly #timers: Timers;
  #stopped: (() => void) | null = null;
  /** Calls of `token`. */
  #asked = 0;

  constructor(parts: WorkerClientParts) {
    this.#parts = parts;
    this.#timers = parts.host.timers();
  }

  /** Before `start`. */
  connect(owner: WorkerOwner): void {
    this.#owner = owner;
  }

  get running(): boolean {
    return this.#link !== null;
  }

  /** Leases that the worker holds, by name. */
  get leases(): ReadonlyMap<LeaseName, Lease> {
    return this.#leases;
  }

  start(): void {
    if (this.#link) return;
    try {
      this.#start();
    } catch (error) {
      // A policy may forbid workers: local data works all the same, and the status says why nothing is in step.
      this.fail(error as Error);
    }
  }

  #start(): void {
    const link: WorkerLink = this.#parts.host.workers.start(this.#parts.url, {
      onMessage: (message) => {
        if (this.#link === link) this.#onMessage(message as WorkerMessage);
      },
      onFailed: (error) => {
        if (this.#link === link) this.fail(error);
      },
    });
    this.#link = link;
    link.post({ type: 'init', config: this.#parts.config() });
  }

  post(message: WindowMessage<WorkerStart>): void {
    this.#link?.post(message);
  }

  /** Lets the worker finish: it releases its leases, and closes. Resolves when it says so, or has ended otherwise. */
  stop(): Promise<void> {
    if (!this.#link) return Promise.resolve();
    this.post({ type: 'stop' });
    return new Promise((resolve) => {
      this.#stopped = resolve;
    });
  }

  /** It runs no more, for this reason. */
  fail(error: Error): void {
    this.#ended(new UnsupportedError('worker', error.message, { cause: error }));
  }

  #ended(error: SkerryError): void {
    this.terminate();
    this.#owner.onFailed(error);
    this.#owner.onEnded();
  }

  terminate(): void {
    this.#link?.terminate();
    this.#end();
  }

  #end(): void {
    this.#link = null;
    this.#timers.clear();
    this.#leases.clear();
    this.#stopped?.();
    this.#stopped = null;
  }

  #onMessage(message: WorkerMessage): void {
    switch (message.type) {
      case 'stopped':
        // A worker may end by itself: its database is gone, which the window's own connection reports.
        this.terminate();
        break;
      case 'needToken':
        void this.#giveToken(message.why);
        break;
      case 'lease': {
        const { name, owner, epoch } = message;
        if (owner === null) this.#leases.delete(name);
        else this.#leases.set(name, { owner, epoch });
        break;
      }
      case 'failed': {
        const { code, message: text, retryable = false } = message.error;
        const error = errorFromCode(code, text, { retryable }, UnsupportedError);
        if (message.ended) this.#ended(error);
        else this.#owner.onFailed(error);
        break;
      }
      default:
        this.#owner.onMessage(message);
    }
  }

  async #giveToken(why: TokenNeed, backoff = this.#backoff()): Promise<void> {
    const link = this.#link;
    let given: unknown = null;
    let refused: SkerryError | null = null;
    try {
      given = await this.#askToken(why);
    } catch (cause) {
      const message = `token("${why}") failed: ${reasonOf(cause)}`;
      refused = errorFromCode('needs_auth', message, { cause, retryable: true });
    }
    if (this.#link !== link) return;
    let token: string | null = null;
    let reason = why;
    try {
      if (given !== null) token = tokenToSend(given, this.#parts.user);
    } catch (error) {
      refused = error as SkerryError;
      reason = 'refused';
    }
    if (!refused) return this.#handOn(token);
    // The application could not get one: synchronisation waits for it (`needsAuth`), the data stays. It is asked again.
    this.#owner.onFailed(refused);
    const again = reason;
    this.#timers.set('token', backoff.next(), () => void this.#giveToken(again, backoff));
    this.post({ type: 'token', token: null });
  }

  #handOn(token: string | null): void {
    this.#timers.cancel('token');
    this.#owner.onToken();
    this.post({ type: 'token', token });
  }

  /**
   * Calls `token(why)`. That it has not answered in time is a failure, and not the answer that there is none: it is
   * called again after a pause, and an answer that comes after all is used.
   */
  #askToken(why: TokenNeed): Promise<unknown> {
    const link = this.#link;
    const ask = async () => (await this.#parts.remote?.token?.(why)) ?? null;
    const limitMs = answerShare * (this.#parts.host.workerTimes?.token ?? tokenMs);
    return new Promise((resolve, reject) => {
      let isLate = false;
      const timer = `token ${++this.#asked}`;
      this.#timers.set(timer, limitMs, () => {
        isLate = true;
        reject(new Error(`It did not answer within ${limitMs / 1000} s.`));
      });
      ask()
        .finally(() => this.#timers.cancel(timer))
        .then((token) => {
          if (!isLate) resolve(token);
          else if (token !== null && this.#link === link) this.#takeLate(token);
        }, reject);
    });
  }

  #takeLate(given: unknown): void {
    let token: string;
    try {
      token = tokenToSend(given, this.#parts.user);
    } catch (error) {
      // The application is asked again after the pause.
      this.#owner.onFailed(error as SkerryError);
      return;
    }
    this.#handOn(token);
  }

  #backoff(): Backoff {
    const { clock, workerTimes } = this.#parts.host;
    return new Backoff(clock, workerTimes);
  }
}

/** What was thrown, in words. */
function reasonOf(cause: unknown): string {
  const message = messageOf(cause);
  return message === '' ? 'without a reason' : message.slice(0, 500);
}
