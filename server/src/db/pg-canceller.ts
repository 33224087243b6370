// Ends statements whose callers have gone, by a connection of its own: those of the pool may all be busy with such
// statements. It is opened when it is first needed, and again after it was lost.

import { isUnavailable } from './database.ts';
import { type Patience, PgConnection } from './pg-connection.ts';

export class PgCanceller {
  readonly #url: string;
  readonly #patience: Patience;
  #connection: Promise<PgConnection> | null = null;
  #closed = false;

  constructor(url: string, patience: Patience) {
    this.#url = url;
    this.#patience = patience;
  }

  /** Resolves when the statement was told to end, or cannot be told: then its own time limit ends it. */
  async cancel(pid: string): Promise<void> {
    if (this.#closed) return;
    try {
      const connection = await this.#open();
      await connection.query('select pg_cancel_backend($1::text::integer)::text as told', [pid]);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const connection = await this.#connection?.catch(() => null);
    await connection?.close();
  }

  #open(): Promise<PgConnection> {
    const forget = () => {
      this.#connection = null;
    };
    this.#connection ??= PgConnection.open(this.#url, { lost: forget }, this.#patience);
    this.#connection.catch(forget);
    return this.#connection;
  }
}
