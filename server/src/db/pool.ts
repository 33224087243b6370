// A pool of sessions with a maximum size and a limited queue. A lost session is replaced when one is needed, not
// before: while the database is unavailable, callers learn it at once. PGlite has a pool of one.

import { limits } from '../base/limits.ts';
import { ConnectionError, isUnavailable } from './database.ts';
import type { Session } from './session.ts';

interface SessionWaiter<S> {
  readonly resolve: (connection: S) => void;
  readonly reject: (error: unknown) => void;
}

export class SessionPool<S extends Session> {
  readonly #openOne: () => Promise<S>;
  readonly #size: number;
  readonly #idle: S[] = [];
  readonly #waiting: SessionWaiter<S>[] = [];
  #count = 0;
  #closed = false;
  #emptied: (() => void) | null = null;

  constructor(size: number, open: () => Promise<S>) {
    this.#openOne = open;
    this.#size = size;
  }

  /** Runs `work` on a session. A caller whose `signal` is aborted stops waiting for one. */
  async using<Value>(
    work: (session: S) => Promise<Value>,
    signal?: AbortSignal | undefined,
  ): Promise<Value> {
    const session = await this.take(signal);
    try {
      return await work(session);
    } finally {
      this.give(session);
    }
  }

  /** Takes a session, which the caller must give back. */
  async take(signal?: AbortSignal | undefined): Promise<S> {
    signal?.throwIfAborted();
    if (this.#closed) throw new ConnectionError('The database is closed.');
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) break;
      if (!connection.lost) return connection;
      this.#count--;
    }
    if (this.#count < this.#size) return this.#open();
    if (this.#waiting.length >= limits.waitingTransactions) {
      throw new ConnectionError('Too many requests wait for the database.');
    }
    return this.#wait(signal);
  }

  #wait(signal: AbortSignal | undefined): Promise<S> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal?.reason);
      };
      const waiter: SessionWaiter<S> = {
        resolve: (session) => {
          signal?.removeEventListener('abort', leave);
          resolve(session);
        },
        reject: (error) => {
          signal?.removeEventListener('abort', leave);
          reject(error);
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiter);
    });
  }

  give(connection: S): void {
    if (connection.lost) this.#forget();
    else if (this.#closed) {
      void connection.close().finally(() => this.#forget());
    } else {
      const waiter = this.#waiting.shift();
      if (waiter === undefined) this.#idle.push(connection);
      else waiter.resolve(connection);
    }
  }

  /** Closes idle connections now, the others when they are given back. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#waiting.splice(0)) {
      reject(new ConnectionError('The database is closed.'));
    }
    for (const connection of this.#idle.splice(0)) {
      await connection.close();
      this.#count--;
    }
    if (this.#count > 0) {
      await new Promise<void>((resolve) => {
        this.#emptied = resolve;
      });
    }
  }

  async #open(): Promise<S> {
    this.#count++;
    try {
      return await this.#openOne();
    } catch (error) {
      if (isUnavailable(error)) this.#none(error);
      else this.#forget();
      throw error;
    }
  }

  /**
   * No connection can be opened. If others are open, the waiting callers wait for those; otherwise all of them get
   * the error.
   */
  #none(error: unknown): void {
    this.#count--;
    if (this.#count > 0) return;
    if (this.#closed) this.#emptied?.();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** One connection fewer: the first waiting caller gets a new one, or the error of opening it. */
  #forget(): void {
    this.#count--;
    if (this.#closed && this.#count === 0) this.#emptied?.();
    const waiter = this.#closed ? undefined : this.#waiting.shift();
    if (waiter !== undefined) this.#open().then(waiter.resolve, waiter.reject);
  }
}
