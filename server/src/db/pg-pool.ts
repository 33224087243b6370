// A bounded pool of connections: so many and no more, and so many that wait for one. A lost connection is replaced when
// it is wanted, not before: while the database is away, callers are told so at once.

import { limits } from '../limits.ts';
import { ConnectionError, isUnavailable } from './database.ts';
import { type Patience, PgConnection } from './pg-connection.ts';

interface Waiter {
  readonly resolve: (connection: PgConnection) => void;
  readonly reject: (error: unknown) => void;
}

export class PgPool {
  readonly #url: string;
  readonly #size: number;
  readonly #patience: Patience;
  readonly #idle: PgConnection[] = [];
  readonly #waiting: Waiter[] = [];
  #count = 0;
  #closed = false;
  #emptied: (() => void) | null = null;

  constructor(url: string, size: number, patience: Patience) {
    this.#url = url;
    this.#size = size;
    this.#patience = patience;
  }

  /** A connection of the caller's own until it is given back. */
  async take(): Promise<PgConnection> {
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
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  give(connection: PgConnection): void {
    if (connection.lost) this.#forget();
    else if (this.#closed) {
      void connection.close().finally(() => this.#forget());
    } else {
      const waiter = this.#waiting.shift();
      if (waiter === undefined) this.#idle.push(connection);
      else waiter.resolve(connection);
    }
  }

  /** Ends idle connections now, the others as they are given back. */
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

  async #open(): Promise<PgConnection> {
    this.#count++;
    try {
      return await PgConnection.open(this.#url, {}, this.#patience);
    } catch (error) {
      if (isUnavailable(error)) this.#none(error);
      else this.#forget();
      throw error;
    }
  }

  /** No connection can be had. Who waits goes on waiting for those that are there; where there are none, all learn it at once. */
  #none(error: unknown): void {
    this.#count--;
    if (this.#count > 0) return;
    if (this.#closed) this.#emptied?.();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** One connection fewer; who waits first gets the new one that may now be opened, or learns why there is none. */
  #forget(): void {
    this.#count--;
    if (this.#closed && this.#count === 0) this.#emptied?.();
    const waiter = this.#closed ? undefined : this.#waiting.shift();
    if (waiter !== undefined) this.#open().then(waiter.resolve, waiter.reject);
  }
}
